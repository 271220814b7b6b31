"""Layers of BERT's build (Devlin et al. 2019), computed with few casts and one product where several inputs are the same.

    queries, keys, values   one product                                _Attended
    attention               in tiles, with cheap dropout               _Attended
                            elsewhere by head, `attention.attend`      _HeadProjection
    output, feed-forward    product → dropout → + input → layer norm   _NormedSum
    widening                product → activation                      _Activated

Hidden states go from layer to layer in the type that products run in; layer norms take their statistics in float32. Weights that
train stay float32 and are copied into that type once a step (`working`). In: a model with layers of BERT's, RoBERTa's, ELECTRA's,
ALBERT's or DistilBERT's form. Out: the same model, whose layers compute this way; modules and names of weights stay. Layers that
are otherwise (decoders, adapters, other activations) are left as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sonmat.training.fused import attention
from sonmat.training.fused import encoder_passes as passes
from sonmat.training.fused.dropout import compute_quickly, kept
from sonmat.training.fused.encoder_attention import EncoderAttention, has_attention, real_tokens
from sonmat.training.fused.working import Working

Activation = Literal["none", "tanh"]
"""GELU's kinds, as PyTorch names how they are approximated."""
_ACTIVATIONS: Final[dict[str, Activation]] = {
    "GELUActivation": "none",
    "NewGELUActivation": "tanh",
    "GELUTanh": "tanh",
    "FastGELUActivation": "tanh",
}
"""By the class that Transformers gives a layer."""


@dataclass(frozen=True)
class _Form:
    """Where a kind of layer has its parts, as names of submodules."""

    heads: tuple[str, str, str]
    attention: str
    attention_dropout: str
    output: str
    output_dropout: str | None
    first_norm: str
    widening: str
    activation: str
    narrowing: str
    narrowing_dropout: str | None
    second_norm: str


_FORMS: Final = (
    _Form(
        heads=("attention.self.query", "attention.self.key", "attention.self.value"),
        attention="attention.self",
        attention_dropout="attention.self.dropout",
        output="attention.output.dense",
        output_dropout="attention.output.dropout",
        first_norm="attention.output.LayerNorm",
        widening="intermediate.dense",
        activation="intermediate.intermediate_act_fn",
        narrowing="output.dense",
        narrowing_dropout="output.dropout",
        second_norm="output.LayerNorm",
    ),
    _Form(
        heads=("attention.query", "attention.key", "attention.value"),
        attention="attention",
        attention_dropout="attention.attention_dropout",
        output="attention.dense",
        output_dropout="attention.output_dropout",
        first_norm="attention.LayerNorm",
        widening="ffn",
        activation="activation",
        narrowing="ffn_output",
        narrowing_dropout=None,
        second_norm="full_layer_layer_norm",
    ),
    _Form(
        heads=("attention.q_lin", "attention.k_lin", "attention.v_lin"),
        attention="attention",
        attention_dropout="attention.dropout",
        output="attention.out_lin",
        output_dropout=None,
        first_norm="sa_layer_norm",
        widening="ffn.lin1",
        activation="ffn.activation",
        narrowing="ffn.lin2",
        narrowing_dropout="ffn.dropout",
        second_norm="output_layer_norm",
    ),
)
"""BERT (with RoBERTa, ELECTRA and their kin), ALBERT, DistilBERT."""


def fuse_encoder(model: nn.Module) -> int:
    """Let every layer that has one of the known forms compute this way; returns how many there are."""
    fused = 0
    for module in model.modules():
        form = next((form for form in _FORMS if _has(module, form)), None)
        if form is not None:
            layer = _Layer(module, form)
            module.forward = layer.forward
            fused += 1
    if fused:
        for module in model.modules():
            if type(module) is nn.Dropout:
                compute_quickly(module)
    return fused


def attends_in_tiles(model: nn.Module, dtype: torch.dtype) -> bool:
    """Whether all layers of an encoder compute attention by a kernel of its own, where masks hide nothing but padding."""
    owners = [getattr(module.forward, "__self__", None) for module in model.modules()]
    layers = [owner for owner in owners if isinstance(owner, _Layer)]
    return bool(layers) and all(layer.attends_in_tiles(dtype) for layer in layers)


