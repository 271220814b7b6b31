"""A real encoder: its new head's confidences are scaled on validation rows, and a dear intent is found more often."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import sonmat
from sonmat.core.decision import costs_of
from sonmat.inference.deciding import undecided_scores
from sonmat.models.deciding import decision_of
from sonmat.runs import RunFolder
from sonmat.steps.fit import fit_candidate
from sonmat.steps.prove import answer_candidate

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
ARM = "head-only-multilingual-e5-small"
DEAR = "HassTurnOn"
INTENTS = (DEAR, "HassTurnOff", "HassLightSet")


def test_with_e5_a_dear_intent_is_answered_more_often_and_missed_no_more_at_no_higher_cost(tmp_path: Path) -> None:
    with (ROOT / "examples/data/korean_intents.csv").open(encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["intent"] in INTENTS][:160]
    with (tmp_path / "intents.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerows([("text", "label"), *((row["text"], row["intent"]) for row in rows)])
    sonmat.run(
        tmp_path / "intents.csv",
        folder=tmp_path / "run",
        base="multilingual-e5-small",
        method="head-only",
        folds=0,
        cost={DEAR: 20},
        settings={"head-only": {"epochs": 8, "learning_rate": 0.01}},
        skip=("diversity", "label_errors", "enough"),
        upto="plan",
    )
    folder = RunFolder(tmp_path / "run")
    fit_candidate(folder, ARM, folder.event_log("fit"), lambda: False)
    answer_candidate(folder, ARM, folder.event_log("prove"), lambda: False)
    found, test = decision_of(folder, ARM), set(folder.split().test)
    assert found is not None
    assert found.budget is not None
    assert found.temperature != 1
    targets = {example.id: example.target["label"] for example in folder.kept_examples() if example.id in test}
    now = list(folder.predictions(ARM))
    raw = {answer.row: undecided_scores(answer) for answer in now}
    plain = {row: max(scores, key=lambda label: scores[label]) for row, scores in raw.items()}
    costs = costs_of({DEAR: 20}, found.costs.labels if found.costs else ())
    assert costs is not None
    paid = sum(costs.of(targets[answer.row], answer.output["label"]) for answer in now)
    assert paid <= sum(costs.of(targets[row], label) for row, label in plain.items())
    dear = [row for row, label in targets.items() if label == DEAR]
    told = {answer.row: answer.output["label"] for answer in now}
    # An answer changes to the dear intent, or stays.
    assert all(told[row] in (DEAR, plain[row]) for row in told)
    assert sum(told[row] == DEAR for row in dear) >= sum(plain[row] == DEAR for row in dear)
    assert sum(told[row] == DEAR for row in told) > sum(plain[row] == DEAR for row in plain)
