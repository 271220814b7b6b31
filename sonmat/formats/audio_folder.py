"""A folder of sounds with a folder a class (see `sonmat.reading.class_folders`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.audio_names import AUDIO_SUFFIXES, is_audio_name
from sonmat.reading.class_folders import (
    Medium,
    describe_class_folders,
    holds_media,
    read_class_folders,
    write_class_folders,
)

_SOUNDS = Medium("audio", is_audio_name, AUDIO_SUFFIXES, Text(en="sounds", ko="소리"))


class AudioFolder:
    name = "audio_folder"
    title = Text(en="Folder of sounds, a folder a class", ko="클래스별 폴더에 담긴 소리")
    suffixes: tuple[str, ...] = ()
    holds: Holds = "audio"
    precedence = 10

    def matches(self, path: Path) -> bool:
        return path.is_dir() and holds_media(path, _SOUNDS)

    def describe(self, path: Path) -> Text:
        return describe_class_folders(path, _SOUNDS)

    def read(self, path: Path) -> Iterator[Record]:
        return read_class_folders(path, _SOUNDS)

    def write(self, records: Iterable[Record], path: Path) -> None:
        write_class_folders(records, path, _SOUNDS)


plugin = AudioFolder()
