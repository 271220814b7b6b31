"""The gist of a batch is computed once for a batch, and a clean batch is passed over whole."""

from __future__ import annotations

import re

from sonmat.checking.gist import gist_of, suspects
from sonmat.reading.rows import ExampleRows
from tests.checks.made_texts import texts


def test_the_gist_is_that_of_the_batch_asked_for() -> None:
    first, second = ExampleRows(texts(["가 나"])), ExampleRows(texts(["다"]))
    assert gist_of(first) is gist_of(first)
    assert gist_of(first).words == {"가", "나", "a"}
    assert gist_of(second).words == {"다", "a"}
    assert set(gist_of(second).characters) == {"다", "\n", "a"}


def test_only_rows_with_the_pattern_are_suspects() -> None:
    assert [at for at, _ in suspects(ExampleRows(texts(["x", "y", "x"])), re.compile("x"))] == [0, 2]
