"""Memory is never estimated below what fits have taken: figures of `benchmarks/memory_estimates.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from sonmat import plugins
from sonmat.core.protocols import Workload
from sonmat.core.values import Device, Estimate, ModelFacts
from sonmat.training.estimates import (
    ENCODERS_ACTIVATIONS,
    ENCODERS_HEADS_IN_TILES,
    ENCODERS_IN_TILES,
    HEADS_IN_TILES,
    LONGEST_WHOLE,
)
from sonmat.training.fused import encoder_attention
from sonmat.training.fused.attention import LONGEST
from sonmat.training.fused.encoder import fuse_encoder
from sonmat.training.fused.native.library import library
from sonmat.training.fused.row_attention import COLUMNS, LARGEST, has_attention

DEVICE = Device(kind="cpu", cores=2, memory_bytes=16 << 30, bf16=True, flops_per_second=4e11)


def facts(**known: Any) -> ModelFacts:
    return ModelFacts.model_validate({"name": "b", "path": "", "origin": "", "checksum": "", **known})


SMOLLM = facts(
    family="llama", model_type="llama", parameters=134_515_008, embedding_parameters=28_311_552, hidden_size=576, layers=30,
    vocabulary=49_152, chat=True,
)  # fmt: skip
GEMMA = facts(
    family="gemma3", model_type="gemma3_text", parameters=268_098_176, embedding_parameters=167_772_160, hidden_size=640, layers=18,
    vocabulary=262_144,
)  # fmt: skip
E5 = facts(
    family="e5", model_type="bert", parameters=117_505_920, embedding_parameters=96_211_584, hidden_size=384, layers=12,
    vocabulary=250_037,
)  # fmt: skip
MINILM = facts(
    family="bert", model_type="bert", parameters=22_713_216, embedding_parameters=11_917_824, hidden_size=384, layers=6,
    vocabulary=30_522,
)  # fmt: skip
ALBERT = facts(
    family="bert", model_type="albert", parameters=13_329_042, embedding_parameters=5_409_024, hidden_size=768, layers=12,
    vocabulary=42_000,
)  # fmt: skip


def estimated(method: str, base: ModelFacts, longest: int, **changes: Any) -> Estimate:
    """Of a fit of 16 rows, all of them the longest."""
    settings = changes.pop("settings", {})
    known: dict[str, Any] = {
        "base": base, "device": DEVICE, "train_rows": 16, "validation_rows": 8, "test_rows": 0, "mean_tokens": float(longest),
        "longest_tokens": longest, "mean_target_tokens": 64.0, "classes": 0 if base.family in ("llama", "gemma3") else 2,
        "used_ids": 4000,
    }  # fmt: skip
    plugin = plugins.find("methods", method)
    found: Estimate = plugin.estimate(
        plugin.Settings(**{"batch_size": 8, "compile": "no", **settings}), Workload(**{**known, **changes})
    )
    return found


@pytest.mark.parametrize(
    ("method", "base", "longest", "settings", "gigabytes"),
    [
        ("lora", SMOLLM, 427, {}, 1.77),
        ("lora", SMOLLM, 427, {"activations": "recompute"}, 1.37),
        ("lora", SMOLLM, 1140, {}, 1.97),
        ("full", SMOLLM, 427, {}, 3.88),
        ("full", SMOLLM, 1140, {}, 4.01),
        ("freeze", SMOLLM, 427, {"last_layers": 8}, 2.44),
        ("full", GEMMA, 341, {}, 8.78),
        ("lora", GEMMA, 341, {}, 2.59),
        ("full", E5, 512, {}, 3.15),
        ("full", E5, 64, {}, 1.44),
        ("full", MINILM, 256, {}, 1.03),
        ("full", ALBERT, 256, {}, 1.54),
        ("lora", E5, 512, {}, 3.62),
        ("head-only", E5, 512, {}, 2.22),
        ("freeze", E5, 512, {"last_layers": 3}, 2.22),
    ],
)
def test_no_estimate_is_below_what_a_fit_took(
    method: str, base: ModelFacts, longest: int, settings: dict[str, Any], gigabytes: float
) -> None:
    found = estimated(method, base, longest, settings=settings).peak_bytes / 1e9
    assert gigabytes <= found < 2.5 * gigabytes


@pytest.mark.skipif(library() is None, reason="no C compiler")
def test_layers_that_are_computed_as_a_whole_keep_little(tmp_path: Path) -> None:
    config, llama = tmp_path / "config.json", SMOLLM.model_copy(update={"path": str(tmp_path)})
    # Heads of 48 numbers are attended to with shares on every processor.
    config.write_text('{"attention_bias": false, "attention_dropout": 0.0, "num_attention_heads": 12}', encoding="utf-8")
    # On the rows of `benchmarks/train_cpu.py`, of up to 512 tokens, a fit with shares took 1.90 GB and 4.02 GB.
    for method, gigabytes in (("lora", 1.90), ("full", 4.02)):
        assert gigabytes <= estimated(method, llama, 512).peak_bytes / 1e9 < 1.5 * gigabytes
    plain = estimated("lora", SMOLLM, 512).peak_bytes
    assert estimated("lora", llama, 512).peak_bytes < plain - 10**9
    for settings in ({"dropout": 0.1}, {"adapter_dropout": 0.1}, {"compile": "yes"}):
        assert estimated("lora", llama, 512, settings=settings).peak_bytes == plain, settings
    without_bf16 = DEVICE.model_copy(update={"bf16": False})
    assert estimated("lora", llama, 512, device=without_bf16) == estimated("lora", SMOLLM, 512, device=without_bf16)
    assert estimated("lora", llama, 769) == estimated("lora", SMOLLM, 769)
    assert LONGEST_WHOLE == LONGEST
    config.write_text('{"attention_bias": true}', encoding="utf-8")
    assert estimated("lora", llama, 512).peak_bytes == plain


@pytest.mark.skipif(
    not has_attention(torch.bfloat16, torch.device("cpu"), 64),
    reason="no C compiler, or a processor that does not multiply pairs of bfloat16",
)
def test_attention_in_tiles_keeps_no_shares(tmp_path: Path) -> None:
    config, llama = tmp_path / "config.json", SMOLLM.model_copy(update={"path": str(tmp_path)})
    config.write_text('{"num_attention_heads": 9}', encoding="utf-8")
    # On the same rows a fit took 1.69 GB and 3.39 GB.
    for method, gigabytes in (("lora", 1.69), ("full", 3.39)):
        assert gigabytes <= estimated(method, llama, 512).peak_bytes / 1e9 < 1.6 * gigabytes
    long = estimated("lora", llama, 2048).peak_bytes
    assert long < estimated("lora", SMOLLM, 2048).peak_bytes / 2
    config.write_text('{"num_attention_heads": 12}', encoding="utf-8")
    assert estimated("lora", llama, 2048) == estimated("lora", SMOLLM, 2048)
    assert set(HEADS_IN_TILES) == set(range(COLUMNS, LARGEST + 1, COLUMNS))


@pytest.mark.skipif(
    not encoder_attention.has_attention(torch.bfloat16, torch.device("cpu"), 32),
    reason="no C compiler, or a processor that does not multiply pairs of bfloat16",
)
@pytest.mark.parametrize(
    ("base", "longest", "heads", "gigabytes"), [(E5, 512, 12, 1.98), (MINILM, 256, 12, 0.87), (ALBERT, 256, 12, 1.48)]
)
def test_encoders_attention_in_tiles_keeps_no_shares(
    base: ModelFacts, longest: int, heads: int, gigabytes: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SONMAT_ATTENTION", raising=False)
    config, known = tmp_path / "config.json", base.model_copy(update={"path": str(tmp_path)})
    config.write_text(f'{{"num_attention_heads": {heads}}}', encoding="utf-8")
    found = estimated("full", known, longest)
    # What fits took, their memory in huge pages.
    assert gigabytes <= found.peak_bytes / 1e9 < 2 * gigabytes
    assert found.peak_bytes < estimated("full", base, longest).peak_bytes - 100e6
    # Adapters, compilers and processors without bf16 have matrices of shares, and so have heads of other sizes.
    assert estimated("lora", known, longest) == estimated("lora", base, longest)
    for changes in ({"settings": {"compile": "yes"}}, {"device": DEVICE.model_copy(update={"bf16": False})}):
        assert estimated("full", known, longest, **changes) == estimated("full", base, longest, **changes)
    with monkeypatch.context() as context:
        context.setenv("SONMAT_ATTENTION", "products")
        assert estimated("full", known, longest) == estimated("full", base, longest)
    for other in (f'"num_attention_heads": {heads * 4}', f'"num_attention_heads": {heads}, "hidden_act": "relu"'):
        config.write_text(f"{{{other}}}", encoding="utf-8")
        assert estimated("full", known, longest) == estimated("full", base, longest), other
    columns, largest = encoder_attention.COLUMNS, encoder_attention.LARGEST
    assert set(ENCODERS_HEADS_IN_TILES) == set(range(columns, largest + 1, columns))


@pytest.mark.parametrize("model_type", sorted(ENCODERS_IN_TILES))
def test_encoders_whose_attention_is_estimated_in_tiles_have_layers_that_compute_so(model_type: str) -> None:
    sizes = {"vocab_size": 20, "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    if model_type == "distilbert":
        sizes = {"vocab_size": 20, "dim": 64, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
    for activation in sorted(ENCODERS_ACTIVATIONS):
        named = {"activation" if model_type == "distilbert" else "hidden_act": activation}
        config = transformers.AutoConfig.for_model(model_type, **sizes, **named)
        assert fuse_encoder(transformers.AutoModel.from_config(config)) == 1, activation


def test_of_a_large_embedding_matrix_rows_in_use_alone_are_counted() -> None:
    few, many, unknown = (estimated("full", E5, 64, used_ids=used) for used in (4_000, 200_000, 0))
    assert few.checkpoint_bytes < many.checkpoint_bytes / 4
    assert few.peak_bytes < many.peak_bytes - 10 * 90_000_000
    # More than half are trained whole.
    assert many == unknown
    assert many.checkpoint_bytes == 12 * E5.parameters


def test_a_language_models_embeddings_are_its_output_layer_and_train_whole() -> None:
    assert estimated("full", SMOLLM, 64, used_ids=100).checkpoint_bytes == 12 * SMOLLM.parameters


def test_a_pass_holds_no_more_than_a_steps_rows_and_no_less_than_the_longest() -> None:
    few, more, most = (estimated("full", E5, 64, settings={"batch_size": size}).peak_bytes for size in (8, 16, 64))
    assert few < more < most == estimated("full", E5, 64, settings={"batch_size": 128}).peak_bytes
    short, long = (estimated("lora", SMOLLM, tokens).peak_bytes for tokens in (1024, 4096))
    assert long > 1.5 * short


def test_an_adapter_is_counted_beside_the_base_and_alone_on_the_disk() -> None:
    small, large = (estimated("lora", SMOLLM, 427, settings={"rank": rank}) for rank in (16, 64))
    # What PEFT makes of rank 16 on all linear layers of this base.
    assert 4_884_480 * 12 <= small.checkpoint_bytes < 1.1 * 4_884_480 * 12
    assert large.checkpoint_bytes == pytest.approx(4 * small.checkpoint_bytes, rel=1e-6)
    assert small.model_bytes < 4 * 5_400_000 + (64 << 20)
