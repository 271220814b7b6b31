"""How many labels are wrong, and which, when a model's probabilities of the labels are known.

In: out-of-fold probabilities and the labels as given. Out: the share of wrong labels and, for each row, the chance that its own
is one of them. It does not say which label would be right.

The given label of a row is taken to come from one of three sources: what the model says, sharpened or flattened by a temperature;
the same at twice that temperature, because some rows are harder than others; or a slip, equally likely to be any other label.
Shares and temperature have the highest likelihood (expectation maximisation; Dempster, Laird and Rubin 1977). Where classes
overlap, the first two explain the labels, and the share of slips comes out as nought. Only where labels contradict the model
more often than its own doubt allows, there are slips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TEMPERATURES = np.geomspace(0.1, 2.5, 16)
_HARDER = 2.0
"""How much higher the temperature of hard rows is. In 40 made worlds of overlapping classes with rows of unlike difficulty, slips
were seen where there were none in 9 with one temperature, 2 with this, none with 5; but with 5, most real slips go unseen."""
_ROUNDS = 40
_ROWS_TO_FIT = 100_000
_LEAST_GAIN = 6.0
"""Nats of likelihood that slips must win: by chance alone that happens once in 4,000 data sets (half a χ² with one degree of
freedom, because a share cannot be negative)."""
_MOST_SHARE = 0.4
"""From here on it is the model that is wrong."""
_EASY = 0.15
"""Share of contradictions up to which most rows are beyond doubt."""
_FEWEST_CONTRADICTIONS = 3
_LEAST_SHARE = 1e-4
"""Taken for the order of suspicion where no slips were found."""


@dataclass(frozen=True)
class Noise:
    """How the given labels came about."""

    share: float
    """Of wrong labels, 0 to 1."""
    temperature: float
    gain: float
    """Nats of likelihood won by allowing for wrong labels."""
    steady: bool = False
    """Whether it is not the unsure rows that contradict their labels."""

    @property
    def is_there(self) -> bool:
        return (self.gain > _LEAST_GAIN or self.steady) and self.share < _MOST_SHARE


@dataclass(frozen=True)
class Doubts:
    """What the mixture says of each row."""

    noise: Noise
    wrong: Floats
    """Chance that the given label is wrong, 0 to 1, shape (rows,)."""


def doubts_of_labels(labels: Ints, probabilities: Floats) -> Doubts:
    """The doubts about single labels.

    Args:
        labels: given class of each row, 0 to classes − 1.
        probabilities: out of fold, shape (rows, classes), at least two classes.
    """
    others = probabilities.shape[1] - 1
    rows = np.arange(len(labels))

    def sources(temperature: float) -> Floats:
        plain = tempered(probabilities, temperature)[rows, labels]
        hard = tempered(probabilities, temperature * _HARDER)[rows, labels]
        return np.stack([plain, hard, (1 - plain) / others], axis=1)

    best, best_shares, best_fit, without = 1.0, np.array([1.0, 0.0, 0.0]), -np.inf, -np.inf
    for temperature in _TEMPERATURES.tolist():
        likelihoods = sources(temperature)
        without = max(without, _fitted(likelihoods[:, :2])[1])
        shares, fit = _fitted(likelihoods)
        if fit > best_fit:
            best, best_shares, best_fit = temperature, shares, fit
    gain = max(best_fit - without, 0.0)
    steady = gain <= _LEAST_GAIN and _is_steady(probabilities.argmax(axis=1) != labels, probabilities.max(axis=1))
    if steady:
        best = float(_TEMPERATURES[0])
        best_shares, _ = _fitted(sources(best))
    found = float(best_shares[2])
    noise = Noise(found, best, gain, steady)
    weights = best_shares if found > _LEAST_SHARE else np.array([*best_shares[:2] * (1 - _LEAST_SHARE), _LEAST_SHARE])
    joint = sources(best) * weights
    return Doubts(noise, joint[:, 2] / joint.sum(axis=1))


def doubts_of_choices(given: NDArray[np.bool_], probabilities: Floats) -> Doubts:
    """The doubts about each of several labels that a row has or has not; slips that add one and that forget one are counted apart.

    Args:
        given: whether the row has the label, shape (rows, labels).
        probabilities: of having it, out of fold, same shape.

    Returns:
        doubts about each row and label, one row after the other.
    """
    has, sure = given.ravel(), probabilities.ravel()
    step = -(-len(has) // _ROWS_TO_FIT)
    few_have, few_sure = has[::step], sure[::step]
    best: tuple[float, float, float] = (1.0, 0.0, 0.0)
    best_fit = without = -np.inf
    for temperature in _TEMPERATURES.tolist():
        chance = _eased(few_have, few_sure, temperature)
        added, forgotten = _slips(few_have, chance)
        without = max(without, _fit_of_choices(few_have, chance, 0.0, 0.0))
        fit = _fit_of_choices(few_have, chance, added, forgotten)
        if fit > best_fit:
            best, best_fit = (temperature, added, forgotten), fit
    gain = max(best_fit - without, 0.0)
    steady = gain <= _LEAST_GAIN and _is_steady(has != (sure > 0.5), np.abs(sure - 0.5))
    if steady:
        temperature = float(_TEMPERATURES[0])
        best = (temperature, *_slips(few_have, _eased(few_have, few_sure, temperature)))
    temperature, added, forgotten = best
    chance = _eased(has, sure, temperature)
    added, forgotten = max(added, _LEAST_SHARE), max(forgotten, _LEAST_SHARE)
    slip = np.where(has, added * (1 - chance), forgotten * chance)
    honest = np.where(has, (1 - forgotten) * chance, (1 - added) * (1 - chance))
    wrong = slip / (slip + honest)
    noise = Noise(float(wrong.mean()), temperature, gain, steady)
    return Doubts(noise, wrong)


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """`probabilities` sharpened (temperature below 1) or flattened (above), none of them 0; rows sum to 1."""
    logits = np.log(np.maximum(probabilities, 1e-9)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    shares = np.maximum(np.exp(logits), 1e-9)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _is_steady(contradicted: NDArray[np.bool_], sure: Floats) -> bool:
    """Whether contradictions are spread over all but the unsurest rows, in data that are easy on the whole.

    Likelihood cannot tell slips from doubt where the model is equally sure of all rows, as with two classes that nothing joins.
    But doubt that is real is greater for some rows than for others, and contradictions are found with those.
    """
    beyond_doubt = contradicted & (sure >= np.quantile(sure, 0.25))
    enough = beyond_doubt.sum() >= max(_FEWEST_CONTRADICTIONS, contradicted.sum() / 2)
    return bool(contradicted.mean() <= _EASY and enough)


def _fitted(likelihoods: Floats) -> tuple[Floats, float]:
    """Shares of the sources with the highest likelihood, and that likelihood in nats."""
    shares = np.array([0.8, 0.15, 0.05])[: likelihoods.shape[1]]
    shares /= shares.sum()
    for _ in range(_ROUNDS):
        joint = likelihoods * shares
        shares = (joint / joint.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares, float(np.log((likelihoods * shares).sum(axis=1)).sum())


def _eased(has: NDArray[np.bool_], sure: Floats, temperature: float) -> Floats:
    """Chance of having the label: plain and hard rows mixed as fits the given labels best."""
    both = np.stack([1 - sure, sure], axis=1)
    plain, hard = tempered(both, temperature)[:, 1], tempered(both, temperature * _HARDER)[:, 1]
    likelihoods = np.stack([np.where(has, each, 1 - each) for each in (plain, hard)], axis=1)
    shares, _ = _fitted(likelihoods)
    return np.asarray(shares[0] * plain + shares[1] * hard)


def _slips(has: NDArray[np.bool_], chance: Floats) -> tuple[float, float]:
    """Share of absent labels that were added and of present ones that were forgotten."""
    added = forgotten = 0.01
    for _ in range(_ROUNDS):
        slip = np.where(has, added * (1 - chance), forgotten * chance)
        honest = np.where(has, (1 - forgotten) * chance, (1 - added) * (1 - chance))
        wrong = slip / (slip + honest)
        wrongly_there, rightly_absent = wrong[has].sum(), (1 - wrong[~has]).sum()
        wrongly_absent, rightly_there = wrong[~has].sum(), (1 - wrong[has]).sum()
        added = float(wrongly_there / max(wrongly_there + rightly_absent, 1e-9))
        forgotten = float(wrongly_absent / max(wrongly_absent + rightly_there, 1e-9))
    return added, forgotten


def _fit_of_choices(has: NDArray[np.bool_], chance: Floats, added: float, forgotten: float) -> float:
    there = (1 - forgotten) * chance + added * (1 - chance)
    return float(np.log(np.maximum(np.where(has, there, 1 - there), 1e-12)).sum())