def _has(module: nn.Module, form: _Form) -> bool:
    """Whether `module` is an encoder's layer of this form whose products are plain."""
    parts = dict(module.named_modules())
    linear = (*form.heads, form.output, form.widening, form.narrowing)
    norms = (form.first_norm, form.second_norm)
    if not {*linear, *norms, form.attention, form.activation} <= parts.keys():
        return False
    mixing: Any = parts[form.attention]
    return (
        all(type(parts[name]) is nn.Linear and parts[name].bias is not None for name in linear)
        and all(type(parts[name]) is nn.LayerNorm for name in norms)
        and type(parts[form.activation]).__name__ in _ACTIVATIONS
        and not getattr(module, "is_decoder", False)
        and not mixing.is_causal
    )


class _Layer:
    """One layer: where its weights are, and how it computes."""

    def __init__(self, module: nn.Module, form: _Form) -> None:
        parts = dict(module.named_modules())
        self.module = module
        self.mixing: Any = parts[form.attention]
        self.dropouts = [
            parts[name] if name is not None else None
            for name in (form.attention_dropout, form.output_dropout, form.narrowing_dropout)
        ]
        self.heads = _Product([parts[name] for name in form.heads])
        self.output = _Product([parts[form.output]])
        self.widening = _Product([parts[form.widening]])
        self.narrowing = _Product([parts[form.narrowing]])
        self.first_norm, self.second_norm = parts[form.first_norm], parts[form.second_norm]
        self.activation = _ACTIVATIONS[type(parts[form.activation]).__name__]
        self.head_size: int = self.mixing.attention_head_size

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, *more: Any, **options: Any) -> Tensor:
        """Shape (rows, tokens, size) to the same; other arguments, which decoders have, go to the plain layer."""
        if any(value is not None for value in more) or options.get("encoder_hidden_states") is not None:
            plain: Tensor = type(self.module).forward(self.module, hidden_states, attention_mask, *more, **options)
            return plain
        _, of_output, of_narrowing = (_share(module) for module in self.dropouts)
        hidden = hidden_states.to(_type_of_products(hidden_states))
        # Casts are done here, once; autocast would do them again at every operation.
        with torch.autocast(hidden.device.type, enabled=False):
            mixed = self._attended(hidden, attention_mask)
            hidden = _normed_sum(mixed, hidden, self.output, self.first_norm, of_output)
            wide = _Activated.apply(hidden, self.widening, self.activation, *self.widening.parameters)  # type: ignore[no-untyped-call]
            return _normed_sum(wide, hidden, self.narrowing, self.second_norm, of_narrowing)

    def _attended(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """What attention gives each token, in the shape of `hidden`."""
        dropout = _share(self.dropouts[0])
        in_tiles = self._in_tiles(hidden, mask, dropout)
        if in_tiles is not None:
            attended: Tensor = _Attended.apply(hidden, self.heads, in_tiles, *self.heads.parameters)  # type: ignore[no-untyped-call]
            return attended
        query, key, value = _HeadProjection.apply(hidden, self.heads, self.head_size, *self.heads.parameters)  # type: ignore[no-untyped-call]
        mixed, _ = attention.attend(
            self.mixing, query, key, value, mask, dropout=dropout, scaling=self.mixing.scaling, is_causal=False
        )
        return mixed.reshape(hidden.shape)

    def _in_tiles(self, hidden: Tensor, mask: Tensor | None, dropout: float) -> EncoderAttention | None:
        """How attention is computed by a kernel; None where there is none for this."""
        rows, tokens, width = hidden.shape
        if not self.attends_in_tiles(hidden.dtype) or dropout >= 1:
            return None
        lengths = real_tokens(mask, rows, tokens)
        if lengths is None:
            return None
        count, dropping = width // self.head_size, passes.Dropping.of(dropout)
        return EncoderAttention(lengths, tokens, count, self.head_size, self.mixing.scaling, dropping)

    def attends_in_tiles(self, dtype: torch.dtype) -> bool:
        return attention.in_tiles() and has_attention(dtype, self.first_norm.weight.device, self.head_size)


class _Product:
    """Linear layers that are given the same input, as one product."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self.weight = Working([layer.weight for layer in layers])
        self.bias = Working([layer.bias for layer in layers])
        self.parameters = (*self.weight.weights, *self.bias.weights)

    def of(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self.weight.get(x.dtype), self.bias.get(x.dtype))

    def gradients(
        self, upstream: Tensor, x: Tensor, needed: Sequence[bool], sums: Tensor | None = None
    ) -> tuple[Tensor | None, ...]:
        """Of the weights and then of the biases; `upstream` and `x` have shape (tokens, size), `sums` are `upstream`'s if known."""
        count = len(self.weight.weights)
        of_weights: Sequence[Tensor | None] = [None] * count
        of_biases: Sequence[Tensor | None] = [None] * count
        if any(needed[:count]):
            of_weights = (upstream.t() @ x).split(self.weight.sizes)
        if any(needed[count:]):
            sums = _summed(upstream) if sums is None else sums
            of_biases = sums.split(self.bias.sizes)
        return tuple(
            each.to(weight.dtype) if each is not None and need else None
            for each, weight, need in zip((*of_weights, *of_biases), self.parameters, needed, strict=True)
        )


def _normed_sum(x: Tensor, beside: Tensor, product: _Product, norm: Any, dropout: float) -> Tensor:
    found: Tensor = _NormedSum.apply(  # type: ignore[no-untyped-call]
        x, beside, product, norm.eps, dropout, norm.weight, norm.bias, *product.parameters
    )
    return found


class _Attended(torch.autograd.Function):
    """Attention in tiles from the product of queries, keys and values on, (rows, tokens, size) to the same."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, product: _Product, in_tiles: EncoderAttention, *parameters: Tensor) -> Tensor:
        x = x.contiguous()
        flat = product.of(x.view(-1, x.shape[-1]))
        mixed, sums = in_tiles.forward(flat)
        ctx.save_for_backward(x, flat, mixed, sums)
        ctx.product, ctx.in_tiles = product, in_tiles
        return mixed.view(x.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, flat, mixed, sums = ctx.saved_tensors
        upstream = ctx.in_tiles.backward(flat, mixed, sums, gradient)
        of_x = (upstream @ ctx.product.weight.get(x.dtype)).view(x.shape) if ctx.needs_input_grad[0] else None
        return of_x, None, None, *ctx.product.gradients(upstream, x.view(-1, x.shape[-1]), ctx.needs_input_grad[3:])


class _HeadProjection(torch.autograd.Function):
    """Queries, keys and values of shape (rows, heads, tokens, size of a head)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, product: _Product, size: int, *parameters: Tensor) -> tuple[Tensor, ...]:
        flat = x.reshape(-1, x.shape[-1])
        wide = product.of(flat).view(*x.shape[:2], 3, -1, size)
        ctx.save_for_backward(flat)
        ctx.product, ctx.shape = product, x.shape
        return tuple(wide.permute(2, 0, 3, 1, 4).contiguous().unbind(0))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (flat,) = ctx.saved_tensors
        rows, heads, tokens, size = gradients[0].shape
        upstream = torch.empty(rows, tokens, 3, heads, size, dtype=flat.dtype, device=flat.device)
        for number, gradient in enumerate(gradients):
            upstream[:, :, number].copy_(gradient.transpose(1, 2))
        upstream = upstream.view(len(flat), -1)
        of_x = (upstream @ ctx.product.weight.get(flat.dtype)).view(ctx.shape) if ctx.needs_input_grad[0] else None
        return of_x, None, None, *ctx.product.gradients(upstream, flat, ctx.needs_input_grad[3:])


