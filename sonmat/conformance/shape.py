"""Holds a row shape to its contract: `check_shape(shape, pairs)` passes silently or says which promise is broken.

In: a `Shape` plug-in and pairs of the kind that it reads. Out: nothing, or an AssertionError.
"""

from __future__ import annotations

from collections.abc import Sequence

from sonmat import plugins
from sonmat.core.protocols import Pair, Shape, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json

_ODD_VALUES: tuple[object, ...] = (
    None,
    "",
    " ",
    3,
    2.5,
    True,
    [],
    {},
    [None],
    [[]],
    [{"role": 1}],
    {"a": 1},
    [{"from": None, "value": 3}],
)


def check_shape(shape: Shape, pairs: Sequence[Pair]) -> None:
    """Assert that `shape` keeps its contract for at least four different `pairs`.

    Raises:
        AssertionError: the message names the shape and the broken promise.
    """
    lacking = plugins.missing_members(shape, "shapes")
    assert not lacking, f"{shape.name}: lacks {', '.join(lacking)}"
    assert len(pairs) >= 4, f"{shape.name}: needs at least four sample pairs"
    rows = [shape.write(pair, Columns()) for pair in pairs]
    guess = _check_recognition(shape, rows)
    for pair, row in zip(pairs, rows, strict=True):
        found = shape.read(row, guess.columns)
        assert found == pair, f"{shape.name}: {pair} became {found} between write and read"
    _check_odd_rows(shape, rows[0], guess.columns)


def _check_recognition(shape: Shape, rows: Sequence[Json]) -> Guess:
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    guess = shape.recognise(Table(columns, tuple(rows)), Columns())
    assert guess is not None, f"{shape.name}: does not recognise rows that it wrote"
    assert all((guess.reason.en, guess.reason.ko)), f"{shape.name}: the reason lacks a language"
    named = {name for name in (guess.columns.input, guess.columns.target) if name is not None}
    assert named <= set(columns), f"{shape.name}: names columns that are not there: {named - set(columns)}"
    foreign = Table(("unrelated",), tuple({"unrelated": number} for number in range(10)))
    assert shape.recognise(foreign, Columns()) is None, f"{shape.name}: recognises a column of numbers as its own"
    assert shape.recognise(Table((), ()), Columns()) is None, f"{shape.name}: recognises an empty table as its own"
    return guess


def _check_odd_rows(shape: Shape, row: Json, columns: Columns) -> None:
    """Rows that lack fields or hold other types give a pair or a reason in both languages, never an exception."""
    missing = shape.read({}, columns)
    assert isinstance(missing, Text), f"{shape.name}: makes {missing} of a row without fields"
    for name in row:
        for value in _ODD_VALUES:
            found = shape.read({**row, name: value}, columns)
            if isinstance(found, Text):
                assert all((found.en, found.ko)), f"{shape.name}: the reason for a bad row lacks a language"
