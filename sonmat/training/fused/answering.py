"""Decoder layers of models that answer and do not train, each computed with a few large products and kernels between them.

norm → one product for queries, keys and values → attention → norm → one product for gate and up → down, as in `decoder`, but with a
cache and without anything kept for a backward pass. Prompts are attended to in tiles (`row_attention`); what the cache has is a
beginning that all rows continue, or each row its own. A row's next token is attended by a kernel of its own, which reads keys and
values where the cache has them. Equal to Transformers' layers up to the rounding of the compute type.

In: a model in bfloat16 on a processor, with or without one LoRA adapter, which may be taken off at any time. Out: the same model; its
modules and weights stay. What is asked otherwise (a mask that hides more, another cache, gradients) goes by the layer's own forward.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers.cache_utils import DynamicCache, DynamicLayer

from sonmat.training.fused import passes
from sonmat.training.fused.decoder import linear_layers
from sonmat.training.fused.fuse import adapter_of, is_plain_lora
from sonmat.training.fused.gate import ACTIVATIONS
from sonmat.training.fused.last import Last
from sonmat.training.fused.layout import Sizes
from sonmat.training.fused.lora import LoraGroup
from sonmat.training.fused.native.library import address as _at
from sonmat.training.fused.native.library import enough_memory, library
from sonmat.training.fused.native.library import integer as _int
from sonmat.training.fused.passes import Heads
from sonmat.training.fused.row_attention import RowAttention, has_attention

ATTENTION: Final = {"sdpa", "sonmat_products"}
"""Implementations whose place the kernels may take."""


def fuse_answering(model: nn.Module) -> int:
    """Let every decoder layer that fits compute this way; returns how many do."""
    config: Any = model.config
    activation = str(getattr(config, "hidden_act", ""))
    if activation not in ACTIVATIONS or config._attn_implementation not in ATTENTION:
        return 0
    found = 0
    for module in model.modules():
        layers = linear_layers(module)
        layer: Any = module
        if layers is None or not all(_fits(shared) for shared in layers):
            continue
        first = getattr(layers[0][0], "base_layer", layers[0][0]).weight
        if not has_attention(first.dtype, first.device, layer.self_attn.head_dim):
            continue
        module.forward = _Layer(layer, layer.forward, [_Together(shared) for shared in layers], activation).forward
        found += 1
    return found


def _fits(shared: Sequence[Any]) -> bool:
    return all(type(each) is nn.Linear for each in shared) or all(is_plain_lora(each, answering=True) for each in shared)


class _Together:
    """Linear layers that share an input; their frozen weights are views of one matrix."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self.layers = list(layers)
        self.adapter: LoraGroup | None = None
        if type(layers[0]) is nn.Linear:
            with torch.no_grad():
                self.stacked = torch.cat([layer.weight for layer in layers])
                for layer, rows in zip(layers, self.stacked.split([len(layer.weight) for layer in layers]), strict=True):
                    layer.weight.data = rows
        else:
            self.adapter = LoraGroup(layers, adapter_of(layers[0]))
            self.stacked = self.adapter.stacked
        self.plain = [getattr(layer, "base_layer", layer) for layer in layers]
        self.widths = [len(layer.weight) for layer in self.plain]
        self.width = sum(self.widths)
        self.starts = [layer.weight.data_ptr() for layer in self.plain]
        self.name = adapter_of(layers[0]) if self.adapter is not None else ""

    def still_fit(self, dtype: torch.dtype) -> bool:
        """Whether nobody has moved the weights, joined the adapter with them, or put another one in."""
        if self.stacked.dtype != dtype or any(
            layer.weight.data_ptr() != start for layer, start in zip(self.plain, self.starts, strict=True)
        ):
            return False
        return self.adapter is None or all(
            not layer.merged and (layer.disable_adapters or layer.active_adapters == [self.name]) for layer in self.layers
        )

    def outputs(self, x: Tensor) -> Tensor:
        """All layers' outputs side by side as the first columns, shape (tokens, at least `width`)."""
        if self.adapter is not None and not self.layers[0].disable_adapters:
            return self.adapter.product(x)[0]
        found = x @ self.stacked[: self.width].t()
        for part, layer in zip(found.split(self.widths, dim=1), self.plain, strict=True):
            if layer.bias is not None:
                part += layer.bias
        return found


