"""The preview of `audit --show-tokens`: rows of the training set as the model will see them, learnt tokens marked.

In: a planned run. Out: the rows' tokens with their text and whether the loss counts them. The encoding is the task's own, so
what is shown is what is trained on; only personal data stays hidden, because a preview is looked at over a shoulder and pasted
into reports of faults.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Line

from sonmat.cli.options import words
from sonmat.core.errors import SettingError
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Plan, Value
from sonmat.reading.personal import find_personal, masked
from sonmat.reading.rows import texts_of

if TYPE_CHECKING:
    from sonmat.api import Run

IGNORED = -100
"""The label of tokens that the loss leaves out."""
HIDDEN_ID = -1
"""Stands for the id of a token that is part of personal data, because ids can be read as well as texts."""
HIDDEN_LETTER = "•"
LEARNT_STYLE = "bold green"


class Token(Value):
    ids: tuple[int, ...]
    """More than one where only together they are a character, as parts of one in UTF-8."""
    text: str
    supervised: bool


class EncodedRow(Value):
    id: str
    place: Text
    target: str | None
    """What is learnt where no token is, such as a label."""
    tokens: tuple[Token, ...]
    cut: int
    """Tokens at the beginning or end that did not fit."""


def encoded_rows(run: Run, count: int) -> tuple[EncodedRow, ...]:
    """The first `count` training rows of `run` as its planned base encodes them.

    Raises:
        SettingError: the task's inputs are no text.
    """
    from sonmat import plugins
    from sonmat.training.tuning import give_template
    from sonmat.training.weights import load_processor

    task = plugins.find("tasks", run.plan.task)
    base = (candidate := _trained_candidate(run.plan)).base
    if task.modality != "text" or base is None:
        raise SettingError(
            Text(en=f"{task.title.en} has no tokens to show.", ko=f"{task.title.ko}에는 보여 줄 토큰이 없습니다."),
            Text(en="Leave --show-tokens out.", ko="--show-tokens를 빼세요."),
        )
    processor = load_processor(task, base.path)
    give_template(plugins.find("families", base.family), processor)
    train = set(run.split.train)
    chosen = islice((example for example in run.folder.kept_examples() if example.id in train), count)
    found = []
    for example in chosen:
        row = task.encode(example, processor, candidate.spec)
        ids = list(row.arrays["input_ids"])
        labels = row.arrays.get("labels")
        learnt = [label != IGNORED for label in labels] if labels is not None else [False] * len(ids)
        target = None if labels is not None else masked(str(example.target.get("label", example.target)))
        tokens = _without_personal(tuple(_tokens(ids, learnt, processor)), example)
        found.append(EncodedRow(id=example.id, place=example.source.place, target=target, tokens=tokens, cut=row.cut))
    return tuple(found)


def print_rows(screen: Console, rows: Sequence[EncodedRow]) -> None:
    """Every row, learnt tokens in «marks» and green, the others between bars."""
    legend = Line(words("«token» is learnt", "«토큰»은 학습합니다"), style=LEARNT_STYLE)
    rest = words("; │token│ is only read.  · space  ⏎ line break", ". │토큰│은 읽기만 합니다.  · 빈칸  ⏎ 줄바꿈")
    screen.print(legend + Line(rest, style="not bold default"))
    for row in rows:
        learnt = sum(len(token.ids) for token in row.tokens if token.supervised)
        total = sum(len(token.ids) for token in row.tokens)
        title = Text(
            en=f"{row.place.en}: {total} tokens, {learnt} learnt" + (f", {row.cut} cut off" if row.cut else ""),
            ko=f"{row.place.ko}: {total}토큰, {learnt}개 학습" + (f", {row.cut}개 잘림" if row.cut else ""),
        )
        screen.print(f"\n{title}", style="bold")
        for line in _lines(row.tokens, screen.width - 2):
            screen.print(Line("  ") + line)
        if row.target is not None:
            screen.print(Line("  → ") + Line(f"«{row.target}»", style=LEARNT_STYLE))


def _trained_candidate(plan: Plan) -> Candidate:
    """The first that is tuned; the base as it is where nothing is."""
    with_base = [candidate for candidate in plan.candidates if candidate.base is not None]
    return next(
        (candidate for candidate in with_base if candidate.role == "tuned"), (with_base or list(plan.candidates))[0]
    )


def _tokens(ids: Sequence[int], learnt: Sequence[bool], processor: Any) -> Iterator[Token]:
    """Tokens with their text; those that only together decode to whole characters are kept together."""
    waiting: list[int] = []
    for position, (token, supervised) in enumerate(zip(ids, learnt, strict=True)):
        waiting.append(token)
        text = str(processor.decode(waiting, skip_special_tokens=False, clean_up_tokenization_spaces=False))
        ends = position + 1 == len(ids) or learnt[position + 1] != supervised
        if "\ufffd" not in text or ends:
            yield Token(ids=tuple(waiting), text=text, supervised=supervised)
            waiting = []


def _without_personal(tokens: tuple[Token, ...], example: Example) -> tuple[Token, ...]:
    """`tokens` with those hidden that personal data of the example's texts were cut into.

    Tokenisers change spaces and case and mark the insides of words, so that only letters and digits are compared.
    """
    texts = [text for part in (example.input, example.target) for text in texts_of(part)]
    values = {_bare(text[span.start : span.end]) for text in texts for span in find_personal(text)} - {""}
    if not values:
        return tokens
    bare = [_bare(token.text) for token in tokens]
    owners = [index for index, text in enumerate(bare) for _ in text]
    joined = "".join(bare)
    hidden: set[int] = set()
    for value in values:
        start = joined.find(value)
        while start >= 0:
            # Signs inside the value are tokens without letters, which lie between its first and last.
            hidden.update(range(owners[start], owners[start + len(value) - 1] + 1))
            start = joined.find(value, start + 1)
    return tuple(_hidden(token) if index in hidden else token for index, token in enumerate(tokens))


def _bare(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())


def _hidden(token: Token) -> Token:
    shown = "".join(letter if letter.isspace() else HIDDEN_LETTER for letter in token.text)
    return token.model_copy(update={"ids": (HIDDEN_ID,) * len(token.ids), "text": shown})


def _lines(tokens: Sequence[Token], width: int) -> Iterator[Line]:
    """Tokens in lines of at most `width` cells, broken between tokens."""
    line = Line()
    for token in tokens:
        text = token.text.replace(" ", "·").replace("\n", "⏎").replace("\t", "⇥")
        shown = f"«{text}»" if token.supervised else f"│{text}"
        if line.cell_len and line.cell_len + cell_len(shown) > width:
            yield line
            line = Line()
        line.append(shown, style=LEARNT_STYLE if token.supervised else "")
    if line.cell_len:
        yield line
