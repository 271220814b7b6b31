"""The pairs of answers of a blind comparison: test items that two arms answer differently, in random order and on random sides.

In: a proven run and two of its arms. Out: pairs, and how many items have one answer from both. Order and sides depend on the run's
seed and the item alone, so that a comparison that was stopped goes on where it was. It shows nothing and counts no votes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sonmat.core.errors import RunError
from sonmat.core.proof import Prediction
from sonmat.core.text import Text
from sonmat.core.values import Example, Json
from sonmat.runs import RunFolder
from sonmat.runs.seal import check_seal
from sonmat.runs.votes import words_key
from sonmat.statistics.words import one_line


@dataclass(frozen=True)
class Pair:
    """Two answers to one test item."""

    row: str
    input: Json
    left: str
    """The candidate whose answer stands on the left,"""
    right: str
    """and the other."""
    outputs: Mapping[str, Json]
    """By candidate."""
    group: str | None

    @property
    def words(self) -> dict[str, str]:
        """What a vote hangs on, by candidate."""
        return {arm: words_key(self.input, output) for arm, output in self.outputs.items()}


@dataclass(frozen=True)
class Pairs:
    differing: tuple[Pair, ...]
    """In the order in which they are asked."""
    identical: int
    """Items that both answer with the same words, white space aside."""
    folds: bool
    """Whether the answers are those of the models of a cross-validation."""

    @property
    def items(self) -> int:
        return len(self.differing) + self.identical


ANSWERS: Final = ("label", "text")
"""Fields of an output that a person can read."""


def independent(groups: Iterable[str | None]) -> int:
    """How many items could say something of their own: those of one group count as one."""
    listed = list(groups)
    return len({group for group in listed if group is not None}) + listed.count(None)


def read_pairs(folder: RunFolder, arms: tuple[str, str]) -> Pairs:
    """The sealed test items that both arms answered.

    Raises:
        RunError: the test rows are not those that were sealed, an arm has no answers, or answers are neither labels nor text.
    """
    split, seed = folder.split(), folder.recipe().seed
    check_seal(folder.kept_examples(), split)
    tested = set(split.test)
    examples = [example for example in folder.kept_examples() if example.id in tested]
    answers = {arm: _first_answers(folder, arm) for arm in arms}
    both = [example for example in examples if all(example.id in of_arm for of_arm in answers.values())]
    _check_readable(folder, both)
    pairs = [_pair(example, {arm: answers[arm][example.id].output for arm in arms}, seed) for example in both]
    differing = [pair for pair in pairs if len({said(output) for output in pair.outputs.values()}) > 1]
    ordered = sorted(differing, key=lambda pair: _lot(seed, "order", pair))
    return Pairs(tuple(ordered), len(pairs) - len(differing), bool(split.folds))


def said(output: Json) -> str:
    """The answer as it is compared: its label or its text, white space aside."""
    return one_line(str(next((output[name] for name in ANSWERS if output.get(name) is not None), "")))


def _first_answers(folder: RunFolder, arm: str) -> dict[str, Prediction]:
    """Of several repetitions of a cross-validation the first counts."""
    found: dict[str, Prediction] = {}
    for prediction in folder.predictions(arm):
        found.setdefault(prediction.row, prediction)
    return found


def _check_readable(folder: RunFolder, examples: Sequence[Example]) -> None:
    if all(any(name in example.target for name in ANSWERS) for example in examples):
        return
    raise RunError(
        Text(
            en=f"The answers of {folder.name} are neither labels nor text, so there is nothing to show side by side.",
            ko=f"{folder.name}의 답은 라벨도 글도 아니어서 나란히 보여 줄 수 없습니다.",
        )
    )


def _pair(example: Example, outputs: Mapping[str, Json], seed: int) -> Pair:
    one, other = sorted(outputs)
    drawn = Pair(example.id, example.input, one, other, outputs, example.group)
    if _lot(seed, "side", drawn)[-1] in "02468ace":
        return drawn
    return Pair(example.id, example.input, other, one, outputs, example.group)


def _lot(seed: int, what: str, pair: Pair) -> str:
    """Hexadecimal digits that are random from item to item and from pair of arms to pair of arms."""
    return hashlib.sha256("\0".join([str(seed), what, pair.row, *sorted(pair.outputs)]).encode()).hexdigest()
