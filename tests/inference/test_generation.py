"""Rows written side by side are those written one by one, whatever their lengths, ends and slots."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sonmat.inference import writing
from sonmat.inference.generation import generate, generate_each
from sonmat.inference.plain_generation import write_batches
from sonmat.inference.slots import bytes_of_slot, fits_slots
from sonmat.inference.tiny import word_tokenizer
from sonmat.inference.writing import Writer, WrittenRow

VOCABULARY = 24
LONGEST_ANSWER = 16
ENDS = {0, 1, 7}
"""Tokens at which the answers of the Llama below end after 1 to 16 tokens."""
KINDS = ("llama", "gemma3", "mistral")
PROMPTS = [
    [(7 * row + 3 * at + row * at) % VOCABULARY for at in range(length)]
    for row, length in enumerate((1, 2, 3, 4, 5, 7, 12, 19, 40))
]

SHARED = [(5 * at + 2) % VOCABULARY for at in range(11)]


@cache
def model_of(kind: str) -> nn.Module:
    """A random model with weights large enough that no two tokens are nearly as likely."""
    from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, MistralConfig

    sizes: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "hidden_size": 16,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "intermediate_size": 32,
        "max_position_embeddings": 128,
        "initializer_range": 0.5,
        # Tied to its input the output layer would repeat the last token again and again.
        "tie_word_embeddings": False,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    config = {
        "llama": lambda: LlamaConfig(num_hidden_layers=2, **sizes),
        "gemma3": lambda: Gemma3TextConfig(
            num_hidden_layers=3,
            sliding_window=5,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            **sizes,
        ),
        "mistral": lambda: MistralConfig(num_hidden_layers=2, sliding_window=6, **sizes),
    }[kind]()
    torch.manual_seed(1)
    return AutoModelForCausalLM.from_config(config).eval()  # type: ignore[no-any-return]


@cache
def alone(kind: str, prompt: int, shared: int = 0) -> tuple[list[int], list[float]]:
    """What Transformers writes behind one prompt, with a beginning of `shared` tokens, without any stop, and the log-likelihoods."""
    model: Any = model_of(kind)
    given_ids = torch.tensor([SHARED[:shared] + PROMPTS[prompt]])
    output = model.generate(
        given_ids,
        attention_mask=torch.ones_like(given_ids),
        max_new_tokens=LONGEST_ANSWER,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    tokens = output.sequences[0, given_ids.shape[1] :].tolist()
    nats = [logits[0].float().log_softmax(-1)[token].item() for logits, token in zip(output.logits, tokens, strict=True)]
    return tokens, nats


def until_end(tokens: Sequence[int], ends: set[int], most: int) -> int:
    return next((at + 1 for at, token in enumerate(tokens[:most]) if token in ends), most)


def written(writer: Writer) -> list[WrittenRow]:
    rows: list[WrittenRow] = []
    with torch.inference_mode():
        while not writer.done:
            rows += writer.step()
    return rows


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(
    chosen=st.lists(st.integers(0, len(PROMPTS) - 1), min_size=1, max_size=20),
    ends=st.sets(st.integers(0, VOCABULARY - 1), max_size=6),
    most=st.lists(st.integers(1, LONGEST_ANSWER), min_size=20, max_size=20),
    slots=st.integers(1, 12),
    shared=st.sampled_from((0, len(SHARED))),
)
def test_any_mix_of_prompts_ends_and_slots_is_written_token_for_token_as_one_by_one(
    kind: str, chosen: list[int], ends: set[int], most: list[int], slots: int, shared: int
) -> None:
    prompts = [SHARED[:shared] + PROMPTS[prompt] for prompt in chosen]
    rows = written(Writer(model_of(kind), prompts, ends, most[: len(prompts)], slots))
    assert sorted(row.index for row in rows) == list(range(len(chosen)))
    for row in rows:
        tokens, nats = alone(kind, chosen[row.index], shared)
        length = until_end(tokens, ends, most[row.index])
        assert row.tokens == tokens[:length]
        assert row.log_likelihoods == pytest.approx(nats[:length], abs=1e-4)


def test_the_models_of_these_tests_write_many_different_tokens_and_ends() -> None:
    """Otherwise the test above would compare constants."""
    for kind in KINDS:
        answers = [alone(kind, prompt)[0] for prompt in range(len(PROMPTS))]
        assert len({tuple(answer) for answer in answers}) > len(PROMPTS) // 2
        assert len(set(itertools.chain(*answers))) > 8


def test_models_with_windows_keep_no_more_than_a_window() -> None:
    model = model_of("gemma3")
    writer = Writer(model, [PROMPTS[-1]], set(), LONGEST_ANSWER)
    with torch.inference_mode():
        writer.step()
    assert writer.slots is not None
    capacity = len(PROMPTS[-1]) + LONGEST_ANSWER - 1
    assert [layer.keys.shape[2] for layer in writer.slots.layers] == [5, capacity, 5]


def test_a_row_that_has_ended_is_handed_out_before_longer_ones() -> None:
    kind = "llama"
    lengths = {prompt: until_end(alone(kind, prompt)[0], ENDS, LONGEST_ANSWER) for prompt in range(len(PROMPTS))}
    assert len(set(lengths.values())) > 6
    writer = Writer(model_of(kind), PROMPTS, ENDS, LONGEST_ANSWER, slots=len(PROMPTS))
    order = [lengths[row.index] for row in written(writer)]
    # All are live at once, but for the longest prompt, which is read alone and a step ahead.
    assert order == sorted(order)


def test_a_freed_slot_is_taken_by_the_next_prompt() -> None:
    writer = Writer(model_of("llama"), PROMPTS, ENDS, LONGEST_ANSWER, slots=3)
    live = []
    with torch.inference_mode():
        while not writer.done:
            writer.step()
            live.append((len(writer.rows), len(writer.waiting)))
    assert max(rows for rows, _ in live) == 3
    gaps = [at for at, (rows, waiting) in enumerate(live[:-1]) if rows < 3 and waiting]
    assert gaps
    assert all(live[at + 1][1] < live[at][1] for at in gaps)


def test_slots_are_as_many_as_half_of_the_free_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import DynamicCache

    model = model_of("gemma3")
    filled = DynamicCache()
    with torch.inference_mode():
        model(input_ids=torch.tensor([PROMPTS[3]]), past_key_values=filled, use_cache=True)
    capacity = len(PROMPTS[-1]) + LONGEST_ANSWER - 1
    # Two heads of eight float32 numbers, keys and values, of two windows of 5 tokens and one whole row.
    assert bytes_of_slot(model, filled, capacity) == 2 * 8 * 4 * 2 * (5 + 5 + capacity)
    monkeypatch.setattr(writing, "available_memory", lambda: 2 * 4 * bytes_of_slot(model, filled, capacity))
    writer = Writer(model, PROMPTS, set(), LONGEST_ANSWER)
    rows = written(writer)
    assert writer.count == 4
    assert len(rows) == len(PROMPTS)


def test_rows_share_the_time_of_the_steps_that_they_took_part_in(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr("sonmat.inference.writing.time.perf_counter", lambda: float(next(ticks)))
    writer = Writer(model_of("llama"), PROMPTS, ENDS, LONGEST_ANSWER, slots=4)
    rows = written(writer)
    # The clock moves on by one within every step.
    assert math.isclose(sum(row.seconds for row in rows), next(ticks) // 2)
    assert all(row.seconds > 0 for row in rows)


def tokenizer_of_words() -> Any:
    return word_tokenizer([" ".join(f"word{number}" for number in range(VOCABULARY - 7))], chat=True)


@pytest.mark.parametrize("kind", KINDS)
def test_text_and_confidence_are_those_of_one_by_one(kind: str) -> None:
    tokenizer = tokenizer_of_words()
    assert len(tokenizer) == VOCABULARY
    stop = tokenizer.eos_token_id
    for prompt, answer in enumerate(generate(model_of(kind), tokenizer, PROMPTS, LONGEST_ANSWER)):
        tokens, nats = alone(kind, prompt)
        length = until_end(tokens, {stop}, LONGEST_ANSWER)
        kept = [token for token in tokens[:length] if token != stop]
        assert answer.text == tokenizer.decode(kept, skip_special_tokens=True).strip()
        assert answer.tokens == length
        assert answer.confidence == pytest.approx(math.exp(sum(nats[:length]) / length), abs=1e-4)


def test_models_that_keep_no_keys_by_position_are_generated_with_transformers() -> None:
    from transformers import AutoModelForCausalLM, BloomConfig

    torch.manual_seed(0)
    config = BloomConfig(vocab_size=VOCABULARY, hidden_size=16, n_layer=2, n_head=2, initializer_range=0.5)
    model = AutoModelForCausalLM.from_config(config).eval()
    assert not fits_slots(model)
    tokenizer = tokenizer_of_words()
    together = generate(model, tokenizer, PROMPTS, 6)
    assert together != [together[0]] * len(together)
    for prompt, answer in zip(PROMPTS, together, strict=True):
        (one,) = generate(model, tokenizer, [prompt], 6)
        assert (one.text, one.tokens) == (answer.text, answer.tokens)
        assert one.confidence == pytest.approx(answer.confidence, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_way_gives_the_same_rows(kind: str) -> None:
    most = [LONGEST_ANSWER, 3, 1, 5, 2, LONGEST_ANSWER, 4, 6, 1]
    plain = write_batches(model_of(kind), PROMPTS, ENDS, most, torch.inference_mode, lambda index, token: None)
    for row in plain:
        tokens, nats = alone(kind, row.index)
        length = until_end(tokens, ENDS, most[row.index])
        assert row.tokens == tokens[:length]
        assert row.log_likelihoods == pytest.approx(nats[:length], abs=1e-4)


def test_the_callers_work_between_answers_is_in_no_inference_mode_and_the_output_layer_is_left_alone() -> None:
    model: Any = model_of("llama")
    for _ in generate_each(model, tokenizer_of_words(), PROMPTS, 4):
        assert not torch.is_inference_mode_enabled()
        assert not model.lm_head._forward_pre_hooks


def test_no_prompts_are_answered_with_nothing() -> None:
    assert generate(model_of("llama"), tokenizer_of_words(), [], 4) == []


def test_what_all_prompts_begin_with_is_read_once() -> None:
    model: Any = model_of("gemma3")
    read: list[int] = []
    hook = model.model.embed_tokens.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].numel()))
    prompts = [SHARED + prompt for prompt in PROMPTS]
    rows = written(Writer(model, prompts, set(), 1))
    hook.remove()
    assert read == [len(SHARED), len(PROMPTS) * max(len(prompt) for prompt in PROMPTS)]
    assert [row.tokens for row in rows] == [alone("gemma3", row.index, len(SHARED))[0][:1] for row in rows]


def test_a_long_common_beginning_is_laid_out_for_no_more_rows_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = model_of("llama")
    prompts = [SHARED + prompt for prompt in PROMPTS]
    expected = sorted((row.index, row.tokens) for row in written(Writer(model, prompts, set(), 2)))
    shared = Writer(model, prompts, set(), 2)
    shared._read_shared()
    assert shared.shared is not None
    monkeypatch.setattr(writing, "BEGINNING_BYTES_AT_ONCE", (1 << 30) // writing.most_rows_behind(shared.shared) * 2 + 8)
    read: list[int] = []
    hook = model.model.embed_tokens.register_forward_pre_hook(lambda _, inputs: read.append(len(inputs[0])))
    found = sorted((row.index, row.tokens) for row in written(Writer(model, prompts, set(), 2)))
    hook.remove()
    assert found == expected
    assert read[:2] == [1, 2]


def test_a_prompt_that_is_the_beginning_of_all_others_still_has_a_token_to_read() -> None:
    writer = Writer(model_of("llama"), [SHARED, SHARED, [*SHARED, 3]], set(), 2)
    assert writer.shared_tokens == len(SHARED) - 1
    assert sorted(row.index for row in written(writer)) == [0, 1, 2]
