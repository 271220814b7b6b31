"""Probes look at an arm while its model is loaded: which of them are wanted, what each observed, and which could not.

In: a run's setting and a candidate's predictor. Out: `predictions/<id>.<probe>.jsonl`. One probe after the other, each whole or not at
all, so that an interrupted job goes on with the probe that was in hand. A probe that fails is noted and the others go on: the proof
must not be lost by it. No figure is worked out here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sonmat import plugins
from sonmat.core.errors import Paused, PluginError, SonmatError
from sonmat.core.probing import AsksElsewhere, Foretold, Probe, Setting
from sonmat.core.proof import Unmeasured
from sonmat.core.protocols import Emit, No, Predictor
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Candidate, Json
from sonmat.runs import RunFolder
from sonmat.runs.observations import has_observed, note_failure, observed_rows, read_failure, write_observations
from sonmat.steps.prove.asking import Watched, share_beside_others, stop_if_asked

_FORETELLING: Final = 20
"""One in so many rows must be there before the time left is told."""


def observe(
    folder: RunFolder,
    setting: Setting,
    candidate: Candidate,
    model: Predictor,
    emit: Emit,
    should_pause: Callable[[], bool],
) -> None:
    """Let every wanted probe that has not yet seen this model observe it.

    Raises:
        Paused: asked to; the probes that are done stay done.
    """
    seconds_each = share_beside_others(setting.task, candidate) * folder.measured(candidate.id).seconds_per_answer
    for probe in waiting_probes(folder, setting, candidate):
        watched = Watched(model, emit, should_pause, probe.title, seconds_each)
        try:
            rows = probe.observe(setting, candidate, watched)
            others = (each.id for each in folder.plan().candidates if each.id != candidate.id)
            total = observed_rows(folder, probe.name, others)
            if total is None and isinstance(probe, Foretold):
                total = probe.work(setting, candidate).rows
            emit("probing", _looking(probe, setting, candidate), candidate=candidate.id, probe=probe.name)
            write_observations(folder, candidate.id, probe, _passed(probe, rows, total, emit, should_pause))
        except Paused:
            raise
        # Whatever a probe stumbles over, the answers to the test set are there and the proof goes on.
        except Exception as error:  # noqa: BLE001
            fail(folder, candidate, probe, reason_of(error), emit)


def wanted_probes(recipe: Recipe) -> list[Probe]:
    """The recipe's probes, or all of them.

    Raises:
        SettingError: there is no probe of a name that the recipe gives; the nearest is proposed.
    """
    if recipe.probes is None:
        return list(plugins.every("probes"))
    return [plugins.find("probes", name) for name in dict.fromkeys(recipe.probes)]


def supporting_probes(setting: Setting, candidate: Candidate) -> list[Probe]:
    """The wanted probes that say something about such an arm."""
    return [probe for probe in wanted_probes(setting.recipe) if not isinstance(probe.supports(setting, candidate), No)]


def unobserved_probes(folder: RunFolder, setting: Setting, candidate: Candidate) -> list[Probe]:
    """Those of them that have not observed the arm's present model."""
    return [probe for probe in supporting_probes(setting, candidate) if not has_observed(folder, candidate.id, probe)]


def waiting_probes(folder: RunFolder, setting: Setting, candidate: Candidate) -> list[Probe]:
    """Those of them that have not failed at it either."""
    return [
        probe
        for probe in unobserved_probes(folder, setting, candidate)
        if read_failure(folder, candidate.id, probe) is None
    ]


def fail(folder: RunFolder, candidate: Candidate, probe: Probe, reason: Text, emit: Emit) -> None:
    """Note that the probe could not observe the arm, and say so."""
    note_failure(folder, candidate.id, probe, Unmeasured(probe=probe.name, arm=candidate.id, reason=reason))
    emit(
        "probe_failed",
        Text(
            en=f"{probe.title.en} of {candidate.id} could not be measured: {reason.en}",
            ko=f"{candidate.id}의 {probe.title.ko} 항목을 재지 못했습니다: {reason.ko}",
        ),
        candidate=candidate.id,
        probe=probe.name,
    )


def reason_of(error: Exception) -> Text:
    return error.whole if isinstance(error, SonmatError) else verbatim(f"{type(error).__name__}: {error}")


def _looking(probe: Probe, setting: Setting, candidate: Candidate) -> Text:
    if isinstance(probe, AsksElsewhere):
        return probe.announce(setting, candidate)
    return Text(en=f"measuring: {probe.title.en}", ko=f"재는 중: {probe.title.ko}")


def _passed(
    probe: Probe, rows: Iterable[Json], total: int | None, emit: Emit, should_pause: Callable[[], bool]
) -> Iterator[Json]:
    """The rows as they come, each with an id of its own; with the time left where another arm has shown how many there are."""
    seen: set[object] = set()
    start = last = time.perf_counter()
    for row in rows:
        stop_if_asked(should_pause)
        if not isinstance(row.get("row"), str) or row["row"] in seen:
            raise _without_id(probe, row)
        seen.add(row["row"])
        now = time.perf_counter()
        # A probe that answers in batches gives its first row as late as its last, so a few rows foretell nothing.
        if total and now - last > 1:
            left = (now - start) / len(seen) * max(0, total - len(seen))
            foretold = {"seconds_left": round(left, 1)} if len(seen) * _FORETELLING >= total else {}
            emit("progress", probe.title, done=min(len(seen), total), total=total, **foretold)
            last = now
        yield row


def _without_id(probe: Probe, row: Json) -> PluginError:
    given = row.get("row")
    return PluginError(
        Text(
            en=f"The probe {probe.name} gave a row with the id {given!r}; each needs a text of its own as 'row'.",
            ko=f"탐침 {probe.name}이(가) 낸 행의 id가 {given!r}입니다. 행마다 서로 다른 글자열 'row'가 있어야 합니다.",
        )
    )
