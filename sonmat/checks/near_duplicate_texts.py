"""Rows whose texts are nearly the same: other spacing, punctuation or case, a typing error, one word more.

They stay together in the split, else the test would ask what was nearly learnt by heart; they are dropped only if the recipe
says so and their targets agree.
"""

from __future__ import annotations

from sonmat.checking.likeness import NearDuplicates
from sonmat.core.text import Text
from sonmat.core.watching import Surroundings, Watch


class NearDuplicateTexts:
    name = "near_duplicate_texts"
    title = Text(en="Nearly repeated texts", ko="거의 같은 글")

    def watch(self, data: Surroundings) -> Watch | None:
        return NearDuplicates(self.name, data) if data.kind.modality == "text" else None


plugin = NearDuplicateTexts()
