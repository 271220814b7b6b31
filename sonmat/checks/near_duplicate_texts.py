"""Rows whose texts are nearly the same: other spacing, punctuation or case, a typing error, one word more.

They stay together in the split, else the test would ask what was nearly learnt by heart; they are dropped only if the recipe
says so and their targets agree.
"""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.checking.clusters import near_duplicates_finding
from sonmat.checking.likeness import SAME_TEXT, AlikeTexts
from sonmat.core.protocols import Rows, Surroundings, Watch
from sonmat.core.text import Text
from sonmat.core.values import Finding


class NearDuplicateTexts:
    name = "near_duplicate_texts"
    title = Text(en="Nearly repeated texts", ko="거의 같은 글")

    def watch(self, data: Surroundings) -> Watch | None:
        return _NearCopies(data) if data.kind.modality == "text" else None


class _NearCopies:
    def __init__(self, data: Surroundings) -> None:
        self.data = data
        self.texts = AlikeTexts(data.kind)

    def see(self, rows: Rows) -> None:
        self.texts.see(rows)

    def findings(self) -> Iterator[Finding]:
        copies = self.texts.copies()
        pairs = self.texts.pairs(copies.firsts)
        finding = near_duplicates_finding(plugin.name, self.data, pairs, self.texts.agree(pairs), copies, SAME_TEXT)
        if finding is not None:
            yield finding


plugin = NearDuplicateTexts()
