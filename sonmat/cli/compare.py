"""`sonmat compare`: the newer of two runs beside the older, on test items that both answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sonmat.cli.options import AsJson, words
from sonmat.core.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.core.proof import RunComparison

HELP = Text(
    en="Compare a newer run with an older one. On test items that both answered.\n\n"
    "Exit code 3 if the newer one is worse beyond noise or does not keep a guard, for your CI.",
    ko="새 실행을 옛 실행과 견줍니다. 둘 다 답한 테스트 문항만 씁니다.\n\n"
    "새 실행이 오차 범위를 넘어 나빠졌거나 조건을 지키지 않으면 종료 코드가 3입니다. CI에 쓸 수 있습니다.",
)

_RUN_METAVAR = "RUN[:CANDIDATE]"


def compare(
    older: Annotated[
        str,
        typer.Argument(
            metavar="OLDER",
            help=words(
                f"{_RUN_METAVAR}: name or folder of a run; of its arms the one in use if left out.",
                f"{_RUN_METAVAR}: 실행 이름이나 폴더. 후보를 생략하면 그 실행이 쓰는 후보입니다.",
            ),
        ),
    ],
    newer: Annotated[
        str,
        typer.Argument(
            metavar="NEWER", help=words("The same, of the run that is tested.", "검사할 새 실행도 같은 방식으로 씁니다.")
        ),
    ],
    guard: Annotated[
        list[str] | None,
        typer.Option(
            "--guard",
            metavar="PROBE.NAME=BOUND",
            help=words(
                "Bound that the newer one must keep, on top of those of its recipe. Repeatable.",
                "새 실행이 레시피의 조건에 더해 지켜야 할 기준. 여러 번 쓸 수 있습니다.",
            ),
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    from sonmat import api
    from sonmat.cli.asked import numbers_of
    from sonmat.cli.console import console, print_json
    from sonmat.cli.verdict import GUARDED_EXIT_CODE

    found = api.compare(older, newer, guards=numbers_of(guard or [], "--guard", "speed.p95=0.5"))
    if as_json:
        print_json({"comparison": found})
    else:
        print_comparison(console(), found)
    if not found.passed:
        raise typer.Exit(GUARDED_EXIT_CODE)


def print_comparison(screen: Console, found: RunComparison) -> None:
    """Every metric of both with the paired difference, the sentence, and what stands behind it."""
    from rich import box
    from rich.table import Table

    from sonmat.cli.console import indented, show
    from sonmat.cli.verdict import NAME_CELLS, broken_name, changed_by, in_range
    from sonmat.core.text import reader_language
    from sonmat.steps.report.phrasing import Phrasing
    from sonmat.steps.report.vocabulary import measure_named

    phrasing = Phrasing(reader_language())
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("")
    for name in (found.older, found.newer):
        table.add_column(broken_name(name, NAME_CELLS - 4), justify="right", overflow="fold")
    table.add_column(words("difference", "차이"), justify="right")
    by_arm = [{score.metric: score for score in arm.scores} for arm in found.arms]
    for each in found.comparisons:
        measure = measure_named(each.metric)
        scores = [scores[each.metric] for scores in by_arm]
        cells = [f"{phrasing.amount(score.value, measure)}\n{in_range(score, measure, phrasing)}" for score in scores]
        table.add_row(
            str(measure.title),
            *cells,
            f"{phrasing.difference(each.difference, measure)}\n{changed_by(each, measure, phrasing)}",
            style="bold" if each.metric == found.headline else "",
        )
    show(screen, table)
    show(screen, str(found.sentence), "bold" if found.passed else "bold red")
    for detail in found.details:
        show(screen, indented(f"· {detail}"))
