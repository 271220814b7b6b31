"""Best prompt and few-shot as methods: what they write, what they answer, what they say of their budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.errors import DataError
from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, No, Question, Workload
from sonmat.core.values import Device
from sonmat.prompting.choosing import TRIES_FILE, Tries
from sonmat.prompting.nearest import NearestExamples, load_examples
from sonmat.prompting.predictor import PromptedPredictor
from sonmat.prompting.prompt import PROMPT_FILE, Prompt
from sonmat.runs.files import read_value
from tests.prompting.tiny_talker import CPU, chat_job, label_job, save_talker, saved_of

METHODS = ("best-prompt", "few-shot")
QUICK: dict[str, Any] = {"rows": 16}


def answers(job: FitJob, name: str) -> dict[str, Prediction]:
    predictor = plugins.find("methods", name).load(saved_of(job, name))
    questions = [Question(example.id, example.input, example.target) for example in job.validation]
    return {prediction.row: prediction for prediction in predictor.answer(questions)}


@pytest.mark.parametrize("name", METHODS)
def test_what_was_tried_is_kept_and_the_best_of_it_answers_as_it_did_on_validation(name: str, tmp_path: Path) -> None:
    job = label_job(tmp_path, name, **QUICK)
    result = plugins.find("methods", name).fit(job)
    tries = read_value(job.folder / TRIES_FILE, Tries)
    best = read_value(job.folder / PROMPT_FILE, Prompt)
    assert tries.tried[0].prompt == best
    assert result.selection == {"macro_f1": tries.tried[0].score}
    assert result.budget is not None
    assert "16 validation rows" in result.budget.en
    assert "검증 행 최대 16개" in result.budget.ko
    assert {each.prompt.answer for each in tries.tried} == {"written", "likeliest", "calibrated"}
    found = answers(job, name)
    assert set(found) == {example.id for example in job.validation}
    for prediction in found.values():
        job.task.Output.model_validate(prediction.output)
    again = plugins.find("methods", name).fit(replace(job, work=tmp_path / "again"))
    assert again == result


@pytest.mark.parametrize("name", METHODS)
def test_chat_is_asked_with_a_prompt_and_its_reference_has_a_likelihood(name: str, tmp_path: Path) -> None:
    job = chat_job(tmp_path, name, rows=8)
    result = plugins.find("methods", name).fit(job)
    assert set(result.selection) == {"nll_per_character"}
    zero_shot = plugins.find("methods", "zero-shot")
    plain = replace(job, settings=zero_shot.Settings())
    prompted, unprompted = answers(job, name), answers(plain, "zero-shot")
    assert all(prediction.reference_nll is not None for prediction in prompted.values())
    if read_value(job.folder / PROMPT_FILE, Prompt) != Prompt():
        changed = [row for row in prompted if prompted[row].reference_nll != unprompted[row].reference_nll]
        assert changed, "the prompt changes nothing"


def test_the_best_prompt_is_no_worse_on_the_validation_sample_than_the_plain_one(tmp_path: Path) -> None:
    job = label_job(tmp_path, "best-prompt", **QUICK)
    plugins.find("methods", "best-prompt").fit(job)
    tries = read_value(job.folder / TRIES_FILE, Tries)
    (plain,) = [each for each in tries.tried if each.prompt == Prompt()]
    assert plain.rows == tries.tried[0].rows
    assert tries.tried[0].score >= plain.score


def test_a_users_own_instructions_are_tried_however_small_the_budget(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("Sort it\nwell.\n\nPick one.\n", encoding="utf-8")
    mine = ("Say which.", f"@{tmp_path}/mine.txt")
    job = label_job(tmp_path, "best-prompt", prompts=1, instructions=mine, own_words=False, **QUICK)
    assert job.settings.model_dump()["instructions"] == ("Say which.", "Sort it well.", "Pick one.")
    plugins.find("methods", "best-prompt").fit(job)
    tried = {each.prompt.instruction for each in read_value(job.folder / TRIES_FILE, Tries).tried}
    assert tried == {None, "Say which.", "Sort it well.", "Pick one."}


def test_a_file_of_instructions_that_is_not_there_is_an_error_of_settings() -> None:
    with pytest.raises(ValueError, match=r"nowhere\.txt cannot be read"):
        plugins.find("methods", "best-prompt").Settings(instructions="@nowhere.txt")


def test_shots_are_training_rows_alone_and_their_number_fits(tmp_path: Path) -> None:
    job = label_job(tmp_path, "few-shot", shots=(1, 3, 8, 99), **QUICK)
    job = replace(job, spec=job.spec.model_copy(update={"max_tokens": 128}))
    plugins.find("methods", "few-shot").fit(job)
    shown = {shot.input["text"] for shot in load_examples(job.folder).shots}
    assert shown == {example.input["text"] for example in job.train}
    assert not shown & {example.input["text"] for example in job.validation}
    numbers = {each.prompt.nearest for each in read_value(job.folder / TRIES_FILE, Tries).tried}
    assert numbers == {1, 3}, "eight examples do not fit into 128 tokens, and there are no 99"


def test_a_row_that_is_asked_is_shown_its_nearest_examples(tmp_path: Path) -> None:
    job = label_job(tmp_path, "few-shot", **QUICK)
    tokenizer_folder = job.base.path if job.base else ""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    nothing: Any = None
    nearest = NearestExamples(load_shots(job))
    predictor = PromptedPredictor(nothing, tokenizer, job.task, job.spec, CPU, 4, Prompt(nearest=2), nearest)
    (ids,) = predictor.prompts_of([{"text": "no hope at all 13"}])
    said = " ".join(tokenizer.decode(ids).split())
    assert said.count("no hope at all") == 3
    assert "a fine day" not in said


def load_shots(job: FitJob) -> Any:
    from sonmat.prompting.nearest import examples_to_show

    return examples_to_show(job.train, seed=0)


def test_rows_that_all_use_tools_leave_nothing_to_show(tmp_path: Path) -> None:
    job = chat_job(tmp_path, "few-shot")
    with_tools = [
        example.model_copy(update={"input": {**example.input, "tools": [{"name": "x"}]}}) for example in job.train
    ]
    with pytest.raises(DataError, match="calls or offers tools"):
        plugins.find("methods", "few-shot").fit(replace(job, train=with_tools))


@pytest.mark.parametrize("answer", ["written", "likeliest"])
def test_a_prompted_predictor_heeds_what_a_question_allows(answer: Any, tmp_path: Path) -> None:
    job = label_job(tmp_path, "zero-shot")
    plain: Any = plugins.find("methods", "zero-shot").load(saved_of(job, "zero-shot"))
    predictor = replace(plain, prompt=Prompt(answer=answer))
    input = job.train[0].input
    silent, short, usual = (
        Question("silent", input, write=False), Question("short", input, max_new_tokens=1), Question("usual", input)
    )  # fmt: skip
    found = {prediction.row: prediction for prediction in predictor.answer([silent, short, usual])}
    assert found["silent"].output == {}
    assert found["short"].tokens <= 1
    assert set(found["usual"].output) >= {"label"}


@pytest.mark.parametrize("name", METHODS)
def test_an_encoder_and_pictures_cannot_be_asked(name: str, tmp_path: Path) -> None:
    method, base = plugins.find("methods", name), save_talker(tmp_path)
    labels, pictures = plugins.find("tasks", "text-classification"), plugins.find("tasks", "image-classification")
    assert not isinstance(method.supports(labels, base, CPU), No)
    for task, facts in ((labels, base.model_copy(update={"chat": False})), (labels, None), (pictures, base)):
        refused = method.supports(task, facts, CPU)
        assert isinstance(refused, No)
        assert refused.reason.ko


@pytest.mark.parametrize("name", METHODS)
def test_estimates_grow_with_what_is_tried(name: str, tmp_path: Path) -> None:
    method = plugins.find("methods", name)
    base = save_talker(tmp_path).model_copy(update={"parameters": 10**9})
    work = Workload(
        base=base, device=Device(flops_per_second=1e11), train_rows=500, validation_rows=100, test_rows=100, mean_tokens=40,
        longest_tokens=90, mean_target_tokens=2, classes=4,
    )  # fmt: skip
    few, many = (method.estimate(method.Settings(rows=rows), work).seconds for rows in (8, 64))
    assert (
        many
        > few
        > plugins.find("methods", "zero-shot")
        .estimate(plugins.find("methods", "zero-shot").Settings(), replace(work, test_rows=1))
        .seconds
    )
