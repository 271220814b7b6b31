"""Which numbers are kept and computed in which type: said here, and nowhere else.

    where the hardware computes bf16 (`Device.bf16`)                    elsewhere
    weights that train, gradients, AdamW's moments       float32        float32
    matrices that do not train (frozen, or answering)    bf16           float32, as loaded
    their vectors: biases, norms; running statistics     float32        float32
    matrix products and what goes from layer to layer    bf16           float32
    statistics of norms, softmax, losses                 float32        float32
    kept outputs of frozen layers                        bf16           float32

Products of float32 weights take copies in bf16, made once after every change (`fused.working`; autocast, once a forward pass, where a
model has no fused form). bf16 has float32's range, so that no loss is scaled. A frozen matrix is rounded after loading, so that new
layers are the same on every device, and is saved as the base has it. That quality stays is shown by `benchmarks/precision_quality.py`.

In: a model and a device. Out: the same model with its matrices rounded. Sources: Micikevicius et al. 2018 (arXiv:1710.03740) for
float32 weights beside products of 16 bits; Kalamkar et al. 2019 (arXiv:1905.12322) for bf16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonmat.core.values import Device
from sonmat.inference.device import compute_dtype

if TYPE_CHECKING:
    from torch import nn


def round_frozen(model: nn.Module, device: Device) -> bool:
    """Round the matrices of `model` that do not train to the type of products; returns whether there were any."""
    import torch

    dtype = compute_dtype(device)
    if dtype == torch.float32:
        return False
    frozen = [
        parameter
        for parameter in model.parameters()
        if not parameter.requires_grad and parameter.ndim > 1 and parameter.dtype == torch.float32
    ]
    for parameter in frozen:
        parameter.data = parameter.data.to(dtype)
    return bool(frozen)


def ready_to_answer(model: nn.Module, device: Device) -> None:
    """Nothing trains any more: every matrix in the type of products."""
    model.requires_grad_(False)
    round_frozen(model, device)
