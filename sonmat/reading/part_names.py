"""Which part of a given split the name of a file or folder says. In: a name. Out: train, validation or test, or nothing."""

from __future__ import annotations

import re

from sonmat.core.values import Part
from sonmat.reading.parts import part_of

_WORDS = re.compile(r"[^\W\d_]+")


def part_of_folder(name: str) -> Part | None:
    """The part whose name the folder has; 'eval' is a test, as Hugging Face has it."""
    return "test" if name.casefold() in ("eval", "evaluation") else part_of(name)


def part_of_file(name: str) -> Part | None:
    """The part named first in the file's name, as in 'train-00000-of-00002.parquet' or 'my_test.csv'."""
    found = (part_of_folder(word) for word in _WORDS.findall(name.split(".")[0]))
    return next((part for part in found if part is not None), None)
