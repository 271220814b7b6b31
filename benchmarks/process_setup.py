"""One training loop under several set-ups of its process, in turns: threads, huge pages, allocator (docs/performance.md).

    python -m benchmarks.process_setup                 LoRA of a small language model, A B C D A B C D, about eight minutes
    python -m benchmarks.process_setup --classify      an encoder and all its weights instead
    python -m benchmarks.process_setup --budget        no set-ups: what a probe of the token budget measures on the same rows

Every measurement is a process of its own that takes the same optimiser steps of the product's own loop. Printed are tokens a second
(after two steps of warming up), page faults, seconds that the system took, and peak memory. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import fresh_processes as fresh
from benchmarks import train_cpu
from benchmarks.fresh_processes import Measured
from sonmat import plugins
from sonmat.core.text import Text
from sonmat.core.values import Example, Source, Spec
from sonmat.inference.process_setup import (
    HUGE_PAGES_OF_MALLOC,
    KEEPING_HEAP,
    installed_allocator,
    with_threads,
    worker_environment,
)

ROWS, STEPS, WARM_UP = 64, 8, 2
TOKENS = {"chat": 1024, "text-classification": 4096}


def main() -> None:
    asked = arguments()
    if asked.run:
        print(json.dumps(measure(asked)))
        return
    print(f"{'Classification' if asked.classify else 'LoRA'}, {STEPS} steps.\n\n{fresh.circumstances()}\n")
    if asked.budget:
        print(json.dumps(in_own_process("product", asked), indent=1))
        return
    runs: dict[str, list[Measured]] = {name: [] for name in setups()}
    for name in fresh.in_turns(list(runs), asked.repeats):
        runs[name].append(in_own_process(name, asked))
    columns = (("tokens_per_second", 0), ("page_faults", 0), ("system_seconds", 1), ("peak_gigabytes", 2))
    rows = [[name, *(fresh.spread(found, column, digits) for column, digits in columns)] for name, found in runs.items()]
    print(fresh.table(("set-up", "tokens/s", "page faults", "seconds in the system", "peak GB"), rows))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--classify", action="store_true")
    parser.add_argument("--budget", action="store_true")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    return parser.parse_args()


def setups() -> dict[str, dict[str, str]]:
    """Environment variables by name of the set-up; "product" is what jobs start with."""
    threads = with_threads({})
    found = {
        "threads alone": threads,
        "huge pages of malloc": {**threads, "GLIBC_TUNABLES": HUGE_PAGES_OF_MALLOC},
        "huge pages of torch": {**threads, "THP_MEM_ALLOC_ENABLE": "1"},
        "heap kept": {**threads, "GLIBC_TUNABLES": KEEPING_HEAP},
        "heap kept, huge pages": {**threads, "GLIBC_TUNABLES": f"{HUGE_PAGES_OF_MALLOC}:{KEEPING_HEAP}"},
        "product": worker_environment({}),
    }
    library = installed_allocator()
    return {**found, library: {**threads, "LD_PRELOAD": library}} if library else found


def in_own_process(name: str, asked: argparse.Namespace) -> Measured:
    told = ["--run", name, *(["--classify"] if asked.classify else []), *(["--budget"] if asked.budget else [])]
    before = dict(os.environ)
    os.environ.update(setups()[name])
    try:
        return fresh.measured_in_its_own_process("benchmarks.process_setup", told)
    finally:
        os.environ.clear()
        os.environ.update(before)


def measure(asked: argparse.Namespace) -> Measured:
    """A fit of a few steps; its events say how long each took."""
    from sonmat.core.protocols import FitJob
    from sonmat.inference.device import detect_device, peak_memory
    from sonmat.models import resolve

    task_name, method_name = ("text-classification", "full") if asked.classify else ("chat", "lora")
    task, method = plugins.find("tasks", task_name), plugins.find("methods", method_name)
    base = resolve("all-minilm-l6-v2" if asked.classify else train_cpu.BASE, emit=silent)
    train, spec = some_rows(asked.classify)
    watch = Watch(stops=not asked.budget)
    given = {} if asked.budget else {"micro_batch_tokens": TOKENS[task_name]}
    # A probe is worth its time in a long training only.
    settings = method.Settings(epochs=40, batch_size=16 if asked.classify else 8, **given)
    with tempfile.TemporaryDirectory() as folder:
        job = FitJob(
            task=task,
            spec=spec,
            base=base,
            family=plugins.find("families", base.family),
            settings=settings,
            train=train,
            validation=train[:4],
            selection=plugins.find("metrics", task.selection_metric),
            folder=Path(folder),
            work=Path(folder) / "work",
            seed=0,
            device=detect_device(),
            emit=watch,
            should_pause=watch.enough,
        )
        watch.run(method, job)
    if asked.budget:
        return watch.budget
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "tokens_per_second": watch.tokens / watch.seconds,
        "page_faults": used.ru_minflt,
        "system_seconds": used.ru_stime,
        "peak_gigabytes": peak_memory() / 1e9,
    }


class Watch:
    """Hears a fit and ends it after `STEPS` steps, or once its budget is known."""

    def __init__(self, stops: bool) -> None:
        self.stops, self.steps, self.tokens, self.seconds = stops, 0, 0, 0.0
        self.budget: Measured = {}

    def __call__(self, kind: str, message: Text | None = None, /, **data: Any) -> None:
        if kind == "budget":
            self.budget = data
        elif kind == "step":
            self.steps += 1
            if self.steps > WARM_UP:
                self.tokens += data["tokens"]
                self.seconds += data["seconds"]

    def enough(self) -> bool:
        return self.steps >= STEPS if self.stops else bool(self.budget)

    def run(self, method: Any, job: Any) -> None:
        from sonmat.core.errors import Paused

        try:
            method.fit(job)
        except Paused:
            return


def some_rows(classify: bool) -> tuple[list[Example], Spec]:
    chance = random.Random(0)
    if not classify:
        rows = train_cpu.ROOT / "examples" / "data"
        lines = [
            line for name in ("faq_en", "chat_en") for line in (rows / f"{name}.jsonl").read_text("utf-8").splitlines()
        ]
        chance.shuffle(lines)
        talks = [json.loads(line)["messages"] for line in lines[:ROWS]]
        made = [train_cpu._example(str(number), talk) for number, talk in enumerate(talks)]
        return made, Spec(max_tokens=train_cpu.LONGEST, supervise="last")
    words = [f"word{number}" for number in range(200)]
    texts = [" ".join(chance.choices(words, k=chance.randint(20, 200))) for _ in range(16 * STEPS)]
    made = [
        Example(id=str(n), input={"text": text}, target={"label": "ab"[n % 2]}, source=Source(file="", row=n))
        for n, text in enumerate(texts)
    ]
    return made, Spec(labels=("a", "b"), max_tokens=256)


def silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    """Events that nobody watches."""


if __name__ == "__main__":
    main()
