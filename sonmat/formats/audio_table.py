"""A folder of sounds with a table that names each in `file_name` (see `sonmat.reading.media_table`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.audio_names import AUDIO_SUFFIXES, is_audio_name
from sonmat.reading.class_folders import Medium
from sonmat.reading.media_table import copied_media, describe_media_table, describes_media, read_media_table
from sonmat.runs.files import replacing

_SOUNDS = Medium("audio", is_audio_name, AUDIO_SUFFIXES, Text(en="sounds", ko="소리"))


class AudioTable:
    name = "audio_table"
    title = Text(en="Folder of sounds with a table", ko="표가 딸린 소리 폴더")
    suffixes: tuple[str, ...] = ()
    holds: Holds = "audio"
    precedence = 30

    def matches(self, path: Path) -> bool:
        return path.is_dir() and describes_media(path, _SOUNDS)

    def describe(self, path: Path) -> Text:
        return describe_media_table(path, _SOUNDS)

    def read(self, path: Path) -> Iterator[Record]:
        return read_media_table(path, _SOUNDS)

    def write(self, records: Iterable[Record], path: Path) -> None:
        with replacing(path / "metadata.jsonl") as stream:
            stream.writelines(copied_media(records, path, _SOUNDS))


plugin = AudioTable()
