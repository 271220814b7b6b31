"""What training does otherwise on an accelerator than on a processor: number formats, transfers, optimiser state, memory.

In: a device, batches, parameters. Out: the same values on the device. Nothing here waits for the accelerator; the loop does so once
a step, when it reads the loss.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from sonmat.core.errors import SettingError
from sonmat.core.protocols import Batch
from sonmat.core.text import Text
from sonmat.core.values import Device
from sonmat.training.settings import TrainingSettings


def prepare(device: Device) -> None:
    """Set the process up for training on `device`.

    Products that stay in float32 beside bf16 ones run in TF32 (10 bits of mantissa, bf16 has 7), so that nothing becomes coarser
    than what surrounds it. The peak of the device's memory is counted from here.
    """
    if device.kind == "cuda":
        torch.set_float32_matmul_precision("high" if device.bf16 else "highest")
        torch.cuda.reset_peak_memory_stats()


def moved(batch: Batch, where: torch.device) -> Batch:
    """`batch` on the device; on an accelerator through pinned memory, while it still computes what came before."""
    if where.type != "cuda":
        return {name: tensor.to(where) for name, tensor in batch.items()}
    return {name: tensor.pin_memory().to(where, non_blocking=True) for name, tensor in batch.items()}


def peak_bytes(device: Device) -> int:
    """The most that tensors took of an accelerator's memory since `prepare`; 0 on a processor, whose memory is the process's."""
    return int(torch.cuda.max_memory_allocated()) if device.kind == "cuda" else 0


def has_8bit_state(device: Device) -> bool:
    """Whether AdamW can keep its state in 8 bits here."""
    return device.kind == "cuda" and find_spec("bitsandbytes") is not None


def adamw(model: nn.Module, settings: TrainingSettings, device: Device) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019) of what trains; matrices decay, biases and norms (one dimension) do not.

    In one fused pass; with 8-bit state that of bitsandbytes (Dettmers et al. 2022, arXiv:2110.02861).

    Raises:
        SettingError: 8-bit state is asked for and cannot be had.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if settings.optimiser_state == "fp32":
        return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)
    if not has_8bit_state(device):
        raise SettingError(
            Text(
                en="optimiser_state 8bit needs an NVIDIA GPU and the package bitsandbytes.",
                ko="optimiser_state 8bit에는 NVIDIA GPU와 bitsandbytes 패키지가 필요합니다.",
            ),
            Text(
                en="pip install bitsandbytes, or leave optimiser_state at fp32.",
                ko="pip install bitsandbytes로 설치하거나 optimiser_state를 fp32로 두세요.",
            ),
        )
    import bitsandbytes  # type: ignore[import-not-found]

    found: torch.optim.Optimizer = bitsandbytes.optim.AdamW8bit(groups, lr=settings.learning_rate)
    return found