class _Activated(torch.autograd.Function):
    """GELU of a product. Only what goes into it is kept."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, product: _Product, kind: Activation, *parameters: Tensor) -> Tensor:
        before = product.of(x)
        ctx.save_for_backward(x, before)
        ctx.product, ctx.kind = product, kind
        if passes.fits(before, 0.0):
            return passes.gelu(before.view(-1, before.shape[-1]), kind).view_as(before)
        return torch.nn.functional.gelu(before, approximate=kind)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, before = ctx.saved_tensors
        gradient, before = (each.reshape(-1, each.shape[-1]) for each in (gradient, before))
        sums: Tensor | None = None
        if passes.fits(before, 0.0):
            upstream, sums = passes.gelu_backward(gradient.contiguous(), before, ctx.kind)
        else:
            upstream = torch.ops.aten.gelu_backward(gradient, before, approximate=ctx.kind)
        of_x = (upstream @ ctx.product.weight.get(x.dtype)).view(x.shape) if ctx.needs_input_grad[0] else None
        flat = x.reshape(-1, x.shape[-1])
        return of_x, None, None, *ctx.product.gradients(upstream, flat, ctx.needs_input_grad[3:], sums)


class _NormedSum(torch.autograd.Function):
    """Layer norm of a product, with dropout, and what goes beside it."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        beside: Tensor,
        product: _Product,
        epsilon: float,
        dropout: float,
        weight: Tensor,
        bias: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        summed = product.of(x)
        ctx.product, ctx.kept_share, ctx.dropping = product, 1 - dropout, None
        if passes.fits(summed, dropout):
            ctx.dropping = passes.Dropping.of(dropout)
            flat, other = summed.view(-1, summed.shape[-1]), beside.to(summed.dtype).contiguous()
            found, mean, inverse = passes.normed_sum(flat, other, weight, bias, epsilon, ctx.dropping)
            ctx.save_for_backward(x, flat, mean, inverse, weight, bias, None)
            return found.view_as(summed)
        stays = kept(summed, dropout) if dropout else None
        if stays is not None:
            summed.mul_(stays).mul_(1 / (1 - dropout))
        summed.add_(beside)
        normed, mean, deviation = torch.native_layer_norm(summed, summed.shape[-1:], weight, bias, epsilon)
        ctx.save_for_backward(x, summed, mean, deviation, weight, bias, stays)
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, summed, mean, deviation, weight, bias, stays = ctx.saved_tensors
        needs = ctx.needs_input_grad
        sums: Tensor | None = None
        gradient = gradient.contiguous()
        if ctx.dropping is not None:
            of_sum, upstream, all_sums = passes.normed_sum_backward(gradient, summed, weight, mean, deviation, ctx.dropping)
            of_weight, of_bias, sums = all_sums.unbind()
            of_weight, of_bias, of_sum = of_weight.to(weight.dtype), of_bias.to(bias.dtype), of_sum.view_as(gradient)
        else:
            of_sum, of_weight, of_bias = torch.ops.aten.native_layer_norm_backward(
                gradient, summed, summed.shape[-1:], mean, deviation, weight, bias, [True, needs[5], needs[6]]
            )
            upstream = of_sum if stays is None else (of_sum * stays).div_(ctx.kept_share)
            upstream = upstream.view(-1, upstream.shape[-1])
        of_x = (upstream @ ctx.product.weight.get(x.dtype)).view(x.shape) if needs[0] else None
        of_parameters = ctx.product.gradients(upstream, x.reshape(-1, x.shape[-1]), needs[7:], sums)
        return of_x, of_sum if needs[1] else None, None, None, None, of_weight, of_bias, *of_parameters


def _share(dropout: nn.Module | None) -> float:
    """What `dropout` drops just now."""
    return float(dropout.p) if isinstance(dropout, nn.Dropout) and dropout.training else 0.0


def _type_of_products(x: Tensor) -> torch.dtype:
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _summed(x: Tensor) -> Tensor:
    """Over tokens, in float32 at least."""
    if passes.fits(x, 0.0):
        return passes.column_sums(x)
    return x.sum(0, dtype=torch.promote_types(x.dtype, torch.float32))
