"""Files made on the spot for the tests of formats, and short ways to read them."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from sonmat.core.errors import DataError
from sonmat.core.protocols import Format
from sonmat.core.text import Text
from sonmat.core.values import Json, Record, Source


def fields_of(format: Format, path: Path) -> list[Json]:
    """The fields of all rows, of which none may have a problem."""
    records = list(format.read(path))
    assert [record.problem for record in records if record.problem is not None] == []
    return [record.fields for record in records]


def problems_of(format: Format, path: Path) -> dict[int, str]:
    """Why rows cannot be used, in English, by their numbers."""
    return {record.source.row: record.problem.en for record in format.read(path) if record.problem is not None}


def as_records(rows: Sequence[Json]) -> list[Record]:
    return [Record(source=Source(file="made", row=number), fields=row) for number, row in enumerate(rows, start=1)]


def refusal(format: Format, path: Path) -> Text:
    """What is said of a file that cannot be read whole; it must also say what to do, in both languages."""
    with pytest.raises(DataError) as caught:
        list(format.read(path))
    assert caught.value.fix is not None
    assert all((caught.value.what.ko, caught.value.fix.en, caught.value.fix.ko))
    return caught.value.what


def picture(path: Path, size: tuple[int, int] = (32, 24), shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade % 256, 80, 120)).save(path)
    return path


def sound(path: Path, frames: int = 800, shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(8000)
        opened.writeframes(bytes([shade % 256, 1]) * frames)
    return path
