"""What other thresholds would cost is told of answers with a probability of every label, and of no others."""

from __future__ import annotations

from dataclasses import replace

from sonmat import plugins
from sonmat.core.decision import costs_of
from sonmat.core.probing import Seen, Setting
from sonmat.core.values import Example, Source, Spec
from sonmat.probing.decision_measures import threshold_costs
from tests.costs.made import LABELS, answers, log_odds
from tests.probes import arms


def world(labels: list[str]) -> Setting:
    rows = [
        Example(id=str(at), input={"text": f"mail {at}"}, target={"label": label}, source=Source(file="", row=at))
        for at, label in enumerate(labels)
    ]
    spec = Spec(labels=LABELS)
    return replace(arms.setting([], rows), task=plugins.find("tasks", "text-classification"), spec=spec)


def test_answers_of_a_model_that_knows_other_labels_are_left_out_of_the_table_and_break_nothing() -> None:
    labels, odds = log_odds(60, seed=1)
    costs, given = costs_of({"spam": 20}, LABELS), {each.row: each for each in answers(odds)}
    whole = threshold_costs(world(labels), Seen(arms.candidate(), given, ()), costs)
    assert {each.items for each in whole} == {60}
    for row, scores in (("0", {"ham": 1.0}), ("1", {"ham": 0.4, "spam": 0.3, "news": 0.3})):
        given[row] = given[row].model_copy(update={"output": {"label": "ham", "scores": scores}})
    fewer = threshold_costs(world(labels), Seen(arms.candidate(), given, ()), costs)
    assert {each.items for each in fewer} == {58}
