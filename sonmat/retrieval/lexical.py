"""Search by words: BM25 over content words, Korean ones as morphemes.

In: texts, once; questions, any number of times. Out: the texts that share words with a question, the best first. Robertson and
Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond"; the scores are bm25s's (Lù 2024) with Lucene's rarity of
words, k1 = 1.5 and b = 0.75. It knows nothing of meaning: two words for one thing are two things here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonmat.retrieval.ranking import best, damaged_index
from sonmat.statistics.words import content_words_of


class LexicalIndex:
    """Texts by their words."""

    def __init__(self, found: Any) -> None:
        self._found = found
        """None where no text has a word."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> LexicalIndex:
        import bm25s

        words = [list(each) for each in content_words_of(texts)]
        if not any(words):
            return cls(None)
        found = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        found.index(words, show_progress=False)
        return cls(found)

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """What `save` wrote.

        Raises:
            ModelError: it is damaged.
        """
        import bm25s

        if not folder.is_dir():
            return cls(None)
        try:
            return cls(bm25s.BM25.load(str(folder)))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise damaged_index(folder) from error

    def save(self, folder: Path) -> None:
        if self._found is not None:
            self._found.save(str(folder), show_progress=False)

    def nearest(self, questions: Sequence[str], depth: int) -> list[list[int]]:
        """For each question the places of up to `depth` texts that share a word with it, the best first."""
        return [self._nearest(words, depth) for words in content_words_of(questions)]

    def _nearest(self, words: Sequence[str], depth: int) -> list[int]:
        known = [word for word in words if self._found is not None and word in self._found.vocab_dict]
        if not known:
            return []
        scores = np.asarray(self._found.get_scores(known), dtype=np.float32)
        return [place for place in best(scores, depth) if scores[place] > 0]
