"""Steps of one encoder's training with attention in tiles and as matrices of scores, in turns, eight steps at a time.

    python -m benchmarks.encoder_attention                    BBC news, rows of 256 tokens, about two minutes
    python -m benchmarks.encoder_attention --data intents     Korean intents, 12 tokens a row

Whole runs one after the other differ by what the machine does in the meantime; steps of one training meet the same machine.
Printed are microseconds a token. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import classify_cpu as classify
from benchmarks import fresh_processes as fresh
from benchmarks.fresh_processes import Measured

ROWS = {"bbc": 200, "intents": 800}
EPOCHS = {"bbc": 9, "intents": 3}
BLOCK, WARM_UP = 8, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=tuple(ROWS), default="bbc")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        print(json.dumps(measured(asked.data, Path(asked.run))))
        return
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder) / "examples.json"
        pairs = {"bbc": classify.bbc_news, "intents": classify.korean_intents}[asked.data](Path(folder))
        examples.write_text(json.dumps(classify.divided(pairs, ROWS[asked.data])), encoding="utf-8")
        told = ["--run", str(examples), "--data", asked.data]
        found = fresh.measured_in_its_own_process("benchmarks.encoder_attention", told, as_job=True)
    rows = [[way, *(f"{value:,.0f}" for value in values)] for way, values in found.items()]
    print(f"{fresh.circumstances()}\n\n{fresh.table(('attention', 'steps', 'median µs a token', 'least', 'mean'), rows)}")


def measured(data: str, examples: Path) -> Measured:
    """Number of steps, and median, least and mean microseconds a token, of each way."""
    from sonmat.training import loop
    from sonmat.training.fused import attention

    plain, taken = loop._Optimisation.take_step, 0
    times: dict[str, list[tuple[float, int]]] = {"in tiles": [], "as matrices of scores": []}

    def timed(run: Any) -> Any:
        nonlocal taken
        way = list(times)[taken // BLOCK % 2]
        attention.use(attention.Limits(tiles=way == "in tiles"))
        start = time.perf_counter()
        result = plain(run)
        if taken >= WARM_UP:
            times[way].append((time.perf_counter() - start, result.tokens))
        taken += 1
        return result

    loop._Optimisation.take_step = timed  # type: ignore[method-assign]
    classify.sonmat_answers(classify.read(examples, classify.BASES[data]), "full", epochs=EPOCHS[data])
    return {way: _summary(found) for way, found in times.items()}


def _summary(found: list[tuple[float, int]]) -> list[float]:
    each = [seconds / tokens * 1e6 for seconds, tokens in found]
    mean = sum(seconds for seconds, _ in found) / sum(tokens for _, tokens in found) * 1e6
    return [len(found), statistics.median(each), min(each), mean]


if __name__ == "__main__":
    main()
