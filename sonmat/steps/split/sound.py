"""Holds a finished split to what it promises, before it is written.

In: a `Split`, the rows it is of, and what ties rows together. Out: nothing, or a `SonmatError`. Parts that the data gave are held
to being kept; that they share rows is for the audit to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.errors import SonmatError
from sonmat.core.text import Text
from sonmat.core.values import Example, Fold, Split
from sonmat.runs.seal import seal_of_digests
from sonmat.steps.split.rows import RowTable, read_table
from sonmat.steps.split.units import Bond, bonds_of

_PARTS = ("train", "validation", "test")
_SHOWN_ROWS = 5


def assert_sound(split: Split, examples: Iterable[Example], links: Iterable[Sequence[str]] = ()) -> None:
    """Nothing, if every row is in exactly one part, no part is empty, and nothing that belongs together is apart.

    Of folds all of this holds for each, and every row is tested once in each repetition.

    Raises:
        SonmatError: it is not so.
    """
    table = read_table(examples)
    assert_sound_table(split, table, bonds_of(table, links))


def assert_sound_table(split: Split, table: RowTable, bonds: Sequence[Bond]) -> None:
    place = {id: row for row, id in enumerate(table.ids)}
    if split.folds:
        _check_turns(split, len(table), place)
        for fold in split.folds:
            _check_parts(fold, _PARTS, table, bonds, place)
        _check_parts(split, _PARTS[:2], table, bonds, place)
    else:
        _check_parts(split, _PARTS, table, bonds, place)
    if seal_of_digests(table.digest(place[id]) for id in split.test) != split.seal:
        raise _unsound(Text(en="the seal is not that of the test rows", ko="봉인이 테스트 행과 맞지 않습니다"))


def _check_turns(split: Split, rows: int, place: dict[str, int]) -> None:
    """Every row is tested once in each repetition, and stands in `test`."""
    if len(split.folds) % split.repeats:
        raise _unsound(Text(en="a repetition lacks folds", ko="폴드가 모자란 반복이 있습니다"))
    folds = len(split.folds) // split.repeats
    for repeat in range(split.repeats):
        tested = [id for fold in split.folds[repeat * folds : (repeat + 1) * folds] for id in fold.test]
        if len(tested) != rows or set(tested) != place.keys():
            raise _unsound(Text(en="a row is tested twice or never", ko="두 번 테스트하거나 테스트하지 않는 행이 있습니다"))
    if len(split.test) != rows or set(split.test) != place.keys():
        raise _unsound(Text(en="not all rows are sealed", ko="봉인되지 않은 행이 있습니다"))


def _check_parts(
    found: Split | Fold, parts: Sequence[str], table: RowTable, bonds: Sequence[Bond], place: dict[str, int]
) -> None:
    part_of = np.full(len(table), -1, dtype=np.int8)
    rows = 0
    for number, part in enumerate(parts):
        ids = getattr(found, part)
        rows += len(ids)
        known = [place[id] for id in ids if id in place]
        part_of[known] = number
    if rows != len(table) or (part_of < 0).any():
        raise _unsound(Text(en="a row is in two parts or in none", ko="두 곳에 있거나 어디에도 없는 행이 있습니다"))
    if len(np.unique(part_of)) != len(parts):
        raise _unsound(Text(en="a part is empty", ko="빈 부분이 있습니다"))
    own = np.array([-1 if part is None else _PARTS.index(part) for part in table.given], dtype=np.int8)
    moved = own != part_of
    # Training rows may be cut anew where the data gives no validation or test.
    if (moved & (own > 0)).any():
        raise _unsound(Text(en="a row has lost the part that the data gave it", ko="정해진 자리를 잃은 행이 있습니다"))
    for bond in bonds:
        apart = _apart(bond, part_of, moved)
        if len(apart):
            listed = ", ".join(table.ids[row] for row in apart[:_SHOWN_ROWS].tolist())
            raise _unsound(
                Text(en=f"rows that belong together are apart: {listed}", ko=f"함께 있어야 할 행이 나뉘었습니다: {listed}")
            )


def _apart(bond: Bond, part_of: NDArray[np.int8], moved: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows of the first set that is in several parts, unless the data itself put every one of them there."""
    sets = int(bond.numbers.max(initial=-1)) + 1
    lowest, highest = np.full(sets, 127, dtype=np.int8), np.full(sets, -1, dtype=np.int8)
    decided = np.zeros(sets, dtype=bool)
    np.minimum.at(lowest, bond.numbers, part_of[bond.rows])
    np.maximum.at(highest, bond.numbers, part_of[bond.rows])
    np.logical_or.at(decided, bond.numbers, moved[bond.rows])
    wrong = np.flatnonzero((lowest < highest) & decided)
    return bond.rows[bond.numbers == wrong[0]] if len(wrong) else np.empty(0, dtype=np.int64)


def _unsound(why: Text) -> SonmatError:
    return SonmatError(
        Text(en=f"The split is unsound: {why.en}.", ko=f"분할이 잘못되었습니다: {why.ko}."),
        Text(
            en="This is a fault of Sonmat; nothing was trained. Please report it.",
            ko="Sonmat의 결함이며 아무것도 학습하지 않았습니다. 알려 주세요.",
        ),
    )
