"""A decoder layer with LoRA computed as a whole: norm → attention → norm → gated block, forward and backward by hand.

Between the matrix products there is one pass over memory for each part (`passes`), and the backward pass keeps only what is dear
to compute again: inputs of the two norms, queries, keys, values and shares of attention, its result, gate and up. Tokens lie one
behind another, so that a packed batch is computed without padding in every linear layer; attention takes rows of like length
together. Equal in outputs and gradients to Transformers' layer with PEFT's adapters, up to the rounding of the compute type.

It fits layers of Llama's build (Touvron et al. 2023): two plain RMS norms, rotary positions over whole heads, a gated feed-forward
block, all seven linear layers with LoRA. Rows longer than `attention.LONGEST`, caches and other types go through the layer's own
forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sonmat.training.fused import passes
from sonmat.training.fused.attention import LONGEST
from sonmat.training.fused.lora import LoraGroup
from sonmat.training.fused.passes import Heads

LIKE_LENGTH: Final = 1.25
"""Rows share a product of attention up to this ratio of their lengths."""
_ATTENTION, _BLOCK = ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")


def fuse_decoder_layers(
    model: nn.Module, group_of: Mapping[nn.Module, LoraGroup], activation: str, *, without_kernels: bool = False
) -> int:
    """Let every layer that fits be computed as a whole; returns how many do.

    Args:
        group_of: the LoRA layers that `fuse` has put together.
        activation: of the gate, one of `gate.ACTIVATIONS`.
        without_kernels: also where there are no compiled kernels for the type of the hidden states, which gains no speed.
    """
    fitting = [module for module in model.modules() if _fits(module, group_of)]
    for module in fitting:
        layer: Any = module
        fused = DecoderLayer(
            layer.forward,
            group_of[layer.self_attn.q_proj],
            group_of[layer.self_attn.o_proj],
            group_of[layer.mlp.gate_proj],
            group_of[layer.mlp.down_proj],
            layer.input_layernorm.weight,
            layer.post_attention_layernorm.weight,
            float(layer.input_layernorm.variance_epsilon),
            int(layer.self_attn.head_dim),
            float(layer.self_attn.scaling),
            activation,
            without_kernels,
        )
        layer.forward = fused.forward
    return len(fitting)


def has_whole_layers(model: nn.Module) -> bool:
    """Whether `fuse_decoder_layers` has found layers that fit."""
    return any(isinstance(getattr(module.forward, "__self__", None), DecoderLayer) for module in model.modules())


@dataclass(frozen=True)
class DecoderLayer:
    """What one layer computes with."""

    plain_forward: Callable[..., Tensor]
    """The layer's own, for what does not fit."""
    inputs: LoraGroup
    """Queries, keys, values."""
    output: LoraGroup
    gates: LoraGroup
    """Gate and up."""
    down: LoraGroup
    first_norm: Tensor
    second_norm: Tensor
    epsilon: float
    head_size: int
    scale: float
    activation: str
    without_kernels: bool

    @property
    def groups(self) -> tuple[LoraGroup, LoraGroup, LoraGroup, LoraGroup]:
        return self.inputs, self.output, self.gates, self.down

    @property
    def shared(self) -> int:
        """Heads of keys and values."""
        heads: int = self.inputs.widths[1] // self.head_size
        return heads

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = False,
        position_embeddings: tuple[Tensor, Tensor] | None = None,
        cu_seq_lens_q: Tensor | None = None,
        **more: Any,
    ) -> Tensor:
        """The signature of Transformers' decoder layers; hidden states of shape (rows, tokens, size)."""
        rows, width = hidden_states.shape[:2]
        # A mask of a packed batch says what its rows say; any other one hides something.
        usual = past_key_values is None and (attention_mask is None or cu_seq_lens_q is not None)
        starts = list(range(0, (rows + 1) * width, width)) if cu_seq_lens_q is None else cu_seq_lens_q.tolist()
        longest = max(end - start for start, end in pairwise(starts))
        if (
            not usual
            or position_embeddings is None
            or longest > LONGEST
            or not self._takes(hidden_states, position_embeddings[0])
        ):
            plain: Tensor = self.plain_forward(
                hidden_states,
                attention_mask=attention_mask,
                position_ids=position_ids,
                past_key_values=past_key_values,
                use_cache=use_cache,
                position_embeddings=position_embeddings,
                cu_seq_lens_q=cu_seq_lens_q,
                **more,
            )
            return plain
        cosine, sine = (
            each.to(hidden_states.dtype).expand(rows, -1, -1).reshape(rows * width, -1) for each in position_embeddings
        )
        heads = [
            Heads(torch.tensor(part), most, self.shared, self.inputs.widths[0] // self.inputs.widths[1], self.head_size)
            for part, most in alike(starts)
        ]
        matrices = [matrix for group in self.groups for matrix in (*group.downs, *group.ups)]
        flat = hidden_states.reshape(rows * width, -1)
        done: Tensor = _Whole.apply(flat, self, heads, cosine, sine, *matrices)  # type: ignore[no-untyped-call]
        return done.view_as(hidden_states)

    def _takes(self, hidden: Tensor, cosine: Tensor) -> bool:
        computes = self.without_kernels or passes.has_kernels(hidden)
        return computes and hidden.dtype == self.inputs.stacked.dtype and cosine.shape[-1] == self.head_size


def alike(starts: Sequence[int]) -> list[tuple[list[int], int]]:
    """Neighbouring rows of like length: where those of each group begin and the last one ends, and their greatest length."""
    groups: list[tuple[list[int], int]] = []
    shortest = 0
    for start, end in pairwise(starts):
        length = end - start
        if groups:
            bounds, longest = groups[-1]
            low, high = min(shortest, length), max(longest, length)
            if high <= LIKE_LENGTH * low + 8:
                groups[-1] = ([*bounds, end], high)
                shortest = low
                continue
        groups.append(([start, end], length))
        shortest = length
    return groups


def _fits(module: nn.Module, group_of: Mapping[nn.Module, LoraGroup]) -> bool:
    names = {name for name, _ in module.named_children()}
    if names != {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}:
        return False
    layer: Any = module
    attention, block = layer.self_attn, layer.mlp
    if {name for name, _ in attention.named_children()} != set(_ATTENTION) or getattr(attention, "sliding_window", None):
        return False
    linear = [getattr(attention, name, None) for name in _ATTENTION] + [getattr(block, name, None) for name in _BLOCK]
    if any(each not in group_of for each in linear) or attention.attention_dropout:
        return False
    together = group_of[attention.q_proj] is group_of[attention.k_proj] is group_of[attention.v_proj]
    norms = (layer.input_layernorm, layer.post_attention_layernorm)
    plain = all(hasattr(norm, "variance_epsilon") and not norm.weight.requires_grad for norm in norms)
    return together and group_of[block.gate_proj] is group_of[block.up_proj] and plain


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, layer: DecoderLayer, heads: list[Heads], cosine: Tensor, sine: Tensor, *matrices: Tensor
    ) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            _, normed, inverse = passes.norm_forward(x, None, layer.first_norm, layer.epsilon)
            product, small_inputs = layer.inputs.product(normed)
            mixed = x.new_empty(len(x), layer.inputs.widths[0])
            kept: list[Tensor] = []
            for each in heads:
                queries, keys, values = each.split(product, cosine, sine)
                shares = each.shares(torch.bmm(queries, keys.transpose(1, 2)), layer.scale)
                each.mixed_to_flat(torch.bmm(shares, values), mixed)
                kept += [queries, keys, values, shares]
            attended, small_output = layer.output.product(mixed)
            total, normed, second = passes.norm_forward(x, attended[:, : x.shape[1]], layer.second_norm, layer.epsilon)
            both, small_gates = layer.gates.product(normed)
            gated = passes.gate_forward(both, layer.gates.widths[0], layer.activation)
            done, small_down = layer.down.product(gated)
        ctx.layer, ctx.heads = layer, heads
        ctx.save_for_backward(
            x, inverse, mixed, total, second, both, small_inputs, small_output, small_gates, small_down, cosine, sine, *kept
        )
        return total + done[:, : x.shape[1]]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        layer: DecoderLayer = ctx.layer
        x, inverse, mixed, total, second, both, small_inputs, small_output, small_gates, small_down, *rest = (
            ctx.saved_tensors
        )
        cosine, sine, *kept = rest
        with torch.autocast(x.device.type, enabled=False):
            of_down, of_both = layer.down.upstream(x), layer.gates.upstream(x)
            layer.down.outputs_of(of_down).copy_(gradient)
            of_gated = layer.down.input_gradient(of_down)
            gated = passes.gate_backward(both, layer.gates.widths[0], layer.activation, of_gated, of_both)
            down_matrices = layer.down.matrix_gradients(of_down, gated, small_down)
            of_normed = layer.gates.input_gradient(of_both)
            normed = passes.norm_again(total, layer.second_norm, second)
            gate_matrices = layer.gates.matrix_gradients(of_both, normed, small_gates)
            of_output = layer.output.upstream(x)
            of_total = layer.output.outputs_of(of_output)
            passes.norm_backward(of_normed, total, layer.second_norm, second, gradient.contiguous(), of_total)
            of_mixed = layer.output.input_gradient(of_output)
            output_matrices = layer.output.matrix_gradients(of_output, mixed, small_output)
            of_inputs = layer.inputs.upstream(x)
            for number, each in enumerate(ctx.heads):
                _attention_backward(each, kept[4 * number : 4 * number + 4], of_mixed, cosine, sine, of_inputs, layer.scale)
            of_normed = layer.inputs.input_gradient(of_inputs)
            normed = passes.norm_again(x, layer.first_norm, inverse)
            input_matrices = layer.inputs.matrix_gradients(of_inputs, normed, small_inputs)
            of_x = None
            if ctx.needs_input_grad[0]:
                of_x = torch.empty_like(x)
                passes.norm_backward(of_normed, x, layer.first_norm, inverse, of_total, of_x)
        return of_x, None, None, None, None, *input_matrices, *output_matrices, *gate_matrices, *down_matrices


def _attention_backward(
    heads: Heads, kept: Sequence[Tensor], of_mixed: Tensor, cosine: Tensor, sine: Tensor, of_inputs: Tensor, scale: float
) -> None:
    """Writes the gradients of queries, keys and values into the first columns of `of_inputs`."""
    queries, keys, values, shares = kept
    upstream = heads.flat_to_mixed(of_mixed)
    of_values = torch.bmm(shares.transpose(1, 2), upstream)
    of_scores = heads.of_scores(shares, torch.bmm(upstream, values.transpose(1, 2)), scale)
    of_queries = torch.bmm(of_scores, keys)
    of_keys = torch.bmm(of_scores.transpose(1, 2), queries)
    heads.joined(of_queries, of_keys, of_values, cosine, sine, of_inputs)
