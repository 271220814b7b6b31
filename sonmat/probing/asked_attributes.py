"""Which attributes of an answer the inputs ask for (tone, audience, ...), and what each row asks.

In: training rows. Out: attributes with the value of every row: the recipe's slices, fields of the input with few values, system
prompts of which there are few, and lines like 'tone: formal' in the last message. Whether answers follow them is not known here; a
slice such as the customer's age may be of no matter to the answer, which `attribute_classifier` finds out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from sonmat.core.values import Example, Json

MOST_VALUES: Final = 8
FEWEST_ROWS: Final = 10
"""Training rows of each value; rarer values are left out."""
_GIVEN: Final = 0.8
"""Share of the rows that must have the attribute."""
_LINE: Final = re.compile(r"^\s*(?:[-*•]\s*)?([^\W\d_][\w /-]{0,23}?)\s*[:：=]\s*(\S.{0,39}?)\s*$", re.MULTILINE)
_NO_ATTRIBUTE: Final = ("text", "messages", "tools", "image", "audio")


def asked_attributes(train: Sequence[Example]) -> dict[str, dict[str, str]]:
    """By attribute the value of every row that has one; only those that most rows have, with two to eight common values."""
    values: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for example in train:
        for name, value in attributes_of(example):
            values[name].setdefault(example.id, value)
    found: dict[str, dict[str, str]] = {}
    for name, of_rows in values.items():
        counts = Counter(of_rows.values())
        common = {value for value, count in counts.items() if count >= FEWEST_ROWS}
        kept = {row: value for row, value in of_rows.items() if value in common}
        if len(common) >= 2 and len(counts) <= MOST_VALUES and len(kept) >= _GIVEN * len(train):
            found[name] = kept
    return found


def attributes_of(example: Example) -> Iterator[tuple[str, str]]:
    """Name and value of everything in the row that might ask for something."""
    yield from example.slices.items()
    for name, value in example.input.items():
        if isinstance(value, str) and name not in _NO_ATTRIBUTE:
            yield name, value
    messages = example.input.get("messages")
    text = str(example.input.get("text") or "")
    if isinstance(messages, list) and messages:
        system = next((_content(message) for message in messages if message.get("role") == "system"), None)
        if system:
            yield "system", system
        text = _content(messages[-1])
    for name, value in _LINE.findall(text):
        yield name, value


def _content(message: Json) -> str:
    return str(message.get("content") or "")
