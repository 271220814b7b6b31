"""The plan's memory estimate beside what a fit really took, for each kind of base and method.

    python -m benchmarks.memory_estimates                              all cases, each in a process of its own, some minutes
    python -m benchmarks.memory_estimates --only lora:smollm2-135m     one of them

An estimate must not be below the peak, or a plan that fits is killed; far above it, it refuses what would have fitted. Rows are the
longest that their length allows, made of chance words, so that nothing is shared and hardly a token is not supervised. Memory does not
depend on the machine's speed: other programs may run beside it.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import fresh_processes as fresh
from benchmarks.fresh_processes import Measured
from sonmat import plugins
from sonmat.core.text import Text
from sonmat.core.values import Example, Source

TRAIN_ROWS, VALIDATION_ROWS = 16, 8


@dataclass(frozen=True)
class Case:
    method: str
    base: str
    tokens: int
    """Of a row, at most."""
    settings: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        told = "".join(f",{name}={value}" for name, value in self.settings)
        return f"{self.method}:{self.base}@{self.tokens}{told}"


CASES: Final = (
    Case("lora", "smollm2-135m", 512),
    Case("lora", "smollm2-135m", 1536),
    Case("lora", "smollm2-135m", 512, (("activations", "recompute"),)),
    Case("lora", "smollm2-135m", 512, (("micro_batch_tokens", 4096),)),
    Case("lora", "gemma3-270m", 512),
    Case("full", "smollm2-135m", 512),
    Case("full", "smollm2-135m", 1536),
    Case("full", "gemma3-270m", 512),
    Case("freeze", "smollm2-135m", 512),
    Case("full", "multilingual-e5-small", 512),
    Case("full", "multilingual-e5-small", 64),
    Case("lora", "multilingual-e5-small", 512),
    Case("head-only", "multilingual-e5-small", 512),
    Case("freeze", "multilingual-e5-small", 512),
    Case("full", "albert-kor-base", 512),
    Case("full", "all-minilm-l6-v2", 256),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="what a case's name must hold, e.g. lora:smollm2-135m")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        print(json.dumps(measured(next(case for case in CASES if case.name == asked.run))))
        return
    chosen = [case for case in CASES if asked.only in case.name]
    found = {
        case: fresh.measured_in_its_own_process("benchmarks.memory_estimates", ["--run", case.name], as_job=True)
        for case in chosen
    }
    print(f"{fresh.circumstances()}\n\n{as_markdown(found)}")


def as_markdown(found: dict[Case, Measured]) -> str:
    lines = []
    for case, figures in found.items():
        if "failed" in figures:
            lines.append([case.name, figures["failed"], "–", "–"])
            continue
        estimate, peak = figures["estimate_bytes"], figures["peak_bytes"]
        told = [f"{estimate / 1e9:.2f} GB", f"{peak / 1e9:.2f} GB", f"{estimate / peak:.2f}"]
        lines.append([case.name, *told])
    return fresh.table(("fit", "estimate", "peak", "estimate / peak"), lines)


def measured(case: Case) -> Measured:
    """Fit here and now, and compare."""
    from sonmat.core.protocols import FitJob, Workload
    from sonmat.inference.device import detect_device, peak_memory
    from sonmat.models import resolve, spec_for
    from sonmat.steps.plan.lengths import measure_lengths

    base = resolve(case.base, accepted=(case.base,), emit=_silent)
    task = plugins.find("tasks", "chat" if base.vocabulary and not _encodes(base.model_type) else "text-classification")
    method, device = plugins.find("methods", case.method), detect_device()
    rows = [_row(task.name, number, case.tokens) for number in range(TRAIN_ROWS + VALIDATION_ROWS)]
    train, validation = rows[:TRAIN_ROWS], rows[TRAIN_ROWS:]
    spec = spec_for(task, task.specify(rows), base, case.tokens)
    lengths = measure_lengths(task, spec, base, rows, train, "", _silent)
    workload = Workload(
        base=base,
        device=device,
        train_rows=len(train),
        validation_rows=len(validation),
        test_rows=0,
        mean_tokens=lengths.mean_tokens,
        longest_tokens=lengths.longest_tokens,
        mean_target_tokens=lengths.mean_target_tokens,
        classes=len(spec.labels),
        used_ids=lengths.used_ids,
    )
    # Under the budget that the estimate goes by, which a probe may leave.
    asked = {**method.propose(task, workload), "epochs": 1, "batch_size": 8, "compile": "no", **dict(case.settings)}
    settings = method.Settings.model_validate(asked)
    estimate = method.estimate(settings, workload)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model").mkdir()
        method.fit(
            FitJob(
                task=task, spec=spec, base=base, family=plugins.find("families", base.family), settings=settings, train=train,
                validation=validation, selection=plugins.find("metrics", task.selection_metric), folder=Path(folder) / "model",
                work=Path(folder) / "work", seed=0, device=device, emit=_silent, should_pause=lambda: False,
            )
        )  # fmt: skip
    return {
        "run": case.name,
        "estimate_bytes": estimate.peak_bytes,
        "peak_bytes": peak_memory(),
        "tokens": lengths.longest_tokens,
    }


def _encodes(model_type: str) -> bool:
    return "bert" in model_type


def _row(task: str, number: int, tokens: int) -> Example:
    """A row that is cut at `tokens`, or a little shorter where its target must not be."""
    chance, source = random.Random(number), Source(file="", row=number)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 6))) for _ in range(tokens)]
    if task == "chat":
        answer = " ".join(words[: tokens // 4])
        messages = [{"role": "user", "content": " ".join(words[-8:])}]
        return Example(id=str(number), input={"messages": messages}, target={"text": answer}, source=source)
    target = {"label": ("one", "other")[number % 2]}
    return Example(id=str(number), input={"text": " ".join(words)}, target=target, source=source)


def _silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    """Nobody listens."""


if __name__ == "__main__":
    main()
