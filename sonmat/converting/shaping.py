"""A pair as fields of the new shape: checked by reading it back, and with less in it only where the shape has no place for all.

In: a pair. Out: the fields and what they lack, or the reason why the shape cannot hold the pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sonmat.converting.change_kind import reductions
from sonmat.core.errors import DataError
from sonmat.core.protocols import Pair, Shape
from sonmat.core.text import Text
from sonmat.core.values import Columns, Json

_INPUT, _TARGET = "\0input", "\0target"


@dataclass(frozen=True)
class Shaped:
    fields: Json
    lost: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Shaper:
    """Writes pairs in one shape."""

    shape: Shape
    columns: Columns

    def shaped(self, pair: Pair) -> Shaped | Text:
        """The fields of a pair."""
        fields = self._written(pair)
        if not isinstance(fields, Text):
            return Shaped(fields)
        lost: list[Text] = []
        for input, what in reductions(pair.input):
            lost.append(what)
            less = self._written(Pair(input=input, target=pair.target))
            if not isinstance(less, Text):
                return Shaped(less, tuple(lost))
        return fields

    def _written(self, pair: Pair) -> Json | Text:
        try:
            fields = self.shape.write(pair, self.columns)
        except DataError as error:
            return Text(en=error.what.en.rstrip("."), ko=error.what.ko.rstrip("."))
        found = self.shape.read(fields, self._columns_of(pair, fields))
        if isinstance(found, Pair) and _comparable(found) == _comparable(pair):
            return fields
        return Text(
            en=f"as {self.shape.title.en} it would be read back as something else",
            ko=f"{self.shape.title.ko} 꼴로는 다른 내용으로 읽힙니다",
        )

    def _columns_of(self, pair: Pair, fields: Json) -> Columns:
        """The names that the shape gave its columns, found by giving it others."""
        renamed = self.shape.write(pair, self.columns.model_copy(update={"input": _INPUT, "target": _TARGET}))
        # Where two columns have one name there is one fewer, and what is read back tells that it is wrong.
        names = dict(zip(renamed, fields, strict=False))
        labels = tuple(pair.target.get("labels", ()))
        return Columns(input=names.get(_INPUT), target=names.get(_TARGET), targets=self.columns.targets or labels)


def _comparable(pair: Pair) -> Any:
    """The pair with its labels in one order: which comes first says nothing."""
    if "labels" in pair.target:
        return pair.input, sorted(pair.target["labels"])
    return pair.input, pair.target
