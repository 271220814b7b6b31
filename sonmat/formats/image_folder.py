"""A folder of pictures with a folder a class (see `sonmat.reading.class_folders`).

It is asked last of all formats of folders, and says what is expected where no other reads a folder either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.class_folders import Medium, describe_class_folders, read_class_folders, write_class_folders
from sonmat.reading.images import IMAGE_SUFFIXES, is_image_name

_PICTURES = Medium("image", is_image_name, IMAGE_SUFFIXES, Text(en="pictures", ko="그림"))


class ImageFolder:
    name = "image_folder"
    title = Text(en="Folder of pictures, a folder a class", ko="클래스별 폴더에 담긴 그림")
    suffixes: tuple[str, ...] = ()
    holds: Holds = "image"
    precedence = 0

    def matches(self, path: Path) -> bool:
        return path.is_dir()

    def describe(self, path: Path) -> Text:
        return describe_class_folders(path, _PICTURES)

    def read(self, path: Path) -> Iterator[Record]:
        return read_class_folders(path, _PICTURES)

    def write(self, records: Iterable[Record], path: Path) -> None:
        write_class_folders(records, path, _PICTURES)


plugin = ImageFolder()
