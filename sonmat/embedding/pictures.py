"""Pictures as vectors without any model: a thumbnail, the colours, and which way the edges run.

In: paths of pictures. Out: one vector of length 1 each, of up to 128 dimensions. It tells apart colours, layouts and shapes,
not what is shown; a picture that cannot be decoded has a vector that is like no other's.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.progress import Progress
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.embedding.directions import condensed, unit_rows

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 32
_THUMBNAIL_SIDE = 8
_COLOUR_STEPS = 4
_CELLS = 4
_ORIENTATIONS = 8
_NUMBERS = 3 * _THUMBNAIL_SIDE**2 + _COLOUR_STEPS**3 + _CELLS**2 * _ORIENTATIONS


def picture_features(paths: Sequence[Path], emit: Emit) -> NDArray[np.float32]:
    """One vector of length 1 for each picture, float32 of shape (rows, dimensions)."""
    progress = Progress(emit, Text(en="Looking at the pictures", ko="그림을 살펴보는 중"), len(paths))
    numbers = np.zeros((len(paths), _NUMBERS), dtype=np.float32)
    for row, path in enumerate(paths):
        small = _small(path)
        if small is not None:
            numbers[row] = _described(small)
        progress.step()
    if not len(numbers):
        return numbers
    # What all have in common says nothing of how they differ.
    return condensed(numbers - numbers.mean(axis=0))


def _small(path: Path) -> NDArray[np.float32] | None:
    """The picture as RGB from 0 to 1, shape (32, 32, 3); None if it cannot be decoded."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _scaled(image)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, Image.DecompressionBombWarning):
        return None  # the check of broken pictures reports it
    except Image.DecompressionBombError:
        return None


def _scaled(image: Image) -> NDArray[np.float32]:
    from PIL.Image import Resampling

    # JPEG decodes straight to a small size, many times faster.
    image.draft("RGB", (4 * _SIDE, 4 * _SIDE))
    scaled = image.convert("RGB").resize((_SIDE, _SIDE), Resampling.BOX)
    return np.asarray(np.asarray(scaled) / 255, dtype=np.float32)


def _described(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    block = _SIDE // _THUMBNAIL_SIDE
    thumbnail = picture.reshape(_THUMBNAIL_SIDE, block, _THUMBNAIL_SIDE, block, 3).mean(axis=(1, 3)).ravel()
    parts = (thumbnail, np.sqrt(_colours(picture)), _edges(picture.mean(axis=2)))
    return np.concatenate([unit_rows(np.asarray(part, dtype=np.float32)[None])[0] for part in parts])


def _colours(picture: NDArray[np.float32]) -> NDArray[np.float64]:
    """Share of the pixels in each of 4 × 4 × 4 ranges of red, green and blue."""
    steps = np.minimum((picture * _COLOUR_STEPS).astype(np.int64), _COLOUR_STEPS - 1)
    bins = (steps[..., 0] * _COLOUR_STEPS + steps[..., 1]) * _COLOUR_STEPS + steps[..., 2]
    return np.bincount(bins.ravel(), minlength=_COLOUR_STEPS**3) / bins.size


def _edges(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """How strong edges of eight orientations are in each of 4 × 4 cells (Dalal and Triggs 2005, without blocks)."""
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    turn = (np.arctan2(down, right) % np.pi) / np.pi * _ORIENTATIONS
    orientation = np.minimum(turn.astype(np.int64), _ORIENTATIONS - 1)
    cell = np.arange(_SIDE) // (_SIDE // _CELLS)
    bins = (cell[:, None] * _CELLS + cell[None, :]) * _ORIENTATIONS + orientation
    edges = np.bincount(bins.ravel(), weights=strength.ravel(), minlength=_CELLS**2 * _ORIENTATIONS)
    return np.asarray(edges, dtype=np.float64)
