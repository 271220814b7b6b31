"""Pictures that cannot be decoded whole: found by really decoding each one."""

from __future__ import annotations

from sonmat.checking.broken_files import BrokenFiles
from sonmat.core.text import Text
from sonmat.core.watching import Surroundings, Watch
from sonmat.reading.images import image_problem


class BrokenImage:
    name = "broken_image"
    title = Text(en="Broken pictures", ko="깨진 그림")

    def watch(self, data: Surroundings) -> Watch | None:
        if data.kind.modality != "image":
            return None
        return BrokenFiles(self.name, "image", Text(en="Pictures", ko="그림"), image_problem)


plugin = BrokenImage()
