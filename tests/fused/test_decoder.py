"""A decoder layer computed as a whole: equal to Transformers' layer with PEFT's adapters, in padded and in packed batches."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sonmat import plugins
from sonmat.core.protocols import Row
from sonmat.training.fused import attention, decoder, encoder_passes, passes
from sonmat.training.fused import fuse as fusing
from sonmat.training.fused.layout import alike
from sonmat.training.fused.native import library as native
from sonmat.training.fused.passes import Heads
from sonmat.training.fused.row_attention import has_attention
from sonmat.training.packing import pack, use_blocks
from sonmat.training.shared_beginnings import IGNORED

one_kernel = pytest.mark.skipif(
    not has_attention(torch.bfloat16, torch.device("cpu"), 64),
    reason="no C compiler, or a processor that does not multiply pairs of bfloat16",
)
LENGTHS = (21, 13, 4)
TOLERANCE = {torch.float64: 1e-6, torch.bfloat16: 0.02}


def adapted(dtype: torch.dtype, **changes: Any) -> Any:
    """A small Llama with LoRA on all linear layers, none of them zero."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, LlamaConfig

    sizes: dict[str, Any] = {"hidden_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16}
    sizes |= {"vocab_size": 64, "num_hidden_layers": 2, "intermediate_size": 96, "max_position_embeddings": 1024, **changes}
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_config(LlamaConfig(**sizes, attn_implementation="sdpa")).to(dtype)
    model = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = torch.empty_like(parameter, dtype=torch.promote_types(dtype, torch.float32)).normal_(0, 0.05)
    return model


def trained_whole(dtype: torch.dtype, **changes: Any) -> Any:
    """The same model without adapters, every weight of which trains; float32 where it computes in bfloat16."""
    model = adapted(torch.float32 if dtype == torch.bfloat16 else dtype, **changes).get_base_model()
    plain: Any = type(model)(model.config).to(torch.float32 if dtype == torch.bfloat16 else dtype)
    torch.manual_seed(5)
    for parameter in plain.parameters():
        torch.nn.init.normal_(parameter, 1.0 if parameter.ndim == 1 else 0.0, 0.1)
    plain.set_attn_implementation("sdpa")
    plain.get_base_model = lambda: plain
    plain.compute_type = dtype
    return plain


def fused(model: Any, monkeypatch: pytest.MonkeyPatch, layers: int = 2) -> Any:
    """`model` with its layers computed as a whole, with or without compiled kernels."""
    found: list[int] = []
    whole: Callable[..., int] = decoder.fuse_decoder_layers
    with monkeypatch.context() as patched:
        patched.setattr(fusing, "fuse_decoder_layers", lambda *given: found.append(whole(*given, without_kernels=True)))
        fusing.fuse(model, plugins.find("families", "llama").fusions)
    assert found == [layers]
    return model


def outcome(model: Any, *, packed: bool = False) -> tuple[Tensor, Tensor]:
    """Last hidden states of all real tokens, and the gradients of all adapters of a loss over them, in one row."""
    chance = torch.Generator().manual_seed(3)
    ids = torch.randint(0, 64, (len(LENGTHS), max(LENGTHS)), generator=chance)
    body = model.get_base_model().model
    dtype = getattr(model, "compute_type", body.embed_tokens.weight.dtype)
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        if packed:
            rows = torch.cat([ids[row, :length] for row, length in enumerate(LENGTHS)])[None]
            places = torch.cat([torch.arange(length) for length in LENGTHS])[None]
            begins = torch.tensor([0, 21, 34, 38], dtype=torch.int32)
            hidden = body(input_ids=rows, position_ids=places, cu_seq_lens_q=begins, use_cache=False).last_hidden_state[0]
        else:
            padded = body(input_ids=ids, use_cache=False).last_hidden_state
            hidden = torch.cat([padded[row, :length] for row, length in enumerate(LENGTHS)])
    hidden.double().pow(3).sum().backward()
    trained = [parameter for parameter in body.parameters() if parameter.requires_grad]
    gradients = torch.cat([parameter.grad.flatten() for parameter in trained])
    model.zero_grad()
    return hidden.detach().double(), gradients.double()


def distance(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=["float64", "bfloat16"])
@pytest.mark.parametrize("packed", [False, True], ids=["padded", "packed"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"attention_bias": True}, {"hidden_size": 32}, {"head_dim": 64}],
    ids=["plain", "biases", "narrow", "heads of one kernel"],
)
@pytest.mark.parametrize("built", [adapted, trained_whole], ids=["lora", "full"])
def test_outputs_and_gradients_are_those_of_the_plain_layers(
    dtype: torch.dtype,
    packed: bool,
    changes: dict[str, Any],
    built: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden, gradients = outcome(built(dtype, **changes))
    own_hidden, own_gradients = outcome(fused(built(dtype, **changes), monkeypatch), packed=packed)
    assert distance(own_hidden, hidden) < TOLERANCE[dtype]
    assert distance(own_gradients, gradients) < TOLERANCE[dtype]


@pytest.mark.parametrize("built", [adapted, trained_whole], ids=["lora", "full"])
def test_a_look_without_gradients_may_come_before_training(
    built: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = outcome(built(torch.float64))[1]
    model = fused(built(torch.float64), monkeypatch)
    with torch.inference_mode():
        model.get_base_model().model(input_ids=torch.arange(5)[None], use_cache=False)
    assert distance(outcome(model)[1], expected) < 1e-6


@pytest.mark.parametrize("fast", [False, True], ids=["plain", "fused"])
def test_an_adapter_that_the_optimiser_has_moved_is_used_at_once(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model, plain = fused(adapted(torch.float64), monkeypatch), adapted(torch.float64)
    before, _ = outcome(model)
    for each in (model, plain):
        trained = [parameter for parameter in each.parameters() if parameter.requires_grad]
        for parameter in trained:
            parameter.grad = torch.ones_like(parameter)
        # PyTorch's fused kernel moves weights without counting their versions.
        torch.optim.AdamW(trained, lr=0.1, fused=fast).step()
    after, _ = outcome(model)
    assert distance(after, before) > 1e-3
    assert distance(after, outcome(plain)[0]) < 1e-6


def test_an_adapter_that_was_put_back_is_used_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fused(adapted(torch.float64), monkeypatch)
    stored = {name: tensor.clone() for name, tensor in model.state_dict().items() if "lora_" in name}
    before, _ = outcome(model)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.mul_(1.5)
    assert distance(outcome(model)[0], before) > 1e-3
    model.load_state_dict(stored, strict=False)
    assert distance(outcome(model)[0], before) == 0


def test_long_rows_and_generation_go_through_the_layers_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, model = adapted(torch.float64), fused(adapted(torch.float64), monkeypatch)
    monkeypatch.setattr(decoder, "LONGEST", 8)
    assert distance(outcome(model)[0], outcome(plain)[0]) < 1e-6
    prompt = torch.arange(5)[None]
    written = [
        each.generate(input_ids=prompt, max_new_tokens=6, do_sample=False, pad_token_id=0) for each in (plain, model)
    ]
    assert torch.equal(*written)


def test_a_mask_over_a_padded_batch_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, model = adapted(torch.float64), fused(adapted(torch.float64), monkeypatch)
    ids, mask = torch.arange(12).view(2, 6), torch.tensor([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]])
    found = [
        each.get_base_model().model(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()].detach()
        for each in (plain, model)
    ]
    assert distance(found[1], found[0]) < 1e-6


def test_a_layer_with_other_parts_is_left_as_it_is() -> None:
    model = adapted(torch.float64)
    model.get_base_model().model.layers[1].self_attn.q_norm = torch.nn.Identity()
    for parameter in model.get_base_model().model.layers[0].mlp.down_proj.parameters():
        parameter.requires_grad_(True)
    assert decoder.fuse_decoder_layers(model, {}, "silu", without_kernels=True) == 0


def test_neighbouring_rows_of_like_length_are_taken_together() -> None:
    assert alike([0, 100, 190, 280, 290, 299]) == [([0, 100, 190, 280], 100), ([280, 290, 299], 10)]
    assert alike([0, 7]) == [([0, 7], 7)]


# ── the kernels against PyTorch's operations ────────────────────────────────────────────────────────────────────────


compiled = pytest.mark.skipif(native.library() is None, reason="no C compiler here")


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).bfloat16()


def both_ways(compute: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """What the kernels give and what PyTorch gives."""
    own = compute()
    with monkeypatch.context() as patched:
        patched.setattr(passes, "_native", lambda tensor: None)
        return own, compute()


def assert_close(own: Any, other: Any) -> None:
    for one, reference in zip(own, other, strict=True):
        torch.testing.assert_close(one, reference, rtol=0.02, atol=0.02)


@compiled
def test_norm_kernels_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    def compute() -> list[Tensor]:
        x, added, weight = numbers(5, 40), numbers(5, 64, seed=1)[:, :40], numbers(40, seed=2)
        total, normed, inverse = passes.norm_forward(x, added, weight, 1e-5)
        out = numbers(5, 50, seed=4)
        passes.norm_backward(numbers(5, 40, seed=3), total, weight, inverse, added, out[:, :40])
        return [
            total,
            normed,
            inverse,
            passes.norm_again(total, weight, inverse),
            out,
            *passes.norm_forward(x, None, weight, 1e-5),
        ]

    assert_close(*both_ways(compute, monkeypatch))


@compiled
@pytest.mark.parametrize("activation", ["silu", "gelu_pytorch_tanh"])
def test_gate_kernels_agree(activation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def compute() -> list[Tensor]:
        both, of_both = numbers(6, 70) * 3, torch.zeros(6, 66).bfloat16()
        product = passes.gate_backward(both, 32, activation, numbers(6, 32, seed=1), of_both)
        return [passes.gate_forward(both, 32, activation), product, of_both]

    assert_close(*both_ways(compute, monkeypatch))


@compiled
@pytest.mark.parametrize("block", [(0, 7), (0, 4), (4, 7)])
def test_attention_kernels_agree(block: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    heads = Heads(torch.tensor([2, 9, 14]), 7, shared=2, group=2, size=8)
    part = slice(2 * block[0], 2 * block[1])

    def compute() -> list[Tensor]:
        flat, cosine, sine = numbers(16, 70), numbers(16, 8, seed=1), numbers(16, 8, seed=2)
        queries, keys, values = heads.split(flat, cosine, sine)
        shares = heads.shares(torch.bmm(queries[:, part], keys[:, : block[1]].transpose(1, 2)), block, 0.3)
        mixed, back = torch.zeros(16, 32).bfloat16(), torch.zeros(16, 64).bfloat16()
        heads.mixed_to_flat(queries, mixed)
        upstream = heads.flat_to_mixed(numbers(16, 32, seed=3))
        of_shares = torch.bmm(upstream[:, part], values[:, : block[1]].transpose(1, 2))
        of_scores = heads.of_scores(shares, of_shares, block, 0.3)
        heads.joined(queries, keys, values, cosine, sine, back)
        return [queries, keys, values, shares, mixed, upstream, of_scores, back]

    own, other = both_ways(compute, monkeypatch)
    assert_close(own, other)
    seen = own[3].view(2, 2, block[1] - block[0], 2, block[1]).float()
    places = torch.arange(*block)
    assert torch.all(seen.masked_select(places[:, None, None] < torch.arange(block[1])) == 0)
    assert torch.all(seen[1, :, places >= 5] == 0)
    torch.testing.assert_close(seen[0].sum(dim=-1), torch.ones(2, len(places), 2), rtol=0.01, atol=0.01)


def test_blocks_of_a_long_row_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fused(adapted(torch.float64), monkeypatch)
    whole = outcome(model)
    monkeypatch.setattr(passes, "BLOCK", 6)
    assert len(Heads(torch.tensor([0, 21]), 21, 1, 1, 4).blocks) > 2
    for packed in (False, True):
        blocks = outcome(model, packed=packed)
        assert distance(blocks[0], whole[0]) < 1e-9
        assert distance(blocks[1], whole[1]) < 1e-9


@compiled
def test_the_cross_entropy_kernel_agrees_with_pytorch_and_writes_its_gradient() -> None:
    logits, targets = numbers(7, 300) * 4, torch.arange(7) * 40
    wide = logits.float().requires_grad_()
    expected = torch.nn.functional.cross_entropy(wide, targets, reduction="none")
    expected.sum().backward()
    losses = passes.cross_entropy(logits, targets, gradient=True)
    assert losses is not None
    assert wide.grad is not None
    torch.testing.assert_close(losses, expected.detach(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits.float(), wide.grad, rtol=0.01, atol=1e-3)


@compiled
def test_what_is_not_a_number_stays_so_through_every_kernel() -> None:
    broken = numbers(3, 16)
    broken[1, 5] = torch.nan
    assert passes.norm_forward(broken, None, numbers(16), 1e-5)[1][1].isnan().all()
    assert passes.gate_forward(broken, 8, "silu")[1, 5].isnan()
    losses = passes.cross_entropy(broken, torch.zeros(3, dtype=torch.int64), gradient=True)
    assert losses is not None
    assert losses.isnan().tolist() == [False, True, False]


def test_kernels_can_be_switched_off_and_a_missing_compiler_is_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SONMAT_KERNELS", "off")
    native.library.cache_clear()
    assert native.library() is None
    monkeypatch.delenv("SONMAT_KERNELS")
    monkeypatch.setenv("PATH", str(tmp_path))
    native.library.cache_clear()
    assert native.library() is None
    native.library.cache_clear()


def test_a_compiler_that_refuses_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refusing = tmp_path / "cc"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SONMAT_CACHE", str(tmp_path))
    native.library.cache_clear()
    assert native.library() is None
    native.library.cache_clear()


def test_no_row_of_scores_is_longer_than_the_kernels_room_for_it() -> None:
    found = {path.stem: re.search(r"#define MOST_KEYS (\d+)", path.read_text(encoding="utf-8")) for path in native.SOURCES}
    rooms = {name: int(room[1]) for name, room in found.items() if room is not None}
    assert rooms["decoder"] >= attention.LONGEST
    assert rooms["encoder"] >= encoder_passes.MOST_KEYS


# ── rows that begin alike ───────────────────────────────────────────────────────────────────────────────────────────


def rows_that_begin_alike() -> list[Row]:
    """Two groups of rows with common beginnings, and two rows with none; answers begin behind what is common."""
    chance = torch.Generator().manual_seed(4)

    def some(count: int) -> list[int]:
        return torch.randint(0, 64, (count,), generator=chance).tolist()

    system, document = some(20), some(17)
    questions = [
        (system, 6, 9),
        ([], 4, 5),
        (document, 5, 8),
        (system, 3, 2),
        (document, 8, 12),
        (system, 7, 7),
        ([], 2, 3),
    ]
    found = []
    for begun, asked, answered in questions:
        ids = [*begun, *some(asked + answered)]
        labels = [IGNORED] * (len(begun) + asked) + ids[len(begun) + asked :]
        found.append(Row({"input_ids": ids, "labels": labels}, len(ids)))
    return found


def losses_and_gradients(model: Any, batches: list[Any]) -> tuple[Tensor, Tensor]:
    dtype = getattr(model, "compute_type", model.get_base_model().model.embed_tokens.weight.dtype)
    sums = []
    for batch in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            sums.append(plugins.find("tasks", "chat").losses(model, batch).sums)
    torch.cat(sums).sum().backward()
    decoder = model.get_base_model().model
    gradients = torch.cat([each.grad.flatten() for each in decoder.parameters() if each.grad is not None])
    model.zero_grad()
    return torch.cat(sums).detach().double(), gradients.double()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=["float64", "bfloat16"])
@pytest.mark.parametrize("built", [adapted, trained_whole], ids=["lora", "full"])
@pytest.mark.parametrize(("block", "head"), [(passes.BLOCK, 16), (3, 16), (passes.BLOCK, 64)])
def test_what_rows_begin_with_is_computed_once_and_nothing_else_changes(
    dtype: torch.dtype, built: Callable[..., Any], block: int, head: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_that_begin_alike()
    plain, plain_gradients = losses_and_gradients(built(dtype, head_dim=head), [pack([row]) for row in rows])
    monkeypatch.setattr(passes, "BLOCK", block)
    batch = pack(rows, share=40)
    assert batch["input_ids"].shape[1] == sum(row.length for row in rows) - 2 * 20 - 17
    model = fused(built(dtype, head_dim=head), monkeypatch)
    own, gradients = losses_and_gradients(model, [batch])
    assert distance(own, plain) < TOLERANCE[dtype]
    assert distance(gradients, plain_gradients) < TOLERANCE[dtype]


def test_layers_that_cannot_share_refuse_rows_that_do(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, model = pack(rows_that_begin_alike(), share=40), adapted(torch.float64)
    assert decoder.shares_up_to(model, torch.float64) == 0
    model.set_attn_implementation(attention.register())
    use_blocks(model)
    with pytest.raises(ValueError, match="share their beginnings"):
        plugins.find("tasks", "chat").losses(model, batch)
    model = fused(model, monkeypatch)
    assert decoder.shares_up_to(model, torch.float64) == attention.LONGEST
    assert decoder.shares_up_to(model, torch.bfloat16) == 0
    monkeypatch.setattr(decoder, "LONGEST", 8)
    with pytest.raises(ValueError, match="share their beginnings"):
        plugins.find("tasks", "chat").losses(model, batch)


def test_rows_too_long_to_be_computed_as_a_whole_share_nothing() -> None:
    rows = rows_that_begin_alike()
    assert "row_of_segment" in pack(rows, share=37)
    assert "row_of_segment" not in pack(rows, share=36)


@one_kernel
def test_rows_of_any_length_are_computed_as_a_whole_where_one_kernel_attends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "LONGEST", 8)
    hidden, gradients = outcome(adapted(torch.bfloat16, head_dim=64))
    model = fused(adapted(torch.bfloat16, head_dim=64), monkeypatch)
    assert decoder.shares_up_to(model, torch.bfloat16) == sys.maxsize
    for layer in model.get_base_model().model.layers:
        object.__setattr__(layer.computed_whole, "plain_forward", None)
    own_hidden, own_gradients = outcome(model)
    assert distance(own_hidden, hidden) < TOLERANCE[torch.bfloat16]
    assert distance(own_gradients, gradients) < TOLERANCE[torch.bfloat16]


@compiled
@pytest.mark.parametrize("block", [(0, 7), (0, 4), (4, 7)])
def test_attention_kernels_agree_behind_a_beginning(block: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    heads = Heads(torch.tensor([4, 11, 16]), 7, 2, 2, 8, beginning=(1, 3))
    part, seen = slice(2 * block[0], 2 * block[1]), slice(3 + block[1])

    def compute() -> list[Tensor]:
        flat, cosine, sine = numbers(18, 70), numbers(18, 8, seed=1), numbers(18, 8, seed=2)
        queries, keys, values = heads.split(flat, cosine, sine)
        shares = heads.shares(torch.bmm(queries[:, part], keys[:, seen].transpose(1, 2)), block, 0.3)
        back = torch.zeros(18, 64).bfloat16()
        upstream = heads.flat_to_mixed(numbers(18, 32, seed=3))
        of_shares = torch.bmm(upstream[:, part], values[:, seen].transpose(1, 2))
        of_scores = heads.of_scores(shares, of_shares, block, 0.3)
        heads.joined(queries, keys, values, cosine, sine, back)
        return [queries, keys, values, shares, of_scores, back]

    own, other = both_ways(compute, monkeypatch)
    assert_close(own, other)
    assert own[1].shape == (4, 10, 8)
    assert torch.all(own[-1][:4] == 0)
