"""Whether there are enough rows to learn from and to tell a good model from a bad one."""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch

FEWEST_ROWS = 20
"""Even in cross-validation, telling a model that is always right from a coin takes 16 rows against one rival and 22 against two
(docs/statistics.md)."""
COMFORTABLE_ROWS = 200
"""With 70/15/15, 200 rows leave 30 to test: an accuracy of 80 % then has a 95 % interval of about ±14 points (Wilson)."""


class RowCount:
    name = "row_count"
    title = Text(en="Number of rows", ko="행 수")

    def watch(self, data: Surroundings) -> Watch:
        return _Count(data)


class _Count:
    def __init__(self, data: Surroundings) -> None:
        self.rows = data.rows
        self.divided_already = False

    def see(self, rows: Rows) -> None:
        """Their number is known beforehand; rows with a time or a given part cannot take turns in being tested."""
        if self.rows < COMFORTABLE_ROWS and not self.divided_already:
            self.divided_already = any(
                example.time is not None or example.part in ("validation", "test") for example in rows.examples
            )

    def findings(self) -> Iterator[Finding]:
        rows = self.rows
        if rows < FEWEST_ROWS:
            yield Finding(
                check=plugin.name,
                severity="blocker",
                what=Text(
                    en=f"{rows} row{'s' * (rows != 1)}: at least {FEWEST_ROWS} are needed to train, validate and test. Even with "
                    "every row tested in turn (cross-validation), fewer can hardly tell a perfect model from a coin.",
                    ko=f"{rows}행뿐입니다. 학습, 검증, 테스트를 하려면 {FEWEST_ROWS}행 이상이 필요합니다. 모든 행을 번갈아 테스트해도"
                    "(교차 검증) 그보다 적으면 완벽한 모델과 동전 던지기를 구별하기 어렵습니다.",
                ),
                fix=Text(
                    en=f"Add examples. From about {COMFORTABLE_ROWS} rows on, the results begin to mean something.",
                    ko=f"예시를 더하세요. {COMFORTABLE_ROWS}행쯤부터 결과가 의미를 갖기 시작합니다.",
                ),
            )
        elif rows < COMFORTABLE_ROWS:
            yield _few_to_divide(rows) if self.divided_already else _few(rows)


def _few(rows: int) -> Finding:
    return Finding(
        check=plugin.name,
        severity="warning",
        what=Text(
            en=f"{rows} rows are few for a test set of their own: unless a small one is asked for, they are cross-validated, so that "
            "every row is tested. Either way, only large differences will stand out from chance.",
            ko=f"{rows}행은 테스트용을 따로 떼기에 적습니다. 작은 테스트용을 떼라고 하지 않으면 교차 검증으로 모든 행을 "
            "테스트합니다. 어느 쪽이든 큰 차이만 우연과 구별됩니다.",
        ),
        fix=Text(
            en=f"Add examples if you can; from {COMFORTABLE_ROWS} on there is a test set. Cross-validation trains every candidate "
            "several times; --folds 0 puts a small test set aside instead.",
            ko=f"가능하면 예시를 더하세요. {COMFORTABLE_ROWS}행부터는 테스트용을 따로 둡니다. 교차 검증은 후보마다 여러 번 "
            "학습합니다. 대신 작은 테스트용을 떼어 두려면 --folds 0을 쓰세요.",
        ),
    )


def _few_to_divide(rows: int) -> Finding:
    return Finding(
        check=plugin.name,
        severity="warning",
        what=Text(
            en=f"{rows} rows are few: only very large differences will stand out from chance.",
            ko=f"{rows}행은 적습니다. 아주 큰 차이만 우연과 구별됩니다.",
        ),
        fix=Text(
            en=f"Add examples if you can; {COMFORTABLE_ROWS} or more are comfortable. Rows without times and given parts "
            "could be cross-validated.",
            ko=f"가능하면 예시를 더하세요. {COMFORTABLE_ROWS}행 이상이면 좋습니다. 시간이나 정해진 자리가 없는 행이라면 "
            "교차 검증을 할 수 있습니다.",
        ),
    )


plugin = RowCount()
