"""What all processes of one training decide alike, so that none waits in an exchange that another never comes to.

In: what this process wishes or has seen. Out: what all go by. A clock, a signal or a rounding may differ between processes, so
nothing that decides which exchange comes next may be taken from them without asking here. With one process nothing is exchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from accelerate import Accelerator

Value = TypeVar("Value")


def any_wishes(accelerator: Accelerator, wish: bool) -> bool:
    """Whether at least one process wishes so."""
    if accelerator.num_processes == 1:
        return wish
    import torch

    wishes = accelerator.reduce(torch.tensor(float(wish), device=accelerator.device), "sum")
    return bool(wishes.item() > 0)


def of_the_first(accelerator: Accelerator, value: Value) -> Value:
    """The first process's `value`, in every process; it must be picklable."""
    if accelerator.num_processes == 1:
        return value
    from accelerate.utils import broadcast_object_list

    found: list[Value] = broadcast_object_list([value])
    return found[0]
