"""The contracts of plug-ins as functions to call from a test, for built-in and third-party plug-ins alike.

from sonmat.conformance import check_task
def test_my_task_keeps_the_contract():
    check_task(my_package.my_task.plugin)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "check_check",
    "check_family",
    "check_format",
    "check_method",
    "check_metric",
    "check_probe",
    "check_shape",
    "check_task",
    "findings_of",
]

if TYPE_CHECKING:
    from sonmat.conformance.check import check_check, findings_of
    from sonmat.conformance.family import check_family
    from sonmat.conformance.format import check_format
    from sonmat.conformance.method import check_method
    from sonmat.conformance.metric import check_metric
    from sonmat.conformance.probe import check_probe
    from sonmat.conformance.shape import check_shape
    from sonmat.conformance.task import check_task


def __getattr__(name: str) -> Any:
    # Late, so that checking a format does not import torch.
    if name not in __all__:
        raise AttributeError(name)
    module = "check" if name == "findings_of" else name.removeprefix("check_")
    return getattr(import_module(f"sonmat.conformance.{module}"), name)
