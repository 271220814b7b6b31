"""Recipes from files and options together; what a worker makes of errors of memory and disk."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.errors import ResourceError, SettingError
from sonmat.recipes import make_recipe
from sonmat.worker import _resource_error


def recipe_file(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_settings_of_file_and_options_are_merged_setting_by_setting(tmp_path: Path) -> None:
    file = recipe_file(tmp_path, "data: d.csv\nsettings:\n  lora: {epochs: 2, rank: 4}\n")
    made = make_recipe(file, {"settings": {"lora": {"rank": 8}, "full": {"epochs": 1}}})
    assert made.settings == {"lora": {"epochs": 2, "rank": 8}, "full": {"epochs": 1}}


def test_data_of_a_recipe_is_meant_from_where_the_recipe_lies(tmp_path: Path) -> None:
    assert make_recipe(recipe_file(tmp_path, "data: d.csv\n"), {}).data == (str(tmp_path / "d.csv"),)
    assert make_recipe(recipe_file(tmp_path, "data: d.csv\n"), {"data": "other.csv"}).data == ("other.csv",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data: d\nminuts: 3\n", "did you mean 'minutes'"),
        ("data: d\nminutes: soon\nseed: -1\n", "minutes.*seed"),
        ("task: chat\n", "'data' is missing"),
        ("- a\n", "holds no recipe"),
        ("a: [\n", "not readable YAML"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said_all_at_once(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said) as caught:
        make_recipe(recipe_file(tmp_path, text), {})
    assert caught.value.exit_code == 2


def test_a_value_that_does_not_fit_is_told_in_both_languages_and_without_the_list_of_all_keys() -> None:
    given = {"data": ["a.csv"], "shares": (0.4, 0.1, 0.5), "minutes": -3, "leakage": "go", "seed": "x"}
    with pytest.raises(SettingError) as caught:
        make_recipe(None, given)
    message = caught.value.what
    assert "expected 60 to 80 % to train" in message.en
    assert "Value error" not in message.en
    for korean in ("학습 60~80%", "0보다 커야 합니다", "'stop', 'drop', 'keep'", "정수여야 합니다"):
        assert korean in message.ko
    assert "Input should" not in message.ko
    assert caught.value.fix is not None
    assert "Known keys" not in caught.value.fix.en


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no recipe"):
        make_recipe(tmp_path / "none.yaml", {})


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: you tried to ..."),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_lack_of_memory_or_disk_is_recognised(error: Exception) -> None:
    assert isinstance(_resource_error(error), ResourceError)


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), OSError(errno.EACCES, "denied")])
def test_other_errors_are_not_taken_for_it(error: Any) -> None:
    assert _resource_error(error) is None
