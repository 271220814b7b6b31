"""Lines that load puts together itself are byte for byte what `Example` gives, and ids are numbered in little memory."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.values import Example, LedgerLine
from sonmat.runs.files import sha256_of
from sonmat.steps.load.repetitions import Repetitions
from tests.data.made import job

ODD = ['say "hi"', "back\\slash", "emoji 😀", "tab\tline\nbreak", "\u2028", "가나다", "</script>", "\x7f"]


@pytest.mark.parametrize(
    "row",
    [
        lambda n: {"text": f"{ODD[n % 8]} {n}", "label": "ab"[n % 2], "who": ODD[n % 8], "when": "2024-01-31"},
        lambda n: {"text": f"{ODD[n % 8]} {n}", "score": n / 7, "who": None, "when": "2024-01-31"},
        lambda n: {"text": f"text {n}", "labels": ["a", "b"][: n % 3], "who": 1.0, "when": "2024-01-31"},
        lambda n: {
            "messages": [{"role": "user", "content": ODD[n % 8]}, {"role": "assistant", "content": f"{n} {ODD[-1]}"}],
            "who": "x",
            "when": "2024-01-31",
        },
    ],
)
def test_lines_are_those_of_examples(row: Any, tmp_path: Path) -> None:
    content = "".join(json.dumps(row(n % 24)) + "\n" for n in range(30)) + "{broken\n{broken\n"
    made = job(tmp_path, "t.jsonl", content, group="who", slices=("who",), time="when", bad_rows="drop")
    made.load()
    for name, kind in (("examples.jsonl", Example), ("unusable.jsonl", LedgerLine)):
        lines = made.folder.file(name).read_text(encoding="utf-8").split("\n")[1:-1]
        written = [kind.model_validate_json(line).model_dump(mode="json") for line in lines]
        assert lines == [json.dumps(value, ensure_ascii=False) for value in written]
    counts: Counter[str] = Counter()
    for example in made.folder.examples():
        digest = sha256_of(example.input, example.target)[:16]
        counts[digest] += 1
        assert example.id == (digest if counts[digest] == 1 else f"{digest}-{counts[digest]}")


def test_repetitions_are_numbered_as_a_counter_would_in_sixteen_bytes_a_row() -> None:
    chance = random.Random(0)
    keys = [chance.getrandbits(64) for _ in range(20_000)]
    rows = [chance.choice(keys) for _ in range(30_000)] + [0, 0, keys[0]] + [keys[1]] * 3000
    held, counter = Repetitions(), Counter[int]()
    for key in rows:
        counter[key] += 1
        assert held.number(key) == counter[key]
    assert held.bytes <= 16 * len(rows)
