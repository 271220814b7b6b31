"""Compiling a model's blocks, and when that pays.

Blocks are compiled one by one, with lengths that may change: they share one compiled form, which takes seconds where the whole model
takes minutes (PyTorch, "Regional compilation"). In: blocks. Out: the same blocks, computing the same. Parts that `training.fused`
computes in another way stay out of compiled blocks, because the compiler fuses the plain ones itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

import torch
from torch import nn

from sonmat.core.text import Text
from sonmat.core.values import Device

COMPILE_SECONDS: Final = 90.0
"""Typical for a decoder block forward and backward, with the recompilations of the first odd shapes."""
SHARE_SAVED: Final = 0.2
"""Of a step's time on an accelerator: 7,075 tokens/s became 8,998 in torchtune's figures for packed rows on one A100."""
SAFETY: Final = 3.0
"""A run must be expected to win back so many times what compiling costs, because both figures are typical and not measured."""
PAYS_FROM_SECONDS: Final = SAFETY * COMPILE_SECONDS / SHARE_SAVED


def pays(device: Device, seconds: float) -> tuple[bool, Text]:
    """Whether a training expected to take `seconds` on `device` is worth compiling, and why.

    On a processor compiled blocks save some per cent of a step and cost minutes (docs/performance.md): never by itself there.
    """
    if device.kind != "cuda" or find_spec("triton") is None:
        return False, Text(
            en="not compiled: that pays on an NVIDIA GPU with Triton only",
            ko="컴파일 안 함: Triton이 있는 NVIDIA GPU에서만 이득입니다",
        )
    if seconds < PAYS_FROM_SECONDS:
        return False, Text(
            en=f"not compiled: that pays from {PAYS_FROM_SECONDS / 60:.0f} minutes of training on",
            ko=f"컴파일 안 함: 학습이 {PAYS_FROM_SECONDS / 60:.0f}분 이상일 때 이득입니다",
        )
    saved = seconds * SHARE_SAVED / 60
    return True, Text(
        en=f"compiled: costs about {COMPILE_SECONDS / 60:.1f} minutes and saves about {saved:.0f}",
        ko=f"컴파일함: 약 {COMPILE_SECONDS / 60:.1f}분이 들고 약 {saved:.0f}분을 아낍니다",
    )


def compile_blocks(blocks: Sequence[nn.Module], backend: str = "inductor") -> None:
    """Compile each of `blocks` when it is first called; to be done before activations are given another way."""
    for block in blocks:
        block.forward = torch.compile(block.forward, dynamic=True, backend=backend)
