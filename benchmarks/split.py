"""How fast and in how little memory a million rows are split: `python -m benchmarks.split [ROWS]`.

Writes a run of made-up rows (a label of twelve, one row in twenty a repetition, 200 clusters that a finding links), splits it in a
process of its own, and prints rows a second and the process's peak memory.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sonmat.core.recipe import Recipe
from sonmat.core.text import verbatim
from sonmat.core.values import Audit, Example, Finding, LedgerLine, Source
from sonmat.runs import RunFolder, write_value
from sonmat.runs.files import write_rows
from sonmat.steps.split import split

CLUSTERS = 200


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        _write(folder, rows)
        done = subprocess.run([sys.executable, "-m", "benchmarks.split", "--of", place], capture_output=True, check=True)
        wall, seconds, peak = json.loads(done.stdout)
        pace = f"{seconds:.1f} s of processor time, {rows / seconds:,.0f} rows/s"
        print(f"{rows:,} rows: {pace}; {wall:.1f} s by the clock; peak {peak / 1e6:.0f} MB")


def _write(folder: RunFolder, rows: int) -> None:
    chance = random.Random(0)
    source = Source(file="made.csv", row=1)
    ids = [f"{chance.getrandbits(64):016x}" for _ in range(rows)]
    examples = (
        Example(
            id=id,
            input={"text": f"customer {number if number % 20 else number // 40} asks where the parcel of yesterday is"},
            target={"label": f"class {chance.randrange(12)}"},
            source=source,
        )
        for number, id in enumerate(ids)
    )
    write_rows(folder.file("examples.jsonl"), Example, examples)
    write_rows(folder.file("ledger.jsonl"), LedgerLine, (LedgerLine(id=id, source=source, action="kept") for id in ids))
    clusters = tuple(tuple(chance.sample(ids, 3)) for _ in range(CLUSTERS))
    near = Finding(check="near", severity="note", what=verbatim("-"), fix=verbatim("-"), clusters=clusters)
    write_value(folder.file("audit.json"), Audit(findings=(near,), rows_in=rows, kept=rows, changed=0, dropped=0))


def _split_one(place: str) -> None:
    start, busy = time.perf_counter(), time.process_time()
    split(RunFolder(Path(place)), Recipe(data="made.csv"), "", lambda *_, **__: None)
    # Kilobytes on Linux.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps([time.perf_counter() - start, time.process_time() - busy, peak]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--of"]:
        _split_one(sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
