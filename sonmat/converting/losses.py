"""What a conversion cannot carry over: counted by what it is, with the first rows that it happens to.

In: a sentence and a place for each row that loses something. Out: `Loss` values, and the error that lists them. Nothing of a
row's content stands in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Value

_SHOWN_PLACES = 3


class Loss(Value):
    """Something that the new rows do not hold."""

    what: Text
    rows: int
    places: tuple[Text, ...] = ()
    """The first few rows; none where it is all of them."""
    kept_out: bool = False
    """Whether these rows are left out altogether."""
    chosen: bool = False
    """Whether it follows from what was asked for, so that it stops nothing."""


class Conversion(Value):
    """What a conversion read and wrote."""

    data: tuple[str, ...]
    out: str
    task: str
    shape: str
    new_task: str
    new_shape: str
    format: str
    rows_in: int
    rows_out: int
    losses: tuple[Loss, ...]
    reason: Text
    """What the data was recognised as, and why."""


@dataclass
class _Count:
    what: Text
    kept_out: bool
    chosen: bool
    rows: int = 0
    places: list[Text] = field(default_factory=list)


class LossBook:
    """Counts losses as they are met."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, bool], _Count] = {}

    def note(self, what: Text, place: Text, kept_out: bool = False, chosen: bool = False) -> None:
        """One more row loses `what`."""
        count = self._counts.setdefault((what.en, kept_out), _Count(what, kept_out, chosen))
        count.rows += 1
        if len(count.places) < _SHOWN_PLACES:
            count.places.append(place)

    def losses(self) -> list[Loss]:
        """Rows that are left out first, then by how many rows are concerned."""
        ranked = sorted(self._counts.values(), key=lambda count: (not count.kept_out, -count.rows))
        return [
            Loss(what=c.what, rows=c.rows, places=tuple(c.places), kept_out=c.kept_out, chosen=c.chosen) for c in ranked
        ]


def described(loss: Loss) -> Text:
    """One line about a loss."""
    english = ", ".join(place.en for place in loss.places)
    korean = ", ".join(place.ko for place in loss.places)
    if loss.rows > len(loss.places) > 0:
        english, korean = f"{english}, …", f"{korean}, …"
    en = f"{loss.rows:,} row{'s' * (loss.rows != 1)}" + (f" ({english})" if english else "")
    ko = f"{loss.rows:,}행" + (f"({korean})" if korean else "")
    if loss.kept_out:
        return Text(en=f"{en} left out: {loss.what.en}", ko=f"{ko} 빠짐: {loss.what.ko}")
    return Text(en=f"{en} without {loss.what.en}", ko=f"{ko}에서 빠지는 내용: {loss.what.ko}")


def would_lose(losses: list[Loss], shape: Text) -> DataError:
    """The error for a conversion that loses what was not said to be lost."""
    lines = [described(loss) for loss in losses]
    return DataError(
        Text(
            en="\n".join([f"Not everything can be written as {shape.en}:", *(f"  {line.en}" for line in lines)]),
            ko="\n".join([f"{shape.ko} 꼴로 모두 쓸 수는 없습니다:", *(f"  {line.ko}" for line in lines)]),
        ),
        Text(
            en="Choose another shape with --to, or lose this on purpose: --lossy. Nothing was written.",
            ko="--to로 다른 모양을 고르거나, 이만큼 빠져도 되면 --lossy를 붙이세요. 쓴 것은 없습니다.",
        ),
    )
