"""Search by meaning: texts and questions as vectors of a pretrained encoder, compared by their cosine.

In: texts, once; questions, any number of times. Out: the nearest texts. Up to 100,000 texts every cosine is computed, which is
exact; beyond, a graph of neighbours (HNSW, Malkov and Yashunin 2020, by usearch) finds nearly all of them: `benchmarks/retrieval.py`
checks how many. E5 encoders were trained with 'query: ' before questions and 'passage: ' before texts (Wang et al. 2022), which
the settings of the method say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Emit
from sonmat.core.values import ModelFacts
from sonmat.embedding.encoder import Encoder, LoadedEncoder
from sonmat.retrieval.ranking import best, damaged_index

MOST_EXACT: Final = 100_000
"""Vectors that are compared one by one."""
MOST_TOKENS: Final = 512
"""Of each text: a passage of 200 words has about 300 in most languages."""
_VECTORS, _GRAPH = "vectors.npy", "graph.usearch"

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors of length 1, float32 of shape (texts, width)."""


@dataclass(frozen=True)
class SentenceEncoder:
    """An encoder with what it wants before questions and before texts."""

    facts: ModelFacts
    question_prefix: str
    passage_prefix: str

    def passages(self, texts: Sequence[str], kept: Path, emit: Emit) -> NDArray[np.float32]:
        """Vectors of texts to search in; those that `kept` has from an earlier fit are not computed again."""
        return Encoder(self.facts, self.passage_prefix, kept, self._most_tokens).of_texts(texts, emit)

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of questions; the encoder stays loaded for the next ones."""
        return self._loaded.of_texts([self.question_prefix + text for text in texts])

    @cached_property
    def _loaded(self) -> LoadedEncoder:
        return LoadedEncoder(self.facts, self._most_tokens)

    @property
    def _most_tokens(self) -> int:
        return min(MOST_TOKENS, self.facts.max_positions)


class DenseIndex:
    """Texts by their meaning."""

    def __init__(self, vectors: NDArray[np.float32], encode: Encode, graph: Any = None) -> None:
        self._vectors = vectors
        self._encode = encode
        self._graph = graph

    @classmethod
    def of(cls, vectors: NDArray[np.float32], encode: Encode, most_exact: int = MOST_EXACT) -> DenseIndex:
        """An index of unit `vectors`, float32 of shape (texts, width); `encode` makes vectors of questions."""
        return cls(vectors, encode, _graph_of(vectors) if len(vectors) > most_exact else None)

    @classmethod
    def load(cls, folder: Path, encode: Encode) -> DenseIndex:
        """What `save` wrote.

        Raises:
            ModelError: it is damaged.
        """
        graph = None
        if (folder / _GRAPH).is_file():
            from usearch.index import Index

            graph = Index.restore(str(folder / _GRAPH))
        try:
            vectors = np.load(folder / _VECTORS, mmap_mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise damaged_index(folder / _VECTORS) from error
        return cls(vectors, encode, graph)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / _VECTORS, self._vectors)
        if self._graph is not None:
            self._graph.save(str(folder / _GRAPH))

    def nearest(self, questions: Sequence[str], depth: int) -> list[list[int]]:
        """For each question the places of the `depth` nearest texts, the nearest first."""
        if not len(self._vectors):
            return [[] for _ in questions]
        return self.nearest_to(self._encode(questions), depth)

    def nearest_to(self, vectors: NDArray[np.float32], depth: int) -> list[list[int]]:
        """As `nearest`, for vectors of questions."""
        depth = min(depth, len(self._vectors))
        if self._graph is not None:
            return [[int(key) for key in self._graph.search(vector, depth).keys] for vector in vectors]
        return [best(self._vectors @ vector, depth) for vector in vectors]


def _graph_of(vectors: NDArray[np.float32]) -> Any:
    from usearch.index import Index

    graph = Index(ndim=vectors.shape[1], metric="ip", dtype="f32", connectivity=32, expansion_add=128, expansion_search=256)
    # One thread, so that the same vectors give the same graph.
    graph.add(np.arange(len(vectors)), vectors, threads=1)
    return graph
