"""Weight interpolation: how far along the way from the base to the trained weights the kept model stands.

In: a model that was trained, and its job. Out: the same model with weights base + α (trained − base), and why that α. Every α of
`SCALES` is tried on the validation rows; of those that keep nine tenths of the best one's gain, the one is kept that lies nearest the
base on general texts (WiSE-FT, Wortsman et al. 2022, with the choice made by validation). Exact for LoRA: its update is linear in B.
The task's own head stays as trained. It trains nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from sonmat.core.errors import SettingError
from sonmat.core.protocols import FitJob
from sonmat.core.text import Text
from sonmat.training.distance import Distance
from sonmat.training.weights import LoadedBase, load_model

if TYPE_CHECKING:
    import torch
    from torch import nn

SCALES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
GAIN_KEPT: Final = 0.9
"""Share of the best validated gain that the kept model must have."""
_UP: Final = ".lora_B."
_DOWN: Final = ".lora_A."
_COPIED_HEAD: Final = ".modules_to_save."


class Looked(Protocol):
    """What a look at the validation rows gave; see `loop.Validation`."""

    @property
    def metric(self) -> str: ...
    @property
    def merit(self) -> tuple[float, float]: ...
    @property
    def measures(self) -> dict[str, float]: ...


@dataclass(frozen=True)
class Tried:
    """One α."""

    scale: float
    value: float
    """The selection metric, turned so that higher is better."""
    distance: float
    """From the base: nats per token on general texts, or α itself for models that write nothing."""
    measures: dict[str, float]


@dataclass(frozen=True)
class Kept:
    scale: float
    measures: dict[str, float]
    budget: Text


def moving(model: nn.Module, loaded: LoadedBase) -> list[str]:
    """Names of the trained weights that leave the base where they are scaled; none of the task's own head.

    Raises:
        SettingError: the method trains nothing of the base.
    """
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    adapter = [name for name in names if _UP in name]
    found = adapter or [
        name for name in names if name not in loaded.head and _COPIED_HEAD not in name and _DOWN not in name
    ]
    if not found:
        raise SettingError(
            Text(
                en="interpolate scales what was trained of the base, and this method trains only the task's own head.",
                ko="interpolate는 학습으로 바뀐 기본 모델의 가중치를 조절하는데, 이 방법은 과제의 출력층만 학습합니다.",
            ),
            Text(
                en="Leave interpolate out: the base is not changed here.",
                ko="기본 모델이 바뀌지 않으니 interpolate를 빼세요.",
            ),
        )
    return found


def interpolate(job: FitJob, model: nn.Module, processor: Any, names: Sequence[str], look: Callable[[], Looked]) -> Kept:
    """Give `model` the weights of the best α, and say which. With α = 1 they stay bit for bit as they were trained.

    Args:
        names: the weights to scale; see `moving`.
        look: validates the model as it is.
    """
    model.eval()
    ends = _Ends(job, model, names)
    tried: list[Tried] = []
    distance = Distance(job, model, processor)
    for scale in SCALES:
        ends.go(scale)
        seen = look()
        moved = distance()
        tried.append(Tried(scale, seen.merit[0], scale if moved is None else moved, dict(seen.measures)))
        metric = seen.metric
    best = choose(tried)
    ends.go(best.scale)
    job.emit(
        "interpolated",
        _kept(best.scale),
        kept=best.scale,
        tried=[{"scale": each.scale, "value": each.measures[metric], "distance": each.distance} for each in tried],
    )
    return Kept(best.scale, best.measures, _budget(best.scale))


def choose(tried: Sequence[Tried]) -> Tried:
    """Of those that keep nine tenths of the best gain over α = 0 the nearest to the base; `tried` begins with α = 0."""
    usable = [each for each in tried if math.isfinite(each.value)]
    if not usable:
        return tried[-1]
    start = tried[0].value if math.isfinite(tried[0].value) else min(each.value for each in usable)
    gain = max(each.value for each in usable) - start
    enough = [each for each in usable if each.value - start >= GAIN_KEPT * gain]
    return min(enough, key=lambda each: (each.distance, each.scale))


class _Ends:
    """The weights at both ends of the way. Those of an adapter begin at nothing."""

    def __init__(self, job: FitJob, model: nn.Module, names: Sequence[str]) -> None:
        wanted = set(names)
        self.parameters = {name: each for name, each in model.named_parameters() if name in wanted}
        self.trained = {name: each.detach().clone() for name, each in self.parameters.items()}
        self.base: dict[str, torch.Tensor] = {}
        if not any(_UP in name for name in names):
            assert job.base is not None, "what trains has a base"
            plain, _ = load_model(job.task, job.spec, job.base.path, job.seed)
            self.base = {name: each.detach() for name, each in plain.named_parameters() if name in wanted}

    def go(self, scale: float) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self.parameters.items():
                trained = self.trained[name]
                start = self.base[name].to(trained) if self.base else torch.zeros_like(trained)
                parameter.copy_(trained if scale == 1 else start if scale == 0 else torch.lerp(start, trained, scale))


def _kept(scale: float) -> Text:
    if scale == 0:
        return Text(
            en="None of the trained change is kept: it gains nothing on the validation rows.",
            ko="학습한 변화를 남기지 않습니다. 검증 행에서 나아진 것이 없습니다.",
        )
    if scale == 1:
        return Text(
            en="The whole trained change is kept: less of it would cost too much quality.",
            ko="학습한 변화를 모두 남깁니다. 줄이면 품질이 너무 떨어집니다.",
        )
    return Text(
        en=f"{scale:.0%} of the trained change is kept: nearly as good on the validation rows, and nearer to the base.",
        ko=f"학습한 변화의 {scale:.0%}만 남깁니다. 검증 결과는 거의 같고 기본 모델에 더 가깝습니다.",
    )


def _budget(scale: float) -> Text:
    return Text(
        en=f"{len(SCALES)} scales of the trained weights tried on the validation rows; {scale:g} kept.",
        ko=f"검증 행에서 학습한 가중치의 배율 {len(SCALES)}가지를 시도해 {scale:g}을(를) 골랐습니다.",
    )
