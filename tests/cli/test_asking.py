"""`predict` and `chat`: inputs of every kind, answers in order, words as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.api import Model
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Question, SavedModel
from sonmat.core.values import Device
from sonmat.inference.predictor import NeuralPredictor
from sonmat.runs import RunFolder
from tests.cli.conftest import Sonmat


class Echo:
    """Answers in the wrong order, as predictors may, with what it was asked."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        for question in reversed(questions):
            said = question.input.get("text", question.input.get("image", ""))
            yield Prediction(row=question.row, output={"label": f"[{said}]"}, confidence=0.875, seconds=0.1)


def model_for(task: str, predictor: Any) -> Model:
    found = plugins.find("tasks", task)
    settings = plugins.find("methods", "majority").Settings()
    saved = SavedModel(Path("model"), "majority", found, found.tiny().spec, None, None, settings, Device())
    model = Model(saved)
    model.__dict__["predictor"] = predictor
    return model


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """A classifier stands behind every run; which was asked for is noted."""
    noted: list[tuple[str, str | None]] = []

    def model_of(named: str, candidate: str | None) -> Model:
        noted.append((named, candidate))
        return model_for("text-classification", Echo())

    monkeypatch.setattr("sonmat.cli.model_of.model_of", model_of)
    return noted


def test_predict_answers_in_the_order_of_the_inputs(sonmat: Sonmat, asked: list[tuple[str, str | None]]) -> None:
    result = sonmat("predict", "faq", "one", "[two]", "셋", "--candidate", "lora")
    assert result.out == "[one]\t87.5%\n[[two]]\t87.5%\n[셋]\t87.5%\n"
    assert asked == [("faq", "lora")]


def test_predict_in_json_holds_input_and_output(sonmat: Sonmat, asked: list[Any]) -> None:
    (first, second) = sonmat("predict", "faq", "one", "two", "--json").json["predictions"]
    answer = {
        "output": {"label": "[one]"},
        "confidence": 0.875,
        "seconds": 0.1,
        "tokens": 0,
        "input_tokens": 0,
        "temperature": None,
        "sources": [],
    }
    assert first == {"input": "one", **answer}
    assert second["input"] == "two"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.txt", "one\n\ntwo\n"),
        ("in.jsonl", '{"text": "one"}\n{"text": "two", "label": "x"}\n'),
        ("in.csv", "label,text\nx,one\ny,two\n"),
        ("in.json", '[{"text": "one"}, {"text": "two"}]'),
    ],
)
def test_inputs_are_read_from_files(name: str, content: str, sonmat: Sonmat, asked: list[Any], tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert sonmat("predict", "faq", "--file", name).out == "[one]\t87.5%\n[two]\t87.5%\n"


def test_inputs_are_read_from_standard_input_as_text_or_json(sonmat: Sonmat, asked: list[Any]) -> None:
    assert sonmat("predict", "faq", "--file", "-", typed='one\n{"text": "two"}\n').out == "[one]\t87.5%\n[two]\t87.5%\n"
    assert sonmat("predict", "faq", typed="one\n").out == "[one]\t87.5%\n"


def test_a_row_without_the_input_field_is_named_with_what_it_has(sonmat: Sonmat, asked: list[Any], tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("body,label\nx,y\n", encoding="utf-8")
    result = sonmat("predict", "faq", "--file", "in.csv")
    assert result.code == 2
    assert "in.csv, row 2: no field 'text'; found body, label." in result.err


def test_a_broken_row_is_named(sonmat: Sonmat, asked: list[Any], tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "one"}\n{"text": \n', encoding="utf-8")
    result = sonmat("predict", "faq", "--file", "in.jsonl")
    assert result.code == 2
    assert "in.jsonl, row 2" in result.err


@pytest.mark.parametrize("name", ["none.csv", "none.txt"])
def test_a_missing_file_is_an_error(name: str, sonmat: Sonmat, asked: list[Any]) -> None:
    assert "There is no file" in sonmat("predict", "faq", "--file", name).err


def test_a_file_of_an_unknown_kind_is_an_error(sonmat: Sonmat, asked: list[Any], tmp_path: Path) -> None:
    (tmp_path / "in.xyz").write_text("x", encoding="utf-8")
    result = sonmat("predict", "faq", "--file", "in.xyz")
    assert result.code == 2
    assert ".jsonl" in result.err


def test_a_picture_that_is_not_there_is_an_error(sonmat: Sonmat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.cli.model_of.model_of", lambda named, candidate: model_for("image-classification", Echo()))
    result = sonmat("predict", "faq", "cat.png")
    assert result.code == 2
    assert "There is no picture cat.png" in result.err


def test_an_unknown_candidate_is_an_error_that_lists_those_there_are(sonmat: Sonmat, faq: RunFolder) -> None:
    result = sonmat("predict", "faq", "hello", "--candidate", "nobody")
    assert result.code == 2
    assert "majority" in result.err


def test_a_candidate_without_a_model_is_an_error_without_a_traceback(sonmat: Sonmat, faq: RunFolder) -> None:
    result = sonmat("predict", "faq", "hello")
    assert result.code == 2
    assert "is not there" in result.err.replace("\n", " ")


@pytest.fixture
def _chatting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny random language model stands behind every run."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    task = plugins.find("tasks", "chat")
    tiny = task.tiny()
    network = AutoModelForCausalLM.from_config(tiny.config)
    predictor = NeuralPredictor(network, tiny.processor, task, tiny.spec, Device())
    monkeypatch.setattr("sonmat.cli.model_of.model_of", lambda named, candidate: model_for("chat", predictor))


@pytest.mark.usefixtures("_chatting")
def test_chat_writes_the_words_that_the_predictor_answers_and_remembers_the_turns(sonmat: Sonmat) -> None:
    from sonmat.cli.model_of import model_of

    model = model_of("faq", None)
    spoken = sonmat("chat", "faq", typed="hello\n\nwhen do you open\n/exit\nnever asked\n").out.splitlines()
    messages = [{"role": "user", "content": "hello"}]
    first = model.chat(messages)
    messages += [{"role": "assistant", "content": first}, {"role": "user", "content": "when do you open"}]
    assert [line.strip() for line in spoken] == [first, model.chat(messages)]


@pytest.mark.usefixtures("_chatting")
def test_chat_in_json_is_the_whole_conversation_with_its_system_message(sonmat: Sonmat) -> None:
    messages = sonmat("chat", "faq", "--json", "--system", "hello", typed="at nine\n").json["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant"]


@pytest.mark.usefixtures("_chatting")
def test_new_begins_the_conversation_again(sonmat: Sonmat) -> None:
    messages = sonmat("chat", "faq", "--json", typed="hello\n/new\nhello\n").json["messages"]
    assert len(messages) == 2


def test_chat_with_a_classifier_points_to_predict(sonmat: Sonmat, asked: list[Any]) -> None:
    result = sonmat("chat", "faq", typed="hello\n")
    assert result.code == 2
    assert "sonmat predict" in result.err
