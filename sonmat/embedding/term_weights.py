"""Texts as weights of words and groups of letters: TF-IDF with a vocabulary that can be read (Salton and Buckley 1988).

In: training texts. Out: terms with the weight of each, and sparse rows of length 1 for these and later texts. The terms are words,
pairs of neighbouring words and groups of two to four letters within a word, its ends marked by spaces; Korean needs no analyser so,
because its endings are groups of letters, too. It is what scikit-learn's TfidfVectorizer makes with `sublinear_tf`, `ngram_range`
(1, 2) for words and (2, 4) with 'char_wb' for letters; written here, so that a saved model needs neither it nor a pickle.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

Of = Literal["words", "letters"]

SIZES: Final = (2, 3, 4)
"""Letters of a group."""
MOST_LETTERS: Final = 20_000
"""Of each text that are looked at."""
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class TermWeights:
    """Terms of one kind and how much each says."""

    of: Of
    terms: tuple[str, ...]
    rarity: NDArray[np.float32]
    """ln((1 + texts) / (1 + texts with the term)) + 1, shape (terms,)."""

    @classmethod
    def learnt(cls, of: Of, texts: Sequence[str], most: int) -> TermWeights:
        """Of the terms in `texts` the `most` that stand in most of them; of equals the first in order."""
        standing = Counter(term for text in texts for term in set(terms_of(of, text)))
        kept = sorted(sorted(standing), key=lambda term: -standing[term])[:most]
        in_order = tuple(sorted(kept))
        counts = np.array([standing[term] for term in in_order], dtype=np.float64)
        rarity = np.log((1 + len(texts)) / (1 + counts)) + 1
        return cls(of, in_order, rarity.astype(np.float32))

    def rows(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Each text as 1 + ln(count) times rarity of its known terms, of length 1; float32 of shape (texts, terms)."""
        from scipy import sparse

        places = {term: place for place, term in enumerate(self.terms)}
        values: list[NDArray[np.float32]] = []
        columns: list[NDArray[np.int32]] = []
        ends = [0]
        for text in texts:
            counts = Counter(place for term in terms_of(self.of, text) if (place := places.get(term)) is not None)
            where = np.array(sorted(counts), dtype=np.int32)
            often = np.array([counts[place] for place in where.tolist()], dtype=np.float32)
            weights = np.asarray((1 + np.log(often)) * self.rarity[where], dtype=np.float32)
            length = float(np.linalg.norm(weights))
            values.append(np.asarray(weights / length, dtype=np.float32) if length else weights)
            columns.append(where)
            ends.append(ends[-1] + len(where))
        data = np.concatenate([*values, np.zeros(0, np.float32)])
        indices = np.concatenate([*columns, np.zeros(0, np.int32)])
        return sparse.csr_matrix((data, indices, ends), shape=(len(texts), len(self.terms)), dtype=np.float32)


def terms_of(of: Of, text: str) -> Iterable[str]:
    """Every term of `text` as often as it stands there."""
    words = _WORD.findall(unicodedata.normalize("NFC", text[:MOST_LETTERS]).lower())
    if of == "words":
        return [*words, *(f"{first} {second}" for first, second in pairwise(words))]
    return [group for word in words for group in _groups(f" {word} ")]


def _groups(word: str) -> Iterable[str]:
    for size in SIZES:
        if len(word) <= size:
            # A short word is one group, whatever the size, and counts once.
            yield word
            return
        yield from (word[start : start + size] for start in range(len(word) - size + 1))
