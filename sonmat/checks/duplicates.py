"""Rows that repeat another row: same input and same target after Unicode and white space are evened out.

They are kept, because how often something is asked can be meant; the split keeps copies in one part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sonmat.core.protocols import Task
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding
from sonmat.reading.rows import pair_key, repeated

_WARNING_SHARE = 0.1
"""Of all rows. Above it, copies make up so much of the data that a test set is much smaller than it looks."""


class Duplicates:
    name = "duplicates"
    title = Text(en="Repeated rows", ko="되풀이된 행")

    def find(self, examples: Sequence[Example], task: Task) -> Iterator[Finding]:
        groups = repeated(examples, pair_key)
        if not groups:
            return
        copies = sum(len(group) - 1 for group in groups)
        share = copies / len(examples)
        yield Finding(
            check=self.name,
            severity="warning" if share > _WARNING_SHARE else "note",
            what=Text(
                en=f"Rows that repeat another row: {copies:,} ({share:.1%}).",
                ko=f"{copies:,}행({share:.1%})이 다른 행과 같습니다.",
            ),
            fix=Text(
                en="The split keeps copies together, so none leaks into the test. Remove them if they are not meant.",
                ko="같은 행은 분할할 때 한쪽에만 두므로 시험 데이터로 새지 않습니다. 의도한 것이 아니라면 지우세요.",
            ),
            rows=tuple(example.id for group in groups for example in group[1:]),
            clusters=tuple(tuple(example.id for example in group) for group in groups),
        )


plugin = Duplicates()
