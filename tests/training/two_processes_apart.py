"""Two processes whose clocks, signals and eyes differ: the second comes late, sees another loss, and alone is asked to pause."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch

from sonmat.core.errors import Paused
from sonmat.training import checkpoint, loop
from tests.training import test_loop
from tests.training.test_loop import train, weights

LAST_STEP_BEFORE_THE_PAUSE = 4

if __name__ == "__main__":
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    late = rank == 1
    asked: dict[str, int] = {"pause": 0}

    def should_pause() -> bool:
        asked["pause"] += 1
        return late and asked["pause"] == LAST_STEP_BEFORE_THE_PAUSE

    load, validator = checkpoint.load, test_loop.validator

    def slow_load(path: Path, *, in_parts: bool = False) -> dict[str, Any] | None:
        # Long enough for a first process that does not wait to have written its first checkpoint.
        time.sleep(1.0 if late else 0.0)
        return load(path, in_parts=in_parts)

    def another_eye(model: Any) -> Any:
        look = validator(model)

        def seen() -> loop.Validation:
            found = look()
            # Worse at every look: alone it would keep its first weights and stop early.
            seen.count += 1  # type: ignore[attr-defined]
            return dataclasses.replace(found, value=float(seen.count), loss=1.0) if late else found  # type: ignore[attr-defined]

        seen.count = 0  # type: ignore[attr-defined]
        return seen

    checkpoint.load = slow_load
    test_loop.validator = another_eye
    # Every step is one to save after for the second process, none is for the first.
    options: dict[str, Any] = {"micro_batch_tokens": 16, "patience": 2, "checkpoint_seconds": 0.0 if late else 1e9}
    paused_at = None
    try:
        train(folder / "work", data=41, should_pause=should_pause, **options)
    except Paused:
        paused_at = asked["pause"]
    model, outcome, heard = train(folder / "work", data=41, **options)
    resumed = [data["step"] for data in heard.of("resumed")]
    result = {"paused_at": paused_at, "resumed": resumed, "steps": outcome.steps, "weights": weights(model)}
    torch.save(result, folder / f"{rank}.pt")
