"""Attention within each row of a packed batch: rows lie one behind another, without padding, and never see each other.

The seam: a packed batch holds `input_ids` of shape (1, tokens), `position_ids` of shape (1, tokens) that start at 0 in every row,
and `cu_seqlens`, int32 of shape (rows + 1,): where each row begins, and the end of the last. A task gives the model what
`rows_apart` yields; a model that was prepared with `register` computes each row alone, by one kernel on an accelerator, row by
row elsewhere. A model that was not still gets `position_ids`, by which Transformers' own masks tell the rows apart.

In: queries, keys and values by head. Out: their mixed values. It packs no batches (others do) and reads no settings.
Sources: Dao 2023, FlashAttention-2 (kernels for rows of varying length); Krell et al. 2021, arXiv:2107.02027 (packing without
cross-contamination).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn

from sonmat.core.protocols import Batch
from sonmat.training.fused import attention

NAME: Final = "sonmat_varlen"
ROWS: Final = "cu_seqlens"
"""Name, in a batch, of where its rows begin; a batch without it is padded."""
ROW_OF_SEGMENT: Final = "row_of_segment"
"""Name, in a batch where rows share what they begin with, of the row of each segment, int64 of shape (segments,): `NO_ROW` for a
beginning, which the rows behind it continue until the next one. Rows before the first one share nothing."""
NO_ROW: Final = -1
FIRST_AMPERE: Final = 8
"""Major compute capability from which the kernels below run."""

Kernel = Literal["flash-attn", "torch", "row by row"]

_packed: ContextVar[bool] = ContextVar("packed", default=False)


def register() -> str:
    """Make the attention known to Transformers under `NAME`; returns the name."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, _mask)
    return NAME


@contextmanager
def rows_apart(model: nn.Module, batch: Batch) -> Iterator[dict[str, Any]]:
    """Keyword arguments for a call of `model`'s decoder on `batch` within the context; none for a padded batch.

    Their names are those of Transformers' flash attention, so that its own implementations understand them too.
    """
    if ROWS not in batch:
        yield {}
        return
    begins, positions = batch[ROWS], batch["position_ids"]
    arguments = {
        "position_ids": positions,
        "cu_seq_lens_q": begins,
        "cu_seq_lens_k": begins,
        # An upper bound: the longest row itself would have to be fetched from the accelerator.
        "max_length_q": positions.shape[1],
        "max_length_k": positions.shape[1],
    }
    if ROW_OF_SEGMENT in batch:
        arguments[ROW_OF_SEGMENT] = batch[ROW_OF_SEGMENT]
    config: Any = model.config
    if config._attn_implementation != NAME:
        yield arguments
        return
    token = _packed.set(True)
    try:
        # With a mask Transformers does not look for rows in the positions, which would wait for the accelerator.
        yield {**arguments, "attention_mask": torch.ones_like(positions)}
    finally:
        _packed.reset(token)


def refuse_shared(arguments: Mapping[str, Any]) -> None:
    """Called by whoever would compute such rows as if they shared nothing.

    Raises:
        ValueError: rows share what they begin with.
    """
    if arguments.get(ROW_OF_SEGMENT) is not None:
        raise ValueError("rows that share their beginnings need decoder layers that are computed as a whole")


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    sliding_window: int | None = None,
    cu_seq_lens_q: Tensor | None = None,
    max_length_q: int | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """The signature of Transformers' attention functions; padded batches go through PyTorch's own attention.

    Args:
        query: shape (1, heads, tokens, size of a head); key and value likewise, with as many heads or a divisor of them.
        sliding_window: a token looks at so many tokens, itself included; at all before it if left out.
        cu_seq_lens_q: where rows begin, as `ROWS`.
    Returns:
        Shape (1, tokens, heads, size of a head), and no weights.
    """
    refuse_shared(more)
    causal = is_causal if is_causal is not None else bool(getattr(module, "is_causal", False))
    if cu_seq_lens_q is None:
        # Loaded here, because Transformers itself loads slowly.
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        mixed, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal, **more
        )
        return mixed, None
    share = dropout if module.training else 0.0
    # Rotated in float32, queries and keys may be wider than values.
    kind = query.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else value.dtype
    query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    kernel = kernel_for(query.device, dtype, query.shape[-1], share)
    if kernel == "row by row":
        return _row_by_row(module, query, key, value, cu_seq_lens_q, scale, causal, sliding_window, share), None
    window = ((sliding_window - 1 if sliding_window else -1), 0) if causal else (-1, -1)
    by_token = [part[0].transpose(0, 1) for part in (query, key, value)]
    longest = max_length_q or query.shape[2]
    mixed = _KERNELS[kernel](*by_token, cu_seq_lens_q, longest, scale, causal, window, share)
    return mixed.unsqueeze(0), None


