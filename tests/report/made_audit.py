"""A made run that was audited and not trained: slices, two files, personal data, a map, a learning curve, suspicious labels."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

from sonmat.core.recipe import Recipe
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Audit, Columns, Event, Example, Finding, Fold, LedgerLine, LoadedSource, Source, Split
from sonmat.runs import EventLog, RunFolder, write_rows, write_value

SECRET = "kim.chulsoo@example.com"
CLASSES = ("refund", "delivery", "<b-is-no-tag>")
STARTED = 1_760_000_000.0


def audited_run(path: Path, rows: int = 240, blocked: bool = False) -> RunFolder:
    folder = RunFolder(path)
    write_value(folder.file("recipe.json"), Recipe(data=("data/one.csv", "data/two.csv"), slices=("channel",)))
    EventLog(folder.file("events.jsonl")).record(Event(at=STARTED, kind="started", step="load"))
    examples = [_example(number) for number in range(rows)]
    write_rows(folder.file("examples.jsonl"), Example, examples)
    write_rows(folder.file("unusable.jsonl"), LedgerLine, [])
    lines = [
        LedgerLine(
            id=example.id,
            source=example.source,
            position=at,
            action="dropped" if at < 2 else "kept",
            reason=verbatim("twice") if at < 2 else None,
        )
        for at, example in enumerate(examples)
    ]
    write_rows(folder.file("ledger.jsonl"), LedgerLine, lines)
    source = LoadedSource(
        data=("data/one.csv", "data/two.csv"),
        sha256="ab" * 32,
        format="csv",
        shape="text_label",
        task="text-classification",
        columns=Columns(input="text", target="label"),
        rows_in=rows,
        problems=0,
        languages=("en",),
        reason=verbatim("A text and its label."),
    )
    write_value(folder.file("source.json"), source)
    findings = (_label_errors(examples), _duplicates(examples), diversity(examples), enough(rows))
    if blocked:
        findings = (findings[0].model_copy(update={"severity": "blocker"}), *findings[1:])
    audit = Audit(findings=findings, rows_in=rows, kept=rows - 2, changed=0, dropped=2)
    write_value(folder.file("audit.json"), audit)
    return folder


def divided(folder: RunFolder, folds: int = 0, repeats: int = 1) -> RunFolder:
    """The run with its split written: a test set put aside, or cross-validation."""
    ids = tuple(example.id for example in folder.kept_examples())
    first, second = int(0.7 * len(ids)), int(0.85 * len(ids))
    split = Split(train=ids[:first], validation=ids[first:second], test=ids[second:], seal="ab", how=verbatim("By chance."))
    if folds:
        turn = Fold(train=split.train, validation=split.validation, test=split.test)
        split = split.model_copy(update={"test": ids, "folds": (turn,) * folds * repeats, "repeats": repeats})
    write_value(folder.file("split.json"), split)
    return folder


def _example(number: int) -> Example:
    written = f" Write to {SECRET}." if number == 5 else ""
    label = CLASSES[number % 3]
    return Example(
        id=f"row{number:04d}",
        input={"text": f"Message {number} about a {label}, as it came in.{written}"},
        target={"label": label},
        source=Source(file="one.csv" if number % 4 else "two.csv", row=number + 2),
        slices={"channel": "mail" if number % 5 else "<i>chat</i>"},
    )


def _label_errors(examples: Sequence[Example]) -> Finding:
    return Finding(
        check="label_errors",
        severity="warning",
        what=Text(en="3 labels are probably wrong.", ko="라벨 3개가 잘못된 것 같습니다."),
        fix=Text(en="Look at them: sonmat audit --review.", ko="살펴보세요: sonmat audit --review."),
        rows=tuple(examples[at].id for at in (5, 6, 7)),
        data={"rows": [{"id": examples[5].id, "suggested": ["refund"]}]},
    )


def _duplicates(examples: Sequence[Example]) -> Finding:
    return Finding(
        check="duplicates",
        severity="note",
        what=Text(en="2 rows stood twice.", ko="두 번 있던 행이 2개입니다."),
        fix=Text(en="Dropped.", ko="뺐습니다."),
        rows=(examples[0].id, examples[1].id),
    )


def diversity(examples: Sequence[Example]) -> Finding:
    chance = random.Random(0)
    shown = examples[2:]
    return Finding(
        check="diversity",
        severity="note",
        what=Text(en="The rows fall into 3 clusters.", ko="행이 3개 묶음으로 나뉩니다."),
        fix=Text(en="Nothing to do.", ko="하실 일은 없습니다."),
        data={
            "map": {
                "ids": [example.id for example in shown],
                "x": [round(math.cos(int(e.id[3:]) % 3 * 2.1) + chance.gauss(0, 0.2), 3) for e in shown],
                "y": [round(math.sin(int(e.id[3:]) % 3 * 2.1) + chance.gauss(0, 0.2), 3) for e in shown],
                "cluster": [int(example.id[3:]) % 3 for example in shown],
                "label": [example.target["label"] for example in shown],
            },
            "clusters": [
                {"size": 80, "share": 0.33, "examples": [shown[n].id], "words": ["<u>word</u>", "next"]} for n in range(3)
            ],
            "looked_at": len(shown),
        },
    )


def enough(rows: int) -> Finding:
    sizes = [rows / 8, rows / 4, rows / 2, rows * 0.8]
    return Finding(
        check="enough",
        severity="note",
        what=Text(en="About 190 more rows would gain 3 ± 1 points.", ko="190행을 더하면 3±1점 나아질 것입니다."),
        fix=Text(en="Collect more rows of the weakest class.", ko="가장 약한 클래스의 행을 더 모으세요."),
        data={
            "points": [{"rows": round(n), "error": 2 / n**0.5, "low": 1.8 / n**0.5, "high": 2.2 / n**0.5} for n in sizes],
            "curve": [
                {"rows": n, "error": 2 / n**0.5, "low": 1.7 / n**0.5, "high": 2.3 / n**0.5} for n in range(30, 2 * rows, 20)
            ],
            "rows_now": round(rows * 0.8),
        },
    )