@dataclass(frozen=True)
class _Pass:
    """What all layers of one pass have in common."""

    heads: Heads
    cosine: Tensor
    """Of each new token, shape (tokens, size of a head); `sine` likewise."""
    sine: Tensor
    attention: RowAttention | None
    """Of new tokens, behind those of the cache; None where each row has one new token."""


_passes: Last[_Pass] = Last()
_masks: Last[bool] = Last()


def _pass(
    turns: tuple[Tensor, Tensor], shape: tuple[int, int], dtype: torch.dtype, before: int, beginnings: int, sizes: Sizes
) -> _Pass:
    """
    Args:
        turns: cosine and sine of every new position, shape (1 or rows, tokens, size of a head).
        before: tokens that the cache has of each row.
        beginnings: whose they are: 0 where there are none, 1 where all rows continue the same, else one of each row.
    """
    asked = (shape, dtype, before, beginnings, sizes)
    return _passes.of(turns[0], asked, lambda: _made(turns, *asked))


def _is_causal(mask: Tensor) -> bool:
    """Whether a boolean mask hides from every token what comes behind it, and nothing else that it could look at."""
    tokens, keys = mask.shape[-2:]
    causal = torch.ones(tokens, keys, dtype=torch.bool, device=mask.device).tril_(keys - tokens)
    # What padding looks at is nobody's business.
    padding = ~mask.diagonal(keys - tokens, -2, -1)
    return bool(((mask == causal) | padding[..., None]).all())


def _made(
    turns: tuple[Tensor, Tensor], shape: tuple[int, int], dtype: torch.dtype, before: int, beginnings: int, sizes: Sizes
) -> _Pass:
    rows, width = shape
    cosine, sine = (each.to(dtype).expand(rows, -1, -1).reshape(rows * width, -1).contiguous() for each in turns)
    heads = Heads(torch.arange(0, (rows + 1) * width, width), width, *sizes)
    if width == 1:
        return _Pass(heads, cosine, sine, None)
    first = beginnings * before
    segments = [(first + row * width, width, row * before if beginnings > 1 else 0, before) for row in range(rows)]
    # The cache's keys are turned already.
    turned = torch.cat([cosine.new_ones(first, sizes[2]), cosine]), torch.cat([sine.new_zeros(first, sizes[2]), sine])
    return _Pass(heads, cosine, sine, RowAttention(torch.tensor(segments), *turned, sizes))


