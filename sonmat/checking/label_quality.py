"""How likely it is that a label is wrong, from what a simple model says of each row without having learnt from it.

In: features and labels. Out: for each row the label that fits best and the chance that the given one is wrong. Rows with the same
input are judged by a model that saw none of them. It judges labels by the other rows' labels: an error that is made everywhere
alike cannot be seen.

A row is reported where three agree: confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty
in Dataset Labels", JAIR 2021, section 3.1) says that it is as typical of another class as that class's own rows; the mixture of
`label_noise` says that its label is more likely wrong than not; and one other label fits nearly for sure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.grouping import dealt_into_folds
from sonmat.checking.label_noise import Noise, doubts_of_choices, doubts_of_labels, tempered

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDS = 5
FEWEST_OF_A_CLASS = 5
"""Rows that a class must have for its labels to be judged: one for each fold."""
_STRENGTH = 0.03
"""Inverse strength of the ridge penalty on features of unit variance. Of 0.003 to 1, 0.01 and 0.03 gave the lowest out-of-fold
loss on BBC news and on Korean intents."""
_MOST_ROUNDS = 200
_SURE = 0.9
"""Probability that the suggested label must have: rows between two classes are no errors, they are hard."""


@dataclass(frozen=True)
class Judged:
    """What can be said of each row's label."""

    suggested: Ints
    """The class that fits best among the others, shape (rows,)."""
    probability: Floats
    """Of the suggested class, 0 to 1, shape (rows,)."""
    wrong: Floats
    """Chance that the given label is wrong, 0 to 1, shape (rows,): also the order of suspicion."""
    reported: NDArray[np.bool_]
    """Rows worth a person's look: confident learning names them, and more likely than not they are wrong."""
    noise: Noise

    @property
    def ranking(self) -> Ints:
        """Rows from the most suspicious to the least."""
        return np.lexsort((-self.probability, -self.wrong)).astype(np.int64)


def judged_labels(labels: Ints, probabilities: Floats) -> Judged:
    """The judgement of single labels.

    Args:
        labels: given class of each row, 0 to classes − 1, shape (rows,).
        probabilities: out of fold, shape (rows, classes).
    """
    doubts = doubts_of_labels(labels, probabilities)
    sharp = tempered(probabilities, doubts.noise.temperature)
    rows = np.arange(len(labels))
    others = sharp.copy()
    others[rows, labels] = -1
    suggested = others.argmax(axis=1)
    probability = others[rows, suggested]
    reported = (confident_labels(labels, sharp) != labels) & (doubts.wrong > 0.5) & (probability > _SURE)
    # A model that knows no more than which class is commonest cannot judge anybody.
    knows = (probabilities.argmax(axis=1) == labels).sum() > np.bincount(labels).max()
    return Judged(suggested, probability, doubts.wrong, reported & doubts.noise.is_there & knows, doubts.noise)


def judged_choices(given: NDArray[np.bool_], probabilities: Floats) -> Judged:
    """The judgement of several labels that a row has or has not, each by itself, one row after the other.

    Args:
        given: whether the row has the label, shape (rows, labels).
        probabilities: of having it, out of fold, same shape.

    Returns:
        for each row and label 1 as the suggestion where it lacks and 0 where it has it; everything of shape (rows × labels,).
    """
    doubts = doubts_of_choices(given, probabilities)
    confident = np.empty(given.shape, dtype=bool)
    for label in range(given.shape[1]):
        has = given[:, label].astype(np.int64)
        both = np.stack([1 - probabilities[:, label], probabilities[:, label]], axis=1)
        confident[:, label] = confident_labels(has, tempered(both, doubts.noise.temperature)) != has
    sure = probabilities.ravel()
    both = tempered(np.stack([1 - sure, sure], axis=1), doubts.noise.temperature)
    suggested = (~given.ravel()).astype(np.int64)
    probability = both[np.arange(len(both)), suggested]
    reported = confident.ravel() & (doubts.wrong > 0.5) & (probability > _SURE)
    return Judged(suggested, probability, doubts.wrong, reported & doubts.noise.is_there, doubts.noise)


def out_of_fold(
    features: NDArray[np.float32], labels: Ints, same: NDArray[np.uint64], seed: int, step: Callable[[], None]
) -> Floats:
    """Probability of each class for each row by logistic regression on the other folds; float64 of shape (rows, classes).

    Args:
        features: shape (rows, dimensions).
        labels: 0 to classes − 1.
        same: key of what the input says; rows with equal keys never vote for one another.
        step: called after each fold.
    """
    folds = dealt_into_folds(labels, same, FOLDS, seed)
    even = scaled(features)
    found = np.zeros((len(labels), int(labels.max()) + 1))
    for fold in range(FOLDS):
        here = folds == fold
        if here.any():
            found[here] = learnt(even[~here], labels[~here], found.shape[1])(even[here])
        step()
    return found


def scaled(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """`features` around 0 with a mean variance of 1, directions in proportion as they were."""
    around = features - features.mean(axis=0)
    spread = float(np.sqrt(np.mean(around**2)))
    return np.asarray(around / spread if spread > 1e-9 else around, dtype=np.float32)


def learnt(features: NDArray[np.float32], labels: Ints, classes: int) -> Callable[[NDArray[np.float32]], Floats]:
    """The cheap model: from features to probabilities of all classes; those that it saw no row of get none."""
    present = np.unique(labels)

    def answer(asked: NDArray[np.float32]) -> Floats:
        answers = np.zeros((len(asked), classes))
        answers[:, present] = model.predict_proba(asked) if model is not None else 1.0
        return answers

    model = None
    if len(present) > 1:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=_STRENGTH, max_iter=_MOST_ROUNDS, tol=1e-3)
        _fit_quietly(model, features, labels)
    return answer


def confident_labels(labels: Ints, probabilities: Floats) -> Ints:
    """For each row the class that it is confidently of, its given one where none is.

    A class is confident for a row if its probability reaches the mean that the rows with this label have (the threshold of the
    paper's equation 2); of several the most probable counts.
    """
    classes = probabilities.shape[1]
    sums = np.bincount(labels, weights=probabilities[np.arange(len(labels)), labels], minlength=classes)
    counts = np.bincount(labels, minlength=classes)
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    reached = np.where(probabilities >= thresholds - 1e-6, probabilities, -1)
    best = reached.argmax(axis=1)
    confident = reached.max(axis=1) >= 0
    # A row that its own label fits best is no error, whatever the thresholds say.
    return np.where(confident & (probabilities.argmax(axis=1) != labels), best, labels)


def _fit_quietly(model: object, features: NDArray[np.float32], labels: Ints) -> None:
    """Fit; that the last digits have not settled after the last round is no matter here.

    On one core: the products are so small that a second one makes them five times slower.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, labels)  # type: ignore[attr-defined]


def numbered(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """Every name once in order, and which of them each row has."""
    known = tuple(sorted(set(names)))
    place = {name: number for number, name in enumerate(known)}
    return known, np.array([place[name] for name in names], dtype=np.int64)
