"""`audit --show-tokens`: what is trained on, token by token, with a sign that needs no colour."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonmat.core.values import Example, ModelFacts, Source
from sonmat.inference.tiny import word_tokenizer
from sonmat.runs import RunFolder, write_rows, write_value
from tests.cli.conftest import FakePipeline, Sonmat, widest
from tests.report.made_run import chat_run, classification_run, image_run


def with_tokenizer(folder: RunFolder, examples: list[Example], texts: list[str], chat: bool) -> None:
    """Give the plan's bases a tokenizer that knows `texts`, and the run these examples as its training set."""
    where = folder.path.parent / "base"
    word_tokenizer(texts, chat=chat).save_pretrained(str(where))
    plan = folder.plan()

    def moved(base: ModelFacts | None) -> ModelFacts | None:
        return base.model_copy(update={"path": str(where), "family": "generic"}) if base else None

    candidates = tuple(each.model_copy(update={"base": moved(each.base), "spec": plan.spec}) for each in plan.candidates)
    write_value(folder.file("plan.json"), plan.model_copy(update={"candidates": candidates}))
    write_rows(folder.file("examples.jsonl"), Example, examples)
    split = folder.split().model_copy(update={"train": tuple(example.id for example in examples[:-1])})
    write_value(folder.file("split.json"), split)
    folder.file("ledger.jsonl").unlink()
    write_rows(folder.file("ledger.jsonl"), Example, [])


@pytest.fixture
def talk(tmp_path: Path) -> RunFolder:
    folder = chat_run(tmp_path / "runs" / "talk", rows=40)
    examples = [
        Example(
            id=f"row{number}",
            input={"messages": [{"role": "user", "content": "when open"}]},
            target={"text": f"at nine {number}"},
            source=Source(file="talk.jsonl", row=number),
        )
        for number in range(1, 5)
    ]
    with_tokenizer(folder, examples, ["when open at nine 1 2 3 4"], chat=True)
    return folder


@pytest.fixture(autouse=True)
def _no_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunFolder, "ledger", lambda self: iter(()))


def test_learnt_tokens_and_the_stop_token_are_marked_without_colour(
    sonmat: Sonmat, pipeline: FakePipeline, talk: RunFolder
) -> None:
    result = sonmat("audit", "talk", "--show-tokens", "2")
    assert result.code == 0
    assert [upto for _, _, upto in pipeline.asked] == ["plan"]
    assert "«at»«nine»«1»«<|im_end|>»" in result.out.replace("\n  ", "")
    assert "│when│open" in result.out
    assert "row 1: " in result.out
    assert "row 3: " not in result.out
    assert "\x1b" not in result.out
    assert widest(result.out) <= 80


def test_the_preview_in_json_has_every_token_with_its_part_in_the_loss(
    sonmat: Sonmat, pipeline: FakePipeline, talk: RunFolder
) -> None:
    (row,) = sonmat("audit", "talk", "--show-tokens", "1", "--json").json["rows"]
    learnt = [token["text"] for token in row["tokens"] if token["supervised"]]
    assert learnt == ["at", "nine", "1", "<|im_end|>"]


def test_only_training_rows_are_shown(sonmat: Sonmat, pipeline: FakePipeline, talk: RunFolder) -> None:
    rows = sonmat("audit", "talk", "--show-tokens", "99", "--json").json["rows"]
    assert [row["id"] for row in rows] == ["row1", "row2", "row3"]


def test_a_label_that_is_learnt_stands_below_the_tokens_that_are_read(
    sonmat: Sonmat, pipeline: FakePipeline, tmp_path: Path
) -> None:
    folder = classification_run(tmp_path / "runs" / "mails", rows=60)
    labels = folder.plan().spec.labels
    examples = [
        Example(id=f"r{n}", input={"text": "good day"}, target={"label": labels[0]}, source=Source(file="m.csv", row=n))
        for n in (2, 3)
    ]
    with_tokenizer(folder, examples, ["good day"], chat=False)
    result = sonmat("audit", "mails", "--show-tokens", "1")
    assert "│good│day" in result.out
    assert f"→ «{labels[0]}»" in result.out


def test_pictures_have_no_tokens_to_show(sonmat: Sonmat, pipeline: FakePipeline, tmp_path: Path) -> None:
    image_run(tmp_path / "runs" / "shapes", rows=40)
    result = sonmat("audit", "shapes", "--show-tokens", "1")
    assert result.code == 2
    assert "no tokens" in result.err
