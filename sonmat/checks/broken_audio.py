"""Sounds that cannot be decoded whole: found by really decoding each one."""

from __future__ import annotations

from sonmat.checking.broken_files import BrokenFiles
from sonmat.core.text import Text
from sonmat.core.watching import Surroundings, Watch
from sonmat.reading.sounds import sound_problem


class BrokenAudio:
    name = "broken_audio"
    title = Text(en="Broken sounds", ko="깨진 소리")

    def watch(self, data: Surroundings) -> Watch | None:
        if data.kind.modality != "audio":
            return None
        return BrokenFiles(self.name, "audio", Text(en="Sounds", ko="소리"), sound_problem)


plugin = BrokenAudio()
