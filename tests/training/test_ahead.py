"""Rows encoded ahead: the same rows, each once, and the same training."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from sonmat import plugins
from sonmat.core.errors import DataError
from sonmat.core.protocols import Row
from sonmat.core.text import Text
from sonmat.training.ahead import Ahead, threads_for
from tests.training.test_loop import Regression, train, weights
from tests.training.tiny_jobs import CPU


def test_requested_rows_are_encoded_once_in_another_thread_and_others_here() -> None:
    where: dict[int, list[str]] = {}

    def encode(index: int) -> Row:
        where.setdefault(index, []).append(threading.current_thread().name)
        return Row({"x": [index]}, 1)

    ahead = Ahead(encode, 2)
    ahead.request([1, 2])
    assert [ahead[index].arrays["x"] for index in (1, 2, 3)] == [[1], [2], [3]]
    assert {index: len(names) for index, names in where.items()} == {1: 1, 2: 1, 3: 1}
    assert all(name.startswith("encode") for index in (1, 2) for name in where[index])
    assert where[3] == [threading.current_thread().name]


def test_an_error_of_encoding_is_raised_where_the_row_is_taken() -> None:
    def broken(index: int) -> Row:
        raise DataError(Text(en="row 7 is broken", ko="7행이 손상되었습니다"))

    ahead = Ahead(broken, 1)
    ahead.request([7])
    with pytest.raises(DataError, match="row 7"):
        ahead[7]


def test_training_with_rows_encoded_ahead_is_the_same_to_the_bit(tmp_path: Path) -> None:
    plain, _, _ = train(tmp_path / "a", Regression(dropout=0.3), micro_batch_tokens=16)
    ahead, _, _ = train(tmp_path / "b", Regression(dropout=0.3), micro_batch_tokens=16, threads_ahead=3)
    weighted = [(0.4, 1.0, 2.5)[row % 3] for row in range(40)]
    drawn, _, _ = train(tmp_path / "c", weights=weighted)
    drawn_ahead, _, _ = train(tmp_path / "d", weights=weighted, threads_ahead=2)
    assert torch.equal(weights(plain), weights(ahead))
    assert torch.equal(weights(drawn), weights(drawn_ahead))


def test_only_pictures_are_encoded_ahead_and_only_where_a_core_is_to_spare() -> None:
    chat, pictures = plugins.find("tasks", "chat"), plugins.find("tasks", "image-classification")
    eight = CPU.model_copy(update={"cores": 8})
    assert threads_for(chat, eight) == 0
    assert threads_for(pictures, CPU) == 0
    assert threads_for(pictures, eight) == 4
    assert threads_for(pictures, CPU.model_copy(update={"kind": "cuda"})) == 1
