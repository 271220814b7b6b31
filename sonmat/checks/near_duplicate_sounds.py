"""Recordings that sound the same: at another volume or sampling rate, in another file format.

They stay together in the split, and are dropped only if the recipe says so and their targets agree.
"""

from __future__ import annotations

from sonmat.checking.likeness import NearDuplicates
from sonmat.core.text import Text
from sonmat.core.watching import Surroundings, Watch


class NearDuplicateSounds:
    name = "near_duplicate_sounds"
    title = Text(en="Nearly repeated recordings", ko="거의 같은 소리")

    def watch(self, data: Surroundings) -> Watch | None:
        return NearDuplicates(self.name, data) if data.kind.modality == "audio" else None


plugin = NearDuplicateSounds()
