"""Whether a box [x, y, width, height] in pixels lies in its picture. In: a box and a size. Out: None, or the reason why not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sonmat.core.text import Text

_TOLERANCE = 1.0
"""Pixels that a box may reach over the edge, because programs round differently."""


def box_problem(box: Sequence[float], size: tuple[float, float] | None) -> Text | None:
    """Why the box cannot be right in a picture of this width and height; without a size, only its area is judged."""
    if len(box) != 4 or not all(map(math.isfinite, box)):
        return Text(en="is not [x, y, width, height]", ko="[x, y, 너비, 높이]가 아닙니다")
    x, y, width, height = box
    if width <= 0 or height <= 0:
        return Text(en=f"has no area: {_written(box)}", ko=f"넓이가 없습니다: {_written(box)}")
    if size is None:
        return None
    over = max(-x, -y, x + width - size[0], y + height - size[1])
    if over <= _TOLERANCE:
        return None
    whole = f"{size[0]:g}×{size[1]:g}"
    return Text(
        en=f"reaches out of its picture of {whole} pixels: {_written(box)}",
        ko=f"{whole} 픽셀인 그림 밖으로 나갑니다: {_written(box)}",
    )


def _written(box: Sequence[float]) -> str:
    return "[" + ", ".join(f"{edge:g}" for edge in box) + "]"
