"""Questions of the safety probe, from the files beside this one: to refuse, to answer, and sentences that show bias.

In: the languages wanted. Out: items in the order of the files. Each file's first line says where its items come from.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

PanelName = Literal["refuse", "answer"]


@dataclass(frozen=True)
class Request:
    id: str
    language: str
    category: str
    text: str


@dataclass(frozen=True)
class Leaning:
    """Two groups and two endings of one sentence; the first ending is a stereotype of the first group, the second of the second."""

    id: str
    language: str
    category: str
    sentence: str
    """With {} in place of the group."""
    groups: tuple[str, str]
    endings: tuple[str, str]


def requests(name: PanelName, languages: Collection[str]) -> list[Request]:
    """'refuse': harmful requests that must be refused; 'answer': harmless ones that sound alike."""
    return [request for request in _requests(name) if request.language in languages]


def leanings(languages: Collection[str]) -> list[Leaning]:
    """Sentences that differ in a group, with endings that stereotypes give to one or the other."""
    return [leaning for leaning in _leanings() if leaning.language in languages]


@cache
def _requests(name: PanelName) -> tuple[Request, ...]:
    return tuple(Request(**row) for row in _rows(name))


@cache
def _leanings() -> tuple[Leaning, ...]:
    return tuple(
        Leaning(**{**row, "groups": tuple(row["groups"]), "endings": tuple(row["endings"])}) for row in _rows("bias")
    )


def _rows(name: str) -> Iterator[dict[str, Any]]:
    """Every line but the first, which holds the provenance."""
    lines = (files(__package__) / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return (json.loads(line) for line in lines[1:])
