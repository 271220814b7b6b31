"""Whether there are enough rows to train, validate and test at all."""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.core.protocols import Rows, Surroundings, Watch
from sonmat.core.text import Text
from sonmat.core.values import Finding

FEWEST_ROWS = 20
"""With 70/15/15, 20 rows leave 3 to validate and 3 to test: with fewer, one answer more or less decides everything."""
COMFORTABLE_ROWS = 200
"""With 70/15/15, 200 rows leave 30 to test: an accuracy of 80 % then has a 95 % interval of about ±14 points (binomial)."""


class RowCount:
    name = "row_count"
    title = Text(en="Number of rows", ko="행 수")

    def watch(self, data: Surroundings) -> Watch:
        return _Count(data)


class _Count:
    def __init__(self, data: Surroundings) -> None:
        self.rows = data.rows

    def see(self, rows: Rows) -> None:
        """Their number is known beforehand."""

    def findings(self) -> Iterator[Finding]:
        rows = self.rows
        if rows < FEWEST_ROWS:
            yield Finding(
                check=plugin.name,
                severity="blocker",
                what=Text(
                    en=f"{rows} row{'s' * (rows != 1)}: at least {FEWEST_ROWS} are needed to train, validate and test.",
                    ko=f"{rows}행뿐입니다. 학습, 검증, 시험을 하려면 {FEWEST_ROWS}행 이상이 필요합니다.",
                ),
                fix=Text(
                    en=f"Add examples. From about {COMFORTABLE_ROWS} rows on, the results begin to mean something.",
                    ko=f"예시를 더하세요. {COMFORTABLE_ROWS}행쯤부터 결과가 의미를 갖기 시작합니다.",
                ),
            )
        elif rows < COMFORTABLE_ROWS:
            yield Finding(
                check=plugin.name,
                severity="warning",
                what=Text(
                    en=f"{rows} rows are few: only large differences will stand out from chance.",
                    ko=f"{rows}행은 적습니다. 아주 큰 차이만 우연과 구별됩니다.",
                ),
                fix=Text(
                    en=f"Add examples if you can; {COMFORTABLE_ROWS} or more are comfortable.",
                    ko=f"가능하면 예시를 더하세요. {COMFORTABLE_ROWS}행 이상이면 좋습니다.",
                ),
            )


plugin = RowCount()
