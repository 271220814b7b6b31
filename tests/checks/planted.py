"""Faults planted at known rows of real clean text, and how many of them a check names (recall) and how much else (precision).

In: the example data of this repository, Korean and English. Out: for each check on texts, rows with known faults. The table of
`docs/audit.md` is made from it by `benchmarks/audit_checks.py`; `tests/checks/test_planted.py` holds its figures.
"""

from __future__ import annotations

import csv
import json
import random
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sonmat import plugins
from sonmat.conformance import findings_of
from sonmat.core.protocols import Kind
from sonmat.core.values import Example, Source

DATA = Path(__file__).parents[2] / "examples" / "data"
EVERY = 31
"""One row in this many gets a fault: a share (3.2 %) below what any check takes for meant."""

Spoil = Callable[[str, random.Random], str]


@dataclass(frozen=True)
class Planted:
    """Rows of one kind, some with a fault."""

    kind: Kind
    rows: tuple[Example, ...]
    faulty: frozenset[str]


@dataclass(frozen=True)
class Score:
    """What a check made of planted faults and of the same rows without them."""

    check: str
    planted: int
    precision: float
    recall: float
    false_alarms: int
    clean: int


def score(check: str) -> Score:
    """Precision and recall of `check` over all its plantings; false alarms on every clean row there is."""
    plugin = plugins.find("checks", check)
    hits = named = planted = 0
    for made in plantings(check):
        found = {row for finding in findings_of(plugin, made.rows, made.kind) for row in finding.rows}
        hits, named, planted = hits + len(found & made.faulty), named + len(found), planted + len(made.faulty)
    alarms = {row for kind, rows in clean() for finding in findings_of(plugin, rows, kind) for row in finding.rows}
    return Score(check, planted, hits / max(named, 1), hits / planted, len(alarms), sum(len(rows) for _, rows in clean()))


def plantings(check: str) -> list[Planted]:
    """Data with the faults that `check` looks for: in answers and questions of conversations, and in texts to classify."""
    if check in _WHOLE:
        return [_WHOLE[check]()]
    spoils = _SPOILS[check]
    chosen = random.Random(check)
    return [
        _spoilt(kind, rows, spoils, chosen) for kind, rows in clean() if check not in _OF_ANSWERS or kind.name == "chat"
    ]


@cache
def clean() -> tuple[tuple[Kind, tuple[Example, ...]], ...]:
    """Every row of the example data, by file."""
    with (DATA / "korean_intents.csv").open(encoding="utf-8", newline="") as stream:
        intents = tuple(
            Example(
                id=f"intents{number}",
                input={"text": row["text"]},
                target={"label": row["intent"]},
                source=Source(file="intents", row=number),
            )
            for number, row in enumerate(csv.DictReader(stream), start=2)
        )
    chats = tuple(
        (plugins.find("tasks", "chat"), _conversations(name)) for name in ("chat_ko", "chat_en", "faq_ko", "faq_en")
    )
    return (plugins.find("tasks", "text-classification"), intents), *chats


