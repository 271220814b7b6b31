"""Fused parts equal the modules that they stand in for: outputs, gradients, names of weights, and what PEFT saves and loads."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, Qwen2Config

from sonmat import plugins
from sonmat.training.fused import attention
from sonmat.training.fused.fuse import fuse
from sonmat.training.fused.output_loss import PIECE_BYTES, token_losses

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 6,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
}
CONFIGS = {
    "llama": LlamaConfig(**SIZES),
    "qwen2": Qwen2Config(**{name: size for name, size in SIZES.items() if name != "head_dim"}),
    "gemma3_text": Gemma3TextConfig(**SIZES, sliding_window=5, query_pre_attn_scalar=6),
}


def adapted(model_type: str, dropout: float = 0.0) -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[model_type], attn_implementation="sdpa")
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=6, lora_dropout=dropout, target_modules="all-linear"))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name or "norm" in name or "bias" in name:
            nn.init.normal_(parameter, std=0.3)
    return adapted


def fused_copy(model: Any, model_type: str) -> Any:
    twin = copy.deepcopy(model)
    fuse(twin, plugins.family_of("any", {"model_type": model_type}).fusions)
    return twin


def is_fused(module: nn.Module) -> bool:
    """Whether this very module computes in another way than its class does."""
    return "forward" in vars(module)


def gradients(model: nn.Module, ids: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    logits = model(input_ids=ids, use_cache=False).logits
    torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()).backward()
    return logits.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("model_type", CONFIGS)
def test_a_fused_model_has_the_outputs_and_gradients_of_pefts(model_type: str) -> None:
    # In float64, so that what differs is the formula and not the rounding.
    plain = adapted(model_type).double()
    fused = fused_copy(plain, model_type)
    assert sum(is_fused(module) for name, module in fused.named_modules() if name.endswith("_proj")) == 14
    assert sum(is_fused(module) for name, module in fused.named_modules() if name.endswith("mlp")) == 2
    ids = torch.randint(0, 50, (3, 11))
    expected_logits, expected = gradients(plain, ids)
    logits, found = gradients(fused, ids)
    torch.testing.assert_close(logits, expected_logits, rtol=1e-5, atol=1e-5)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_a_fused_model_follows_its_optimiser() -> None:
    plain = adapted("llama").double()
    fused = fused_copy(plain, "llama")
    ids = torch.randint(0, 50, (2, 9))
    for model in (plain, fused):
        optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2, fused=True)
        for _ in range(3):
            gradients(model, ids)
            optimiser.step()
            optimiser.zero_grad()
    with torch.inference_mode():
        torch.testing.assert_close(fused(ids).logits, plain(ids).logits, rtol=1e-3, atol=1e-4)


def test_a_fused_adapter_is_saved_as_pefts_and_loaded_by_peft(tmp_path: Path) -> None:
    fused = fused_copy(adapted("llama"), "llama")
    fused.save_pretrained(str(tmp_path))
    base = copy.deepcopy(adapted("llama").unload())
    loaded = PeftModel.from_pretrained(base, str(tmp_path))
    ids = torch.randint(0, 50, (2, 9))
    with torch.inference_mode():
        torch.testing.assert_close(loaded(ids).logits, fused(ids).logits, rtol=1e-4, atol=1e-5)


def test_frozen_weights_lie_in_memory_once() -> None:
    fused = fused_copy(adapted("llama"), "llama")
    attention_block = fused.base_model.model.model.layers[0].self_attn
    names = ("q_proj", "k_proj", "v_proj")
    weights = [attention_block.get_submodule(f"{name}.base_layer").weight for name in names]
    assert len({weight.untyped_storage().data_ptr() for weight in weights}) == 1


def test_an_adapter_with_dropout_is_left_as_it_is() -> None:
    fused = fused_copy(adapted("llama", dropout=0.2), "llama")
    assert not any(is_fused(module) for name, module in fused.named_modules() if name.endswith("_proj"))


def test_names_of_weights_stay() -> None:
    plain = adapted("gemma3_text")
    assert list(fused_copy(plain, "gemma3_text").state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize("masked", [None, "boolean", "added"])
@pytest.mark.parametrize("key_heads", [1, 2, 4])
def test_attention_equals_pytorchs(masked: str | None, key_heads: int) -> None:
    torch.manual_seed(1)
    query = torch.randn(2, 4, 7, 8, requires_grad=True)
    key, value = (torch.randn(2, key_heads, 7, 8, requires_grad=True) for _ in range(2))
    allowed = (torch.rand(2, 1, 7, 7) > 0.3) | torch.eye(7, dtype=torch.bool)
    mask = {None: None, "boolean": allowed, "added": torch.where(allowed, 0.0, -1e9)}[masked]
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=mask is None, enable_gqa=True, scale=0.4
    ).transpose(1, 2)
    found, _ = attention.attend(nn.Identity(), query, key, value, mask, scaling=0.4, is_causal=True)
    torch.testing.assert_close(found, expected)
    upstream = torch.randn_like(expected)
    for mine, theirs in zip(
        torch.autograd.grad(found, (query, key, value), upstream, retain_graph=True),
        torch.autograd.grad(expected, (query, key, value), upstream),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model_type", CONFIGS)
def test_a_model_of_wide_weights_trains_in_full_under_autocast(model_type: str) -> None:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[model_type], attn_implementation="sdpa")
    fused = fused_copy(model, model_type)
    ids = torch.randint(0, 50, (2, 9))
    with torch.autocast("cpu", torch.bfloat16):
        expected_logits, expected = gradients(model, ids)
        logits, found = gradients(fused, ids)
    torch.testing.assert_close(logits, expected_logits, rtol=0.1, atol=0.1)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        likeness = torch.nn.functional.cosine_similarity(found[name].flatten(), gradient.flatten(), dim=0)
        assert likeness > 0.98 or gradient.abs().max() < 1e-6, f"{name}: {likeness}"


@pytest.mark.parametrize("softcap", [None, 3.0])
@pytest.mark.parametrize("weighed", [False, True])
def test_losses_of_the_output_layer_equal_plain_cross_entropy(
    softcap: float | None, weighed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonmat.training.fused.output_loss.PIECE_BYTES", 4 * 30 * 4)
    torch.manual_seed(2)
    hidden, weight, bias = torch.randn(11, 8), torch.randn(30, 8), torch.randn(30)
    targets = torch.randint(0, 30, (11,))
    upstream = torch.rand(11) if weighed else torch.full((11,), 0.7)

    def plain(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        logits = hidden @ weight.t() + bias
        if softcap is not None:
            logits = softcap * torch.tanh(logits / softcap)
        return torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    found = {}
    for name, function in (("plain", plain), ("fused", lambda h, w, b: token_losses(h, w, b, targets, softcap))):
        leaves = [part.clone().requires_grad_() for part in (hidden, weight, bias)]
        losses = function(*leaves)
        losses.backward(upstream)
        found[name] = [losses.detach(), *(leaf.grad for leaf in leaves)]
    for mine, theirs in zip(found["fused"], found["plain"], strict=True):
        assert mine is not None
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
    assert PIECE_BYTES > 4 * 30 * 4


def test_products_of_the_output_layer_are_in_autocasts_type() -> None:
    hidden, weight, targets = torch.randn(5, 8), torch.randn(30, 8), torch.randint(0, 30, (5,))
    with torch.autocast("cpu", torch.bfloat16):
        cast = token_losses(hidden, weight, None, targets)
    exact = token_losses(hidden, weight, None, targets)
    assert cast.dtype == torch.float32
    assert not torch.equal(cast, exact)
    torch.testing.assert_close(cast, exact, rtol=0.05, atol=0.05)
