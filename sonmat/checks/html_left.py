"""Texts with HTML or Markdown pictures left in them: tags, entities such as '&nbsp;', comments, scripts."""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.checking.gist import suspects
from sonmat.checking.markup import SUSPECT, markup_in, readable
from sonmat.checking.mending import repair_of
from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch

_MEANT_SHARE = 0.5
"""Of the rows. Where most have it, the data may well be about HTML."""
_FEWEST_ROWS = 20


class HtmlLeft:
    name = "html_left"
    title = Text(en="HTML left in texts", ko="글에 남은 HTML")

    def watch(self, data: Surroundings) -> Watch:
        return RowFaults(_faults, self._finding)

    def _finding(self, found: Faults) -> Finding:
        meant = found.share > _MEANT_SHARE and found.rows_seen >= _FEWEST_ROWS
        return Finding(
            check=self.name,
            severity="note" if meant else "warning",
            what=Text(
                en=f"HTML or picture links of Markdown are left in {len(found.ids):,} of {found.rows_seen:,} rows "
                f"({found.share:.1%}).",
                ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행({found.share:.1%})에 HTML이나 마크다운 그림 링크가 "
                "남아 있습니다.",
            ),
            fix=_MEANT if meant else _LEFT,
            rows=tuple(found.ids),
            evidence=tuple(found.evidence),
            decided_by=None if meant else "normalise",
            repairs=() if meant else tuple(found.repairs),
        )


_MEANT = Text(
    en="Most rows have it, so it may be meant. If it is not, export the data again as plain text.",
    ko="대부분의 행에 있으니 일부러 넣은 것일 수 있습니다. 아니라면 데이터를 일반 텍스트로 다시 내보내세요.",
)
_LEFT = Text(
    en="Turn it into plain text with --normalise fix; code between back-ticks stays.",
    ko="--normalise fix를 쓰면 일반 텍스트로 바꿉니다. 백틱으로 감싼 코드는 그대로 둡니다.",
)


def _faults(rows: Rows) -> Iterator[Fault]:
    for at, text in suspects(rows, SUSPECT):
        mark = markup_in(text)
        if mark:
            yield Fault(at, mark, repair_of(rows.examples[at], readable))


plugin = HtmlLeft()
