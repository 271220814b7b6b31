"""How the learning rate moves over a training: warm-up, then constant or falling. No optimiser, no tensors."""

from __future__ import annotations

import math

from sonmat.training.settings import TrainingSettings


def rate_at(step: int, total: int, settings: TrainingSettings) -> float:
    """Share of the highest learning rate at `step`, 0 to 1: the formulas of Transformers' `get_scheduler`."""
    warmup = math.ceil(total * settings.warmup_ratio)
    if step < warmup:
        return step / warmup
    done = (step - warmup) / max(1, total - warmup)
    if settings.schedule == "linear":
        return max(0.0, 1.0 - done)
    if settings.schedule == "cosine":
        return max(0.0, 0.5 * (1.0 + math.cos(math.pi * done)))
    return 1.0