class _Layer:
    def __init__(
        self, layer: Any, plain_forward: Callable[..., Tensor], together: list[_Together], activation: str
    ) -> None:
        self.layer, self.plain_forward, self.activation = layer, plain_forward, activation
        self.together = together
        self.inputs, self.output, self.gates, self.down = together
        self.number: int = layer.self_attn.layer_idx
        self.scale = float(layer.self_attn.scaling)
        size: int = layer.self_attn.head_dim
        queries, keys = self.inputs.widths[:2]
        self.sizes = (keys // size, queries // keys, size)

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        *,
        past_key_values: Any = None,
        position_embeddings: tuple[Tensor, Tensor] | None = None,
        **more: Any,
    ) -> Tensor:
        """As Transformers calls its decoder layers; hidden states of shape (rows, tokens, size)."""
        reads, mask, turns, cache = hidden_states.shape[1] > 1, attention_mask, position_embeddings, past_key_values
        fits = self._reads if reads else self._writes
        if turns is None or not (self._fits(hidden_states, more) and fits(mask, cache)):
            return self.plain_forward(hidden_states, mask, past_key_values=cache, position_embeddings=turns, **more)
        shape, x = hidden_states.shape, hidden_states.reshape(-1, hidden_states.shape[-1]).contiguous()
        with torch.autocast(x.device.type, enabled=False):
            normed, _ = _normed(self.layer.input_layernorm, x, None)
            product = self.inputs.outputs(normed)
            if reads:
                mixed = self._attend_to_prompts(product, (shape[0], shape[1]), turns, cache)
            else:
                mixed = self._attend_once(product, shape[0], turns, cache, mask)
            normed, total = _normed(self.layer.post_attention_layernorm, x, self.output.outputs(mixed)[:, : x.shape[1]])
            gated = passes.gate_forward(self.gates.outputs(normed), self.gates.widths[0], self.activation)
            return (total + self.down.outputs(gated)[:, : x.shape[1]]).view(shape)

    def _fits(self, hidden: Tensor, more: dict[str, Any]) -> bool:
        if torch.is_grad_enabled() or self.layer.training or more.get("cu_seq_lens_q") is not None:
            return False
        kind = hidden.device.type
        casts = torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) != hidden.dtype
        return not casts and all(each.still_fit(hidden.dtype) for each in self.together)

    def _reads(self, mask: Tensor | None, cache: Any) -> bool:
        if not (cache is None or self._grows(cache)):
            return False
        if mask is None:
            return True
        return mask.dtype == torch.bool and mask.ndim == 4 and _masks.of(mask, None, lambda: _is_causal(mask))

    def _writes(self, mask: Tensor | None, cache: Any) -> bool:
        if mask is None:
            return self._grows(cache)
        return cache is not None and mask.dtype == torch.bool and mask.ndim == 4 and mask.shape[1:3] == (1, 1)

    def _grows(self, cache: Any) -> bool:
        """Whether `cache` holds all that came before, in order."""
        return type(cache) is DynamicCache and type(_cached(cache, self.number)) in (NoneType, DynamicLayer)

    def _attend_to_prompts(
        self, product: Tensor, shape: tuple[int, int], turns: tuple[Tensor, Tensor], cache: Any
    ) -> Tensor:
        rows, width = shape
        earlier: Any = None if cache is None else _cached(cache, self.number)
        before, beginnings = 0, 0
        if earlier is not None and earlier.is_initialized:
            # An expanded row is one that all continue.
            before, beginnings = earlier.keys.shape[2], 1 if earlier.keys.stride(0) == 0 else rows
        found = _pass(turns, shape, product.dtype, before, beginnings, self.sizes)
        assert found.attention is not None, "several tokens a row"
        flat = product
        if before:
            flat = product.new_empty(beginnings * before + len(product), self.inputs.width)
            flat[beginnings * before :] = product[:, : self.inputs.width]
            parts = flat[: beginnings * before].split(self.inputs.widths, dim=1)[1:]
            for part, cached in zip(parts, (earlier.keys, earlier.values), strict=True):
                part.view(beginnings, before, self.sizes[0], -1).copy_(cached[:beginnings].transpose(1, 2))
        if cache is not None:
            _, keys, values = found.heads.split(product, found.cosine, found.sine)
            cache.update(*(each.view(rows, self.sizes[0], width, -1) for each in (keys, values)), self.number)
        mixed = product.new_empty(len(flat), self.inputs.widths[0])
        found.attention.forward(flat, self.scale, mixed)
        return mixed[beginnings * before :]

    def _attend_once(
        self, product: Tensor, rows: int, turns: tuple[Tensor, Tensor], cache: Any, mask: Tensor | None
    ) -> Tensor:
        shared, _, size = self.sizes
        found = _pass(turns, (rows, 1), product.dtype, 0, 0, self.sizes)
        queries, key, value = found.heads.split(product, found.cosine, found.sine)
        keys, values = cache.update(*(each.view(rows, shared, 1, size) for each in (key, value)), self.number)
        mixed = product.new_empty(rows, self.inputs.widths[0])
        kernels = library()
        assert kernels is not None, "asked for by has_attention"
        keys, values = (each if each.stride(3) == 1 else each.contiguous() for each in (keys, values))
        seen = None if mask is None else mask[:, 0, 0].contiguous()
        of_each = seen.shape[1] if seen is not None and len(seen) > 1 else 0
        enough_memory(
            kernels.attend_once(
                _at(queries), *_by_head(keys), *_by_head(values), _at(seen), _int(of_each),
                *map(_int, (rows, *self.sizes, keys.shape[2])), ctypes.c_float(self.scale), _at(mixed),
            )
        )  # fmt: skip
        return mixed


def _normed(norm: Any, x: Tensor, added: Tensor | None) -> tuple[Tensor, Tensor]:
    """The norm of x + added, and the sum."""
    total, normed, _ = passes.norm_forward(x, added, norm.weight.to(x.dtype), float(norm.variance_epsilon))
    return normed, total


def _cached(cache: DynamicCache, number: int) -> Any:
    """A layer of a cache; None where nothing has been put there yet."""
    return cache.layers[number] if number < len(cache.layers) else None


def _by_head(tensor: Tensor) -> tuple[Any, ...]:
    """Where keys or values begin, shape (rows, heads, tokens, size), and how far apart rows, heads and tokens are."""
    return _at(tensor), *map(_int, tensor.stride()[:3])
