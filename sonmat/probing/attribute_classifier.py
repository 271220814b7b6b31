"""Decides from a text which value of an attribute it has, and says how often it is right itself.

In: training targets and the value that each was asked to have. Out: a classifier with its cross-validated accuracy: TF-IDF of groups
of two to four letters, logistic regression. Trained on the user's own targets, so that 'formal' is what the user calls so.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sonmat.statistics import Interval, wilson_interval

_MOST_TEXTS: Final = 2_000
_MOST_FEATURES: Final = 30_000
_FOLDS: Final = 5
FEWEST_TEXTS: Final = 40
_FEWEST_OF_A_VALUE: Final = 8


@dataclass(frozen=True)
class AttributeClassifier:
    model: Any
    texts: int
    accuracy: float
    """Over texts that it did not see, every text counted once."""
    interval: Interval
    chance: float
    """Accuracy of always saying the commonest value."""

    @property
    def useful(self) -> bool:
        """Whether it is better than chance beyond noise."""
        return self.interval.low > self.chance

    def values(self, texts: Sequence[str]) -> list[str]:
        return [str(value) for value in self.model.predict(list(texts))] if texts else []


def attribute_classifier(texts: Sequence[str], values: Sequence[str], seed: int) -> AttributeClassifier | None:
    """A classifier of `values` by `texts`; None where there are too few different texts to train and try it.

    Texts that stand there more than once count once, and none of them if they were asked to have different values: else the same text
    would be learnt from and tried.
    """
    different = _different(texts, values)
    chosen = sorted(np.random.default_rng(seed).permutation(len(different))[:_MOST_TEXTS].tolist())
    kept = [different[place] for place in chosen]
    counts = Counter(value for _, value in kept)
    rare = {value for value, count in counts.items() if count < _FEWEST_OF_A_VALUE}
    kept = [(text, value) for text, value in kept if value not in rare]
    if len(kept) < FEWEST_TEXTS or len(counts) - len(rare) < 2:
        return None
    return _trained([text for text, _ in kept], [value for _, value in kept], seed)


def _trained(texts: list[str], values: list[str], seed: int) -> AttributeClassifier:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=_MOST_FEATURES),
        LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000),
    )
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # What did not converge in 1000 rounds is tried like any other: its accuracy says what it is worth.
        warnings.simplefilter("ignore")
        said = cross_val_predict(model, texts, values, cv=folds)
        model.fit(texts, values)
    right = sum(a == b for a, b in zip(said, values, strict=True))
    chance = max(Counter(values).values()) / len(values)
    return AttributeClassifier(model, len(texts), right / len(texts), wilson_interval(right, len(texts)), chance)


def _different(texts: Sequence[str], values: Sequence[str]) -> list[tuple[str, str]]:
    found: dict[str, set[str]] = {}
    for text, value in zip(texts, values, strict=True):
        found.setdefault(text.strip(), set()).add(value)
    return [(text, next(iter(asked))) for text, asked in found.items() if text and len(asked) == 1]
