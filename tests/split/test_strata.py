"""Several labels a row and numbers as targets are spread over the parts; the old splits of one label are as they were."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from sonmat.core.text import verbatim
from sonmat.core.values import Example, Finding, Split
from sonmat.runs.files import sha256_of
from sonmat.steps.split import SHARES, Folding, assert_sound, divide
from tests.split.rows_made import labelled, made

LABELS = ("refund", "delay", "broken", "praise", "rare")
CHANCES = (0.4, 0.3, 0.15, 0.08, 0.02)


def several(rows: int, seed: int = 0) -> list[Example]:
    chance = random.Random(seed)
    found = []
    for number in range(rows):
        labels = [label for label, share in zip(LABELS, CHANCES, strict=True) if chance.random() < share]
        found.append(made(number, {"labels": labels}))
    return found


def label_distance(split: Split, examples: list[Example]) -> float:
    """Mean over labels and parts of |odds in the part − odds at all| (the measure LD of Sechidis et al. 2011)."""
    labels = {example.id: set(example.target["labels"]) for example in examples}

    def odds(rows: tuple[str, ...], label: str) -> float:
        having = sum(label in labels[row] for row in rows)
        return having / max(len(rows) - having, 1)

    everything = tuple(labels)
    parts = (split.train, split.validation, split.test)
    return float(np.mean([abs(odds(part, each) - odds(everything, each)) for part in parts for each in LABELS]))


def test_several_labels_are_spread_much_more_evenly_than_by_chance() -> None:
    examples = several(400)
    split = divide(examples)
    by_chance = []
    for seed in range(20):
        ids = [example.id for example in examples]
        random.Random(seed).shuffle(ids)
        by_chance.append(
            label_distance(
                Split(
                    train=tuple(ids[:280]),
                    validation=tuple(ids[280:340]),
                    test=tuple(ids[340:]),
                    seal="",
                    how=verbatim("-"),
                ),
                examples,
            )
        )
    assert label_distance(split, examples) < 0.4 * float(np.median(by_chance))
    assert "each label in proportion" in split.how.en
    for part, share in zip((split.train, split.validation, split.test), SHARES.values(), strict=True):
        assert abs(len(part) - share * 400) <= len(LABELS)


def test_every_label_of_several_is_within_one_row_of_its_share_where_rows_do_not_overlap() -> None:
    examples = [made(number, {"labels": [LABELS[number % 5]]}) for number in range(200)]
    split = divide(examples)
    for part, share in zip((split.train, split.validation, split.test), SHARES.values(), strict=True):
        counts = Counter(LABELS[int(row[3:]) % 5] for row in part)
        assert all(abs(counts[label] - share * 40) <= 1 for label in LABELS)


def test_a_label_of_four_rows_is_tested() -> None:
    examples = [*several(200), *(made(900 + n, {"labels": ["once", "refund"]}) for n in range(4))]
    split = divide(examples)
    assert any(int(row[3:]) >= 900 for row in split.test)
    assert any(int(row[3:]) >= 900 for row in split.train)


def test_rows_with_several_labels_stay_with_their_group() -> None:
    examples = [each.model_copy(update={"group": f"g{number // 4}"}) for number, each in enumerate(several(240))]
    split = divide(examples, group="customer")
    assert_sound(split, examples)
    where = {row: part for part in SHARES for row in getattr(split, part)}
    assert all(where[f"row{number}"] == where[f"row{number - number % 4}"] for number in range(240))


def test_rows_without_any_label_are_dealt_out_too() -> None:
    examples = [made(number, {"labels": []}) for number in range(40)]
    split = divide(examples)
    assert (len(split.train), len(split.validation), len(split.test)) == (28, 6, 6)


def test_numbers_are_spread_by_their_size() -> None:
    values = [float(number**2) for number in range(300)]
    split = divide([made(number, {"value": value}) for number, value in enumerate(values)])
    assert "low and high targets in proportion" in split.how.en
    for part in (split.train, split.validation, split.test):
        ranges = Counter(int(row[3:]) // 30 for row in part)
        assert max(ranges.values()) - min(ranges.values()) <= 1
        assert len(ranges) == 10


def test_a_number_that_all_rows_share_is_no_obstacle() -> None:
    split = divide([made(number, {"value": 3.0}) for number in range(60)])
    assert (len(split.train), len(split.validation), len(split.test)) == (42, 9, 9)


@pytest.mark.parametrize(
    ("seed", "expected"),
    [(0, "5e1c"), (3, "abc8")],
)
def test_splits_of_one_label_are_those_of_earlier_versions(seed: int, expected: str) -> None:
    chance = random.Random(11)
    examples = [
        labelled(
            n, chance.choice("aaaabbbcd"), text=f"text {chance.randrange(150)}", group=chance.choice([None, f"g{n // 9}"])
        )
        for n in range(200)
    ]
    near = Finding(
        check="near", severity="note", what=verbatim("-"), fix=verbatim("-"),
        clusters=tuple((f"row{n}", f"row{n + 100}") for n in range(0, 100, 7)),
    )  # fmt: skip
    split = divide(examples, [near], seed=seed, group="customer")
    assert sha256_of(split.train, split.validation, split.test, split.seal)[:4] == expected


def test_other_shares_are_met() -> None:
    shares = {"train": 0.6, "validation": 0.2, "test": 0.2}
    split = divide([labelled(number, "ab"[number % 2]) for number in range(100)], shares=shares)
    assert (len(split.train), len(split.validation), len(split.test)) == (60, 20, 20)


def test_folds_of_several_labels_are_even() -> None:
    examples = several(150)
    split = divide(examples, folding=Folding(5, 1))
    counts = [sum("delay" in examples[int(row[3:])].target["labels"] for row in fold.test) for fold in split.folds]
    assert max(counts) - min(counts) <= 2
