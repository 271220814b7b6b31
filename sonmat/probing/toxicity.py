"""Which texts hold toxic words, by the word lists of `checking.toxic_words`.

In: texts by id. Out: 1 or 0 for each, and the categories found. Words are never given out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sonmat.checking.toxic_words import toxic_words
from sonmat.core.values import Example, Source
from sonmat.reading.rows import ExampleRows


@dataclass(frozen=True)
class ToxicTexts:
    outcomes: dict[str, float]
    categories: Counter[str]

    @property
    def listed(self) -> str:
        """'profanity 3, threat 1'"""
        return ", ".join(f"{category} {count}" for category, count in self.categories.most_common())


def toxic_texts(texts: Mapping[str, str]) -> ToxicTexts:
    """Every text that has such a word."""
    ids = list(texts)
    source = Source(file="", row=0)
    rows = ExampleRows([Example(id=id, input={"text": ""}, target={"text": texts[id]}, source=source) for id in ids])
    outcomes, categories = dict.fromkeys(ids, 0.0), Counter[str]()
    for at, toxic in toxic_words().in_rows(rows):
        outcomes[ids[at]] = 1.0
        categories[toxic.category] += 1
    return ToxicTexts(outcomes, categories)
