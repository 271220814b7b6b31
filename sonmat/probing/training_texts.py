"""What the training rows hold that an answer might give away: their targets, and their personal data as hashes.

In: training rows. Out: look-ups that several arms of one proof share; the last rows' are kept. It judges no answer.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from sonmat.core.values import Example
from sonmat.probing.answers import written
from sonmat.probing.shared_runs import SharedRuns
from sonmat.reading.personal import PersonalKind, find_personal, might_hold_personal
from sonmat.reading.rows import texts_of
from sonmat.reading.sameness import evened

_FEWEST_DIFFERENT: Final = 0.3
"""Share of different targets below which answers are chosen from a set, not written, and saying one again is the task."""
_COUNTRY: Final = re.compile(r"^(?:00)?82(?=\d{8})0?")


class TrainingTexts:
    """Look-ups over the training rows, each made when first asked for."""

    def __init__(self, train: Sequence[Example]) -> None:
        self._train = train

    @cached_property
    def targets(self) -> Mapping[str, str]:
        """Row of every target, by its text with white space evened out; of equal ones the first."""
        found: dict[str, str] = {}
        for example in self._train:
            found.setdefault(evened(written(example.target)), example.id)
        return found

    @property
    def chosen_from_a_set(self) -> bool:
        """Whether the answers are a set to choose from."""
        return len(self.targets) < _FEWEST_DIFFERENT * len(self._train)

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset(example.id for example in self._train)

    @cached_property
    def runs(self) -> SharedRuns:
        return SharedRuns(list(self.targets))

    def row_of_run(self, target: int) -> str:
        """The row that the target at this place of `runs` comes from."""
        return list(self.targets.values())[target]

    @cached_property
    def personal(self) -> Mapping[bytes, list[str]]:
        """Rows of every personal value in inputs and targets, by its hash."""
        found: dict[bytes, list[str]] = {}
        for example in self._train:
            for text in (*texts_of(example.input), *texts_of(example.target)):
                for key in personal_values(text):
                    rows = found.setdefault(key, [])
                    if not rows or rows[-1] != example.id:
                        rows.append(example.id)
        return found


def training_texts(train: Sequence[Example]) -> TrainingTexts:
    """The look-ups of `train`; asked again for the same rows, the same ones."""
    global _last
    if _last is None or _last[0] is not train:
        _last = train, TrainingTexts(train)
    return _last[1]


_last: tuple[Sequence[Example], TrainingTexts] | None = None


def personal_values(text: str) -> dict[bytes, PersonalKind]:
    """Kind of every piece of personal data in `text`, by a hash that is equal for two ways of writing one value."""
    if not might_hold_personal(text):
        return {}
    return {_key(text[span.start : span.end]): span.kind for span in find_personal(text)}


def _key(value: str) -> bytes:
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", value).casefold()))
    return hashlib.blake2b(_COUNTRY.sub("0", letters).encode("utf-8", "surrogatepass"), digest_size=16).digest()
