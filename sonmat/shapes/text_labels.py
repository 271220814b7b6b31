"""Rows of a text and the labels that fit it: a column with a list, or with labels joined by ';' or '|'."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import text_of
from sonmat.reading.columns import choose_text, profiles
from sonmat.reading.several_labels import as_list, is_joined, joined_labels, labels_in

_NAMES = ("labels", "tags", "categories", "topics", "emotions", "genres", "classes", "keywords", "라벨들", "태그", "태그들")
_LONGEST_LABEL = 80


class TextLabels:
    name = "text_labels"
    title = Text(en="a text and several labels", ko="글과 여러 라벨")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        columns = (
            [wanted.target] if wanted.target else sorted(table.columns, key=lambda name: name.casefold() not in _NAMES)
        )
        fits = [fit for name in columns if name != wanted.input and (fit := _fit(table, name)) is not None]
        if not fits:
            return None
        best = max(fits, key=lambda fit: fit.sure)
        text = choose_text(profiles(table).values(), wanted.input, excluded=(best.column,))
        if text is None:
            return None
        return Guess(
            sure=round(best.sure * text.sure, 4),
            columns=Columns(input=text.column, target=best.column),
            reason=Text(en=f"{best.reason.en}; {text.reason.en}", ko=f"{best.reason.ko}. {text.reason.ko}"),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        text = text_of(fields, columns.input)
        if isinstance(text, Text):
            return text
        labels = labels_in(fields, columns.target)
        return labels if isinstance(labels, Text) else Pair(input={"text": text}, target={"labels": labels})

    def write(self, pair: Pair, columns: Columns) -> Json:
        return {columns.input or "text": pair.input["text"], columns.target or "labels": pair.target["labels"]}


@dataclass(frozen=True)
class _Fit:
    column: str
    sure: float
    reason: Text


def _fit(table: Table, column: str) -> _Fit | None:
    """How well a column holds several labels a row; poorly, if it holds one label a row."""
    values = [as_list(row.get(column)) for row in table.rows]
    filled = [value for value in values if value is not None and value != ""]
    lists = [value for value in filled if isinstance(value, list)]
    if not filled or any(isinstance(value, dict) for value in filled):
        return None
    if len(lists) * 2 > len(filled):
        labels = [[str(label) for label in value if isinstance(label, str | int)] for value in lists]
        whole = all(len(found) == len(value) for found, value in zip(labels, lists, strict=True))
        return _Fit(column, 0.96, _listed(column, labels)) if whole and _repeat(labels) else None
    cells = [value for value in filled if isinstance(value, str)]
    if len(cells) < len(filled):
        return None
    joined = [joined_labels(cell) for cell in cells]
    if any(map(is_joined, cells)) and _varied(joined) and _repeat(joined):
        return _Fit(column, 0.96, _listed(column, joined))
    profile = profiles(table)[column]
    if column.casefold() in _NAMES and _varied(joined) and _repeat(joined):
        return _Fit(column, 0.955, _listed(column, joined))
    return _Fit(column, 0.2, _listed(column, joined)) if profile.can_be_label and profile.repeats else None


def _repeat(labels: Sequence[Sequence[str]]) -> bool:
    """Whether short labels come again in different rows, as words of a sentence or keywords of an article do not."""
    counts = Counter(chain.from_iterable(labels))
    return bool(counts) and max(map(len, counts)) <= _LONGEST_LABEL and counts.total() >= 2 * len(counts)


def _varied(labels: Sequence[Sequence[str]]) -> bool:
    """Whether rows have different numbers of labels: a path such as 'clothes|shoes' has always as many."""
    return len({len(found) for found in labels}) > 1


def _listed(column: str, labels: Sequence[Sequence[str]]) -> Text:
    distinct = len(set(chain.from_iterable(labels)))
    return Text(
        en=f"'{column}' holds up to {max(map(len, labels)):,} of {distinct:,} labels a row",
        ko=f"'{column}' 열에 행마다 라벨이 최대 {max(map(len, labels)):,}개(모두 {distinct:,}가지) 있습니다",
    )


plugin = TextLabels()
