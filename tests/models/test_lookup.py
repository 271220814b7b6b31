"""The catalogue and what it proposes for a task and its languages."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sonmat.models import catalogue, default_bases, find_entry


def _task(modality: str = "text", generates: bool = False) -> Any:
    return SimpleNamespace(modality=modality, generates=generates)


def _names(task: Any, *languages: str) -> list[str]:
    return [entry.name for entry in default_bases(task, languages)]


@pytest.mark.parametrize(
    ("generates", "languages", "best"),
    [
        (False, ("ko",), "multilingual-e5-small"),
        (False, ("en",), "all-minilm-l6-v2"),
        (False, ("ko", "en"), "multilingual-e5-small"),
        (False, (), "multilingual-e5-small"),
        (False, ("sw", "tlh"), "multilingual-e5-small"),
        (True, ("en",), "smollm2-135m"),
        (True, ("ko",), "gemma3-270m"),
        (True, ("en", "ko"), "gemma3-270m"),
    ],
)
def test_the_best_base_speaks_the_languages_of_the_data(generates: bool, languages: tuple[str, ...], best: str) -> None:
    assert _names(_task(generates=generates), *languages)[0] == best


def test_a_model_that_lacks_a_language_is_not_proposed_where_another_has_it() -> None:
    assert _names(_task(), "ko") == ["multilingual-e5-small", "albert-kor-base"]
    assert _names(_task(generates=True), "ko") == ["gemma3-270m"]


def test_pictures_get_an_image_backbone_whatever_the_language() -> None:
    assert _names(_task("image"), "ko") == ["mobilenet-v2"]


def test_names_of_the_catalogue_are_unique_and_found() -> None:
    names = [entry.name for entry in catalogue()]
    assert len(set(names)) == len(names)
    for name in names:
        entry = find_entry(name)
        assert entry is not None
        assert entry.name == name
    assert find_entry("nothing-like-it") is None


def test_every_entry_is_pinned_and_names_its_licence() -> None:
    for entry in catalogue():
        assert entry.licence
        assert entry.licence_url.startswith("https://")
        assert entry.golden.values
        for wheel in entry.wheels:
            assert len(wheel.sha256) == 64
            assert wheel.members


def test_only_gemma_asks_for_an_explicit_yes() -> None:
    assert [entry.name for entry in catalogue() if entry.must_accept] == ["gemma3-270m"]
