"""Continuations of a prompt that is read once are as likely as each read by itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sonmat import plugins
from sonmat.core.protocols import Question, SavedModel
from sonmat.inference import branches, predictor, writing
from sonmat.inference.branches import branch_nats, tokens_read
from tests.inference.test_generation import KINDS, PROMPTS, SHARED, VOCABULARY, model_of
from tests.training.tiny_jobs import CPU, tiny_job

WRITTEN = [[3, 7], [3, 9, 4, 7], [11, 7], [5, 5, 5, 5, 5, 7], [3, 9, 7], [3], [3, 7]]


@cache
def alone(kind: str, prompt: tuple[int, ...], written: tuple[int, ...]) -> float:
    """Plain Transformers: one row, no mask, no cache."""
    model: Any = model_of(kind)
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[*prompt, *written]])).logits[0].float().log_softmax(-1)
    return sum(float(logits[len(prompt) - 1 + place, token]) for place, token in enumerate(written))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(
    chosen=st.lists(
        st.tuples(st.integers(0, len(PROMPTS) - 1), st.lists(st.integers(0, len(WRITTEN) - 1), min_size=1, max_size=5)),
        min_size=1,
        max_size=8,
    ),
    shared=st.sampled_from((0, len(SHARED))),
)
def test_every_continuation_of_every_prompt_is_as_likely_as_alone(
    kind: str, chosen: list[tuple[int, list[int]]], shared: int
) -> None:
    prompts = [SHARED[:shared] + PROMPTS[place] for place, _ in chosen]
    behind = [[WRITTEN[each] for each in written] for _, written in chosen]
    found = list(branch_nats(model_of(kind), prompts, behind, torch.inference_mode))
    assert sorted(each.index for each in found) == list(range(len(prompts)))
    for each in found:
        expected = [alone(kind, tuple(prompts[each.index]), tuple(written)) for written in behind[each.index]]
        assert each.nats == pytest.approx(expected, abs=1e-5, rel=1e-5)


def test_a_pass_lays_out_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = model_of("llama")
    prompts = [SHARED + prompt for prompt in PROMPTS]
    given = model, prompts, [WRITTEN] * len(prompts), torch.inference_mode
    expected = {each.index: each.nats for each in branch_nats(*given)}
    # Keys and values of 2 layers, 2 heads of 8 numbers, float32: room for three rows' beginnings.
    monkeypatch.setattr(writing, "BEGINNING_BYTES_AT_ONCE", 3 * len(SHARED) * 2 * 2 * 2 * 8 * 4)
    monkeypatch.setattr(branches, "WIDENED_AT_ONCE", 5 * VOCABULARY)
    rows: list[int] = []
    widened: list[int] = []
    logsumexp = torch.Tensor.logsumexp

    def noted(scores: torch.Tensor, **how: Any) -> torch.Tensor:
        widened.append(len(scores))
        return logsumexp(scores, **how)

    monkeypatch.setattr(torch.Tensor, "logsumexp", noted)
    hook = model.register_forward_pre_hook(lambda *given: rows.append(len(given[2]["input_ids"])), with_kwargs=True)
    found = {each.index: each.nats for each in branch_nats(*given)}
    hook.remove()
    assert rows == [1, 3, 3, 3]
    assert max(widened) == 5
    for index, nats in expected.items():
        assert found[index] == pytest.approx(nats, abs=1e-5, rel=1e-5)


def test_what_several_continuations_begin_with_is_read_once() -> None:
    assert tokens_read([[1, 2, 3]], [[[4, 5, 6], [4, 5, 7], [4, 8, 9]]]) == 3 + len([4, 5, 8])


def saved(folder: Path) -> SavedModel:
    job = tiny_job("chat", "full", folder, learning_rate=1e-2, epochs=2, batch_size=4)
    plugins.find("methods", "full").fit(job)
    return SavedModel(job.folder, "full", job.task, job.spec, job.base, job.family, job.settings, CPU)


def test_choices_behind_one_prompt_are_as_likely_as_read_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = saved(tmp_path)
    examples = model.task.tiny().examples[:3]
    asked = [
        Question(f"{place}/{number}", example.input, {"text": choice}, write=False)
        for place, example in enumerate(examples)
        for number, choice in enumerate(("at nine", "at six in the evening", "good day", "at six"))
    ]
    answering = plugins.find("methods", "full").load(model)
    read: list[int] = []

    def counted(*given: Any) -> Any:
        for each in branch_nats(*given):
            read.append(each.index)
            yield each

    monkeypatch.setattr(branches, "branch_nats", counted)
    once = {each.row: each.reference_nll for each in answering.answer(asked)}
    assert sorted(read) == [0, 1, 2]
    monkeypatch.setattr(predictor, "WORTH_SAVING", 1.1)
    plainly = {each.row: each.reference_nll for each in answering.answer(asked)}
    assert len(read) == 3
    assert once.keys() == plainly.keys() == {each.row for each in asked}
    for row, nats in plainly.items():
        assert once[row] == pytest.approx(nats, abs=1e-5, rel=1e-5)


def test_rows_that_share_nothing_are_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering = plugins.find("methods", "full").load(saved(tmp_path))
    monkeypatch.setattr(branches, "branch_nats", None)
    task = plugins.find("tasks", "chat")
    asked = [Question(each.id, each.input, each.target, write=False) for each in task.tiny().examples[:2]]
    assert all(each.reference_nll is not None for each in answering.answer(asked))
