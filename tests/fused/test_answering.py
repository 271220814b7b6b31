"""Layers of models that answer: equal to Transformers' layers, with caches, padding, adapters; left alone where they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, cache_utils

from sonmat.inference.writing import Writer
from sonmat.training.fused.answering import fuse_answering
from sonmat.training.fused.row_attention import has_attention

BF16 = torch.bfloat16
pytestmark = pytest.mark.skipif(
    not has_attention(BF16, torch.device("cpu"), 64),
    reason="no C compiler, or a processor that does not multiply pairs of bfloat16",
)
DynamicCache: Any = cache_utils.DynamicCache
LAYERS, WORDS = 3, 96
TOLERANCE = 0.02


def plain(seed: int = 0, **changes: Any) -> Any:
    """A small Llama in float32, whose weights are numbers of bfloat16."""
    sizes: dict[str, Any] = {"hidden_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64}
    sizes |= {"vocab_size": WORDS, "num_hidden_layers": LAYERS, "intermediate_size": 160, **changes}
    torch.manual_seed(seed)
    model: Any = LlamaForCausalLM._from_config(LlamaConfig(**sizes), attn_implementation="sdpa")
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 1.0 if parameter.ndim == 1 else 0.0, 0.1)
        parameter.data = parameter.data.to(BF16).float()
    return model.eval()


def with_adapter(model: Any, dropout: float = 0.0) -> Any:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(9)
    told = LoraConfig(r=8, lora_alpha=16, lora_dropout=dropout, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted: Any = get_peft_model(model, told)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.data = torch.empty_like(parameter).normal_(0, 0.05).to(BF16).float()
    return adapted.eval()


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has gone by layers' own forward since fusing."""
    return []


def fast(model: Any, refused: list[str]) -> Any:
    """`model` in bfloat16, its layers fused."""
    turns = [(module, module.inv_freq) for module in model.modules() if hasattr(module, "inv_freq")]
    model = model.to(BF16)
    for module, frequencies in turns:
        # As a model is loaded: positions are told in float32.
        module.inv_freq = frequencies
    assert fuse_answering(model) == LAYERS
    for module in model.modules():
        own: Any = getattr(module.forward, "__self__", None)
        if hasattr(own, "plain_forward"):
            own.plain_forward = _noting(own.plain_forward, refused)
    return model


def _noting(forward: Callable[..., Tensor], refused: list[str]) -> Callable[..., Tensor]:
    def noted(*given: Any, **more: Any) -> Tensor:
        refused.append("plain")
        return forward(*given, **more)

    return noted


def distance(found: Tensor, expected: Tensor) -> float:
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def ids(rows: int, tokens: int, seed: int = 1) -> Tensor:
    return torch.randint(1, WORDS, (rows, tokens), generator=torch.Generator().manual_seed(seed))


MODELS: dict[str, Callable[[], Any]] = {
    "plain": plain,
    "biased": lambda: plain(attention_bias=True),
    "one head for all": lambda: plain(num_key_value_heads=1),
    "lora": lambda: with_adapter(plain()),
    "lora with dropout": lambda: with_adapter(plain(), dropout=0.3),
}


@pytest.mark.parametrize("name", MODELS)
@torch.inference_mode()
def test_prompts_are_read_as_before(name: str, refused: list[str]) -> None:
    expected, model = MODELS[name](), fast(MODELS[name](), refused)
    for given in (ids(1, 70), ids(3, 9), ids(2, 2)):
        assert distance(model(input_ids=given).logits, expected(input_ids=given).logits) < TOLERANCE
    assert not refused


@torch.inference_mode()
def test_norms_may_be_wider_than_matrices(refused: list[str]) -> None:
    expected, model = plain(), fast(plain(), refused)
    for module in model.modules():
        if type(module).__name__ == "LlamaRMSNorm":
            module.weight.data = module.weight.data.float()
    given = ids(2, 21)
    with torch.autocast("cpu", dtype=BF16):
        found = model(input_ids=given).logits
    assert distance(found, expected(input_ids=given).logits) < TOLERANCE
    assert not refused


