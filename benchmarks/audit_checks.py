"""Prints the table of docs/audit.md: planted faults, precision, recall and false alarms of every check on texts, and its cost.

    python benchmarks/audit_checks.py            the table, as Markdown (half a minute)
    python benchmarks/audit_checks.py --speed    microseconds a row of each check (processor time)

It needs nothing but the repository: faults are planted into the example data.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sonmat import plugins
from sonmat.checking.gist import gist_of
from sonmat.core.protocols import Kind
from sonmat.core.values import Example
from sonmat.core.watching import Surroundings
from sonmat.embedding.sample import DrawnSample
from sonmat.reading.rows import ExampleRows, in_batches
from tests.checks.planted import CHECKS, clean, score

ROWS = 20_000


def main(arguments: Sequence[str]) -> int:
    if arguments == ["--speed"]:
        print("| data | mean characters | check | µs a row |\n|---|---:|---|---:|")
        for name, (kind, rows) in zip(("intents, Korean", "chat, Korean", "chat, English"), clean(), strict=False):
            _print_speed(name, kind, rows)
        return 0
    print("| check | planted | precision | recall | false alarms on clean rows |\n|---|---:|---:|---:|---:|")
    for check in CHECKS:
        made = score(check)
        print(
            f"| `{check}` | {made.planted:,} | {made.precision:.3f} | {made.recall:.3f} | {made.false_alarms} of {made.clean:,} |"
        )
    return 0


def _print_speed(name: str, kind: Kind, rows: Sequence[Example]) -> None:
    many = [row for _ in range(ROWS // len(rows) + 1) for row in rows][:ROWS]
    characters = sum(len(text) for text in ExampleRows(rows).texts) / len(rows)
    data = Surroundings(kind, ROWS, [row.id for row in many], (), 0, DrawnSample(kind, 0), lambda *said, **figures: None)
    watches = {check: plugins.find("checks", check).watch(data) for check in CHECKS}
    seconds = dict.fromkeys(["what all share", *CHECKS], 0.0)
    for batch in in_batches(many):
        # Keys and texts are shared with other checks, such as duplicates, and not counted.
        assert len(batch.input_keys) == len(batch.target_keys) == len(batch.texts)
        start = time.process_time()
        assert gist_of(batch).words
        assert gist_of(batch).characters
        seconds["what all share"] += time.process_time() - start
        for check, watch in watches.items():
            if watch is not None:
                start = time.process_time()
                watch.see(batch)
                seconds[check] += time.process_time() - start
    for check, spent in [*sorted(seconds.items(), key=lambda entry: -entry[1]), ("all", sum(seconds.values()))]:
        print(f"| {name} | {characters:.0f} | {check} | {spent / ROWS * 1e6:.2f} |")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
