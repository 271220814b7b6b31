"""Fits a tiny classifier's output layer on kept outputs in as many processes as the launcher started."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import torch

from sonmat import plugins
from tests.training.tiny_jobs import Heard, tiny_job

if __name__ == "__main__":
    folder, rank = Path(sys.argv[1]), os.environ["RANK"]
    mine = folder / rank
    mine.mkdir()
    heard = Heard()
    job = tiny_job("text-classification", "head-only", mine, heard, epochs=3, batch_size=4, dropout=0.0)
    plugins.find("methods", "head-only").fit(replace(job, cache=folder / "cache", work=folder / "work"))
    found = [data["gradient_norm"] for data in heard.of("step")]
    torch.save(
        {"norms": found, "computed": sum(data["rows"] for data in heard.of("frozen_computed"))}, folder / f"{rank}.pt"
    )
