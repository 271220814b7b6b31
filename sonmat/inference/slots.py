"""Keys and values of the rows that are being written: one slot a row, each row at its own length.

In: the cache of a prefill, whose rows are copied into slots. Out: a Transformers cache, positions and masks for a step in which
every row gets one more token. Nothing is ever concatenated or moved to make room: a row's next key goes into its own next
column, a sliding layer's into the column of the key that has just left its window. Attention does not depend on the order of
keys, because their positions are in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache, get_layer_types_and_kwargs

FULL: Final = "full_attention"
SLIDING: Final = "sliding_attention"
ATTENTION: Final = {"sdpa", "sonmat_products"}
"""Implementations that take a boolean mask for every row; `training.fused.attention` leaves single queries to the first."""


def fits_slots(model: nn.Module) -> bool:
    """Whether all layers of a model attend through Transformers' interface, to everything or to a window."""
    kinds, _ = _layers_of(model)
    config: Any = model.config
    # Models outside the interface read more from a mask than which keys are hidden: Bloom its positions, for one.
    declared = bool(getattr(model, "_supports_attention_backend", False))
    return declared and config._attn_implementation in ATTENTION and set(kinds) <= {FULL, SLIDING}


def bytes_of_slot(model: nn.Module, filled: DynamicCache, capacity: int) -> int:
    """Bytes of a row of up to `capacity` tokens, told by a cache that is filled already."""
    kinds, windows = _layers_of(model)
    total = 0
    for layer, kind, window in zip(filled.layers, kinds, windows, strict=True):
        for tensor in (layer.keys, layer.values):
            total += tensor[0, :, 0].numel() * tensor.element_size() * _columns(kind, window, capacity)
    return total


def masks_of(model: nn.Module, seen: Tensor, positions: Tensor) -> Tensor | dict[str, Tensor]:
    """The attention mask for a pass in which every new token is told what it may look at.

    Args:
        seen: bool of shape (rows, new tokens, keys); the new tokens' own keys are the last.
        positions: of every key, shape (rows, keys).
    """
    kinds, windows = _layers_of(model)
    away = positions[:, -seen.shape[1] :, None] - positions[:, None, :]
    masks: dict[str, Tensor] = {}
    for kind, window in dict(zip(kinds, windows, strict=True)).items():
        near = seen & (away < window) if kind == SLIDING and window is not None else seen
        masks[kind] = near[:, None]
    return masks if len(masks) > 1 else next(iter(masks.values()))


class Slots:
    """The cache of up to `count` rows of up to `capacity` tokens; live rows are in the first slots.

    Args:
        filled: any cache that the model has filled; its tensors say what a slot holds.
    """

    def __init__(self, model: nn.Module, filled: DynamicCache, count: int, capacity: int) -> None:
        kinds, windows = _layers_of(model)
        self._steps = {
            kind: _Columns(_columns(kind, window, capacity)) for kind, window in zip(kinds, windows, strict=True)
        }
        self.layers = [
            _SlotLayer(layer, count, self._steps[kind]) for layer, kind in zip(filled.layers, kinds, strict=True)
        ]
        self.cache: Cache = Cache(layers=self.layers)

    def fill(self, first: int, prefilled: DynamicCache, lengths: Sequence[int]) -> None:
        """Copy the rows of a prefill, padded on the right, into the slots from `first` on."""
        for layer, source in zip(self.layers, prefilled.layers, strict=True):
            for row, length in enumerate(lengths):
                layer.put(first + row, source.keys[row, :, :length], source.values[row, :, :length])

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the row in slot `source`, of `length` tokens, over the one in slot `target`."""
        for layer in self.layers:
            layer.move(source, target, length)

    def prepare(self, positions: Tensor) -> Tensor | dict[str, Tensor]:
        """The attention mask of a step that writes a key at `positions`, one for each live row, shape (rows,)."""
        masks = {kind: step.prepare(positions) for kind, step in self._steps.items()}
        # Models of one kind of layer take one mask, those of several a mask by kind.
        return masks if len(masks) > 1 else next(iter(masks.values()))


@dataclass
class _Columns:
    """Where the layers of one kind write in this step, and how far they read."""

    size: int
    rows: Tensor | None = None
    columns: Tensor | None = None
    width: int = 0

    def prepare(self, positions: Tensor) -> Tensor:
        self.rows = torch.arange(len(positions), device=positions.device)
        self.columns = positions % self.size
        self.width = min(int(positions.max()) + 1, self.size)
        # A layer that has come round holds nothing but keys inside its window.
        seen = torch.arange(self.width, device=positions.device)[None, :] <= positions[:, None]
        return seen[:, None, None, :]


class _SlotLayer(CacheLayerMixin):  # type: ignore[misc]
    """One layer's keys and values, shape (slots, heads, columns, size of a head)."""

    def __init__(self, like: Any, count: int, step: _Columns) -> None:
        super().__init__()
        self.step = step
        # Zeros, not whatever was in memory: a hidden value counts nothing, but nothing times NaN is NaN.
        self.keys = self._zeros(like.keys, count)
        self.values = self._zeros(like.values, count)
        self.is_initialized = True

    def _zeros(self, like: Tensor, count: int) -> Tensor:
        return like.new_zeros((count, like.shape[1], self.step.size, like.shape[3]))

    def put(self, slot: int, keys: Tensor, values: Tensor) -> None:
        """Take over a row, shape (heads, tokens, size of a head); of a window, its last tokens."""
        length, size = keys.shape[1], self.step.size
        first = max(0, length - size)
        columns = torch.arange(first, length, device=keys.device) % size
        self.keys[slot][:, columns] = keys[:, first:]
        self.values[slot][:, columns] = values[:, first:]

    def move(self, source: int, target: int, length: int) -> None:
        width = min(length, self.step.size)
        self.keys[target, :, :width] = self.keys[source, :, :width]
        self.values[target, :, :width] = self.values[source, :, :width]

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Write one key and value a row, shape (rows, heads, 1, size of a head), and give all that the step reads."""
        step = self.step
        self.keys[step.rows, :, step.columns] = key_states[:, :, 0]
        self.values[step.rows, :, step.columns] = value_states[:, :, 0]
        rows = key_states.shape[0]
        return self.keys[:rows, :, : step.width], self.values[:rows, :, : step.width]

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """All memory is taken at the beginning."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.step.width, 0

    def get_seq_length(self) -> int:
        return self.step.width

    def get_max_length(self) -> int:
        return self.step.size


def _layers_of(model: nn.Module) -> tuple[list[str], list[int | None]]:
    """The kind of every layer that keeps keys and values, and its window in tokens."""
    kinds, more = get_layer_types_and_kwargs(model.config.get_text_config(decoder=True))  # type: ignore[union-attr,operator]
    return kinds, [each.get("sliding_window") for each in more]


def _columns(kind: str, window: int | None, capacity: int) -> int:
    return min(window, capacity) if kind == SLIDING and window is not None else capacity
