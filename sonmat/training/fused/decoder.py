"""A decoder layer computed as a whole, with LoRA or with all weights in training; forward and backward by hand.

norm → attention → norm → gated block. Between the matrix products there is one pass over memory for each part (`passes`), and the
backward pass keeps only what is dear to compute again: inputs of the two norms, queries, keys and values, what attention gave,
gate and up. Tokens lie one behind another, so that a packed batch is computed without padding in every linear layer;
attention takes rows of like length together, and tokens that several rows begin with are computed once (`layout`). Equal in outputs
and gradients to Transformers' layer with PEFT's adapters, up to the rounding of the compute type, which hidden states are of
between layers.

It fits layers of Llama's build (Touvron et al. 2023): two plain RMS norms, rotary positions over whole heads, a gated feed-forward
block, and either all seven linear layers with LoRA or all seven trained. Caches, other types, and rows longer than `attention.LONGEST`
where no kernel attends in tiles (`row_attention`) go through the layer's own forward pass.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.profiler import record_function

from sonmat.training.fused import passes
from sonmat.training.fused.attention import LONGEST
from sonmat.training.fused.layout import Layout, Layouts
from sonmat.training.fused.lora import LoraGroup
from sonmat.training.fused.passes import Heads
from sonmat.training.fused.row_attention import has_attention
from sonmat.training.fused.trained import TrainedGroup
from sonmat.training.profile import ATTENTION
from sonmat.training.varlen import ROW_OF_SEGMENT, refuse_shared

Group = LoraGroup | TrainedGroup

_layouts = Layouts()
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
    fitting = [(module, groups) for module in model.modules() if (groups := _groups(module, group_of)) is not None]
    for module, groups in fitting:
        layer: Any = module
        fused = DecoderLayer(
            layer.forward,
            *groups,
            layer.input_layernorm.weight,
            layer.post_attention_layernorm.weight,
            float(layer.input_layernorm.variance_epsilon),
            int(layer.self_attn.head_dim),
            float(layer.self_attn.scaling),
            activation,
            without_kernels,
        )
        # Named as well, because others may wrap `forward` later on.
        layer.computed_whole, layer.forward = fused, fused.forward
    return len(fitting)


def shares_up_to(model: nn.Module, dtype: torch.dtype) -> int:
    """Tokens of the longest rows that may share what they begin with: those that all layers compute as a whole in `dtype`."""
    decoder: Any = model.get_decoder()  # type: ignore[operator]
    found = [getattr(layer, "computed_whole", None) for layer in getattr(decoder, "layers", ())]
    return min((0 if each is None else each.longest(dtype) for each in found), default=0)


def has_whole_layers(model: nn.Module) -> bool:
    """Whether `fuse_decoder_layers` has found layers that fit."""
    return any(hasattr(module, "computed_whole") for module in model.modules())


@dataclass(frozen=True)
class DecoderLayer:
    """What one layer computes with."""

    plain_forward: Callable[..., Tensor]
    """The layer's own, for what does not fit."""
    inputs: Group
    """Queries, keys, values."""
    output: Group
    gates: Group
    """Gate and up."""
    down: Group
    first_norm: Tensor
    second_norm: Tensor
    epsilon: float
    head_size: int
    scale: float
    activation: str
    without_kernels: bool

    @property
    def groups(self) -> tuple[Group, Group, Group, Group]:
        return self.inputs, self.output, self.gates, self.down

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Heads of keys and values, heads of queries for each of them, numbers of a head."""
        queries, keys = self.inputs.widths[:2]
        return keys // self.head_size, queries // keys, self.head_size

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = False,
        position_embeddings: tuple[Tensor, Tensor] | None = None,
        cu_seq_lens_q: Tensor | None = None,
        row_of_segment: Tensor | None = None,
        **more: Any,
    ) -> Tensor:
        """The signature of Transformers' decoder layers; hidden states of shape (rows, tokens, size).

        Raises:
            ValueError: rows share what they begin with (`row_of_segment`) and the layer cannot be computed as a whole.
        """
        rows, width = hidden_states.shape[:2]
        dtype = _compute_type(hidden_states)
        # A mask of a packed batch says what its rows say; any other one hides something.
        usual = past_key_values is None and (attention_mask is None or cu_seq_lens_q is not None)
        layout: Layout | None = None
        if usual and position_embeddings is not None and self._takes(dtype, position_embeddings[0], row_of_segment):
            layout = _layouts.of(position_embeddings, (rows, width), dtype, self.sizes, cu_seq_lens_q, row_of_segment)
        if layout is None or layout.longest > self.longest(dtype):
            refuse_shared({ROW_OF_SEGMENT: row_of_segment})
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
        matrices = [matrix for group in self.groups for matrix in group.matrices]
        flat = hidden_states.reshape(rows * width, -1).to(dtype)
        done: Tensor = _Whole.apply(  # type: ignore[no-untyped-call]
            flat, self, layout, self.first_norm, self.second_norm, *matrices
        )
        return done.view_as(hidden_states)

    def longest(self, dtype: torch.dtype) -> int:
        """Tokens of the longest row that is computed as a whole; 0 where none is."""
        if not self.computes_in(dtype):
            return 0
        return sys.maxsize if has_attention(dtype, self.first_norm.device, self.head_size) else LONGEST

    def computes_in(self, dtype: torch.dtype) -> bool:
        return all(group.computes_in(dtype) for group in self.groups)

    def _takes(self, dtype: torch.dtype, cosine: Tensor, row_of_segment: Tensor | None) -> bool:
        # Sharing gains more than kernels do.
        gains = self.without_kernels or row_of_segment is not None or passes.has_kernels(dtype, cosine.device)
        return gains and self.computes_in(dtype) and cosine.shape[-1] == self.head_size


def _compute_type(hidden: Tensor) -> torch.dtype:
    kind = hidden.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype


def linear_layers(module: nn.Module) -> list[list[Any]] | None:
    """Linear layers of a decoder layer of Llama's build, with or without adapters, by shared input: queries, keys and values; output;
    gate and up; down. None where the module is none."""
    if {name for name, _ in module.named_children()} != {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}:
        return None
    layer: Any = module
    attention, block = layer.self_attn, layer.mlp
    if {name for name, _ in attention.named_children()} != set(_ATTENTION) or getattr(attention, "sliding_window", None):
        return None
    norms = (layer.input_layernorm, layer.post_attention_layernorm)
    if attention.attention_dropout or not all(hasattr(norm, "variance_epsilon") for norm in norms):
        return None
    if not {*_BLOCK, "act_fn"} <= {name for name, _ in block.named_children()}:
        return None
    together = (_ATTENTION[:3], _ATTENTION[3:], _BLOCK[:2], _BLOCK[2:])
    return [
        [getattr(parent, name) for name in names]
        for parent, names in zip((attention, attention, block, block), together, strict=True)
    ]


def _groups(module: nn.Module, group_of: Mapping[nn.Module, LoraGroup]) -> tuple[Group, Group, Group, Group] | None:
    """The layers by shared input that are computed together; None where the module is none that fits."""
    layers = linear_layers(module)
    if layers is None:
        return None
    if all(each in group_of for shared in layers for each in shared):
        layer: Any = module
        norms = (layer.input_layernorm, layer.post_attention_layernorm)
        alike = all(group_of[shared[0]] is group_of[each] for shared in layers for each in shared)
        frozen = not any(norm.weight.requires_grad for norm in norms)
        first, second, third, fourth = (group_of[shared[0]] for shared in layers)
        return (first, second, third, fourth) if alike and frozen else None
    if all(type(each) is nn.Linear and each.weight.requires_grad for shared in layers for each in shared):
        one, two, three, four = map(TrainedGroup, layers)
        return one, two, three, four
    return None


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        layer: DecoderLayer,
        layout: Layout,
        first_norm: Tensor,
        second_norm: Tensor,
        *matrices: Tensor,
    ) -> Tensor:
        first_norm, second_norm = first_norm.to(x.dtype), second_norm.to(x.dtype)
        with torch.autocast(x.device.type, enabled=False):
            _, normed, inverse = passes.norm_forward(x, None, first_norm, layer.epsilon)
            product, small_inputs = layer.inputs.product(normed)
            mixed = x.new_empty(len(x), layer.inputs.widths[0])
            kept: list[Tensor] = []
            with record_function(ATTENTION):
                if layout.rows is not None:
                    kept = [product, layout.rows.forward(product, layer.scale, mixed)]
                else:
                    for each in layout.heads:
                        kept += _attention(each, product, layout, mixed, layer.scale)
            attended, small_output = layer.output.product(mixed)
            total, normed, second = passes.norm_forward(x, attended[:, : x.shape[1]], second_norm, layer.epsilon)
            both, small_gates = layer.gates.product(normed)
            gated = passes.gate_forward(both, layer.gates.widths[0], layer.activation)
            done, small_down = layer.down.product(gated)
        ctx.layer, ctx.layout = layer, layout
        small = (small_inputs, small_output, small_gates, small_down)
        ctx.save_for_backward(x, inverse, mixed, total, second, both, *small, first_norm, second_norm, *kept)
        return total + done[:, : x.shape[1]]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        layer: DecoderLayer = ctx.layer
        layout: Layout = ctx.layout
        x, inverse, mixed, total, second, both, small_inputs, small_output, small_gates, small_down, *rest = (
            ctx.saved_tensors
        )
        first_norm, second_norm, *kept = rest
        of_first_norm: Tensor | None = None
        of_second_norm: Tensor | None = None
        with torch.autocast(x.device.type, enabled=False):
            of_down, of_both = layer.down.upstream(x), layer.gates.upstream(x)
            layer.down.outputs_of(of_down).copy_(gradient)
            of_gated = layer.down.input_gradient(of_down)
            gated = passes.gate_backward(both, layer.gates.widths[0], layer.activation, of_gated, of_both)
            down_matrices = layer.down.matrix_gradients(of_down, gated, small_down)
            of_normed = layer.gates.input_gradient(of_both)
            normed = passes.norm_again(total, second_norm, second)
            gate_matrices = layer.gates.matrix_gradients(of_both, normed, small_gates)
            of_output = layer.output.upstream(x)
            of_total = layer.output.outputs_of(of_output)
            if ctx.needs_input_grad[4]:
                of_second_norm = passes.norm_weight_gradient(of_normed, total, second).to(layer.second_norm.dtype)
            passes.norm_backward(of_normed, total, second_norm, second, gradient.contiguous(), of_total)
            of_mixed = layer.output.input_gradient(of_output)
            output_matrices = layer.output.matrix_gradients(of_output, mixed, small_output)
            of_inputs = layer.inputs.upstream(x)
            inherited: _Inherited = {}
            with record_function(ATTENTION):
                if layout.rows is not None:
                    product, sums = kept
                    layout.rows.backward(product, layer.scale, mixed, sums, of_mixed, of_inputs)
                else:
                    # Backwards, so that a beginning comes behind the rows that continue it.
                    for each in reversed(layout.heads):
                        count = 3 + len(each.blocks)
                        _attention_backward(each, kept[-count:], of_mixed, layout, of_inputs, inherited, layer.scale)
                        del kept[-count:]
            of_normed = layer.inputs.input_gradient(of_inputs)
            normed = passes.norm_again(x, first_norm, inverse)
            input_matrices = layer.inputs.matrix_gradients(of_inputs, normed, small_inputs)
            if ctx.needs_input_grad[3]:
                of_first_norm = passes.norm_weight_gradient(of_normed, x, inverse).to(layer.first_norm.dtype)
            of_x = None
            if ctx.needs_input_grad[0]:
                of_x = torch.empty_like(x)
                passes.norm_backward(of_normed, x, first_norm, inverse, of_total, of_x)
        matrices = (*input_matrices, *output_matrices, *gate_matrices, *down_matrices)
        return of_x, None, None, of_first_norm, of_second_norm, *matrices


_Inherited = dict[int, tuple[Tensor, Tensor]]
"""By the first token of a beginning: gradients of its keys and values from the rows that continue it, float32 or wider."""


def _attention(heads: Heads, product: Tensor, layout: Layout, mixed: Tensor, scale: float) -> list[Tensor]:
    """Writes what attention gives into its tokens of `mixed`; returns queries, keys, values and the shares of every block."""
    queries, keys, values = heads.split(product, layout.cosine, layout.sine)
    by_head, kept = torch.empty_like(queries), [queries, keys, values]
    for block in heads.blocks:
        part, seen = slice(block[0] * heads.group, block[1] * heads.group), slice(heads.before + block[1])
        scores = torch.bmm(queries[:, part], keys[:, seen].transpose(1, 2))
        kept.append(heads.shares(scores, block, scale))
        by_head[:, part] = torch.bmm(kept[-1], values[:, seen])
    heads.mixed_to_flat(by_head, mixed)
    return kept


def _attention_backward(
    heads: Heads,
    kept: Sequence[Tensor],
    of_mixed: Tensor,
    layout: Layout,
    of_inputs: Tensor,
    inherited: _Inherited,
    scale: float,
) -> None:
    """Writes the gradients of queries, keys and values into the first columns of `of_inputs`."""
    queries, keys, values, *shares_of_blocks = kept
    upstream = heads.flat_to_mixed(of_mixed)
    of_queries, of_keys, of_values = (torch.empty_like(each) for each in (queries, keys, values))
    # The last block looks at all keys: the others add to what it has written.
    for block, shares in reversed(list(zip(heads.blocks, shares_of_blocks, strict=True))):
        part, seen = slice(block[0] * heads.group, block[1] * heads.group), slice(heads.before + block[1])
        of_seen_values = torch.bmm(shares.transpose(1, 2), upstream[:, part])
        of_scores = torch.bmm(upstream[:, part], values[:, seen].transpose(1, 2))
        of_scores = heads.of_scores(shares, of_scores, block, scale)
        of_queries[:, part] = torch.bmm(of_scores, keys[:, seen])
        of_seen_keys = torch.bmm(of_scores.transpose(1, 2), queries[:, part])
        if block[1] == heads.longest:
            of_keys.copy_(of_seen_keys)
            of_values.copy_(of_seen_values)
        else:
            of_keys[:, seen] += of_seen_keys
            of_values[:, seen] += of_seen_values
    _inherit(heads, of_keys, of_values, inherited)
    heads.joined(of_queries, of_keys, of_values, layout.cosine, layout.sine, of_inputs)


def _inherit(heads: Heads, of_keys: Tensor, of_values: Tensor, inherited: _Inherited) -> None:
    """Leave a beginning what flows back to it; add to a beginning what was left to it."""
    if heads.before:
        wide = torch.promote_types(of_keys.dtype, torch.float32)
        sums = [
            each[:, : heads.before].unflatten(0, (heads.rows, heads.shared)).sum(dim=0, dtype=wide)
            for each in (of_keys, of_values)
        ]
        earlier = inherited.get(heads.beginning)
        inherited[heads.beginning] = (sums[0], sums[1]) if earlier is None else (earlier[0] + sums[0], earlier[1] + sums[1])
    elif (left := inherited.pop(int(heads.starts[0]), None)) is not None:
        for own, more in zip((of_keys, of_values), left, strict=True):
            own.copy_(own + more)
