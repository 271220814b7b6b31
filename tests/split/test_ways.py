"""By time, by given parts, into folds, and what happens to clusters that are too large to stay together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonmat.core.errors import DataError, RunError, SettingError, SonmatError
from sonmat.core.recipe import Recipe
from sonmat.core.text import verbatim
from sonmat.core.values import Example, Finding, Fold, Part, Split
from sonmat.runs.seal import check_seal
from sonmat.steps.split import Folding, assert_sound, divide
from sonmat.steps.split.folding import folding_for
from sonmat.steps.split.rows import read_table
from tests.split.rows_made import labelled

PARTS = ("train", "validation", "test")


def day(number: int) -> str:
    return f"2024-{1 + number // 28:02d}-{1 + number % 28:02d}"


def dated(rows: int) -> list[Example]:
    """One row a day, in an order that is not that of time."""
    return [labelled(number, "ab"[number % 2], time=day(number * 37 % rows)) for number in range(rows)]


def times_of(split: Split, examples: Sequence[Example]) -> list[list[str]]:
    when = {example.id: example.time for example in examples}
    return [sorted(time for row in getattr(split, part) if (time := when[row])) for part in PARTS]


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_latest_rows_are_tested_and_the_earliest_learnt() -> None:
    examples = dated(200)
    split = divide(examples)
    train, validation, test = times_of(split, examples)
    assert train[-1] < validation[0] <= validation[-1] < test[0]
    assert [len(train), len(validation), len(test)] == [140, 30, 30]
    assert f"by time, the latest rows last, borders at {validation[0]} and {test[0]}" in split.how.en
    assert "시간 순서로" in split.how.ko


@settings(max_examples=60, deadline=None)
@given(days=st.lists(st.integers(0, 12), min_size=20, max_size=80), groups=st.integers(3, 40))
def test_rows_of_one_instant_or_one_group_are_never_divided(days: list[int], groups: int) -> None:
    examples = [labelled(n, time=day(when), group=f"g{n % groups}") for n, when in enumerate(days)]
    try:
        split = divide(examples)
    except DataError:
        return
    where = {row: part for part in PARTS for row in getattr(split, part)}
    first = {f"g{g}": min(day(w) for n, w in enumerate(days) if n % groups == g) for g in range(min(groups, len(days)))}
    of_instant: dict[str, set[str]] = {}
    for example in examples:
        of_instant.setdefault(first[str(example.group)], set()).add(where[example.id])
    assert all(len(parts) == 1 for parts in of_instant.values())
    order = [PARTS.index(next(iter(of_instant[time]))) for time in sorted(of_instant)]
    assert order == sorted(order)


def test_rows_that_follow_an_earlier_one_are_counted_and_said() -> None:
    examples = dated(100)
    latest = max(examples, key=lambda each: str(each.time))
    earliest = min(examples, key=lambda each: str(each.time))
    tied = [each.model_copy(update={"group": "one"}) if each in (latest, earliest) else each for each in examples]
    split = divide(tied, group="customer")
    assert latest.id in split.train
    assert "1 later rows in an earlier part with rows that they belong to" in split.how.en


def test_rows_without_a_time_are_learnt_from_and_counted() -> None:
    examples = [*dated(100), *(labelled(500 + n) for n in range(7))]
    split = divide(examples)
    assert {f"row{500 + n}" for n in range(7)} <= set(split.train)
    assert "7 rows without a time in training" in split.how.en


def test_two_different_times_cannot_make_three_parts() -> None:
    with pytest.raises(DataError, match="only 2 different times") as caught:
        divide([labelled(n, time=day(n % 2)) for n in range(50)])
    assert "--time" in str(caught.value)


# ── given parts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def given_rows(**counts: int) -> list[Example]:
    parts: list[Part] = [part for part in PARTS for _ in range(counts.get(part, 0))]  # type: ignore[misc]
    return [labelled(number, "ab"[number % 2], part=part) for number, part in enumerate(parts)]


def ids(examples: Sequence[Example], part: Part | None) -> set[str]:
    return {example.id for example in examples if example.part == part}


def test_given_parts_are_kept_whatever_their_sizes() -> None:
    examples = given_rows(train=30, validation=40, test=5)
    split = divide(examples)
    assert [set(getattr(split, part)) for part in PARTS] == [ids(examples, part) for part in PARTS]  # type: ignore[arg-type]
    assert "parts as the data gives them" in split.how.en
    assert "in proportion" not in split.how.en


def test_a_missing_validation_part_is_cut_from_training_and_never_from_test() -> None:
    examples = given_rows(train=170, test=50)
    split = divide(examples)
    assert set(split.test) == ids(examples, "test")
    assert set(split.train) | set(split.validation) == ids(examples, "train")
    assert len(split.validation) == 30
    assert "validation taken from the training rows" in split.how.en
    assert "검증용은 학습 행에서" in split.how.ko


def test_a_missing_test_part_is_cut_from_training() -> None:
    examples = given_rows(train=170, validation=30)
    split = divide(examples)
    assert set(split.validation) == ids(examples, "validation")
    assert len(split.test) == 30


def test_rows_that_are_all_given_to_training_are_divided_as_usual() -> None:
    split = divide(given_rows(train=100))
    assert [len(getattr(split, part)) for part in PARTS] == [70, 15, 15]


def test_a_training_row_that_repeats_a_given_row_is_not_moved_to_a_third_part() -> None:
    examples = [
        *given_rows(train=80, validation=20),
        *(labelled(500 + n, text=f"text {80 + n}", part="train") for n in range(20)),
    ]
    split = divide(examples)
    # The audit was told to keep these; the split must not turn them into test rows.
    assert {f"row{500 + n}" for n in range(20)} <= set(split.train)
    assert_sound(split, examples)


def test_a_row_without_a_part_is_learnt_from_unless_it_belongs_to_a_tested_row() -> None:
    examples = [*given_rows(train=60, validation=10, test=10), labelled(500), labelled(501, text="text 75")]
    split = divide(examples)
    assert "row500" in split.train
    assert "row501" in split.test
    assert "2 rows without a part" in split.how.en


def test_without_a_row_to_learn_from_the_data_is_refused() -> None:
    with pytest.raises(DataError, match="none is left to learn from"):
        divide(given_rows(validation=20, test=20))


def test_validation_is_cut_by_time_where_rows_have_one() -> None:
    examples = [each.model_copy(update={"part": "train"}) for each in dated(100)]
    examples += [labelled(500 + n, part="test", time="2030-01-01") for n in range(20)]
    split = divide(examples)
    train, validation, _ = times_of(split, examples)
    assert train[-1] < validation[0]


def test_a_planted_loss_of_a_given_part_raises() -> None:
    examples = given_rows(train=60, validation=10, test=10)
    split = divide(examples)
    moved = split.model_copy(update={"train": (*split.train, split.validation[0]), "validation": split.validation[1:]})
    with pytest.raises(SonmatError, match="lost the part"):
        assert_sound(moved, examples)


# ── folds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(20, 90), folds=st.integers(2, 6), repeats=st.integers(1, 3), groups=st.integers(12, 90), seed=st.integers(0, 3)
)  # fmt: skip
def test_every_row_is_tested_once_a_repetition_by_a_model_that_saw_nothing_of_its_group(
    rows: int, folds: int, repeats: int, groups: int, seed: int
) -> None:
    examples = [labelled(n, "aab"[n % 3], group=f"g{n % groups}") for n in range(rows)]
    split = divide(examples, seed=seed, folding=Folding(folds, repeats))
    assert_sound(split, examples)
    assert len(split.folds) == folds * repeats
    for repeat in range(repeats):
        turn = split.folds[repeat * folds : (repeat + 1) * folds]
        assert sorted(row for fold in turn for row in fold.test) == sorted(example.id for example in examples)
    group = {example.id: example.group for example in examples}
    for fold in split.folds:
        assert not {group[row] for row in fold.test} & {group[row] for row in (*fold.train, *fold.validation)}
        assert fold.validation
    assert set(split.test) == set(split.train) | set(split.validation) == {example.id for example in examples}


def test_folds_have_equal_sizes_and_classes_in_proportion() -> None:
    examples = [labelled(n, "aaab"[n % 4]) for n in range(100)]
    split = divide(examples, folding=Folding(5, 2))
    for fold in split.folds:
        assert len(fold.test) == 20
        assert sum(int(row[3:]) % 4 == 3 for row in fold.test) == 5
        assert abs(len(fold.validation) - 80 * 15 / 85) <= 2
    assert split.folds[0].test != split.folds[5].test
    assert "Cross-validated in 5 folds, 2 times over: each of the 100 rows" in split.how.en
    assert "교차 검증" in split.how.ko


def test_the_order_of_the_rows_does_not_matter_to_folds() -> None:
    examples = [labelled(n, "aab"[n % 3]) for n in range(60)]
    assert divide(examples, folding=Folding(4, 2)) == divide(list(reversed(examples)), folding=Folding(4, 2))


def test_three_groups_cannot_be_five_folds() -> None:
    with pytest.raises(DataError, match="3 sets that must stay together"):
        divide([labelled(n, group=f"g{n % 3}") for n in range(60)], folding=Folding(5, 1))


@pytest.mark.parametrize("fault", ["seen", "twice", "lost"])
def test_a_planted_fault_in_a_fold_raises_and_breaks_the_seal_where_rows_were_seen(fault: str) -> None:
    examples = [labelled(n) for n in range(40)]
    split = divide(examples, folding=Folding(4, 1))
    first, second, *others = split.folds
    if fault == "seen":
        first = Fold(train=(*first.train, first.test[0]), validation=first.validation, test=first.test)
    elif fault == "twice":
        second = first
    else:
        first = Fold(train=first.train, validation=first.validation, test=first.test[1:])
    broken = split.model_copy(update={"folds": (first, second, *others)})
    with pytest.raises(SonmatError, match="unsound"):
        assert_sound(broken, examples)
    check_seal(examples, split)
    if fault == "seen":
        with pytest.raises(RunError, match="1 rows also used"):
            check_seal(examples, broken)


def wanted(examples: Sequence[Example], **recipe: object) -> Folding | None:
    return folding_for(read_table(examples), Recipe(data="d.csv", **recipe))


def test_rows_too_few_for_a_test_set_are_cross_validated_unless_told_not_to() -> None:
    assert wanted([labelled(n) for n in range(60)]) == Folding(5, 2)
    assert wanted([labelled(n) for n in range(150)]) == Folding(5, 1)
    assert wanted([labelled(n) for n in range(200)]) is None
    assert wanted([labelled(n) for n in range(150)], shares=(0.6, 0.2, 0.2)) is None
    assert wanted([labelled(n) for n in range(60)], folds=0) is None
    assert wanted([labelled(n) for n in range(300)], folds=10) == Folding(10, 1)


def test_times_and_given_parts_are_never_folded() -> None:
    assert wanted(dated(60)) is None
    assert wanted(given_rows(train=40, test=20)) is None
    assert wanted(given_rows(train=60)) == Folding(5, 2)
    with pytest.raises(SettingError, match="divided by time"):
        wanted(dated(60), folds=5)
    with pytest.raises(SettingError, match="which rows are for test"):
        wanted(given_rows(train=40, test=20), folds=5)
    with pytest.raises(SettingError, match="no cross-validation"):
        wanted([labelled(1)], folds=1)


# ── clusters that are too large ─────────────────────────────────────────────────────────────────────────────────────


def linked(*clusters: Sequence[str]) -> list[Finding]:
    text = verbatim("near")
    return [Finding(check="near", severity="note", what=text, fix=text, clusters=tuple(map(tuple, clusters)))]


def test_a_cluster_of_nearly_all_rows_is_divided_and_that_is_said() -> None:
    examples = [labelled(n, "ab"[n % 2]) for n in range(200)]
    chain = [f"row{n}" for n in range(195)]
    split = divide(examples, linked(chain, ["row196", "row197"]))
    assert [len(getattr(split, part)) for part in PARTS] == [140, 30, 30]
    assert "195 rows that resemble one another in a chain were too many to stay together" in split.how.en
    where = {row: part for part in PARTS for row in getattr(split, part)}
    assert where["row196"] == where["row197"]


def test_a_cluster_of_half_the_rows_stays_in_training() -> None:
    examples = [labelled(n, "ab"[n % 2]) for n in range(200)]
    split = divide(examples, linked([f"row{n}" for n in range(100)]))
    assert {f"row{n}" for n in range(100)} <= set(split.train)
    assert "chain" not in split.how.en


def test_the_same_input_and_a_group_are_never_divided_however_many_rows_they_are() -> None:
    examples = [labelled(n, "ab"[n % 2], group="one" if n < 190 else None) for n in range(200)]
    split = divide(examples, group="customer")
    assert {f"row{n}" for n in range(190)} <= set(split.train)


def test_digests_of_a_split_are_those_of_its_rows_content() -> None:
    examples = [labelled(n) for n in range(40)]
    split = divide(examples)
    changed = [
        each.model_copy(update={"target": {"label": "z"}}) if each.id == split.test[0] else each for each in examples
    ]
    with pytest.raises(RunError):
        check_seal(iter(changed), split)
    check_seal(iter(examples), split)
