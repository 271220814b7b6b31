"""The contract of checks: a check gives a watch, the watch sees every batch of rows and says what is wrong.

All watches see one batch before the next is read (docs/decisions/0010-checks-watch-rows.md). Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sonmat.core.text import Text
from sonmat.core.values import Example, Finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sonmat.core.protocols import Emit, Kind, Row


class Rows(Protocol):
    """Some thousand examples in the order of the data, with what several checks need of them, computed once."""

    @property
    def start(self) -> int:
        """Position of the first row among all rows, counted from 0."""

    @property
    def examples(self) -> Sequence[Example]:
        """As the audit's repairs left them. Paths of pictures and sound open as they stand."""

    @property
    def inputs(self) -> Sequence[str]:
        """All text of each input, messages and fields one a line; '' where an input has none."""

    @property
    def targets(self) -> Sequence[str]:
        """All text of each target, labels included."""

    @property
    def texts(self) -> Sequence[str]:
        """Input and target, one below the other."""

    @property
    def input_keys(self) -> Sequence[int]:
        """64-bit hashes, equal for inputs that say the same."""

    @property
    def target_keys(self) -> Sequence[int]:
        """64-bit hashes, equal for targets that say the same."""


class Sample(Protocol):
    """Rows that stand for all of them in checks that are too slow for millions; filled once every row has been seen."""

    @property
    def examples(self) -> Sequence[Example]:
        """Every row where there are few, else a fixed number of them, drawn by chance from the recipe's seed."""

    @property
    def features(self) -> NDArray[np.float32]:
        """One vector of length 1 for the input of each row, shape (rows, dimensions); near ones mean alike. Computed once."""

    @property
    def features_from(self) -> Text:
        """What the features rest on, e.g. 'counts of letter groups' or the encoder's name."""


@dataclass(frozen=True)
class Surroundings:
    """What a check is told of the data before it sees the first row."""

    kind: Kind
    rows: int
    """Rows in all."""
    ids: Sequence[str]
    """Id of every row seen so far, by its position, so that a watch need only remember positions."""
    languages: tuple[str, ...]
    seed: int
    sample: Sample
    emit: Emit
    encode: Callable[[Example], Row] | None = None
    """The row as the recipe's base takes it, with what would be cut; raises DataError where the target would be lost. None where
    no base was named."""


class Watch(Protocol):
    """One check looking at one set of data; made anew for every look, so that it may remember what it saw."""

    def see(self, rows: Rows) -> None:
        """The next rows. Keep numbers, hashes and ids of them, not the rows: there may be millions."""

    def findings(self) -> Iterator[Finding]:
        """What is wrong, asked once behind the last row."""


class Check(Protocol):
    """Something that can be wrong with data: one file in `checks/`."""

    name: str
    title: Text

    def watch(self, data: Surroundings) -> Watch | None:
        """A fresh look; None where this check has nothing to say about such data."""


@runtime_checkable
class OnlyTells(Protocol):
    """What a check has besides, if it asks for no repairs and its findings take long.

    It is asked for them once nothing is left to mend, because findings of a round that mends something are thrown away. A repair that
    it asks for after all is done in another round.
    """

    only_tells: bool
