"""How long the probes that have yet to look will take of each arm, said before a proof begins: a judge named later, a probe added to a
finished run, or what an interruption left.

In: a run whose candidates are fitted. Out: the event "probes_waiting", by the estimate that the plan uses; none where no probe that
can foretell its work has any left. It asks no model, and a probe that cannot tell its work stops no proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sonmat.core.probing import Foretold, Probe
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.runs import RunFolder
from sonmat.steps.plan.probing import probing_seconds
from sonmat.steps.prove.observing import reason_of, unobserved_probes
from sonmat.steps.prove.phrases import duration
from sonmat.steps.prove.setting import setting_of


def say_what_waits(folder: RunFolder, emit: Emit) -> None:
    """The event "probes_waiting", with the seconds of each arm, if there are any."""
    try:
        waiting, seconds = _waiting(folder)
    # Whatever a probe stumbles over here, it is told by the proof itself, which goes on without that probe.
    except Exception as error:  # noqa: BLE001
        why = reason_of(error)
        emit(
            "probes_unforetold",
            Text(
                en=f"How long the probes will take cannot be told: {why.en}",
                ko=f"탐침에 걸릴 시간을 알 수 없습니다: {why.ko}",
            ),
        )
        return
    if seconds:
        emit("probes_waiting", _said(waiting, seconds), seconds=sum(seconds.values()), arms=seconds)


def _waiting(folder: RunFolder) -> tuple[dict[str, list[Probe]], dict[str, float]]:
    """By candidate: the probes that have yet to look and can foretell their work, and their seconds."""
    plan, failed, setting = folder.plan(), folder.fits().failed, setting_of(folder)
    candidates = [each for each in plan.candidates if each.id not in failed]
    waiting: dict[str, list[Probe]] = {
        each.id: [probe for probe in unobserved_probes(folder, setting, each) if isinstance(probe, Foretold)]
        for each in candidates
    }
    return waiting, probing_seconds(setting, candidates, plan.device, plan.mean_tokens, waiting)


def _said(waiting: Mapping[str, Sequence[Probe]], seconds: Mapping[str, float]) -> Text:
    names = ", ".join(dict.fromkeys(probe.name for arm in seconds for probe in waiting[arm]))
    each = {arm: duration(round(took, 1)) for arm, took in seconds.items()}
    total = duration(round(sum(seconds.values()), 1))
    return Text(
        en=f"Probes that have yet to look: {names}. About {total.en}: "
        f"{', '.join(f'{arm} {took.en}' for arm, took in each.items())}.",
        ko=f"아직 재지 않은 탐침: {names}. 약 {total.ko} 걸립니다({', '.join(f'{arm} {took.ko}' for arm, took in each.items())}).",
    )
