"""The base models that Sonmat knows by name, and which of them suits a task and its languages.

In: a task, languages, a name. Out: entries of the catalogue. Nothing here downloads, reads files or imports torch.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sonmat.core.errors import ModelError
from sonmat.core.protocols import Task
from sonmat.core.text import Text
from sonmat.models.entries import ENTRIES
from sonmat.models.entry import CatalogueEntry, Kind


def catalogue() -> tuple[CatalogueEntry, ...]:
    """Every entry, of each kind the best first."""
    return ENTRIES


def find_entry(name: str) -> CatalogueEntry | None:
    """The entry called `name`, or None."""
    return next((entry for entry in catalogue() if entry.name == name), None)


def default_bases(task: Task, languages: Sequence[str]) -> tuple[CatalogueEntry, ...]:
    """Catalogue models that `task` can start from in all of `languages` (codes such as 'ko'), the best first.

    Without languages, models of many languages come first. Where no model speaks all of them, those that speak most of them
    are given. Empty where the catalogue has nothing of the task's kind.
    """
    fitting = [entry for entry in catalogue() if entry.kind == _wanted_kind(task)]
    if not any(entry.languages for entry in fitting):
        return tuple(fitting)
    if not languages:
        return tuple(sorted(fitting, key=lambda entry: -len(entry.languages)))
    unspoken = {entry.name: len(set(languages) - set(entry.languages)) for entry in fitting}
    fewest = min(unspoken.values())
    return tuple(entry for entry in fitting if unspoken[entry.name] == fewest)


def unknown_model(name: str) -> ModelError:
    """The error for a name that is no catalogue entry and no other kind of source."""
    names = [entry.name for entry in catalogue()]
    close = difflib.get_close_matches(name.casefold(), names, n=1, cutoff=0.4)
    what = Text(en=f"There is no base model named '{name}'.", ko=f"'{name}'(이)라는 기반 모델이 없습니다.")
    listed = ", ".join(names)
    nearest = Text(
        en=f"Did you mean '{close[0]}'? " if close else "",
        ko=f"혹시 '{close[0]}'인가요? " if close else "",
    )
    return ModelError(
        what,
        Text(
            en=f"{nearest.en}The catalogue has: {listed}. A base may also be a hub model (hub:ORG/NAME), a local folder "
            "(./my-model), a GGUF file (./model.gguf) or a wheel of a package index (wheel:NAME==VERSION).",
            ko=f"{nearest.ko}목록에 있는 모델: {listed}. 허브 모델(hub:ORG/NAME), 내 컴퓨터의 폴더(./my-model), "
            "GGUF 파일(./model.gguf), 패키지 저장소의 휠(wheel:NAME==VERSION)도 쓸 수 있습니다.",
        ),
    )


def _wanted_kind(task: Task) -> Kind:
    if task.modality == "image":
        return "image-backbone"
    if task.modality == "audio":
        return "speech-to-text"
    return "causal-lm" if task.generates else "encoder"
