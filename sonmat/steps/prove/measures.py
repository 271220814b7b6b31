"""What the probes show, worked out from what they observed and from the answers to the test set.

In: the run directory, every arm's answers. Out: measures, and what could not be measured, and why. Each arm is set beside the
untuned base of the same model. It runs no model, so that figures can be worked out again from a run directory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sonmat.core.probing import Probe, Seen, Setting, plain_base
from sonmat.core.proof import Measure, Prediction, Unmeasured
from sonmat.core.protocols import No, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate
from sonmat.runs import RunFolder
from sonmat.runs.observations import has_observed, read_failure, read_observations
from sonmat.steps.prove.observing import reason_of, wanted_probes


@dataclass(frozen=True)
class Panel:
    """All that the probes gave."""

    measures: tuple[Measure, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()


def measure_arms(
    folder: RunFolder,
    setting: Setting,
    candidates: Sequence[Candidate],
    answers: Mapping[str, Sequence[Prediction]],
) -> Panel:
    """The measures of every arm among `candidates`, probe after probe.

    Args:
        answers: of each candidate to the test set; of several repetitions the first counts.
    """
    measures: list[Measure] = []
    unmeasured: list[Unmeasured] = []
    for probe in wanted_probes(setting.recipe):
        for candidate in candidates:
            offered = probe.supports(setting, candidate)
            if isinstance(offered, No):
                if setting.recipe.probes is not None:
                    unmeasured.append(Unmeasured(probe=probe.name, arm=candidate.id, reason=offered.reason, failed=False))
                continue
            try:
                own = _seen(folder, setting, probe, candidate, answers)
                base = plain_base(candidate, candidates)
                before = _seen(folder, setting, probe, base, answers) if base else None
                if own is None:
                    unmeasured.append(_why_not(folder, probe, candidate))
                else:
                    measures += probe.measure(setting, own, before)
            # As with observing: a probe's fault is told, and takes nothing else down.
            except Exception as error:  # noqa: BLE001
                unmeasured.append(Unmeasured(probe=probe.name, arm=candidate.id, reason=reason_of(error)))
    return Panel(tuple(measures), tuple(unmeasured))


def _seen(
    folder: RunFolder,
    setting: Setting,
    probe: Probe,
    candidate: Candidate,
    answers: Mapping[str, Sequence[Prediction]],
) -> Seen | None:
    """What the probe and the proof saw of the arm; None where the probe did not observe it."""
    if not isinstance(probe.supports(setting, candidate), Yes) or not has_observed(folder, candidate.id, probe):
        return None
    by_row: dict[str, Prediction] = {}
    for prediction in answers[candidate.id]:
        by_row.setdefault(prediction.row, prediction)
    return Seen(
        candidate=candidate,
        answers=by_row,
        rows=list(read_observations(folder, candidate.id, probe.name)),
        measured=folder.measured(candidate.id),
        fitted=folder.fitted(candidate.id),
    )


def _why_not(folder: RunFolder, probe: Probe, candidate: Candidate) -> Unmeasured:
    nothing = Text(en="it was not observed.", ko="관찰한 것이 없습니다.")
    failure = read_failure(folder, candidate.id, probe)
    return failure or Unmeasured(probe=probe.name, arm=candidate.id, reason=nothing)
