"""The parts of a test set: by each column that the user named, by two of them at once, by language and by length.

In: examples. Out: `Column`s, each a partition of those rows that have a value. It knows nothing of answers. Values are masked, so that
personal data in a column is not shown; a column with one value only, or with more than a group's worth of them, is no partition.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Final

import numpy as np

from sonmat.core.text import Text
from sonmat.core.values import Example
from sonmat.probing.slice_words import values_of_slice
from sonmat.reading.language import language_of
from sonmat.reading.personal import masked
from sonmat.reading.rows import text_of

FEWEST_ROWS: Final = 10
"""Of a slice that anything is said about."""
FEWEST_CROSSED: Final = 30
"""Of a slice by two columns."""
MOST_VALUES: Final = 50
"""Values of a column with more are no groups but names or numbers."""
_THIRDS: Final = ("short", "medium", "long")


@dataclass(frozen=True)
class Part:
    """Rows that share the values of `slice`, in the order of the test set."""

    slice: Mapping[str, str]
    rows: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(self.slice.values())

    @property
    def words(self) -> Text:
        """As people read it."""
        return values_of_slice(self.slice)


@dataclass(frozen=True)
class Column:
    """One way to part the rows."""

    key: str
    """As names of measures have it."""
    title: Text
    parts: tuple[Part, ...]
    """Those of all values, the small ones too, in the order of their values."""
    fewest: int = FEWEST_ROWS
    crossed: bool = False

    @property
    def judged(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if len(part.rows) >= self.fewest)

    @property
    def small(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if len(part.rows) < self.fewest)


def columns_of(examples: Sequence[Example]) -> tuple[Column, ...]:
    """The user's columns first, then two of them at once, then language and length.

    Nothing where the user named no column and nearly all rows are in one language: then length alone would be looked at.
    """
    own = _own_columns(examples)
    taken = {column.key for column in own}
    texts = {example.id: text_of(example.input) for example in examples}
    language = _derived("text_language", Text(en="language of the question", ko="질문의 언어"), texts, language_of)
    length = _derived(
        "text_length", Text(en="length of the question", ko="질문의 길이"), texts, _third(list(texts.values()))
    )
    if not own and language is None:
        return ()
    derived = [column for column in (language, length) if column is not None and column.key not in taken]
    return (*own, *_crossings(own), *derived)


def _own_columns(examples: Sequence[Example]) -> list[Column]:
    rows: dict[str, dict[str, list[str]]] = {}
    shown = cache(masked)
    for example in examples:
        for name, value in example.slices.items():
            if value.strip():
                rows.setdefault(name, {}).setdefault(shown(value.strip()), []).append(example.id)
    found: list[Column] = []
    for place, (name, values) in enumerate(sorted(rows.items()), start=1):
        if 2 <= len(values) <= MOST_VALUES:
            parts = tuple(Part({name: value}, tuple(values[value])) for value in sorted(values))
            key = _key(name, place, {column.key for column in found})
            found.append(Column(key, Text(en=f"'{name}'", ko=f"'{name}'"), parts))
    return found


def _key(name: str, place: int, taken: set[str]) -> str:
    """Small letters and digits, as guards can write; columns named in other scripts are numbered."""
    plain = name.strip().lower()
    key = re.sub(r"[^a-z0-9_-]+", "_", plain).strip("_-") if plain.isascii() else ""
    key = key or f"column{place}"
    return key if key not in taken else f"{key}_{place}"


def _crossings(columns: Sequence[Column]) -> Iterator[Column]:
    """Every two columns whose crossing has at least two slices that are large enough and finer than those of either."""
    for one, other in combinations(columns, 2):
        members = {row: part for part in other.parts for row in part.rows}
        cells: list[Part] = []
        for part in one.parts:
            rows: defaultdict[int, list[str]] = defaultdict(list)
            for row in part.rows:
                if row in members:
                    rows[id(members[row])].append(row)
            cells += [
                Part({**part.slice, **second.slice}, tuple(rows[id(second)]))
                for second in other.parts
                if rows.get(id(second))
            ]
        title = Text(en=f"{one.title.en} and {other.title.en}", ko=f"{one.title.ko} × {other.title.ko}")
        column = Column(f"{one.key}_x_{other.key}", title, tuple(cells), FEWEST_CROSSED, crossed=True)
        whole = {frozenset(part.rows) for part in (*one.parts, *other.parts)}
        finer = [part for part in column.judged if frozenset(part.rows) not in whole]
        if len(column.judged) > 1 and finer:
            yield column


def _derived(key: str, title: Text, texts: Mapping[str, str], value_of: Callable[[str], str | None]) -> Column | None:
    """None unless two values at least have enough rows."""
    rows: dict[str, list[str]] = {}
    for row, text in texts.items():
        value = value_of(text) if text else None
        if value is not None:
            rows.setdefault(value, []).append(row)
    parts = tuple(Part({key: value}, tuple(rows[value])) for value in sorted(rows) if len(rows[value]) >= FEWEST_ROWS)
    return Column(key, title, parts) if len(parts) > 1 else None


def _third(texts: Sequence[str]) -> Callable[[str], str | None]:
    """To which third of all lengths in characters a text belongs; texts of one length stay together."""
    lengths = [len(text) for text in texts if text]
    bounds = np.quantile(lengths, [1 / 3, 2 / 3]) if lengths else np.zeros(2)
    return lambda text: _THIRDS[int(np.searchsorted(bounds, len(text), side="left"))]
