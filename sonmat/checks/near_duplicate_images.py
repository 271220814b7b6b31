"""Pictures that show the same: scaled, compressed anew, a little brighter or with a small margin cut off.

They stay together in the split, and are dropped only if the recipe says so and their targets agree.
"""

from __future__ import annotations

from sonmat.checking.likeness import NearDuplicates
from sonmat.core.text import Text
from sonmat.core.watching import Surroundings, Watch


class NearDuplicateImages:
    name = "near_duplicate_images"
    title = Text(en="Nearly repeated pictures", ko="거의 같은 그림")

    def watch(self, data: Surroundings) -> Watch | None:
        return NearDuplicates(self.name, data) if data.kind.modality == "image" else None


plugin = NearDuplicateImages()
