"""Which part of a given split a value names. In: a column's name or value. Out: train, validation or test, or nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sonmat.core.values import Part

_NAMES = re.compile(r"(?i)^(data[ _-]?)?(split|part|partition|subset|set|fold|분할|구분|용도|세트)$")
_PARTS: dict[str, Part] = {
    **dict.fromkeys(("train", "training", "trn", "학습", "훈련"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development", "검증"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "시험", "테스트", "평가"), "test"),
}


def part_of(value: str) -> Part | None:
    """The part that `value` names, in any case and with spaces around it; None for any other word."""
    return _PARTS.get(value.strip().casefold())


def says_part(name: str, values: Sequence[str]) -> bool:
    """Whether a column of this name and these values tells which part of a split each row belongs to."""
    return bool(values) and _NAMES.match(name.strip()) is not None and all(part_of(value) for value in values)
