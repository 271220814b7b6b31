"""What the audit costs and how well it finds near-duplicates: `python -m benchmarks.audit [ROWS]` prints Markdown.

In: the number of short rows to make (100,000 if left out). Out: rows a second and peak memory of load and audit, seconds of each
check, recall and precision on planted near-duplicates, the same work side by side with other tools; with `--all`, also label errors
and personal data. Everything runs on one core, and times of checks are processor time; run it alone on the machine all the same.

Checks that compare rows by their features (`features` in the table) look at no more than 20,000 rows, however many there are; the
goal of 20,000 rows a second is for the others, and the audit that is timed as a whole leaves the former out.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

# Said before NumPy is loaded, which reads it then.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from numpy.typing import NDArray

from benchmarks import near_duplicates
from sonmat import plugins
from sonmat.checking.gist import gist_of
from sonmat.core.errors import DataBlocked
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.watching import Surroundings
from sonmat.embedding.sample import DrawnSample
from sonmat.reading.collecting import collecting_rarely
from sonmat.reading.compact import CompactStrings
from sonmat.reading.rows import in_batches
from sonmat.runs.folder import RunFolder
from sonmat.steps.audit import audit
from sonmat.steps.load import load

TASK = "text-classification"
OTHERS = ("label_errors", "personal_data")
"""Benchmarks of other checks that `--all` runs as well."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--pairs", type=int, default=20_000, help="planted pairs of each language")
    parser.add_argument("--dedup-rows", type=int, default=20_000, help="texts for the comparison with other tools")
    parser.add_argument("--all", action="store_true", help="run the benchmarks of label errors and personal data, too")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--skip", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        _one_step(asked.step, asked.run, tuple(filter(None, asked.skip.split(","))))
        return
    _print_heading()
    with tempfile.TemporaryDirectory() as folder:
        _print_cost(Path(folder), asked.rows)
    print("\n## Near-duplicates: planted pairs\n")
    _print_all(near_duplicates.quality(asked.pairs))
    print("\n## Near-duplicates: side by side\n")
    _print_all(near_duplicates.speed(asked.dedup_rows))
    for name in OTHERS if asked.all else ():
        print(f"\n## benchmarks/{name}.py\n", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


def _print_heading() -> None:
    print(f"`python -m benchmarks.{Path(__file__).stem} {' '.join(sys.argv[1:])}`".replace(" `", "`"))
    print(
        f"{date.today().isoformat()}, {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, one thread."
    )
    if hasattr(os, "getloadavg"):
        print(f"Load of the machine before: {os.getloadavg()[0]:.1f}.")


def _print_cost(folder: Path, rows: int) -> None:
    table = folder / "rows.csv"
    made = write_rows_for(table, rows)
    print(f"\n## Cost: {rows:,} rows of {made / rows:.0f} letters on average\n", flush=True)
    run = folder / "run"
    (run.parent / "data.txt").write_text(str(table), encoding="utf-8")
    measured = {"load": _measured("load", run)}
    examples = RunFolder(run)
    seconds, with_features = costs_by_check(examples)
    measured["audit"] = _measured("audit", run, with_features)
    print("| step | seconds | rows a second | peak memory, MB |\n|---|---|---|---|")
    for step, cost in measured.items():
        name = "audit without the checks on features" if step == "audit" else step
        print(f"| {name} | {cost['seconds']:.2f} | {rows / cost['seconds']:,.0f} | {cost['peak_bytes'] / 1e6:,.0f} |")
    print("\n| check | seconds per 100,000 rows | |\n|---|---|---|")
    for name, spent in sorted(seconds.items(), key=lambda entry: -entry[1]):
        print(f"| {name} | {spent / rows * 100_000:.3f} | {'features' if name in with_features else ''} |")
    others = sum(spent for name, spent in seconds.items() if name not in with_features)
    print(f"| all without features | {others / rows * 100_000:.3f} | {rows / others:,.0f} rows a second |", flush=True)


def write_rows_for(path: Path, rows: int) -> int:
    """Short sentences with a label; each tenth nearly repeats an earlier one. Returns the number of their letters."""
    chance = random.Random(0)
    labels = [f"label {number}" for number in range(20)]
    made = 0
    earlier: list[str] = []
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "label"))
        for number in range(rows):
            if number % 10 == 9:
                text = chance.choice(earlier) + chance.choice(("!", " 네", "요", " please"))
            else:
                words = near_duplicates.words_of(chance.choice(("Korean", "Korean", "English")))
                text = " ".join(chance.choices(words, k=chance.randint(3, 12)))
                if len(earlier) < 100_000:
                    earlier.append(text)
            writer.writerow((text, chance.choice(labels)))
            made += len(text)
    return made


class _WatchedSample(DrawnSample):
    """Remembers that it was asked for features."""

    asked = False

    @property
    def features(self) -> NDArray[np.float32]:  # type: ignore[override]
        self.asked = True
        return super().features


@collecting_rarely()
def costs_by_check(run: RunFolder) -> tuple[dict[str, float], tuple[str, ...]]:
    """Processor seconds of each check and of what all share, and the checks that ask for features."""
    source, kind = run.source(), plugins.find_kind(TASK)
    ids, sample = CompactStrings(), _WatchedSample(kind, 0)
    data = Surroundings(kind, source.rows_in, ids, source.languages, 0, sample, _silent)
    watches = {check.name: watch for check in plugins.every("checks") if (watch := check.watch(data)) is not None}
    seconds: defaultdict[str, float] = defaultdict(float)
    batches = in_batches(run.examples())
    while True:
        began = time.process_time()
        rows = next(batches, None)
        seconds["reading the examples"] += time.process_time() - began
        if rows is None:
            break
        began = time.process_time()
        ids.extend(example.id for example in rows.examples)
        sample.see(rows.examples)
        assert all((rows.inputs, rows.targets, rows.texts, rows.input_keys, rows.target_keys, gist_of(rows)))
        seconds["texts, keys and gist, shared"] += time.process_time() - began
        for name, watch in watches.items():
            began = time.process_time()
            watch.see(rows)
            seconds[name] += time.process_time() - began
    with_features = []
    for name, watch in watches.items():
        sample.asked = False
        began = time.process_time()
        list(watch.findings())
        seconds[name] += time.process_time() - began
        if sample.asked:
            with_features.append(name)
    return dict(seconds), tuple(with_features)


def _measured(step: str, run: Path, skip: Sequence[str] = ()) -> dict[str, float]:
    """Seconds and peak memory of a step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.audit", "--step", step, "--run", str(run), "--skip", ",".join(skip)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **threads})
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _one_step(step: str, path: Path, skip: tuple[str, ...]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(data=((path.parent / "data.txt").read_text(encoding="utf-8"),), task=TASK, bad_rows="drop", skip=skip)
    run = RunFolder(path)
    began = time.process_time()
    if step == "load":
        load(run, recipe, "benchmark", _silent)
    else:
        try:
            audit(run, recipe, "benchmark", _silent)
        except DataBlocked as blocked:
            print(str(blocked)[:2000], file=sys.stderr)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": seconds, "peak_bytes": peak}))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _print_all(lines: Iterator[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _silent(kind: str, message: Text | None = None, /, **data: object) -> None:
    """Progress that nobody watches."""


if __name__ == "__main__":
    main()
