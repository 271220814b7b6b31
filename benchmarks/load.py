"""How fast the load step is and how much memory it takes: `python benchmarks/load.py 100000` prints rows a second and the peak.

In: the number of rows, and perhaps the format (jsonl, csv) and what the rows are (label, chat). Rows are short: about 60 characters.
The figure covers everything: looking at all rows, reading them again, ids, validation and writing. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.runs.folder import RunFolder
from sonmat.steps.load import load

LABELS = ("배송", "환불", "결제", "교환", "회원")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
    parser.add_argument("--kind", choices=("label", "chat"), default="label")
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = made(Path(folder), asked.rows, asked.format, asked.kind)
        if asked.profile:
            profile(path)
            return
        before = _peak_megabytes()
        began, computed = time.perf_counter(), time.process_time()
        load(RunFolder(path.parent / "run"), Recipe(data=(str(path),)), "", _silent)
        seconds, computed = time.perf_counter() - began, time.process_time() - computed
        print(
            f"{asked.rows:,} {asked.kind} rows of {asked.format}: {seconds:.1f} s, {asked.rows / seconds:,.0f} rows/s "
            f"({asked.rows / computed:,.0f} a second of computing), "
            f"peak {_peak_megabytes():.0f} MB ({before:.0f} MB before)"
        )


def made(folder: Path, rows: int, format: str, kind: str) -> Path:
    """A file of `rows` different rows."""
    path = folder / f"rows.{format}"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        if format == "csv":
            writer.writerow(("text", "label") if kind == "label" else ("question", "answer"))
        for number in range(rows):
            text, answer = (
                f"{number}번째 문의입니다. 주문한 상품이 아직 도착하지 않았어요, 언제 오나요?",
                f"{number}번 안내입니다.",
            )
            label = LABELS[number % len(LABELS)]
            if format == "csv":
                writer.writerow((text, label) if kind == "label" else (text, answer))
                continue
            turns = [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
            row: dict[str, Any] = {"text": text, "label": label} if kind == "label" else {"messages": turns}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def profile(path: Path) -> None:
    import cProfile
    import pstats

    recorder = cProfile.Profile()
    recorder.runcall(load, RunFolder(path.parent / "run"), Recipe(data=(str(path),)), "", _silent)
    pstats.Stats(recorder).sort_stats("tottime").print_stats(30)


def _peak_megabytes() -> float:
    """Largest memory of this process so far; macOS counts bytes, Linux kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _silent(kind: str, message: Text | None = None, /, **data: object) -> None:
    """Progress that nobody watches."""


if __name__ == "__main__":
    main()
