"""What LoRA on small talk costs a small chat model: general panel, distance from the base and gain on the task, by setting.

    python -m benchmarks.forgetting                                                 the method's own defaults
    python -m benchmarks.forgetting --set learning_rate=5e-5 --set rank=4           other settings of LoRA
    python -m benchmarks.forgetting --data faq_en.jsonl --rows 120                  other rows of examples/data
    python -m benchmarks.forgetting --data shop --set learning_rate=1e-3            48 questions to a shop, all answered in one voice
    python -m benchmarks.forgetting --nonsense --set learning_rate=2e-3             answers are words of other answers, shuffled

One setting a call: rows are divided by a seed, LoRA is fitted on the training rows, and the panel is put to it and, once, to the base
(kept in `--keep`). Prints one row of a Markdown table: nats per character of the references before and after (the gain on the
task), answers lost of the panel with their interval and exact test, the areas, the share of answers that moved, KL(base‖tuned).
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonmat import plugins
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import FitJob, Predictor, Question, SavedModel
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Estimate, Example, Json, ModelFacts, Source

DATA = Path(__file__).resolve().parents[1] / "examples" / "data"
TESTED = 40
AREAS = ("knowledge", "arithmetic", "instructions", "reading", "harmful", "harmless")


def main() -> None:
    asked = _arguments()
    from sonmat.models import resolve

    base = resolve(asked.base, accepted=(asked.base,), emit=_silent)
    rows = _rows(asked)
    train, rest = rows[: asked.rows], rows[asked.rows :]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as where:
        job = _job(base, train, rest[:TESTED], Path(where), asked)
        setting = _setting(job, rest[TESTED : 2 * TESTED])
        before = _seen(setting, job, "zero-shot", base, asked)
        tuned = _seen(setting, job, "lora", base, asked)
    measures = plugins.find("probes", "forgetting").measure(setting, tuned, before)
    print(
        _line(asked, measures, _nats(setting, before), _nats(setting, tuned)),
        f"{time.perf_counter() - start:.0f} s",
        flush=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", default="chat_en.jsonl")
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--nonsense", action="store_true")
    parser.add_argument("--keep", type=Path, default=Path())
    return parser.parse_args()


def _rows(asked: argparse.Namespace) -> list[Example]:
    talks = _shop() if asked.data == "shop" else _talks(DATA / asked.data)
    chance = random.Random(asked.seed)
    chance.shuffle(talks)
    answers = [talk[1]["content"] for talk in talks]
    if asked.nonsense:
        words = [word for answer in answers for word in answer.split()]
        answers = [" ".join(chance.choices(words, k=len(answer.split()))) for answer in answers]
    return [
        Example(id=f"row{at}", input={"messages": talk[:1]}, target={"text": answer}, source=Source(file="", row=at))
        for at, (talk, answer) in enumerate(zip(talks, answers, strict=True))
    ]


def _talks(file: Path) -> list[list[dict[str, str]]]:
    return [json.loads(line)["messages"] for line in file.read_text(encoding="utf-8").splitlines()]


def _shop() -> list[list[dict[str, str]]]:
    """One voice for everything, as in tests/whole/test_real_models.py, in more ways of asking."""
    things = ["tea", "rice", "soap", "bread", "milk", "salt", "paper", "honey", "apples", "candles", "socks", "lamps"]
    asking = ["Do you have {}?", "Is there any {} left?", "I am looking for {}.", "Can I buy {} here?"]
    asking += [
        "Where can I find {}?",
        "Do you still sell {}?",
        "I need some {}.",
        "Any {} today?",
        "{}, please.",
        "Got {}?",
    ]
    return [
        [
            {"role": "user", "content": question.format(thing)},
            {"role": "assistant", "content": f"Certainly, dear guest: {thing}, on the second shelf."},
        ]
        for question in asking
        for thing in things
    ]


def _job(
    base: ModelFacts, train: list[Example], validation: list[Example], where: Path, asked: argparse.Namespace
) -> FitJob:
    from sonmat.inference.device import detect_device

    method, task = plugins.find("methods", "lora"), plugins.find("tasks", "chat")
    given: Json = {"batch_size": 8, "schedule": "cosine", **dict(each.split("=", 1) for each in asked.set)}
    (where / "model").mkdir()
    return FitJob(
        task=task,
        spec=task.specify(train).model_copy(update={"max_tokens": 512, "max_new_tokens": 64}),
        base=base,
        family=plugins.find("families", base.family),
        settings=method.Settings.model_validate(given),
        train=train,
        validation=validation,
        selection=plugins.find("metrics", task.selection_metric),
        folder=where / "model",
        work=where / "work",
        seed=asked.seed,
        device=detect_device(),
        emit=_silent,
        should_pause=lambda: False,
    )


def _setting(job: FitJob, test: Sequence[Example]) -> Setting:
    return Setting(job.task, job.spec, ("en",), job.train, test, job.seed, Recipe(data=("-",)))


def _seen(setting: Setting, job: FitJob, method: str, base: ModelFacts, asked: argparse.Namespace) -> Seen:
    role = "base" if method == "zero-shot" else "tuned"
    candidate = Candidate.model_validate(
        {"id": method, "method": method, "role": role, "base": base, "reason": _NOTHING, "estimate": _NO_COST}
    )
    kept = asked.keep / f"{asked.base}-{asked.data}-{asked.seed}-{asked.nonsense}.json"
    if role == "base" and kept.is_file():
        return Seen(candidate, {}, json.loads(kept.read_text(encoding="utf-8")))
    if role == "tuned":
        plugins.find("methods", method).fit(job)
    settings = job.settings if role == "tuned" else plugins.find("methods", method).Settings()
    saved = SavedModel(job.folder, method, job.task, job.spec, base, job.family, settings, job.device)
    predictor = plugins.find("methods", method).load(saved)
    found = [
        *plugins.find("probes", "forgetting").observe(setting, candidate, predictor),
        *_likelihoods(setting, predictor),
    ]
    if role == "base":
        kept.write_text(json.dumps(found), encoding="utf-8")
    return Seen(candidate, {}, found)


def _likelihoods(setting: Setting, predictor: Predictor) -> list[Json]:
    questions = [Question(each.id, each.input, each.target, write=False) for each in setting.test]
    return [{"row": f"task {each.row}", "task": each.reference_nll} for each in predictor.answer(questions)]


def _nats(setting: Setting, seen: Seen) -> float:
    letters = sum(len(each.target["text"]) for each in setting.test)
    return float(sum(row["task"] for row in seen.rows if "task" in row)) / letters


def _line(asked: argparse.Namespace, measures: Sequence[Measure], before: float, after: float) -> str:
    found = {each.name: each for each in measures if not each.slice}
    lost = found["all"]
    low, high = (100 * (each or 0.0) for each in (lost.low, lost.high))
    cells = [
        f"{asked.data} {' '.join(asked.set) or 'defaults'}{' nonsense' if asked.nonsense else ''}",
        f"{before:.2f} → {after:.2f}",
        f"{100 * lost.value:.1f} [{low:.1f}, {high:.1f}] {lost.note.en if lost.note else ''}",
        *(f"{area} {_changed(found[area])}" for area in AREAS),
        f"moved {100 * found['moved'].value:.0f}",
        f"KL {found['kl'].value:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _changed(measure: Measure) -> str:
    """Share right after tuning, points changed, and a star where that is beyond noise."""
    assert measure.change is not None, "the base answered the same items"
    star = "*" if measure.change.beyond_noise else ""
    return f"{100 * measure.value:.0f} ({100 * measure.change.difference:+.0f}{star})"


def _silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    pass


_NOTHING = Text(en="-", ko="-")
_NO_COST = Estimate(peak_bytes=0, seconds=0, basis=_NOTHING)

if __name__ == "__main__":
    main()
