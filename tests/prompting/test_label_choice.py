"""The likelihood of labels, all in one pass, is that of each label read by itself."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sonmat.inference import branches
from sonmat.prompting.label_choice import label_nats, label_tokens
from tests.inference.test_generation import KINDS, PROMPTS, SHARED, VOCABULARY, model_of
from tests.prompting.tiny_talker import talker_tokenizer

LABELS = [[3, 7], [3, 9, 4, 7], [11, 7], [5, 5, 5, 5, 5, 7], [3, 9, 7]]


@cache
def alone(kind: str, prompt: tuple[int, ...], label: tuple[int, ...]) -> float:
    """Plain Transformers: one row, no mask, no cache."""
    model: Any = model_of(kind)
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[*prompt, *label]])).logits[0].float().log_softmax(-1)
    return sum(float(logits[len(prompt) - 1 + place, token]) for place, token in enumerate(label))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(
    chosen=st.lists(st.integers(0, len(PROMPTS) - 1), min_size=1, max_size=12),
    shared=st.sampled_from((0, len(SHARED))),
    labels=st.lists(st.sampled_from(range(len(LABELS))), min_size=1, max_size=5, unique=True),
)
def test_labels_side_by_side_are_as_likely_as_alone(kind: str, chosen: list[int], shared: int, labels: list[int]) -> None:
    prompts = [SHARED[:shared] + PROMPTS[place] for place in chosen]
    written = [LABELS[label] for label in labels]
    found = list(label_nats(model_of(kind), prompts, written, torch.inference_mode))
    assert sorted(each.index for each in found) == list(range(len(prompts)))
    for each in found:
        expected = [alone(kind, tuple(prompts[each.index]), tuple(label)) for label in written]
        assert each.nats == pytest.approx(expected, abs=1e-3)


def test_models_that_cannot_be_told_what_to_see_are_asked_label_by_label() -> None:
    from transformers import AutoModelForCausalLM, BloomConfig

    torch.manual_seed(0)
    config = BloomConfig(vocab_size=VOCABULARY, hidden_size=16, n_layer=2, n_head=2, initializer_range=0.5)
    model: nn.Module = AutoModelForCausalLM.from_config(config).eval()
    for each in label_nats(model, PROMPTS, LABELS, torch.inference_mode):
        for label, nats in zip(LABELS, each.nats, strict=True):
            ids = torch.tensor([[*PROMPTS[each.index], *label]])
            with torch.inference_mode():
                logits = model(input_ids=ids).logits[0].float().log_softmax(-1)
            start = len(PROMPTS[each.index]) - 1
            expected = sum(float(logits[start + place, token]) for place, token in enumerate(label))
            assert nats == pytest.approx(expected, abs=1e-3)


def test_groups_are_computed_in_passes_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "TOKENS_AT_ONCE", 40)
    model: Any = model_of("llama")
    read: list[int] = []
    hook = model.model.embed_tokens.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].numel()))
    found = {each.index: each.nats for each in label_nats(model, PROMPTS, LABELS, torch.inference_mode)}
    hook.remove()
    # A prompt of 40 tokens with 12 of labels does not fit, and is read alone.
    assert len(read) > 2
    assert max(read[1:]) <= 40
    assert found[0] == pytest.approx([alone("llama", tuple(PROMPTS[0]), tuple(label)) for label in LABELS], abs=1e-3)


def test_a_label_is_written_with_the_token_that_ends_the_turn() -> None:
    tokenizer = talker_tokenizer()
    good, odd = label_tokens(["good", "very odd"], tokenizer)
    assert good == [*tokenizer("good")["input_ids"], tokenizer.eos_token_id]
    assert odd == [*tokenizer("very odd")["input_ids"], tokenizer.eos_token_id]


def test_no_prompt_has_no_likelihood() -> None:
    assert list(label_nats(model_of("llama"), [], LABELS, torch.inference_mode)) == []
