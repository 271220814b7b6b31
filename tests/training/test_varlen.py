"""Packed rows never see each other: logits and gradients equal those of every row alone, by every way of computing them."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, MistralConfig

from sonmat.core.protocols import Batch
from sonmat.training import varlen

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
    "mistral with a window": MistralConfig(**SIZES, sliding_window=4),
    "gemma3 with a window": Gemma3TextConfig(**SIZES, sliding_window=4, query_pre_attn_scalar=6),
}
LENGTHS = (7, 1, 11, 3)


def model_of(kind: str, implementation: str) -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[kind], attn_implementation="sdpa").double()
    model.set_attn_implementation(varlen.register() if implementation == varlen.NAME else implementation)
    return model


def rows() -> list[Tensor]:
    return [torch.randint(0, 50, (1, length), generator=torch.Generator().manual_seed(length)) for length in LENGTHS]


def packed(parts: list[Tensor]) -> Batch:
    lengths = torch.tensor([0, *(part.shape[1] for part in parts)])
    return {
        "input_ids": torch.cat(parts, dim=1),
        "position_ids": torch.cat([torch.arange(part.shape[1])[None] for part in parts], dim=1),
        varlen.ROWS: lengths.cumsum(0).to(torch.int32),
    }


def logits_packed(model: Any, batch: Batch) -> Tensor:
    with varlen.rows_apart(model, batch) as arguments:
        found: Tensor = model(input_ids=batch["input_ids"], use_cache=False, **arguments).logits
    return found


@pytest.mark.parametrize("implementation", [varlen.NAME, "sdpa", "eager"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_packed_logits_and_gradients_equal_those_of_every_row_alone(kind: str, implementation: str) -> None:
    plain, other = model_of(kind, "sdpa"), model_of(kind, implementation)
    alone = torch.cat([plain(input_ids=row, use_cache=False).logits for row in rows()], dim=1)
    together = logits_packed(other, packed(rows()))
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)
    weights = torch.randn(alone.shape, dtype=alone.dtype, generator=torch.Generator().manual_seed(3))
    for found in (alone, together):
        (found * weights).sum().backward()
    for (name, expected), (_, gradient) in zip(plain.named_parameters(), other.named_parameters(), strict=True):
        torch.testing.assert_close(gradient.grad, expected.grad, rtol=1e-5, atol=1e-5, msg=name)


def test_a_row_that_began_elsewhere_would_be_seen() -> None:
    # The same test must fail where rows are told apart wrongly.
    model, batch = model_of("llama", varlen.NAME), packed(rows())
    right = logits_packed(model, batch)
    batch[varlen.ROWS] = torch.tensor([0, 7, 19, 22], dtype=torch.int32)
    assert (logits_packed(model, batch) - right).abs().max() > 1e-3


@pytest.mark.parametrize("kind", CONFIGS)
def test_padded_batches_are_computed_as_before(kind: str) -> None:
    ids = torch.randint(0, 50, (3, 9), generator=torch.Generator().manual_seed(1))
    mask = torch.ones(3, 9, dtype=torch.long)
    mask[1, :4] = 0  # padded on the left, as prompts are
    expected = model_of(kind, "sdpa")(input_ids=ids, attention_mask=mask, use_cache=False).logits
    found = model_of(kind, varlen.NAME)(input_ids=ids, attention_mask=mask, use_cache=False).logits
    torch.testing.assert_close(found[mask.bool()], expected[mask.bool()])


def test_no_mask_is_left_behind_by_a_packed_batch() -> None:
    model = model_of("llama", varlen.NAME)
    with pytest.raises(RuntimeError), varlen.rows_apart(model, packed(rows())):
        raise RuntimeError("interrupted")
    test_padded_batches_are_computed_as_before("llama")


def dense(query: Tensor, key: Tensor, value: Tensor, begins: Tensor, scale: float, window: tuple[int, int]) -> Tensor:
    """Attention by token as kernels take it, with one mask over all tokens: shapes (tokens, heads, size)."""
    repeats = query.shape[1] // key.shape[1]
    keys, values = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    place = torch.arange(len(query))
    row = torch.bucketize(place, begins.long(), right=True)
    back = place[:, None] - place
    seen = (row[:, None] == row) & (back >= -window[1] if window[1] >= 0 else torch.ones_like(back).bool())
    if window[0] >= 0:
        seen &= back <= window[0]
    scores = torch.einsum("qhd,khd->hqk", query, keys) * scale
    return torch.einsum("hqk,khd->qhd", scores.masked_fill(~seen, -torch.inf).softmax(-1), values)


@pytest.fixture(params=["flash-attn", "torch"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stand-ins with the signatures of the two kernels, which run on accelerators alone."""

    def flash_attn_varlen_func(
        q: Tensor, k: Tensor, v: Tensor, cu_seqlens_q: Tensor, cu_seqlens_k: Tensor, max_seqlen_q: int, max_seqlen_k: int,
        dropout_p: float = 0.0, softmax_scale: float = 1.0, causal: bool = False, window_size: tuple[int, int] = (-1, -1),
    ) -> Tensor:  # fmt: skip
        return dense(q, k, v, cu_seqlens_q, softmax_scale, (window_size[0], 0 if causal else window_size[1]))

    def varlen_attn(
        query: Tensor, key: Tensor, value: Tensor, cu_seq_q: Tensor, cu_seq_k: Tensor, max_q: int, max_k: int,
        *, scale: float, window_size: tuple[int, int], enable_gqa: bool,
    ) -> Tensor:  # fmt: skip
        assert enable_gqa == (query.shape[1] != key.shape[1])
        return dense(query, key, value, cu_seq_q, scale, window_size)

    module = ModuleType("flash_attn")
    module.flash_attn_varlen_func = flash_attn_varlen_func  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flash_attn", module)
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", varlen_attn)
    monkeypatch.setattr(varlen, "kernel_for", lambda *_: request.param)
    return str(request.param)


@pytest.mark.parametrize("kind", CONFIGS)
def test_kernels_are_given_what_they_need(kind: str, kernel: str) -> None:
    alone = torch.cat([model_of(kind, "sdpa")(input_ids=row, use_cache=False).logits for row in rows()], dim=1)
    torch.testing.assert_close(logits_packed(model_of(kind, varlen.NAME), packed(rows())), alone, rtol=1e-5, atol=1e-6)


def test_without_an_accelerator_rows_are_computed_one_by_one() -> None:
    assert varlen.kernel_for(torch.device("cpu"), torch.bfloat16, 64) == "row by row"


@pytest.mark.parametrize(
    ("capability", "installed", "dropout", "expected"),
    [
        ((9, 0), True, 0.0, "flash-attn"),
        ((9, 0), False, 0.0, "torch"),
        ((9, 0), False, 0.1, "row by row"),
        ((7, 5), True, 0.0, "row by row"),
    ],
)
def test_the_kernel_depends_on_what_is_there(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], installed: bool, dropout: float, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(varlen, "_installed", lambda _: installed)
    cuda = torch.device("cuda")
    assert varlen.kernel_for(cuda, torch.bfloat16, 128, dropout) == expected
    assert varlen.kernel_for(cuda, torch.float32, 128, dropout) == "row by row"
    assert varlen.kernel_for(cuda, torch.bfloat16, 300, dropout) == "row by row"
