"""Answers that say nothing but what was asked: the whole question again, or all but a few letters of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.rows import has_classes

_FEWEST_LETTERS = 10
"""Shorter ones are greetings, which are rightly returned."""
_SAME_LENGTH = 0.8
"""The shorter text over the longer, in letters; an extract from a long text is an answer."""
_MEANT_SHARE = 0.3
"""Of the rows. Where so many answers are near the question, the task is to correct or to rewrite."""
_FEWEST_ROWS = 20
_NO_LETTER = re.compile(r"[\W_]+")


class Parroting:
    name = "parroting"
    title = Text(en="Answers that repeat the question", ko="질문을 되풀이하는 답")

    def watch(self, data: Surroundings) -> Watch | None:
        free = data.kind.modality == "text" and not has_classes(data.kind)
        return RowFaults(_parrots, self._finding) if free else None

    def _finding(self, found: Faults) -> Finding:
        meant = found.share > _MEANT_SHARE and found.rows_seen >= _FEWEST_ROWS
        return Finding(
            check=self.name,
            severity="note" if meant else "warning",
            what=Text(
                en=f"The answer merely repeats the question in {len(found.ids):,} of {found.rows_seen:,} rows ({found.share:.1%}).",
                ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행({found.share:.1%})의 답이 질문을 되풀이하기만 합니다.",
            ),
            fix=Text(
                en="Fine if the task is to correct or to copy; otherwise leave these rows out or answer them.",
                ko="교정이나 베껴 쓰기 과제라면 괜찮습니다. 아니라면 이 행들을 빼거나 답을 쓰세요.",
            ),
            rows=tuple(found.ids),
            data={"share": round(found.share, 4)},
        )


def _parrots(rows: Rows) -> Iterator[Fault]:
    for at, (example, target) in enumerate(zip(rows.examples, rows.targets, strict=True)):
        asked = _question(example) or rows.inputs[at]
        # Lengths tell most rows apart before any letter is looked at; white space and signs may be a fifth more.
        if (
            len(target) >= _FEWEST_LETTERS
            and 0.6 < len(target) / max(len(asked), 1) < 1.7
            and _says_the_same(asked, target)
        ):
            yield Fault(at)


def _says_the_same(asked: str, answered: str) -> bool:
    if asked[:1].isascii() != answered[:1].isascii() and len(set(asked) & set(answered)) < 5:
        return False
    short, long = sorted((_letters(asked), _letters(answered)), key=len)
    return len(short) >= max(_FEWEST_LETTERS, _SAME_LENGTH * len(long)) and short in long


def _question(example: Example) -> str:
    """What was asked last, where the input is a conversation."""
    messages = example.input.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    return content if isinstance(content, str) else ""


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text).casefold()


plugin = Parroting()
