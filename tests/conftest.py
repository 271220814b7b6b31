"""What every test may rely on: English sentences, one thread a process (two run side by side), no leftovers."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

# Before torch is imported: tiny models on several threads spend their time waiting for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from sonmat.core.text import set_language


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)
