"""A run in one line: how far it came and what it says. A damaged run is a line too, with its problem."""

from __future__ import annotations

from sonmat.core.errors import RunError
from sonmat.core.text import Text, reader_language
from sonmat.core.values import Value
from sonmat.runs import STEP_FILES, RunFolder
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.vocabulary import measure_named


class RunLine(Value):
    """One run of the list."""

    run: str
    folder: str
    data: str
    task: str | None = None
    step: str | None = None
    """The last step that was done."""
    use: str | None = None
    """The candidate that the verdict says to use."""
    headline: str | None = None
    """Its headline metric in words."""
    problem: Text | None = None


def line_of(folder: RunFolder) -> RunLine:
    """What there is to say of a run in one line; a damaged one is listed with its problem."""
    line = RunLine(run=folder.name, folder=str(folder.path), data="?")
    done = [step for step in STEP_FILES if folder.exists(step)]
    line = line.model_copy(update={"step": done[-1] if done else None})
    try:
        line = line.model_copy(update={"data": ", ".join(folder.recipe().data)})
        if folder.exists("load"):
            line = line.model_copy(update={"task": folder.source().task})
        if not folder.exists("prove"):
            return line
        proof = folder.proof()
    except RunError as error:
        return line.model_copy(update={"problem": error.what})
    measure = measure_named(proof.headline)
    value = next((arm.headline.value for arm in proof.arms if arm.candidate == proof.verdict.use), None)
    said = Phrasing(reader_language()).amount(value, measure) if value is not None else ""
    headline = f"{measure.title} {said}" if said else None
    return line.model_copy(update={"use": proof.verdict.use, "headline": headline})
