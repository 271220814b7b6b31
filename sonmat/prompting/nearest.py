"""The training examples whose words are nearest to a question's, found without any model.

In: examples, questions. Out: of each question its nearest examples. Texts are compared by the groups of letters that they are made of
(`embedding.letter_groups`; Korean stems count whatever ending follows), weighted by rarity, as cosine. Search is exact. It sees
training rows alone, so that no row of another part of the split is ever shown.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonmat.core.values import Example, Json
from sonmat.prompting.prompt import Shot, can_be_shown, shot_of, text_of
from sonmat.runs.files import read_rows, write_rows

EXAMPLES_FILE = "examples.jsonl"
MOST_EXAMPLES = 20_000
"""Examples that are searched; of more, as many are drawn once, by the seed."""
_QUESTIONS_AT_ONCE = 256


class NearestExamples:
    """Examples to show before questions."""

    def __init__(self, shots: Sequence[Shot]) -> None:
        from sonmat.embedding.letter_groups import FEWEST_LETTERS, LETTERS_IN_ALL, MOST_LETTERS

        self.shots = list(shots)
        # Of a question as many letters are read as of an example: a longer text shares more with everything.
        self._letters = int(np.clip(LETTERS_IN_ALL // max(len(shots), 1), FEWEST_LETTERS, MOST_LETTERS))
        counts = self._counts([shot.input for shot in shots])
        in_rows = np.bincount(counts.indices, minlength=counts.shape[1])
        self._rarity = np.log((1 + len(shots)) / (1 + in_rows)) + 1
        self._known = self._weighted(counts).T.tocsr()

    def __call__(self, inputs: Sequence[Json], count: int) -> list[list[Shot]]:
        """For every input its `count` nearest examples, the nearest last; of equally near ones the first are nearer."""
        found: list[list[Shot]] = []
        for first in range(0, len(inputs), _QUESTIONS_AT_ONCE):
            asked = self._weighted(self._counts(inputs[first : first + _QUESTIONS_AT_ONCE]))
            for row in (asked @ self._known).toarray():
                order = np.argsort(-row, kind="stable")[:count]
                found.append([self.shots[place] for place in order[::-1]])
        return found

    def weighted_rows(self) -> Any:
        """Every example as a sparse row of length 1."""
        return self._known.T.tocsr()

    def save(self, folder: Path) -> None:
        write_rows(folder / EXAMPLES_FILE, Shot, self.shots)

    def _counts(self, inputs: Sequence[Json]) -> Any:
        from sonmat.embedding.letter_groups import group_counts

        return group_counts([text_of(input)[: self._letters] for input in inputs])

    def _weighted(self, counts: Any) -> Any:
        """TF-IDF rows of length 1; 1 + ln(count) as in Salton and Buckley (1988)."""
        from scipy import sparse

        weighted = counts.copy()
        weighted.data = ((1 + np.log(counts.data)) * self._rarity[counts.indices]).astype(np.float32)
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        return sparse.diags_array(scale.astype(np.float32)) @ weighted


def examples_to_show(train: Sequence[Example], seed: int) -> list[Shot]:
    """The training examples that can be shown, in their order; at most `MOST_EXAMPLES`."""
    shots = [shot_of(example) for example in train if can_be_shown(example)]
    if len(shots) <= MOST_EXAMPLES:
        return shots
    places = random.Random(seed).sample(range(len(shots)), MOST_EXAMPLES)
    return [shots[place] for place in sorted(places)]


def load_examples(folder: Path) -> NearestExamples:
    """What `NearestExamples.save` wrote.

    Raises:
        RunError: the file is missing or damaged.
    """
    return NearestExamples(list(read_rows(folder / EXAMPLES_FILE, Shot)))


def typical_places(texts: Sequence[str], count: int) -> list[int]:
    """Up to `count` places of texts most like the mean of all; each later one is also unlike those before it."""
    if not texts:
        return []
    known = NearestExamples([Shot(input={"text": text}, target={}) for text in texts])
    rows = known.weighted_rows()
    likeness = np.asarray(rows @ np.asarray(rows.mean(axis=0)).ravel()).ravel()
    chosen: list[int] = []
    for _ in range(min(count, len(texts))):
        best = int(np.argmax(likeness))
        chosen.append(best)
        # Maximal marginal relevance (Carbonell and Goldstein 1998).
        likeness = likeness - np.asarray((rows @ rows[[best]].T).toarray()).ravel()
        likeness[chosen] = -np.inf
    return chosen
