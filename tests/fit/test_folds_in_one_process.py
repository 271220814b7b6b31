"""What is not tuned is made for all folds in one process, because starting one takes longer than counting words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.errors import Paused
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Candidate, Device, Estimate, Event, Example, Fold, LedgerLine, Plan, Source, Split
from sonmat.runs import RunFolder, write_rows, write_value
from sonmat.steps.fit import fit, fit_candidate

FOLDS = 4


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path)
    rows = [
        Example(
            id=str(number),
            input={"text": f"{('fine', 'hopeless')[number % 2]} day {number}"},
            target={"label": ("good", "bad")[number % 2]},
            source=Source(file="d.csv", row=number),
        )
        for number in range(40)
    ]
    ids = tuple(row.id for row in rows)
    folds = tuple(
        Fold(
            train=tuple(id for place, id in enumerate(ids) if place % FOLDS != turn)[:24],
            validation=tuple(id for place, id in enumerate(ids) if place % FOLDS != turn)[24:],
            test=ids[turn::FOLDS],
        )
        for turn in range(FOLDS)
    )
    task = plugins.find("tasks", "text-classification")
    candidates = tuple(candidate(name, task.specify(rows)) for name in ("majority", "tf-idf"))
    write_rows(made.file("examples.jsonl"), Example, rows)
    kept = [LedgerLine(id=row.id, source=row.source, action="kept") for row in rows]
    write_rows(made.file("ledger.jsonl"), LedgerLine, kept)
    write_value(made.file("recipe.json"), Recipe(data="d.csv"))
    split = Split(train=ids[:30], validation=ids[30:], test=ids, seal="-", how=verbatim("-"), folds=folds)
    write_value(made.file("split.json"), split, "split")
    spec = task.specify(rows)
    write_value(made.file("plan.json"), Plan(task=task.name, spec=spec, candidates=candidates, refused=(), device=Device()))
    return made


def candidate(name: str, spec: Any) -> Candidate:
    nothing = Text(en="-", ko="-")
    return Candidate(
        id=name, method=name, role="floor", spec=spec, reason=nothing,
        settings=plugins.find("methods", name).Settings().model_dump(mode="json"),
        estimate=Estimate(peak_bytes=1, seconds=1, basis=nothing),
    )  # fmt: skip


def run(folder: RunFolder, stop_after: int | None = None) -> list[str]:
    """Fit in this process; returns the jobs that were asked for."""
    asked: list[str] = []
    seen = 0

    def should_pause() -> bool:
        nonlocal seen
        seen += 1
        return stop_after is not None and seen > stop_after

    def run_job(where: RunFolder, job: str, tell: Any) -> None:
        asked.append(job)
        fit_candidate(where, job.partition("/")[2], lambda *_, **__: None, should_pause)

    def tell(event: Event) -> None: ...

    fit(folder, run_job, folder.event_log("fit"), tell, "x")
    return asked


def test_one_job_makes_every_fold_and_the_model_of_all_rows(folder: RunFolder) -> None:
    assert run(folder) == ["fit/majority@1", "fit/tf-idf@1"]
    for name in ("majority", "tf-idf"):
        folds = [f"{name}@{number + 1}" for number in range(FOLDS)]
        assert all((folder.candidate_folder(each) / "model").is_dir() for each in (*folds, name))
        assert folder.fitted(name).seconds >= sum(folder.fitted(each).seconds for each in folds)
    assert folder.fits().fitted == ("majority", "tf-idf")
    assert run(folder) == []


def test_a_pause_between_two_folds_keeps_those_that_are_done(folder: RunFolder) -> None:
    # Nine settings are tried for each fold, and each of them asks.
    with pytest.raises(Paused):
        run(folder, stop_after=20)
    done = {
        number for number in range(1, FOLDS + 1) if (folder.candidate_folder(f"tf-idf@{number}") / "fitted.json").exists()
    }
    assert done == {1, 2}
    before = (folder.candidate_folder("tf-idf@1") / "fitted.json").read_bytes()
    assert run(folder) == ["fit/tf-idf@3"]
    assert (folder.candidate_folder("tf-idf@1") / "fitted.json").read_bytes() == before
