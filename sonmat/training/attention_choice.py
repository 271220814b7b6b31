"""Up to which length of rows attention is computed as products, and from where on by PyTorch's own: measured, not guessed.

    SONMAT_ATTENTION=products | sdpa   taken as said, nothing is measured
    the job's work folder              a training that is resumed goes on as it began, to the last bit
    the cache folder                   measured before on this processor, for these heads, this type and these kernels
    encoders with kernels for it       neither: attention in tiles (`fused.encoder_attention`), nothing is measured
    else                               both are timed, forward and backward, from short to long, with a mask and without

In: a job, its model and the longest of its rows. Out: `attention.Limits` in use, process-wide. Results depend on it by no more
than rounding. It times processors only; accelerators have kernels of their own (`varlen`). Rows up to the first of `LENGTHS` are
always products.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from sonmat.core.protocols import FitJob
from sonmat.inference.device import compute_dtype
from sonmat.runs.cache import cache_folder
from sonmat.runs.files import atomic_write, sha256_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from sonmat.training.fused.attention import Limits

LENGTHS: Final = (128, 256, 512, 768, 1024)
TOKENS: Final = 2048
"""Timed at once, in as many rows as that makes."""
TRIES: Final = 3
FILE: Final = "attention.json"


@dataclass(frozen=True)
class Heads:
    count: int
    of_keys: int
    size: int


def choose_attention(job: FitJob, model: nn.Module, longest: int) -> Limits | None:
    """Put the limits in use for rows of up to `longest` tokens; None where there is nothing to choose."""
    from sonmat.training.fused import attention
    from sonmat.training.fused.encoder import attends_in_tiles

    if job.device.kind != "cpu" or job.family is None or not job.family.fusions.attention:
        return None
    way = said()
    if way is None:
        if longest <= LENGTHS[0] or attends_in_tiles(model, compute_dtype(job.device)):
            return None
        limits = _kept_or_measured(job, model)
    else:
        most = LENGTHS[-1] if way == "products" else 0
        limits = attention.Limits(most, most, tiles=False)
    attention.use(limits)
    return limits


def said() -> Literal["products", "sdpa"] | None:
    """What SONMAT_ATTENTION decides."""
    ways: tuple[Literal["products", "sdpa"], ...] = ("products", "sdpa")
    return next((way for way in ways if os.environ.get("SONMAT_ATTENTION", "").lower() == way), None)


def _kept_or_measured(job: FitJob, model: nn.Module) -> Limits:
    heads = _heads(model)
    kept = cache_folder() / "attention" / f"{sha256_of(_about(job, heads))[:32]}.json"
    limits = _read(job.work / FILE) or _read(kept)
    if limits is None:
        limits = _measured(heads, compute_dtype(job.device))
        _write(kept, limits)
    _write(job.work / FILE, limits)
    return limits


def _heads(model: nn.Module) -> Heads:
    config: Any = model.config
    count = int(getattr(config, "num_attention_heads", None) or config.n_heads)
    width = int(getattr(config, "hidden_size", None) or config.dim)
    size = int(getattr(config, "head_dim", None) or width // count)
    return Heads(count, int(getattr(config, "num_key_value_heads", None) or count), size)


def _measured(heads: Heads, dtype: torch.dtype) -> Limits:
    from sonmat.training.fused import attention

    plain, masked = (_longest_that_wins(heads, dtype, masked=masked) for masked in (False, True))
    return attention.Limits(plain, masked)


def _longest_that_wins(heads: Heads, dtype: torch.dtype, *, masked: bool) -> int:
    """The last of `LENGTHS` before PyTorch's own attention is faster."""
    import torch

    from sonmat.training.fused import attention

    found = LENGTHS[0]
    for length in LENGTHS[1:]:
        rows = max(1, TOKENS // length)
        query, key, value = (
            torch.randn(rows, count, length, heads.size).to(dtype).requires_grad_()
            for count in (heads.count, heads.of_keys, heads.of_keys)
        )
        mask = torch.ones(rows, 1, length, length, dtype=torch.bool).tril_() if masked else None
        own, pytorchs = (
            _seconds(partial(attention.attend_within, limit, query, key, value, mask)) for limit in (length, 0)
        )
        if own > pytorchs:
            break
        found = length
    return found


def _seconds(compute: Callable[[], Tensor]) -> float:
    """The best of a few tries, forward and backward."""
    best = float("inf")
    for _ in range(TRIES):
        start = time.perf_counter()
        compute().sum().backward()
        best = min(best, time.perf_counter() - start)
    return best


def _about(job: FitJob, heads: Heads) -> list[Any]:
    """All that the times depend on."""
    import torch

    from sonmat.training.fused.native import library

    machine = [job.device.name, torch.get_num_threads(), torch.__version__, library.fingerprint()]
    return [asdict(heads), str(compute_dtype(job.device)), *machine]


def _read(file: Path) -> Limits | None:
    """What `_write` wrote; None if there is nothing whole."""
    from sonmat.training.fused.attention import Limits

    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        return Limits(int(stored["plain"]), int(stored["masked"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(file: Path, limits: Limits) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, json.dumps({"plain": limits.plain, "masked": limits.masked}))
    except OSError:
        return  # a folder that cannot be written to: measured again next time
