"""What every test may rely on: English sentences, one thread a process (two run side by side), no leftovers."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

# Before torch is imported: tiny models on several threads spend their time waiting for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from sonmat.core.text import set_language

# What is imported and collected stays until the end: there is no garbage among it to look for.
gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """From here on garbage is collected again, without walking over all that is loaded each time."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _without_waiting_for_the_disk() -> Iterator[None]:
    """Only a power cut tells what was synced from what was written; a process that dies in it is tested in `tests/runs`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)