@torch.inference_mode()
def test_under_autocast_they_compute_the_same(refused: list[str]) -> None:
    """As predictors do it."""
    model, given = fast(with_adapter(plain()), refused), ids(2, 21)
    alone = model(input_ids=given).logits
    with torch.autocast("cpu", dtype=BF16):
        assert torch.equal(model(input_ids=given).logits, alone)
    assert not refused


@pytest.mark.parametrize("name", MODELS)
@torch.inference_mode()
def test_a_cache_goes_on(name: str, refused: list[str]) -> None:
    expected, model = MODELS[name](), fast(MODELS[name](), refused)
    caches = [DynamicCache(), DynamicCache()]
    # Read, read on behind it, write, write.
    for number, tokens in enumerate((11, 6, 1, 1)):
        given = ids(2, tokens, seed=number)
        found, wanted = (
            each(input_ids=given, past_key_values=cache, use_cache=True).logits
            for each, cache in zip([model, expected], caches, strict=True)
        )
        assert distance(found, wanted) < TOLERANCE
    assert not refused
    for own, other in zip(caches[0].layers, caches[1].layers, strict=True):
        assert distance(own.keys, other.keys) < TOLERANCE
        assert distance(own.values, other.values) < TOLERANCE


@torch.inference_mode()
def test_rows_continue_one_beginning(refused: list[str]) -> None:
    expected, model = plain(), fast(plain(), refused)
    beginning, rest = ids(1, 13), ids(4, 7, seed=2)
    cache = DynamicCache()
    model(input_ids=beginning, past_key_values=cache, use_cache=True)
    spread = DynamicCache([(each.keys.expand(4, -1, -1, -1), each.values.expand(4, -1, -1, -1)) for each in cache.layers])
    found = model(input_ids=rest, past_key_values=spread, use_cache=True).logits
    whole = expected(input_ids=torch.cat([beginning.expand(4, -1), rest], dim=1)).logits[:, 13:]
    assert distance(found, whole) < TOLERANCE
    assert not refused


@torch.inference_mode()
def test_padding_on_the_right_is_read_as_before(refused: list[str]) -> None:
    expected, model = plain(), fast(plain(), refused)
    given, mask = ids(3, 12), torch.ones(3, 12, dtype=torch.long)
    mask[1, 5:], mask[2, 11:] = 0, 0
    found, wanted = (each(input_ids=given, attention_mask=mask).logits for each in (model, expected))
    assert distance(found[mask.bool()], wanted[mask.bool()]) < TOLERANCE
    assert not refused


@torch.inference_mode()
def test_a_mask_that_hides_more_is_left_to_the_layers(refused: list[str]) -> None:
    expected, model = plain(), fast(plain(), refused)
    given, mask = ids(2, 12), torch.ones(2, 12, dtype=torch.long)
    mask[0, :4] = 0
    found, wanted = (each(input_ids=given, attention_mask=mask).logits for each in (model, expected))
    assert distance(found[mask.bool()], wanted[mask.bool()]) < TOLERANCE
    assert len(refused) == LAYERS


@torch.inference_mode()
def test_a_cache_that_forgets_is_left_to_the_layers(refused: list[str]) -> None:
    expected, model = plain(), fast(plain(), refused)
    caches = [DynamicCache(), DynamicCache()]
    for cache in caches:
        cache.layers = [cache_utils.DynamicSlidingWindowLayer(sliding_window=4) for _ in range(LAYERS)]
    for tokens in (9, 1):
        given = ids(1, tokens, seed=tokens)
        found, wanted = (
            each(input_ids=given, past_key_values=cache, use_cache=True).logits
            for each, cache in zip([model, expected], caches, strict=True)
        )
        assert distance(found, wanted) < TOLERANCE
    assert len(refused) == 2 * LAYERS


