"""Holds the built-in probes, in whatever test they measure something, to the names of measures that they declare.

Imported by the `conftest.py` of folders whose tests measure. A proof goes on without a probe that raises, so names are collected, and
asserted once the tests of a file are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.probing import declares
from sonmat.core.proof import Measure

__all__ = ["undeclared_measures", "watched_measures"]


@contextmanager
def watched_measures() -> Iterator[set[str]]:
    """PROBE.NAME of everything that built-in probes measure meanwhile and do not declare."""
    undeclared: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        for probe in plugins.every("probes"):
            patch.setattr(type(probe), "measure", _watched(type(probe).measure, undeclared))
        yield undeclared


@pytest.fixture(scope="module", autouse=True)
def undeclared_measures() -> Iterator[None]:
    with watched_measures() as undeclared:
        yield
    assert not undeclared, f"measured and not declared: {sorted(undeclared)}"


def _watched(measure: Callable[..., Sequence[Measure]], undeclared: set[str]) -> Callable[..., Sequence[Measure]]:
    @wraps(measure)
    def measured(probe: Any, *arguments: Any, **named: Any) -> Sequence[Measure]:
        found = measure(probe, *arguments, **named)
        undeclared.update(f"{probe.name}.{each.name}" for each in found if not declares(probe, each.name))
        return found

    return measured
