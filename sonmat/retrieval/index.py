"""All that can be looked up, searched by words, by meaning, or by both.

In: passages and, for meaning, an encoder. Out: a folder; from it, passages for a question. Both ways together are fused by their
ranks. A training example is never found for itself, and the same text is never given twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sonmat.core.proof import Passage
from sonmat.core.protocols import Emit
from sonmat.retrieval.dense import DenseIndex, SentenceEncoder
from sonmat.retrieval.fusion import fused
from sonmat.retrieval.lexical import LexicalIndex
from sonmat.runs.files import read_rows, write_rows

By = Literal["words", "meaning", "both"]
DEPTH: Final = 50
"""Passages of each ranking that are fused."""
_PASSAGES, _WORDS, _MEANING = "passages.jsonl", "words", "meaning"


@dataclass(frozen=True)
class PassageIndex:
    passages: Sequence[Passage]
    lexical: LexicalIndex
    dense: DenseIndex | None
    """None where there is no encoder: then everything is searched by words."""

    @classmethod
    def of(cls, passages: Sequence[Passage], encoder: SentenceEncoder | None, kept: Path, emit: Emit) -> PassageIndex:
        """An index of `passages`.

        Args:
            kept: folder of vectors that other fits have computed and this one leaves for them.
        """
        texts = [passage.text for passage in passages]
        dense = DenseIndex.of(encoder.passages(texts, kept, emit), encoder.questions) if encoder is not None else None
        return cls(passages, LexicalIndex.of(texts), dense)

    @classmethod
    def load(cls, folder: Path, encoder: SentenceEncoder | None) -> PassageIndex:
        """What `save` wrote.

        Raises:
            RunError, ModelError: a file of it is missing or damaged.
        """
        passages = list(read_rows(folder / _PASSAGES, Passage))
        dense = DenseIndex.load(folder / _MEANING, encoder.questions) if encoder is not None else None
        return cls(passages, LexicalIndex.load(folder / _WORDS), dense)

    def save(self, folder: Path) -> None:
        write_rows(folder / _PASSAGES, Passage, self.passages)
        self.lexical.save(folder / _WORDS)
        if self.dense is not None:
            self.dense.save(folder / _MEANING)

    def search(self, questions: Sequence[str], by: By, count: int, rows: Sequence[str] = ()) -> list[list[Passage]]:
        """For each question up to `count` passages, the best first.

        Args:
            rows: for each question the id of its row, which is not found.
        """
        rankings = self.rankings(questions, by, max(DEPTH, 2 * count))
        own = rows or [""] * len(questions)
        return [self._first(ranking, count, row) for ranking, row in zip(rankings, own, strict=True)]

    def rankings(self, questions: Sequence[str], by: By, depth: int) -> list[list[int]]:
        """For each question places of passages, the best first."""
        words = self.lexical.nearest(questions, depth) if by != "meaning" or self.dense is None else []
        if by == "words" or self.dense is None:
            return words
        meaning = self.dense.nearest(questions, depth)
        return meaning if by == "meaning" else [fused(both) for both in zip(words, meaning, strict=True)]

    def _first(self, ranking: Sequence[int], count: int, row: str) -> list[Passage]:
        found: list[Passage] = []
        said: set[str] = set()
        for place in ranking:
            passage = self.passages[place]
            if len(found) == count:
                break
            if passage.text in said or (row and passage.row == row):
                continue
            found.append(passage)
            said.add(passage.text)
        return found
