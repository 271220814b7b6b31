"""The proof as a table that fits 80 columns, and the verdict below it."""

from __future__ import annotations

import typer
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from sonmat.cli.console import indented, show
from sonmat.core.proof import Arm, Comparison, Proof, Score
from sonmat.core.text import Text, reader_language
from sonmat.steps.report.contents import Measure, best_of, reference_of
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.vocabulary import measure_named

NAME_CELLS = 22
_FEWEST_CELLS, _WIDEST_CELLS = 13, 1000
GUARDED_EXIT_CODE = 3
"""The guards leave nothing to go on with, see `core.proof.Verdict.stopped`."""


def print_verdict(console: Console, proof: Proof) -> None:
    """Arms with the headline metric, its 95 % interval, costs and the paired difference to the base; then the sentence."""
    # Names are broken behind hyphens as late as the screen allows; a column that is too wide would break them anywhere.
    tables = [_table(proof, cells) for cells in range(NAME_CELLS, _FEWEST_CELLS - 1, -1)]
    # Measured on a screen that is wide enough, because on this one columns are made to fit before they are measured.
    wide = console.options.update_width(_WIDEST_CELLS)
    fitting = (table for table in tables if Measurement.get(console, wide, table).maximum <= console.width)
    show(console, next(fitting, tables[-1]))
    for name, reason in proof.failed.items():
        show(console, indented(f"✗ {name}: {reason}"), "red")
    show(console, str(proof.verdict.sentence), "bold")
    for detail in proof.verdict.details:
        show(console, indented(f"· {detail}"))


def _table(proof: Proof, name_cells: int) -> Table:
    phrasing, measure = Phrasing(reader_language()), measure_named(proof.headline)
    reference = reference_arm(proof)
    # With no arm that keeps its guards nothing is recommended, see `core.proof.Verdict.use`.
    recommended = proof.verdict.use if proof.verdict.stopped != "no_arm" else None
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("", width=1)
    table.add_column(_say("arm", "후보"), overflow="fold")
    table.add_column(_say(f"{measure.title.en}\n95 % interval", f"{measure.title.ko}\n95% 구간"), justify="right")
    table.add_column(_say("per\nanswer", "답 하나"), justify="right", no_wrap=True)
    table.add_column(_say("memory", "메모리"), justify="right", no_wrap=True)
    beside = reference.role == "base"
    table.add_column(
        _say(
            "difference to\nthe base" if beside else "difference to\nno base model",
            "기본 모델과 차이" if beside else "기본 모델 없음과 차이",
        ),
        justify="right",
    )
    for arm in proof.arms:
        chosen = arm.candidate == recommended
        table.add_row(
            "✓" if chosen else "",
            broken_name(arm.candidate, name_cells),
            f"{phrasing.amount(arm.headline.value, measure)}\n{in_range(arm.headline, measure, phrasing)}",
            phrasing.duration(arm.seconds_per_answer),
            "–" if arm.elsewhere else phrasing.size(arm.peak_bytes),
            _difference(arm, reference, proof, measure, phrasing),
            style="bold green" if chosen else "",
        )
    return table


def stop_if_guarded(proof: Proof) -> None:
    """Raise the exit that tells a script that the guards were not kept."""
    if proof.verdict.stopped is not None:
        raise typer.Exit(GUARDED_EXIT_CODE)


def broken_name(name: str, width: int = NAME_CELLS) -> str:
    """A candidate's name in lines of at most `width`, broken behind hyphens."""
    lines = [""]
    for part in name.replace("-", "-\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def reference_arm(proof: Proof) -> Arm:
    """The arm that others are measured against, as in the report; the best that there is where all are tuned or asked elsewhere."""
    headline = measure_named(proof.headline)
    return reference_of(proof.arms, headline) or best_of(proof.arms, headline)


def difference_to(proof: Proof, arm: str, reference: str) -> Comparison | None:
    """The headline comparison of `arm` with `reference`, in this direction."""
    for found in proof.comparisons:
        if found.metric != proof.headline:
            continue
        if (found.a, found.b) == (arm, reference):
            return found
        if (found.a, found.b) == (reference, arm):
            better = {"a": "b", "b": "a", "neither": "neither"}[found.better]
            turned = {"a": arm, "b": reference, "better": better, "difference": -found.difference}
            return found.model_copy(update={**turned, "low": -found.high, "high": -found.low})
    return None


def _difference(arm: Arm, reference: Arm, proof: Proof, measure: Measure, phrasing: Phrasing) -> str:
    if arm is reference:
        return "="
    comparison = difference_to(proof, arm.candidate, reference.candidate)
    if comparison is None:
        return "–"
    return f"{phrasing.difference(comparison.difference, measure)}\n{changed_by(comparison, measure, phrasing)}"


def in_range(score: Score, measure: Measure, phrasing: Phrasing) -> str:
    """An interval below its value, whose unit it need not repeat."""
    if measure.percent:
        return f"{100 * score.low:.1f} – {100 * score.high:.1f}"
    return f"{phrasing.number(score.low)} – {phrasing.number(score.high)}"


def changed_by(comparison: Comparison, measure: Measure, phrasing: Phrasing) -> str:
    """The interval of a difference."""
    if measure.percent:
        return f"{phrasing.points(comparison.low)} … {phrasing.points(comparison.high)}"
    return f"{phrasing.difference(comparison.low, measure)} … {phrasing.difference(comparison.high, measure)}"


def _say(en: str, ko: str) -> str:
    return str(Text(en=en, ko=ko))
