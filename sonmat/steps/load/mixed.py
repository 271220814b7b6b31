"""Whether a source mixes shapes: rows of chat messages among rows of instruction and output, say.

In: the survey of a source and what most of it was recognised as. Out: a sentence that counts the rows of each shape and names the
first ones, or nothing where all are of one shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sonmat import plugins
from sonmat.core.protocols import Shape, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Source
from sonmat.steps.load.fields import Preparation
from sonmat.steps.load.recognise import Recognised
from sonmat.steps.load.survey import Layout, Survey

_SURE = 0.5
"""From here on a shape is taken for that of a handful of rows."""
_SHOWN_PLACES = 3


@dataclass
class _Share:
    title: Text
    rows: int = 0
    places: list[Source] = field(default_factory=list)


def mixed_shapes(seen: Survey, preparation: Preparation, recognised: Recognised) -> Text | None:
    """How many rows are of which shape, if there is more than one."""
    shares: dict[str, _Share] = {}
    for layout in seen.layouts if len(seen.layouts) > 1 else ():
        shape = _shape_of(layout, preparation, recognised)
        if shape is None:
            continue
        share = shares.setdefault(shape.name, _Share(shape.title))
        share.rows += layout.rows
        share.places += layout.places[: _SHOWN_PLACES - len(share.places)]
    if len(shares) < 2:
        return None
    english, korean = [], []
    for share in sorted(shares.values(), key=lambda share: -share.rows):
        more = ", …" if share.rows > len(share.places) else ""
        english.append(f"{share.rows:,} of {share.title.en} ({', '.join(at.place.en for at in share.places)}{more})")
        korean.append(f"{share.title.ko} {share.rows:,}행({', '.join(at.place.ko for at in share.places)}{more})")
    return Text(
        en=f"Rows of different shapes are mixed: {'; '.join(english)}. Put each shape into a file of its own and name them all.",
        ko=f"모양이 다른 행이 섞여 있습니다: {', '.join(korean)}. 모양마다 파일을 나누고 그 파일들을 함께 지정하세요.",
    )


def _shape_of(layout: Layout, preparation: Preparation, recognised: Recognised) -> Shape | None:
    prepared = [fields for row in layout.sample if not isinstance(fields := preparation.fields(row), Text)]
    read = [recognised.shape.read(fields, recognised.columns) for fields in prepared]
    if prepared and sum(isinstance(pair, Text) for pair in read) * 2 < len(prepared):
        return recognised.shape
    table = Table(tuple(dict.fromkeys(name for row in prepared for name in row)), tuple(prepared))
    guesses = [(guess.sure, shape) for shape in plugins.every("shapes") if (guess := shape.recognise(table, Columns()))]
    best = max(guesses, key=lambda entry: entry[0], default=None)
    return best[1] if best is not None and best[0] >= _SURE else None
