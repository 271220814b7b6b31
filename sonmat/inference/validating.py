"""A model's answers to validation rows, as the metric that checkpoints, prompts and settings are chosen by takes them.

In: a job, rows of its validation part, and what a model answers to them. Out: `Judged` rows. Where the user has set costs of errors,
labels are decided as the finished model will decide them (temperature, expected costs, threshold; `inference.deciding`), so that what
is chosen is what will cost least in use, and not what would if the most probable label were answered. It chooses nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from sonmat.core.decision import Costs
from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, Judged
from sonmat.core.values import Example, Json
from sonmat.inference.deciding import choose_decision, decided


def judged_rows(
    job: FitJob, rows: Sequence[Example], outputs: Sequence[Json], nats: Sequence[float | None] | None = None
) -> list[Judged]:
    """What `job.selection` is computed from.

    Args:
        outputs: the model's own, one a row.
        nats: of each row's reference, where the model has its likelihood.
    """
    costs = job.costs
    if costs is not None:
        outputs = _as_costs_decide(rows, outputs, job.spec.labels, costs)
    nats = nats if nats is not None else [None] * len(rows)
    return [
        Judged(row.input, row.target, output, reference_nll=nll, costs=costs)
        for row, output, nll in zip(rows, outputs, nats, strict=True)
    ]


def _as_costs_decide(
    rows: Sequence[Example], outputs: Sequence[Json], labels: Sequence[str], costs: Costs
) -> Sequence[Json]:
    """The answers with the labels that costs ask for; as they are where a model gives no probability of every label."""
    own = [Prediction(row=row.id, output=output, seconds=0.0) for row, output in zip(rows, outputs, strict=True)]
    decision = choose_decision(own, {row.id: row.target["label"] for row in rows}, labels, costs)
    return outputs if decision is None else [decided(each, decision).output for each in own]
