"""Rows that repeat another row: same input and same target after Unicode and white space are evened out.

They are kept unless the recipe says otherwise, because how often something is asked can be meant; the split keeps copies in
one part.
"""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.checking.repeats import Keys, mixed, repeated
from sonmat.core.text import Text
from sonmat.core.values import Finding, Repair
from sonmat.core.watching import Rows, Surroundings, Watch

_WARNING_SHARE = 0.1
"""Of all rows. Above it, copies make up so much of the data that a test set is much smaller than it looks."""


class Duplicates:
    name = "duplicates"
    title = Text(en="Repeated rows", ko="되풀이된 행")

    def watch(self, data: Surroundings) -> Watch:
        return _Copies(data)


class _Copies:
    def __init__(self, data: Surroundings) -> None:
        self.data = data
        self.inputs, self.targets = Keys(), Keys()

    def see(self, rows: Rows) -> None:
        self.inputs.extend(rows.input_keys)
        self.targets.extend(rows.target_keys)

    def findings(self) -> Iterator[Finding]:
        ids = self.data.ids
        groups = repeated(mixed(self.inputs.values(), self.targets.values()))
        if not groups:
            return
        clusters = tuple(tuple(ids[position] for position in group) for group in groups)
        copies = tuple(row for cluster in clusters for row in cluster[1:])
        share = len(copies) / len(ids)
        yield Finding(
            check=plugin.name,
            severity="warning" if share > _WARNING_SHARE else "note",
            what=Text(
                en=f"Rows that repeat another row: {len(copies):,} ({share:.1%}).",
                ko=f"{len(copies):,}행({share:.1%})이 다른 행과 같습니다.",
            ),
            fix=Text(
                en="The split keeps copies together, so none leaks into the test. Drop them with --duplicates drop.",
                ko="같은 행은 분할할 때 한쪽에만 두므로 테스트 데이터로 새지 않습니다. 빼려면 --duplicates drop을 쓰세요.",
            ),
            rows=copies,
            clusters=clusters,
            decided_by="duplicates",
            repairs=tuple(Repair(row=row, drop=True) for row in copies),
        )


plugin = Duplicates()
