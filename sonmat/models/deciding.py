"""How a fitted candidate comes to its decision, and where that lies.

In: a model folder just fitted, and the validation rows of that fit. Out: `validation.jsonl` beside it, with the model's own
answers, and `decision.json`, in the model folder too, so that the folder decides the same wherever it is copied. Costs that change
later choose anew from those answers: nothing is trained again. Where validation rows stand in the test set (what learns nothing,
in a cross-validation), nothing is chosen by them, and neither for models of other runs, which may have learnt from them: then
expected costs decide by themselves.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sonmat import plugins
from sonmat.core.decision import Costs, Decision, costs_of
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Emit, FitJob, Question
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example
from sonmat.inference.deciding import choose_decision, with_costs
from sonmat.models.saved import DECISION_FILE, open_saved, own_decision
from sonmat.runs import RunFolder, sha256_of, write_rows, write_value
from sonmat.runs.files import read_header, read_rows, read_value

VALIDATION_FILE: Final = "validation.jsonl"
MOST_ROWS: Final = 2_000
"""Validation rows that are answered to choose by."""
QUIETLY: Final = 100
"""Validation rows whose answering is too quick to be told."""
MOST_ASKED: Final = 300
"""The same where a base model is asked as it is, which may take seconds for each."""


def costs_of_run(folder: RunFolder) -> Costs | None:
    """The costs of errors that the run's recipe gives.

    Raises:
        SettingError: they do not fit the labels of the data.
    """
    return costs_of(folder.recipe().cost, folder.plan().spec.labels)


def decide_fitted(folder: RunFolder, candidate: Candidate, name: str, job: FitJob, fit_key: str, emit: Emit) -> None:
    """Choose the decision of the model that `job` has just written.

    Args:
        name: of the candidate, or of its model of a fold.
        fit_key: fingerprint of the fit.
    """
    if "label" not in job.task.Target.model_fields or candidate.elsewhere:
        return
    where, costs = folder.candidate_folder(name), costs_of_run(folder)
    found: Decision | None = None
    if _is_tested_on(folder, candidate):
        found = with_costs(Decision(), costs) if costs is not None else None
    else:
        rows = _some(job.validation, MOST_ASKED if candidate.role == "base" else MOST_ROWS, job.seed)
        answers = _own_answers(folder, job, rows, emit)
        write_rows(where / VALIDATION_FILE, Prediction, answers, fit_key)
        found = _chosen(rows, answers, job.spec.labels, costs)
    _write(where, job.folder, found, _key(fit_key, costs))


def decide_again(folder: RunFolder, candidate: Candidate, name: str, fit_key: str) -> None:
    """Choose anew for a model that is there, if the run's costs are other ones now; nothing is asked of it."""
    where = folder.candidate_folder(name)
    if not (where / "model").exists() or is_decided(folder, candidate, name, fit_key):
        return
    costs, model = costs_of_run(folder), where / "model"
    header = read_header(where / VALIDATION_FILE)
    if _is_of_another_run(candidate):
        before = own_decision(model) or Decision()
        found: Decision | None = before if before.costs == costs else with_costs(before, costs)
    elif _is_tested_on(folder, candidate):
        found = with_costs(Decision(), costs) if costs is not None else None
    elif header is not None and header.inputs == fit_key:
        answers = list(read_rows(where / VALIDATION_FILE, Prediction))
        wanted = {answer.row for answer in answers}
        rows = [example for example in folder.kept_examples() if example.id in wanted]
        found = _chosen(rows, answers, candidate.spec.labels, costs)
    else:
        return
    _write(where, model, found, _key(fit_key, costs))


def is_decided(folder: RunFolder, candidate: Candidate, name: str, fit_key: str) -> bool:
    """Whether the decision of `name` is that of the run's costs; of what has none, whether it needs none."""
    costs = costs_of_run(folder)
    header = read_header(folder.candidate_folder(name) / DECISION_FILE)
    if header is None:
        return costs is None or candidate.elsewhere
    return header.inputs == _key(fit_key, costs)


def decision_of(folder: RunFolder, name: str) -> Decision | None:
    """What was chosen for `name`; None where nothing was."""
    path = folder.candidate_folder(name) / DECISION_FILE
    return read_value(path, Decision) if path.is_file() else None


def _own_answers(folder: RunFolder, job: FitJob, rows: Sequence[Example], emit: Emit) -> list[Prediction]:
    """The answers of the model as it will be loaded, which may differ from the one in training by rounding; none without shares."""
    if len(rows) > QUIETLY:
        emit("deciding", _deciding(len(rows)))
    # The model in training may be as large as the one that is loaded now.
    gc.collect()
    saved = open_saved(job.folder, job.device, emit, media_root=str(folder.path))
    predictor = plugins.find("methods", saved.method).load(saved)
    questions = [Question(row.id, row.input) for row in rows]
    # One question tells whether the model gives probabilities at all.
    if not any(answer.output.get("scores") for answer in predictor.answer(questions[:1])):
        return []
    return list(predictor.answer(questions))


def _deciding(rows: int) -> Text:
    return Text(
        en=f"Answering {rows:,} validation rows to choose how probabilities become a label.",
        ko=f"확률을 라벨로 바꾸는 기준을 정하려고 검증 행 {rows:,}개에 답합니다.",
    )


def _chosen(
    rows: Sequence[Example], answers: Sequence[Prediction], labels: Sequence[str], costs: Costs | None
) -> Decision | None:
    return choose_decision(answers, {row.id: row.target["label"] for row in rows}, labels, costs)


def _write(where: Path, model: Path, decision: Decision | None, key: str) -> None:
    """Beside the model, where it outlives it, and in its folder, where it counts; None is written down as 'nothing to decide'."""
    inside = model / DECISION_FILE
    if decision is None:
        inside.unlink(missing_ok=True)
    else:
        write_value(inside, decision, key)
    write_value(where / DECISION_FILE, decision or Decision(), key)


def _key(fit_key: str, costs: Costs | None) -> str:
    return sha256_of("decision", fit_key, costs.model_dump(mode="json") if costs is not None else None)


def _is_tested_on(folder: RunFolder, candidate: Candidate) -> bool:
    """Whether the validation rows are among those that it is tested on: what learns nothing is not made anew for every fold."""
    return bool(folder.split().folds) and not candidate.learns


def _is_of_another_run(candidate: Candidate) -> bool:
    return plugins.find("methods", candidate.method).learns and not candidate.learns


def _some(rows: Sequence[Example], most: int, seed: int) -> list[Example]:
    """At most so many of them, drawn at random, in their order."""
    if len(rows) <= most:
        return list(rows)
    return [rows[place] for place in sorted(random.Random(seed).sample(range(len(rows)), most))]
