"""The preview of `audit --show-tokens`: rows of the training set as the model will see them, learnt tokens marked.

In: a planned run. Out: the rows' tokens with their text and whether the loss counts them. The encoding is the task's own, so
what is shown is what is trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Line

from sonmat.cli.options import words
from sonmat.core.errors import SettingError
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Plan, Value

if TYPE_CHECKING:
    from sonmat.api import Run

IGNORED = -100
"""The label of tokens that the loss leaves out."""
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
        target = None if labels is not None else str(example.target.get("label", example.target))
        tokens = tuple(_tokens(ids, learnt, processor))
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