def kernel_for(device: torch.device, dtype: torch.dtype, head_size: int, dropout: float = 0.0) -> Kernel:
    """What computes rows of varying length on `device`."""
    if device.type != "cuda" or dtype not in (torch.bfloat16, torch.float16) or head_size > 256 or head_size % 8:
        return "row by row"
    if torch.cuda.get_device_capability(device)[0] < FIRST_AMPERE:
        return "row by row"
    if _installed("flash_attn"):
        return "flash-attn"
    # PyTorch's kernel has no dropout, and neither a window nor shared heads before 2.12.
    modern = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2]) >= (2, 12)
    return "torch" if modern and not dropout else "row by row"


@cache
def _installed(name: str) -> bool:
    return find_spec(name) is not None


def _mask(*given: Any, **named: Any) -> Tensor | None:
    """No mask where rows are told apart by where they begin; PyTorch's otherwise."""
    if _packed.get():
        return None
    from transformers.masking_utils import sdpa_mask

    found: Tensor | None = sdpa_mask(*given, **named)
    return found


def _row_by_row(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    begins: Tensor,
    scale: float,
    causal: bool,
    window: int | None,
    dropout: float,
) -> Tensor:
    """The reference of all kernels: every row alone, through the attention that is fastest for its length here."""
    ends = begins.tolist()
    mixed = []
    for start, end in pairwise(ends):
        row = [part[:, :, start:end] for part in (query, key, value)]
        mask = _window_mask(end - start, window, query.device) if causal and window and window < end - start else None
        found, _ = attention.attend(
            module, row[0], row[1], row[2], mask, dropout=dropout, scaling=scale, is_causal=causal and mask is None
        )
        mixed.append(found)
    return torch.cat(mixed, dim=1)


def _window_mask(length: int, window: int, device: torch.device) -> Tensor:
    """True where a query looks: at itself and the `window` - 1 tokens before it; shape (1, 1, length, length)."""
    back = torch.arange(length, device=device)[:, None] - torch.arange(length, device=device)
    return ((back >= 0) & (back < window))[None, None]


def _flash_attn(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    begins: Tensor,
    longest: int,
    scale: float,
    causal: bool,
    window: tuple[int, int],
    dropout: float,
) -> Tensor:
    from flash_attn import flash_attn_varlen_func  # type: ignore[import-not-found]

    mixed: Tensor = flash_attn_varlen_func(
        query,
        key,
        value,
        begins,
        begins,
        longest,
        longest,
        dropout_p=dropout,
        softmax_scale=scale,
        causal=causal,
        window_size=(window[0], window[1] if window[0] >= 0 else -1),
    )
    return mixed


def _torch_varlen(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    begins: Tensor,
    longest: int,
    scale: float,
    causal: bool,
    window: tuple[int, int],
    dropout: float,
) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    mixed = varlen_attn(
        query,
        key,
        value,
        begins,
        begins,
        longest,
        longest,
        scale=scale,
        window_size=window,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    assert isinstance(mixed, Tensor), "no auxiliary output was asked for"
    return mixed


_KERNELS: Final[dict[str, Callable[..., Tensor]]] = {"flash-attn": _flash_attn, "torch": _torch_varlen}