@pytest.mark.parametrize("name", ["plain", "lora"])
@torch.inference_mode()
def test_rows_are_written_side_by_side_as_alone(name: str, refused: list[str]) -> None:
    """Through slots: each row at its own length, some of them hidden from others."""
    expected, model = MODELS[name](), fast(MODELS[name](), refused)
    prompts = [ids(1, tokens, seed=tokens)[0].tolist() for tokens in (5, 19, 8, 30, 2)]
    writer, answers = Writer(model, prompts, {0}, 9, slots=3), {}
    while not writer.done:
        for row in writer.step():
            answers[row.index] = row
    assert not refused
    for number, prompt in enumerate(prompts):
        row = answers[number]
        logits = expected(input_ids=torch.tensor([[*prompt, *row.tokens]])).logits[0, len(prompt) - 1 : -1].double()
        found = logits.log_softmax(-1).gather(1, torch.tensor(row.tokens)[:, None])[:, 0]
        assert torch.allclose(found, torch.tensor(row.log_likelihoods).double(), atol=0.1)
        # The likeliest, or as likely as rounding tells.
        assert (logits.max(-1).values - logits.gather(1, torch.tensor(row.tokens)[:, None])[:, 0]).max() < 0.1


@torch.inference_mode()
def test_an_adapter_can_be_taken_off(refused: list[str]) -> None:
    adapted, base, model = with_adapter(plain()), plain(), fast(with_adapter(plain()), refused)
    given = ids(2, 20)
    with model.disable_adapter():
        assert distance(model(input_ids=given).logits, base(input_ids=given).logits) < TOLERANCE
    assert distance(model(input_ids=given).logits, adapted(input_ids=given).logits) < TOLERANCE
    assert distance(adapted(input_ids=given).logits, base(input_ids=given).logits) > 5 * TOLERANCE
    assert not refused


@torch.inference_mode()
def test_weights_that_were_changed_are_used(refused: list[str]) -> None:
    given = ids(2, 20)
    adapted = with_adapter(plain())
    expected = adapted(input_ids=given).logits
    merged = fast(with_adapter(plain()), refused)
    merged.merge_adapter()
    assert distance(merged(input_ids=given).logits, expected) < TOLERANCE
    assert len(refused) == LAYERS
    with merged.disable_adapter():
        # PEFT takes the adapter out of the weights again.
        assert distance(merged(input_ids=given).logits, plain()(input_ids=given).logits) < TOLERANCE
    refused.clear()
    moved = fast(plain(), refused).float()
    assert distance(moved(input_ids=given).logits, plain()(input_ids=given).logits) < 2e-3
    model = fast(plain(), refused)
    model.load_state_dict(plain(seed=4).state_dict())
    assert distance(model(input_ids=given).logits, plain(seed=4)(input_ids=given).logits) < TOLERANCE
    assert len(refused) == LAYERS


def test_gradients_are_left_to_the_layers(refused: list[str]) -> None:
    model = fast(plain(), refused)
    model(input_ids=ids(1, 8)).logits.float().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert len(refused) == LAYERS


def test_what_does_not_fit_stays_as_it_is() -> None:
    assert fuse_answering(plain().to(BF16)) == LAYERS
    assert fuse_answering(plain()) == 0
    assert fuse_answering(plain(head_dim=32).to(BF16)) == 0
    eager = plain().to(BF16)
    eager.set_attn_implementation("eager")
    assert fuse_answering(eager) == 0


def test_models_that_are_loaded_to_answer_compute_this_way() -> None:
    from sonmat import plugins
    from sonmat.core.values import Device
    from sonmat.training.tuning import fuse_for_answers

    model, device = plain().to(BF16), Device(kind="cpu", cores=1, memory_bytes=1 << 30, bf16=True)
    plainly = model.model.layers[0].forward
    fuse_for_answers(model, None, device)
    fuse_for_answers(model, plugins.find("families", "llama"), device.model_copy(update={"kind": "cuda"}))
    assert model.model.layers[0].forward == plainly
    fuse_for_answers(model, plugins.find("families", "llama"), device)
    assert model.model.layers[0].forward != plainly
