"""A proven run of questions and written answers by three made arms, with exactly known answers."""

from __future__ import annotations

from pathlib import Path

from sonmat.core.proof import Prediction
from sonmat.core.values import Example
from sonmat.runs import RunFolder, write_rows, write_value
from sonmat.runs.seal import seal_of
from tests.report.made_run import classification_run

TUNED, BASE, OTHER = "full-multilingual-e5-small", "zero-shot-smollm2-135m", "head-multilingual-e5-small"


def chat_run(path: Path, items: int = 40, identical: int = 10, groups: int = 0) -> RunFolder:
    """The tuned arm says 'fine N', the base 'plain N'; to the last `identical` items both say the same but for white space."""
    folder = classification_run(path, rows=320)
    split = folder.split()
    ids = split.test[:items]
    rows = [_as_chat(each, groups) for each in folder.examples()]
    write_rows(folder.file("examples.jsonl"), Example, rows)
    test = [each for each in rows if each.id in set(ids)]
    write_value(folder.file("split.json"), split.model_copy(update={"test": ids, "seal": seal_of(test)}))
    for number, arm in enumerate((TUNED, BASE, OTHER)):
        answer(folder, arm, [("fine", "plain", "odd")[number]] * (items - identical) + ["same"] * identical, ids)
    return folder


def label_run(path: Path) -> RunFolder:
    """Labels by several arms, the test set sealed as it is."""
    folder = classification_run(path, rows=200)
    split = folder.split()
    test = [each for each in folder.examples() if each.id in set(split.test)]
    write_value(folder.file("split.json"), split.model_copy(update={"seal": seal_of(test)}))
    return folder


def answer(folder: RunFolder, arm: str, words: list[str], ids: tuple[str, ...] | None = None) -> None:
    """Have the arm say these words to the test items, each with the item's number behind it."""
    ids = ids or folder.split().test
    gap = "  " if arm == TUNED else " "
    rows = [
        Prediction(row=id, output={"text": f"{word}{gap}{number}"}, seconds=0.1)
        for number, (id, word) in enumerate(zip(ids, words, strict=True))
    ]
    write_rows(folder.predictions_file(arm), Prediction, rows)


def _as_chat(example: Example, groups: int) -> Example:
    question = {"messages": [{"role": "user", "content": f"{example.input['text']} ({example.id})"}]}
    group = f"group-{int(example.id[1:]) % groups}" if groups else None
    return example.model_copy(update={"input": question, "target": {"text": "an answer"}, "group": group})
