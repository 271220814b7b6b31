"""Trains the regression of `test_loop` in as many processes as the launcher started; the first one writes the weights."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import torch

from sonmat.training import budget
from tests.training.test_loop import train, weights

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    # 41 rows in steps of 8: the last step of an epoch has fewer rows than there are processes.
    row_weights = [(0.4, 1.0, 2.5)[row % 3] for row in range(41)] if "weighted" in sys.argv else None
    given: dict[str, Any] = {"micro_batch_tokens": 16}
    if "probed" in sys.argv:
        budget.SMALLEST, budget.LARGEST, budget.MOST_OF_THE_RUN = 4, {"cpu": 64}, 100.0  # type: ignore[misc]
        given = {"usual_tokens": 16}
    model, outcome, heard = train(folder / "work", data=41, weights=row_weights, **given)
    if "probed" in sys.argv:
        told = {name: heard.of("budget")[0][name] for name in ("tokens", "reason")}
        torch.save(told, folder / f"budget{os.environ.get('RANK', '0')}.pt")
    if os.environ.get("RANK", "0") == "0":
        norms = [data["gradient_norm"] for data in heard.of("step")]
        torch.save({"weights": weights(model), "steps": outcome.steps, "norms": norms}, folder / "result.pt")
