"""Batched prediction against one-by-one `generate`: `python -m benchmarks.generate_cpu [ROWS] [--tokens N] [--rounds N]`.

SmolLM2-135M answers prompts of `examples/data/faq_en.jsonl` and `chat_en.jsonl`, greedily, in the type that this processor
computes in: with Transformers' `generate` one prompt at a time and in plain batches of 8 and 32, and with Sonmat. Every
measurement is a process of its own, in turn (A B C D A B C D), after a warm-up; loading is not counted. Prints a Markdown table
of the median round. One-by-one answers only every eighth prompt, or it would take most of the time. Run it alone on the
machine: a second busy process makes every figure worthless.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sonmat.inference.process_setup import worker_environment

DATA = Path(__file__).parent.parent / "examples" / "data"
FILES = ("faq_en.jsonl", "chat_en.jsonl")
BASE = "smollm2-135m"
WAYS = ("one by one", "plain batches of 8", "plain batches of 32", "Sonmat")
ALONE_SHARE = 8

Prompts = list[list[int]]


@dataclass(frozen=True)
class Measured:
    rows: int
    tokens: int
    seconds: float
    first_row_seconds: float
    """Until the first answer was known."""
    peak_bytes: int


def main() -> None:
    asked = _arguments()
    if asked.way:
        print(json.dumps(asdict(_measure(asked.way, asked.rows, asked.tokens))))
        return
    found: dict[str, list[Measured]] = {way: [] for way in WAYS}
    for _ in range(asked.rounds):
        for way in WAYS:
            found[way].append(_in_a_process(way, asked.rows, asked.tokens))
    _print(found, asked.rows, asked.tokens)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("rows", type=int, nargs="?", default=192)
    parser.add_argument("--tokens", type=int, default=48, help="the longest answer")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process(way: str, rows: int, tokens: int) -> Measured:
    command = [sys.executable, "-m", "benchmarks.generate_cpu", str(rows), "--tokens", str(tokens), "--way", way]
    # Sonmat as its jobs start, the others as a shell starts them.
    environment = worker_environment(os.environ) if way == "Sonmat" else os.environ
    done = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _measure(way: str, rows: int, tokens: int) -> Measured:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from sonmat import plugins
    from sonmat.inference.device import compute_dtype, detect_device, peak_memory
    from sonmat.models import resolve
    from sonmat.runs import EventLog
    from sonmat.training.tuning import fuse_for_answers

    base = resolve(BASE, emit=EventLog(None))
    tokenizer = AutoTokenizer.from_pretrained(base.path)
    model = AutoModelForCausalLM.from_pretrained(base.path, dtype=compute_dtype(detect_device())).eval()
    if way == "Sonmat":
        fuse_for_answers(model, plugins.find("families", base.family), detect_device())
    prompts = _prompts(tokenizer, rows)
    answer = _sonmat if way == "Sonmat" else _transformers(1 if way == WAYS[0] else int(way.split()[-1]))
    chosen = prompts[::ALONE_SHARE] if way == WAYS[0] else prompts
    answer(model, tokenizer, chosen[:2], 2, lambda: None)
    start = time.perf_counter()
    known: list[float] = []
    written = answer(model, tokenizer, chosen, tokens, lambda: known.append(time.perf_counter() - start))
    return Measured(len(chosen), written, time.perf_counter() - start, known[0], peak_memory())


def _prompts(tokenizer: Any, rows: int) -> Prompts:
    """The first user turns of both files in turn, rendered for an answer."""
    from sonmat.inference.rendering import render_prompt

    files = [(DATA / name).read_text(encoding="utf-8").splitlines() for name in FILES]
    # Rows in chat_en that follow one another ask the same; a step of five spreads them.
    lines = [line for pair in zip(files[0], files[1][::5], strict=False) for line in pair]
    found = [render_prompt(json.loads(line)["messages"][:1], tokenizer) for line in lines]
    return [found[number % len(found)] for number in range(rows)]


def _transformers(size: int) -> Callable[[Any, Any, Prompts, int, Callable[[], None]], int]:
    """Batches in the order of the file, as a plain loop has them; returns how many tokens were written."""
    import torch

    def answer(model: Any, tokenizer: Any, prompts: Prompts, tokens: int, told: Callable[[], None]) -> int:
        tokenizer.padding_side = "left"
        written = 0
        for first in range(0, len(prompts), size):
            batch = tokenizer.pad({"input_ids": prompts[first : first + size]}, return_tensors="pt")
            with torch.inference_mode():
                output = model.generate(
                    **batch, max_new_tokens=tokens, do_sample=False, temperature=None, top_p=None, top_k=None
                )
            written += sum(
                _length(row, tokenizer.eos_token_id) for row in output[:, batch["input_ids"].shape[1] :].tolist()
            )
            told()
        return written

    return answer


def _length(tokens: Sequence[int], end: int) -> int:
    """Tokens written, the end included and padding behind it not."""
    return tokens.index(end) + 1 if end in tokens else len(tokens)


def _sonmat(model: Any, tokenizer: Any, prompts: Prompts, tokens: int, told: Callable[[], None]) -> int:
    from sonmat.inference.device import detect_device
    from sonmat.inference.generation import generate_each
    from sonmat.inference.predictor import computing

    device, written = detect_device(), 0
    for _, answer in generate_each(model, tokenizer, prompts, tokens, computing=lambda: computing(device)):
        written += answer.tokens
        told()
    return written


def _print(found: dict[str, list[Measured]], rows: int, tokens: int) -> None:
    import torch
    import transformers

    from sonmat.inference.device import compute_dtype, detect_device

    device = detect_device()
    print(
        f"{device.name}, {device.cores} cores, {compute_dtype(device)}, {platform.system()}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}, {datetime.date.today()}. {BASE}, {rows} prompts, "
        f"answers of up to {tokens} tokens, median of {len(found[WAYS[0]])} rounds in turn.\n"
    )
    print("| | tokens/s | rows/s | times one by one | first answer after | peak memory |")
    print("|---|---|---|---|---|---|")
    pace = {way: statistics.median(each.tokens / each.seconds for each in rounds) for way, rounds in found.items()}
    for way, rounds in found.items():
        rows_per_second = statistics.median(each.rows / each.seconds for each in rounds)
        first = statistics.median(each.first_row_seconds for each in rounds)
        peak = max(each.peak_bytes for each in rounds)
        print(
            f"| {way} | {pace[way]:,.0f} | {rows_per_second:.1f} | {pace[way] / pace[WAYS[0]]:.1f} | {first:.2f} s "
            f"| {peak / 1e9:.1f} GB |"
        )


if __name__ == "__main__":
    main()
