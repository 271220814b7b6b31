"""A base model that is no longer where it was: taken again, and refused if its weights are others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sonmat.core.errors import ModelError
from sonmat.models import resolve
from sonmat.models.saved import present
from tests.models.conftest import Events


@pytest.fixture
def moved(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def test_a_base_that_lies_elsewhere_now_is_taken_if_its_weights_are_the_same(moved: Path, events: Events) -> None:
    found = resolve(str(moved), emit=events)
    before = found.model_copy(update={"path": str(moved / "gone")})
    assert present(before, events) == found


def test_a_base_with_other_weights_does_not_take_its_place(moved: Path, events: Events) -> None:
    before = resolve(str(moved), emit=events).model_copy(update={"path": str(moved / "gone"), "checksum": "0" * 64})
    with pytest.raises(ModelError, match="not the one that was used"):
        present(before, events)
