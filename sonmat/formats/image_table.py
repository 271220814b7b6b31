"""A folder of pictures with a table that names each in `file_name` (see `sonmat.reading.media_table`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.class_folders import Medium
from sonmat.reading.images import IMAGE_SUFFIXES, is_image_name
from sonmat.reading.media_table import copied_media, describe_media_table, describes_media, read_media_table
from sonmat.runs.files import replacing

_PICTURES = Medium("image", is_image_name, IMAGE_SUFFIXES, Text(en="pictures", ko="그림"))


class ImageTable:
    name = "image_table"
    title = Text(en="Folder of pictures with a table", ko="표가 딸린 그림 폴더")
    suffixes: tuple[str, ...] = ()
    holds: Holds = "image"
    precedence = 30

    def matches(self, path: Path) -> bool:
        return path.is_dir() and describes_media(path, _PICTURES)

    def describe(self, path: Path) -> Text:
        return describe_media_table(path, _PICTURES)

    def read(self, path: Path) -> Iterator[Record]:
        return read_media_table(path, _PICTURES)

    def write(self, records: Iterable[Record], path: Path) -> None:
        with replacing(path / "metadata.jsonl") as stream:
            stream.writelines(copied_media(records, path, _PICTURES))


plugin = ImageTable()
