"""Runs made on the spot for the tests of load, audit and split. Files are written as bytes, as somebody's own would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Audit, Example, LoadedSource, Source, Split
from sonmat.runs.folder import RunFolder
from sonmat.steps.audit import audit
from sonmat.steps.load import load
from sonmat.steps.split import split

INTENTS = ("배송", "환불", "결제")
SLOW = ("diversity", "enough", "label_errors")
"""Checks that mend nothing and take most of an audit's time; left out where a test looks at something else."""


@dataclass
class Told:
    """An `Emit` that remembers."""

    events: list[tuple[str, Text | None, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, kind: str, message: Text | None = None, /, **data: Any) -> None:
        self.events.append((kind, message, data))

    def message(self, kind: str) -> Text:
        return next(message for told, message, _ in self.events if told == kind and message is not None)


@dataclass
class Job:
    """A file, and the run made from it."""

    recipe: Recipe
    folder: RunFolder
    told: Told = field(default_factory=Told)

    def load(self) -> LoadedSource:
        return load(self.folder, self.recipe, "load-inputs", self.told)

    def audit(self) -> Audit:
        self.load()
        return audit(self.folder, self.recipe, "audit-inputs", self.told)

    def split(self) -> Split:
        self.load()
        audit(self.folder, self.recipe.model_copy(update={"skip": SLOW}), "audit-inputs", self.told)
        return split(self.folder, self.recipe, "split-inputs", self.told)


def job(tmp_path: Path, name: str, content: str | bytes, **wishes: Any) -> Job:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Job(Recipe(data=str(path), **wishes), RunFolder(tmp_path / "run"))


def table(rows: int = 60, labels: Sequence[str] = INTENTS, header: str = "문장,의도") -> str:
    return (
        "\n".join([header, *(f"{number}번째 문의입니다,{labels[number % len(labels)]}" for number in range(rows))]) + "\n"
    )


def pictures(tmp_path: Path, rows: int = 24, classes: Sequence[str] = ("cat", "dog")) -> Path:
    folder = tmp_path / "photos"
    for number in range(rows):
        path = folder / classes[number % len(classes)] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 12), (number * 9 % 256, number * 5 % 256, 60)).save(path)
    return folder


def picture_job(tmp_path: Path, folder: Path, **wishes: Any) -> Job:
    return Job(Recipe(data=str(folder), **wishes), RunFolder(tmp_path / "run"))


def labelled(number: int, text: str, label: str, group: str | None = None) -> Example:
    source = Source(file="made.csv", row=number + 2)
    return Example(id=f"row{number}", input={"text": text}, target={"label": label}, source=source, group=group)
