"""Batches of like length, one answer a question, and likelihoods that agree with the losses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sonmat import plugins
from sonmat.core.protocols import Question, SavedModel
from sonmat.inference.generation import Generated, generate
from sonmat.inference.predictor import batches_by_length
from sonmat.inference.rendering import render_prompt
from tests.training.tiny_jobs import CPU, tiny_job


@given(st.lists(st.integers(1, 500), max_size=200), st.integers(1, 40), st.integers(1, 4000))
def test_every_row_is_in_one_batch_and_no_batch_is_too_large(lengths: list[int], rows: int, tokens: int) -> None:
    batches = list(batches_by_length(lengths, rows, tokens))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= rows
        assert len(batch) == 1 or max(lengths[index] for index in batch) * len(batch) <= tokens
    widths = [max(lengths[index] for index in batch) for batch in batches]
    assert widths == sorted(widths, reverse=True)


def saved(folder: Path, task: str, method: str) -> SavedModel:
    job = tiny_job(task, method, folder, learning_rate=1e-2, epochs=2, batch_size=4)
    plugins.find("methods", method).fit(job)
    return SavedModel(job.folder, method, job.task, job.spec, job.base, job.family, job.settings, CPU)


def test_the_likelihood_of_a_reference_is_the_sum_over_its_tokens(tmp_path: Path) -> None:
    model = saved(tmp_path, "chat", "full")
    example = model.task.tiny().examples[1]
    predictor = plugins.find("methods", "full").load(model)
    (prediction,) = predictor.answer([Question("r", example.input, example.target)])
    loaded = getattr(predictor, "model")  # noqa: B009
    tokenizer = getattr(predictor, "processor")  # noqa: B009
    row = model.task.encode(example, tokenizer, model.spec)
    logits = loaded(input_ids=torch.tensor([row.arrays["input_ids"]])).logits[0].float().log_softmax(-1)
    by_hand = -sum(
        logits[position - 1, label].item() for position, label in enumerate(row.arrays["labels"]) if label != -100
    )
    assert prediction.reference_nll == pytest.approx(by_hand, rel=1e-4)
    assert math.isfinite(by_hand)


def test_generation_in_a_batch_with_padding_gives_the_answers_of_one_by_one(tmp_path: Path) -> None:
    model = saved(tmp_path, "chat", "full")
    predictor = plugins.find("methods", "full").load(model)
    loaded, tokenizer = getattr(predictor, "model"), getattr(predictor, "processor")  # noqa: B009
    prompts = [render_prompt(example.input["messages"], tokenizer) for example in model.task.tiny().examples[:3]]
    assert len({len(prompt) for prompt in prompts}) > 1
    together = generate(loaded, tokenizer, prompts, 8)
    assert [answer.text for answer in together] == [generate(loaded, tokenizer, [prompt], 8)[0].text for prompt in prompts]


def test_words_are_told_as_they_are_written(tmp_path: Path) -> None:
    model = saved(tmp_path, "chat", "full")
    predictor = plugins.find("methods", "full").load(model)
    loaded, tokenizer = getattr(predictor, "model"), getattr(predictor, "processor")  # noqa: B009
    heard: list[str] = []
    prompt = render_prompt(model.task.tiny().examples[0].input["messages"], tokenizer)
    (answer,) = generate(loaded, tokenizer, [prompt], 8, heard.append)
    assert "".join(heard).strip() == answer.text


def test_a_chat_prediction_is_handed_on_before_the_next_answer_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = saved(tmp_path, "chat", "full")
    examples = model.task.tiny().examples[:3]
    predictor = plugins.find("methods", "full").load(model)
    written: list[int] = []

    def one_after_the_other(*_: object, **__: object) -> Iterator[tuple[int, Generated]]:
        for index in (2, 0, 1):
            written.append(index)
            yield index, Generated(f"answer {index}", tokens=index + 1, confidence=0.5, seconds=0.25)

    monkeypatch.setattr("sonmat.inference.predictor.generate_each", one_after_the_other)
    questions = [Question(example.id, example.input, example.target) for example in examples]
    for number, prediction in enumerate(predictor.answer(questions), start=1):
        assert len(written) == number
        assert (prediction.row, prediction.output) == (examples[written[-1]].id, {"text": f"answer {written[-1]}"})
        assert (prediction.tokens, prediction.seconds) == (written[-1] + 1, 0.25)
        (alone,) = getattr(predictor, "_reference_nll")([questions[written[-1]]])  # noqa: B009
        assert prediction.reference_nll == pytest.approx(alone, rel=1e-5)


def test_predictions_of_a_task_that_generates_are_what_its_decode_says(tmp_path: Path) -> None:
    model = saved(tmp_path, "chat", "full")
    task, examples = model.task, model.task.tiny().examples[:3]
    predictor = plugins.find("methods", "full").load(model)
    loaded, tokenizer = getattr(predictor, "model"), getattr(predictor, "processor")  # noqa: B009
    rows = [task.encode_input(example.input, tokenizer, model.spec) for example in examples]
    decoded = task.decode(loaded, task.collate(rows, tokenizer), tokenizer, model.spec)
    questions = [Question(example.id, example.input) for example in examples]
    predicted = {prediction.row: prediction for prediction in predictor.answer(questions)}
    for example, answer in zip(examples, decoded, strict=True):
        prediction = predicted[example.id]
        assert (prediction.output, prediction.tokens) == (answer.output, answer.tokens)
        assert prediction.confidence == pytest.approx(answer.confidence, abs=1e-5)


def test_a_question_for_the_likelihood_alone_gets_the_same_likelihood_and_no_words(tmp_path: Path) -> None:
    model = saved(tmp_path, "chat", "full")
    predictor = plugins.find("methods", "full").load(model)
    examples = model.task.tiny().examples[:3]
    spoken = [Question(example.id, example.input, example.target) for example in examples]
    silent = [Question(example.id, example.input, example.target, write=False) for example in examples]
    likelihoods = {prediction.row: prediction.reference_nll for prediction in predictor.answer(spoken)}
    bare = Question("bare", examples[0].input, write=False)
    for prediction in predictor.answer([*silent, bare]):
        assert (prediction.output, prediction.tokens, prediction.confidence) == ({}, 0, None)
        if prediction.row == "bare":
            assert prediction.reference_nll is None
        else:
            assert prediction.reference_nll == pytest.approx(likelihoods[prediction.row], rel=1e-5)


def test_every_question_has_its_own_longest_answer(tmp_path: Path) -> None:
    model = saved(tmp_path, "chat", "full")
    predictor = plugins.find("methods", "full").load(model)
    example = model.task.tiny().examples[0]
    (usual,) = predictor.answer([Question("r", example.input)])
    assert usual.tokens > 2
    rooms = {"one": 1, "two": 2, "many": 100}
    answers = predictor.answer([Question(row, example.input, max_new_tokens=room) for row, room in rooms.items()])
    tokens = {answer.row: answer.tokens for answer in answers}
    assert (tokens["one"], tokens["two"]) == (1, 2)
    assert tokens["many"] >= usual.tokens
