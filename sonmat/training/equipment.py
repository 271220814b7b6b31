"""Makes a model ready to train on its device: moved there, its parts computed by the best kernels, its blocks compiled or lightened.

In: a job, its settings, the model whose weights to train are chosen. Out: the same model. What was decided is told as the event
"kernels", and said in words where it is not the usual thing. It decides nothing itself: settings and `kernels` do.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from importlib.util import find_spec

from torch import nn

from sonmat.core.errors import SettingError
from sonmat.core.protocols import FitJob, Fusions
from sonmat.core.text import Text
from sonmat.core.values import Device
from sonmat.inference.device import torch_device
from sonmat.training import accelerators
from sonmat.training.activations import keep_less
from sonmat.training.compiling import compile_blocks
from sonmat.training.kernels import choose_kernels, use_kernels
from sonmat.training.settings import TrainingSettings

COMPILERS = ("c++", "g++", "clang++", "cl")


def equip(job: FitJob, settings: TrainingSettings, model: nn.Module) -> None:
    """Move `model` to its device and put the kernels in.

    Raises:
        SettingError: layers are to be compiled, and nothing here can.
    """
    compiled = settings.compile == "yes"
    if compiled:
        _require_compiler(job.device)
    accelerators.prepare(job.device)
    # Before anything is fused, because fused matrices are made where the weights lie.
    model.to(torch_device(job.device))
    fusions = job.family.fusions if job.family is not None else Fusions()
    kernels = choose_kernels(fusions, job.device, compiled=compiled)
    use_kernels(model, fusions, kernels)
    unusual = job.device.kind == "cuda" or compiled
    told = {"activations": settings.activations, "compiled": compiled, "optimiser_state": settings.optimiser_state}
    job.emit("kernels", kernels.said if unusual else None, **asdict(kernels), **told)


def lighten(job: FitJob, settings: TrainingSettings, body: nn.Module) -> None:
    """Compile the blocks of `body`, the pretrained part, and have them keep less for the backward pass, as settings say."""
    blocks = job.family.blocks(body) if job.family is not None else []
    if settings.compile == "yes":
        compile_blocks(blocks)
    keep_less(blocks, settings.activations)


def _require_compiler(device: Device) -> None:
    if find_spec("triton") is not None if device.kind == "cuda" else any(shutil.which(name) for name in COMPILERS):
        return
    what = "Triton" if device.kind == "cuda" else "a C++ compiler"
    raise SettingError(
        Text(
            en=f"compile: yes needs {what}, which this machine lacks.",
            ko=f"compile: yes에는 {'Triton' if device.kind == 'cuda' else 'C++ 컴파일러'}가 필요한데 이 기계에 없습니다.",
        ),
        Text(en="Install it, or set compile to no.", ko="설치하거나 compile을 no로 두세요."),
    )
