"""Settings that depend on what the device has: how activations are kept, the optimiser's state, whether layers are compiled.

In: a method's settings, which of them the user gave, the workload. Out: the settings as they are planned, with the estimate and the
reason for each choice. What the user said is never changed, and results stay the same wherever that can be: coarser optimiser
state comes last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from sonmat.core.protocols import Method, Workload
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json
from sonmat.training.settings import TrainingSettings

MEMORY_SHARE = 0.9
"""Share of the free memory that a job may plan to use."""


@dataclass(frozen=True)
class Suited:
    settings: BaseModel
    estimate: Estimate
    chosen: frozenset[str] = frozenset()
    """Names of the settings that were chosen here."""
    reasons: tuple[Text, ...] = ()


def suit(method: Method, settings: BaseModel, given: frozenset[str], workload: Workload) -> Suited:
    """`settings` as they suit `workload.device`; `given` are the names that the user has set."""
    estimate = method.estimate(settings, workload)
    if not isinstance(settings, TrainingSettings):
        return Suited(settings, estimate)
    lighter = _lighter(method, settings, estimate, given, workload)
    return _compiled(lighter, workload)


def _lighter(
    method: Method, settings: TrainingSettings, estimate: Estimate, given: frozenset[str], workload: Workload
) -> Suited:
    """The first way that fits into the device's memory: the settings as they are, if they do. If none does, the one that needs
    least, so that a refusal names what would be enough."""
    allowed = workload.device.memory_bytes * MEMORY_SHARE
    least = Suited(settings, estimate)
    if estimate.peak_bytes <= allowed:
        return least
    for change in _ways(workload.device):
        wanted = {name: value for name, value in change.items() if name not in given}
        lighter = settings.model_copy(update=wanted)
        found = method.estimate(lighter, workload)
        if wanted and found.peak_bytes < least.estimate.peak_bytes:
            least = Suited(lighter, found, frozenset(wanted), (_why(lighter, estimate, found, workload.device),))
        if found.peak_bytes <= allowed:
            break
    return least


def _ways(device: Device) -> Iterator[Json]:
    """What saves memory, the cheapest first. A processor's activations lie in main memory already."""
    from sonmat.training.accelerators import has_8bit_state

    yield {"activations": "recompute"}
    if device.kind == "cuda":
        yield {"activations": "offload"}
    if has_8bit_state(device):
        yield {"activations": "offload", "optimiser_state": "8bit"}


def _why(settings: TrainingSettings, before: Estimate, after: Estimate, device: Device) -> Text:
    done: list[Text] = []
    if settings.activations == "offload":
        done.append(
            Text(
                en="activations are recomputed from inputs kept in main memory",
                ko="중간 결과를 주 메모리에 둔 입력으로 다시 계산하고",
            )
        )
    if settings.activations == "recompute":
        done.append(Text(en="activations are recomputed", ko="중간 결과를 다시 계산하고"))
    if settings.optimiser_state == "8bit":
        done.append(Text(en="the optimiser keeps 8-bit state", ko="옵티마이저 상태를 8비트로 두고"))
    kept, now, free = (f"{each / 1e9:.1f} GB" for each in (before.peak_bytes, after.peak_bytes, device.memory_bytes))
    return Text(
        en=f"{' and '.join(each.en for each in done)}: {now} instead of {kept}, because {free} are free",
        ko=f"메모리가 {free}만 비어 있어 {' '.join(each.ko for each in done)} {kept} 대신 {now}만 씁니다",
    )


def _compiled(suited: Suited, workload: Workload) -> Suited:
    """Whether to compile, decided once here, so that a continued training computes as it began."""
    from sonmat.training.compiling import pays

    settings = suited.settings
    assert isinstance(settings, TrainingSettings)
    if settings.compile != "auto":
        return suited
    worth, reason = pays(workload.device, suited.estimate.seconds)
    decided = settings.model_copy(update={"compile": "yes" if worth else "no"})
    # On a processor the answer is always the same and needs no words.
    said = (*suited.reasons, reason) if workload.device.kind == "cuda" else suited.reasons
    return Suited(decided, suited.estimate, suited.chosen | {"compile"}, said)
