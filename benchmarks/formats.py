"""How fast each format reads, and how much memory it takes: `python benchmarks/formats.py --rows 1000000`.

Short rows (a Korean sentence of about 30 characters and a label) are written once in every format that holds them, then read in
a process of their own. Prints rows a second of processor time and the growth of resident memory in MiB. Run it on an idle core.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sonmat.core.values import Record, Source
from sonmat.steps.load.container import find_format, writing_format

NAMES = ("t.csv", "t.jsonl", "t.json", "t.parquet", "t.arrow", "t.xlsx", "t.db", "t.csv.gz", "t.jsonl.zst")
WORDS = ["배송", "환불", "문의", "언제", "되나요", "결제", "취소", "주문", "빨리", "상품", "교환", "카드", "어제", "오늘"]
MOST_EXCEL_ROWS = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--read", type=Path, help="read this file and print what it took (used by the benchmark itself)")
    given = parser.parse_args()
    if given.read is not None:
        print(took(given.read))
        return
    print(f"{'format':12} {'rows':>10} {'rows/s':>10} {'MiB':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            path, rows = Path(folder) / name, min(given.rows, MOST_EXCEL_ROWS)
            writing_format(path).write(made(rows), path)
            command = [sys.executable, __file__, "--read", str(path)]
            print(f"{name:12} {subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()}")
            path.unlink()


def made(rows: int) -> Iterator[Record]:
    chance = random.Random(0)
    for number in range(1, rows + 1):
        fields = {"text": " ".join(chance.choices(WORDS, k=8)), "label": chance.choice("abc")}
        yield Record(source=Source(file="made", row=number), fields=fields)


def took(path: Path) -> str:
    first = next(find_format(path).read(path))
    assert first.problem is None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    rows = sum(1 for _ in find_format(path).read(path))
    seconds = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return f"{rows:10,} {rows / seconds:10,.0f} {grown:6.0f}"


if __name__ == "__main__":
    main()
