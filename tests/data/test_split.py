"""Invariants of the split: whole, disjoint, in proportion, together what belongs together, the same whatever the order."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sonmat.steps.split.dividing as module
from sonmat.core.errors import DataError, RunError, SonmatError
from sonmat.core.text import verbatim
from sonmat.core.values import Example, Finding, Source, Split
from sonmat.runs.seal import check_seal, seal_of
from sonmat.steps.split import SHARES, assert_sound, divide
from sonmat.steps.split.rows import RowTable
from sonmat.steps.split.units import Units, bonds_of, units_of
from tests.data.made import job, labelled, table

ROWS = st.lists(
    st.tuples(
        st.integers(0, 60).map(lambda number: f"text {number}"),
        st.sampled_from("aaaabbbcd"),
        st.none() | st.integers(0, 15).map(lambda number: f"customer {number}"),
    ),
    min_size=25,
    max_size=90,
)


def made(rows: list[tuple[str, str, str | None]]) -> list[Example]:
    return [labelled(number, text, label, group) for number, (text, label, group) in enumerate(rows)]


def plain(rows: int, labels: str = "abc") -> list[Example]:
    return [labelled(number, f"text {number}", labels[number % len(labels)]) for number in range(rows)]


def parts(split: Split) -> tuple[tuple[str, ...], ...]:
    return split.train, split.validation, split.test


@settings(max_examples=80, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 5))
def test_every_row_is_in_one_part_and_nothing_that_belongs_together_is_apart(
    rows: list[tuple[str, str, str | None]], seed: int
) -> None:
    examples = made(rows)
    try:
        split = divide(examples, seed=seed)
    except DataError:
        # All rows may hang together through shared texts and customers.
        return
    assert sorted(row for part in parts(split) for row in part) == sorted(example.id for example in examples)
    assert all(parts(split))
    where = {row: number for number, part in enumerate(parts(split)) for row in part}
    together: dict[str, set[int]] = {}
    for example in examples:
        for key in (example.input["text"], example.group or example.id):
            together.setdefault(key, set()).add(where[example.id])
    assert all(len(found) == 1 for found in together.values())


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows: list[tuple[str, str, str | None]], shuffle: random.Random) -> None:
    examples = made(rows)
    moved = examples.copy()
    shuffle.shuffle(moved)
    try:
        assert divide(moved, seed=3) == divide(examples, seed=3)
    except DataError:
        return


@pytest.mark.parametrize("rows", [20, 33, 100, 1000])
@pytest.mark.parametrize("labels", ["ab", "aaaaaaaaab", "abcdefghij", "a"])
def test_parts_are_of_the_asked_size_and_classes_in_proportion(rows: int, labels: str) -> None:
    examples = plain(rows, labels)
    split = divide(examples)
    label = {example.id: example.target["label"] for example in examples}
    for part, share in zip(parts(split), SHARES.values(), strict=True):
        # Each class is rounded to whole rows by itself, so the sum may be off by less than one row a class.
        assert abs(len(part) - share * rows) <= max(1, len(set(labels)))
    for name, count in Counter(label.values()).items():
        for part, share in zip(parts(split), SHARES.values(), strict=True):
            assert abs(sum(label[row] == name for row in part) - share * count) <= 1


def test_a_seed_gives_one_split_and_another_seed_another() -> None:
    examples = plain(100)
    assert divide(examples, seed=1) == divide(examples, seed=1)
    assert set(divide(examples, seed=1).test) != set(divide(examples, seed=2).test)


def test_a_class_of_one_row_goes_to_training() -> None:
    examples = [*plain(60), labelled(60, "alone", "rare"), labelled(61, "lonely", "rarer")]
    assert {"row60", "row61"} <= set(divide(examples).train)


def test_a_class_of_five_rows_is_in_every_part() -> None:
    examples = [*plain(60), *(labelled(100 + number, f"rare {number}", "rare") for number in range(5))]
    split = divide(examples)
    assert all(any(int(row[3:]) >= 100 for row in part) for part in parts(split))


def test_a_question_with_two_answers_stays_in_one_part() -> None:
    rows = [
        Example(
            id=f"row{number}",
            input={"messages": [{"role": "user", "content": f"question {number // 2}"}]},
            target={"text": f"answer {number}"},
            source=Source(file="made", row=number),
        )
        for number in range(80)
    ]
    split = divide(rows)
    for part in parts(split):
        numbers = {int(row[3:]) for row in part}
        assert all(number ^ 1 in numbers for number in numbers)


def test_rows_that_a_finding_links_stay_in_one_part() -> None:
    examples = plain(60)
    clusters = tuple((f"row{number}", f"row{number + 1}", "row of no example") for number in range(0, 60, 2))
    text = verbatim("near")
    finding = Finding(check="near_duplicates", severity="note", what=text, fix=text, clusters=clusters)
    split = divide(examples, [finding])
    where = {row: number for number, part in enumerate(parts(split)) for row in part}
    assert all(where[f"row{number}"] == where[f"row{number + 1}"] for number in range(0, 60, 2))


def test_three_big_groups_fill_three_parts() -> None:
    examples = [labelled(n, f"text {n}", "ab"[n % 2], f"group {n % 3}") for n in range(60)]
    assert all(parts(divide(examples)))


def test_two_groups_cannot_fill_three_parts() -> None:
    examples = [labelled(n, f"text {n}", "ab"[n % 2], f"group {n % 2}") for n in range(60)]
    with pytest.raises(DataError) as caught:
        divide(examples, group="customer")
    assert "2 sets that must stay together" in caught.value.what.en
    assert "2묶음뿐" in caught.value.what.ko
    assert caught.value.fix is not None
    assert "--group" in caught.value.fix.en


def sealed(examples: list[Example], train: list[str], validation: list[str], test: list[str]) -> Split:
    seal = seal_of([example for example in examples if example.id in test])
    return Split(train=tuple(train), validation=tuple(validation), test=tuple(test), seal=seal, how=verbatim("planted"))


PLANTED = [labelled(0, "a", "x"), labelled(1, "b", "y"), labelled(2, "c", "x"), labelled(3, " A b", "y")]


@pytest.mark.parametrize(
    ("examples", "planted", "said"),
    [
        (PLANTED, (["row0"], ["row1"], ["row2"]), "in none"),
        (PLANTED, (["row0", "row2"], ["row1"], ["row2", "row3"]), "two parts"),
        (PLANTED, (["row0", "row2"], ["row1", "row3"], []), "a part is empty"),
        ([*PLANTED, labelled(4, "a ", "x")], (["row0"], ["row1", "row3"], ["row2", "row4"]), "are apart: row0, row4"),
        ([*PLANTED, labelled(4, "a", "other")], (["row0"], ["row1", "row3"], ["row2", "row4"]), "are apart: row0, row4"),
    ],
)
def test_a_planted_leak_raises(examples: list[Example], planted: tuple[list[str], ...], said: str) -> None:
    with pytest.raises(SonmatError, match=said):
        assert_sound(sealed(examples, *planted), examples)


def test_a_planted_leak_of_a_group_raises() -> None:
    examples = [labelled(n, f"text {n}", "x", f"group {n % 2}") for n in range(4)]
    with pytest.raises(SonmatError, match="are apart: row0, row2"):
        assert_sound(sealed(examples, ["row0"], ["row1", "row3"], ["row2"]), examples)


def test_a_wrong_seal_raises() -> None:
    split = sealed(PLANTED, ["row0"], ["row1"], ["row2", "row3"]).model_copy(update={"seal": "0" * 64})
    with pytest.raises(SonmatError, match="the seal"):
        assert_sound(split, PLANTED)


def test_the_step_writes_the_split_and_says_how(tmp_path: Path) -> None:
    made_job = job(tmp_path, "t.csv", table(100) + "0번째 문의입니다,배송\n", seed=7, folds=0)
    split = made_job.split()
    assert split == made_job.folder.split()
    assert made_job.folder.is_done("split", "split-inputs")
    check_seal(list(made_job.folder.kept_examples()), split)
    said = made_job.told.message("split")
    assert "classes in proportion; rows that say the same together" in said.en
    assert "테스트 데이터는 봉인" in said.ko


def test_a_changed_test_row_breaks_the_seal(tmp_path: Path) -> None:
    made_job = job(tmp_path, "t.csv", table(100), folds=0)
    split = made_job.split()
    examples = [
        example.model_copy(update={"target": {"label": "바뀜"}}) if example.id == split.test[0] else example
        for example in made_job.folder.kept_examples()
    ]
    with pytest.raises(RunError):
        check_seal(examples, split)


def test_dropped_rows_are_in_no_part(tmp_path: Path) -> None:
    made_job = job(tmp_path, "t.csv", table(60) + "   ,배송\n", bad_rows="drop", folds=0)
    split = made_job.split()
    assert sum(len(part) for part in parts(split)) == 60


def test_the_same_file_with_its_rows_moved_gives_the_same_parts(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    head, *rows = table(80).splitlines(keepends=True)
    first = job(tmp_path / "a", "t.csv", head + "".join(rows)).split()
    second = job(tmp_path / "b", "t.csv", head + "".join(reversed(rows))).split()
    assert first == second


def test_a_fault_in_dividing_is_noticed_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def units_of_one_row(table: RowTable, bonds: object, seed: int) -> Units:
        return units_of(table, bonds_of(table)[1:2], seed)

    monkeypatch.setattr(module, "units_of", units_of_one_row)
    twins = [labelled(number, f"text {number // 2}", "ab"[number % 2]) for number in range(60)]
    with pytest.raises(SonmatError, match="are apart"):
        divide(twins)


def test_a_class_of_two_large_groups_is_tested_on_one_of_them() -> None:
    rows = [row(f"{label} {group} {n}", label, f"{label}{group}") for label in "ab" for group in "xy" for n in range(40)]
    rows += [row(f"c {n}", "c") for n in range(100)]
    result = divide(rows, group="template")
    tested = {each.target["label"] for each in rows if each.id in result.test}
    trained = {each.target["label"] for each in rows if each.id in result.train}
    assert tested == trained == {"a", "b", "c"}


def test_a_class_without_test_rows_is_named() -> None:
    rows = [row(f"a {n}", "a", "one") for n in range(40)] + [row(f"b {n}", "b") for n in range(100)]
    assert "no test rows of: a" in divide(rows, group="template").how.en
    assert "no test rows" not in divide(rows[40:], group="template").how.en


def row(text: str, label: str, group: str | None = None) -> Example:
    return Example(id=text, input={"text": text}, target={"label": label}, source=Source(file="d.csv", row=1), group=group)
