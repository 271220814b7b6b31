"""What computing frozen layers once saves: a fit with kept outputs against the same fit that runs the whole model every epoch.

    python benchmarks/frozen_cpu.py --method head-only --base multilingual-e5-small --rows 2000 --epochs 10

Rows are `examples/data/korean_intents.csv`, a fifth of them for validation. Prints the seconds of both, of a second fit of the same
rows, the bytes kept, and the final validation losses. Each way runs in a process of its own. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "examples" / "data" / "korean_intents.csv"


def main() -> None:
    options = _options()
    if options.way:
        print(json.dumps(_measured(options)))
        return
    with tempfile.TemporaryDirectory() as cache:
        for way in ("whole model", "kept outputs", "kept outputs"):
            command = [sys.executable, __file__, *sys.argv[1:], "--way", way, "--cache", cache]
            print(
                f"{way}: {subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()}", flush=True
            )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=["head-only", "freeze"], default="head-only")
    parser.add_argument("--base", default="multilingual-e5-small")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    from sonmat import plugins
    from sonmat.core.protocols import FitJob
    from sonmat.core.values import Example, Source
    from sonmat.inference.device import detect_device
    from sonmat.models.resolving import resolve
    from sonmat.training.frozen import cached

    heard: list[tuple[str, dict[str, Any]]] = []

    def emit(kind: str, message: object = None, /, **data: Any) -> None:
        heard.append((kind, data))

    with DATA.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))[: options.rows]
    examples = [
        Example(id=str(n), input={"text": row["text"]}, target={"label": row["intent"]}, source=Source(file="", row=n))
        for n, row in enumerate(rows)
    ]
    task, method = plugins.find("tasks", "text-classification"), plugins.find("methods", options.method)
    base = resolve(options.base, emit=emit)
    family = plugins.find("families", base.family)
    if options.way == "whole model":
        cached.compute_frozen_once = lambda *_, **__: None
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "model"
        folder.mkdir()
        job = FitJob(
            task=task,
            spec=task.specify(examples).model_copy(update={"text_prefix": family.text_prefix}),
            base=base,
            family=family,
            settings=method.Settings(epochs=options.epochs, patience=options.epochs),
            train=[example for n, example in enumerate(examples) if n % 5],
            validation=examples[::5],
            selection=plugins.find("metrics", task.selection_metric),
            folder=folder,
            work=Path(work) / "work",
            seed=0,
            device=detect_device(),
            emit=emit,
            should_pause=lambda: False,
            cache=options.cache,
        )
        start = time.perf_counter()
        method.fit(job)
        seconds = time.perf_counter() - start
    looks = [data for kind, data in heard if kind == "validation"]
    return {
        "seconds": round(seconds, 1),
        "seconds of steps": round(sum(data["seconds"] for kind, data in heard if kind == "step"), 1),
        "rows computed": sum(data["rows"] for kind, data in heard if kind == "frozen_computed"),
        "bytes kept": sum(data["bytes"] for kind, data in heard if kind == "frozen_computed"),
        "told": [kind for kind, _ in heard if kind == "fallback"],
        "validation loss": looks[-1]["loss"],
    }


if __name__ == "__main__":
    main()