def _conversations(name: str) -> tuple[Example, ...]:
    lines = (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    turns = [json.loads(line)["messages"] for line in lines]
    return tuple(
        conversation(f"{name}{number}", messages[:-1], messages[-1]["content"], number)
        for number, messages in enumerate(turns, start=1)
    )


def conversation(id: str, messages: Sequence[dict[str, str]], answer: str, row: int = 1) -> Example:
    return Example(id=id, input={"messages": list(messages)}, target={"text": answer}, source=Source(file="chat", row=row))


def _spoilt(kind: Kind, rows: Sequence[Example], spoils: Sequence[Spoil], chosen: random.Random) -> Planted:
    """One fault of each sort in turn, in the answer where there is one that is text."""
    made, faulty = list(rows), set()
    for turn, place in enumerate(range(chosen.randrange(EVERY), len(rows), EVERY)):
        example = rows[place]
        text = example.target["text"] if kind.name == "chat" else example.input["text"]
        spoilt = next(
            (done for spoil in [*spoils[turn % len(spoils) :], *spoils] if (done := spoil(text, chosen)) != text), None
        )
        if spoilt is None:
            continue
        part = {"target": {"text": spoilt}} if kind.name == "chat" else {"input": {"text": spoilt}}
        made[place] = example.model_copy(update=part)
        faulty.add(example.id)
    return Planted(kind, tuple(made), frozenset(faulty))


# ── what is planted ─────────────────────────────────────────────────────────────────────────────────────────────────


def _inside(piece: str) -> Spoil:
    """`piece` between two letters somewhere."""

    def spoil(text: str, chosen: random.Random) -> str:
        at = chosen.randint(1, max(1, len(text) - 1))
        return text[:at] + piece + text[at:]

    return spoil


def _behind(*pieces: str) -> Spoil:
    """One of `pieces` as words of their own, somewhere."""

    def spoil(text: str, chosen: random.Random) -> str:
        words = text.split(" ")
        words.insert(chosen.randint(0, len(words)), chosen.choice(pieces))
        return " ".join(words)

    return spoil


def _read_as(written: str, read: str, errors: str = "strict") -> Spoil:
    """Bytes of one encoding read in another; unchanged where nothing is lost by that."""

    def spoil(text: str, chosen: random.Random) -> str:
        try:
            return text.encode(written).decode(read, errors)
        except UnicodeError:
            return text

    return spoil


def _as_cp1252(text: str, chosen: random.Random) -> str:
    """UTF-8 as browsers show it in CP1252."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())


def _with_quotes(text: str, chosen: random.Random) -> str:
    return _as_cp1252(f"{text} “naïve” – it’s a café", chosen)


def _decomposed(text: str, chosen: random.Random) -> str:
    return unicodedata.normalize("NFD", text) if any("가" <= sign <= "힣" for sign in text) else text


def _jamo(text: str, chosen: random.Random) -> str:
    """Two words typed by a keyboard that does not put syllables together."""
    initials, vowels = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
    finals = ["", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"]
    words = text.split(" ")
    for place, word in enumerate(words[:2]):
        words[place] = "".join(
            initials[(ord(sign) - 0xAC00) // 588]
            + vowels[(ord(sign) - 0xAC00) // 28 % 21]
            + finals[(ord(sign) - 0xAC00) % 28]
            if "가" <= sign <= "힣"
            else sign
            for sign in word
        )
    return " ".join(words)


def _collapsed(text: str, chosen: random.Random) -> str:
    return text.replace(" ", "") if sum("가" <= sign <= "힣" for sign in text) >= 18 and " " in text else text


def _spread(text: str, chosen: random.Random) -> str:
    return " ".join(text.replace(" ", "")) if sum("가" <= sign <= "힣" for sign in text) >= 8 else text


def _tagged(text: str, chosen: random.Random) -> str:
    return f'<p class="answer"><b>{text}</b></p>'


def _escaped(text: str, chosen: random.Random) -> str:
    return f"{text.replace(' ', '&nbsp;')} &amp;lt;br&amp;gt;"


def _looped(text: str, chosen: random.Random) -> str:
    return " ".join([text[:120]] * 8) if len(text) > 8 else text


def _stuck(text: str, chosen: random.Random) -> str:
    words = text.split()
    return text + f" {words[-1]}" * (len(words) + 12)


_JAPANESE = "これは別の言語で書かれた回答です。お問い合わせありがとうございます。"
_RUSSIAN = "Это ответ на другом языке, который здесь никому не нужен."
_SPOILS: dict[str, tuple[Spoil, ...]] = {
    "control_characters": (
        *(_inside(piece) for piece in ("\x00", "\x07", "\u200b", "\ufeff", "\u202e", "\ue005", "\ud83d", "\u00ad", "\x9d")),
        _decomposed,
    ),
    "mojibake": (
        _as_cp1252,
        _with_quotes,
        _read_as("utf-8", "latin-1"),
        _read_as("cp949", "latin-1"),
        _read_as("utf-8", "cp949", "replace"),
        _read_as("utf-8", "ascii", "replace"),
        _inside("占쏙옙"),
    ),
    "html_left": (
        _tagged,
        _escaped,
        _inside("<br/>"),
        _inside("&#39;"),
        _behind("![로고](https://example.com/logo.png)"),
        _behind("<script>track(1)</script>", "<a href='https://example.com'>here</a>"),
    ),
    "korean_damage": (_jamo, _spread, _collapsed),
    "language_mix": (lambda text, chosen: _JAPANESE, lambda text, chosen: _RUSSIAN),
    "toxic": (
        _behind("씨발", "병신아", "개새끼야", "지랄하네", "ㅅㅂ", "ㅂㅅ"),
        _behind("시1발", "씨.발", "씨이발", "씨 발", "병~신", "죽여버린다", "때려 죽인다"),
        _behind("fucking", "bullshit", "You asshole!", "motherfucker,", "retard"),
        _behind("sh1t", "f*ck", "fuuuuck", "f.u.c.k", "a$$hole", "kill yourself"),
    ),
    "repetition": (_looped, _stuck),
}
_OF_ANSWERS = frozenset({"repetition", "language_mix"})


def _parrots() -> Planted:
    """Answers that are the question again, as it is or with other signs around it."""
    kind, rows = clean()[2]
    made, faulty = list(rows), set()
    forms = ("{}", "{}.", "“{}”", " {} ?!")
    for turn, place in enumerate(range(7, len(rows), EVERY)):
        asked = rows[place].input["messages"][-1]["content"]
        made[place] = rows[place].model_copy(update={"target": {"text": forms[turn % len(forms)].format(asked)}})
        faulty.add(rows[place].id)
    return Planted(kind, tuple(made), frozenset(faulty))


def _records_in_one_row() -> Planted:
    """Fifty texts in one row, as a lost quote makes them."""
    kind, rows = clean()[0]
    made, faulty = list(rows), set()
    for place in range(5, len(rows), EVERY * 4):
        text = "\n".join(example.input["text"] for example in rows[place : place + 50])
        made[place] = rows[place].model_copy(update={"input": {"text": text}})
        faulty.add(rows[place].id)
    return Planted(kind, tuple(made), frozenset(faulty))


def _moulded() -> Planted:
    """A third of the answers end with one sentence; others refuse as language models do."""
    kind, rows = clean()[1]
    made, faulty = list(rows), set()
    refusals = ("AI 언어 모델로서 답변드리기 어렵습니다.", "As an AI language model, I cannot have opinions.")
    for place, example in enumerate(rows):
        if place % 3 == 0:
            answer = f"{example.target['text'].rstrip('.')}. 더 궁금한 점이 있으면 언제든지 물어보세요!"
        elif place % EVERY == 1:
            answer = refusals[place % 2]
        else:
            continue
        made[place] = example.model_copy(update={"target": {"text": answer}})
        faulty.add(example.id)
    return Planted(kind, tuple(made), frozenset(faulty))


def _small_groups() -> Planted:
    """An age group of twelve rows among two large ones."""
    kind, rows = clean()[0]
    groups = ("20대", "30대")
    made = [
        example.model_copy(update={"slices": {"age": "70대" if place < 12 else groups[place % 2]}})
        for place, example in enumerate(rows)
    ]
    return Planted(kind, tuple(made), frozenset(example.id for example in made[:12]))


_WHOLE: dict[str, Callable[[], Planted]] = {
    "parroting": _parrots,
    "length_outliers": _records_in_one_row,
    "boilerplate": _moulded,
    "slice_balance": _small_groups,
}

CHECKS = tuple(sorted(_SPOILS.keys() | _WHOLE.keys()))
