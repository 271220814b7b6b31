"""What a picture looks like, in so few numbers that millions can be compared: the same after scaling, recompression and a small
crop, another for another picture.

In: the file of a picture. Out: a difference hash of 128 bits (whether each of 8x8 fields is brighter than the one to its right
and the one below) and the colours of the 8x8 fields, or nothing for a picture that is one flat colour or cannot be decoded.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.buckets import first_of, second_of
from sonmat.checking.hamming import near_prints

FIELDS = 8
COLOURS = FIELDS * FIELDS * 3
MOST_BITS = 18
"""Of 128. Measured on 120 cuts of two photographs: halving the size and JPEG at quality 30 change up to 7 bits, a crop of 3 % on
every side up to 16; the nearest different cuts lie 24 apart."""
LEAST_CORRELATION = 0.98
"""Of the fields' colours; scanned pages and digits have near hashes because most of them is empty."""
_FLAT = 2.0
"""Standard deviation of the fields' brightness, 0 to 255, below which there is nothing to compare."""
_DECODED_SIZE = 128


@dataclass(frozen=True)
class PicturePrint:
    bits: NDArray[np.uint64]
    """Shape (2,)."""
    colours: NDArray[np.uint8]
    """Shape (192,)."""


def picture_print(path: Path) -> PicturePrint | None:
    """The print of a picture; None if it is flat or cannot be decoded, which another check reports."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                opened.draft("RGB", (_DECODED_SIZE, _DECODED_SIZE))
                picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, IndexError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return None
    grey = picture.convert("L")
    across = _shrunk(grey, FIELDS + 1, FIELDS)
    down = _shrunk(grey, FIELDS, FIELDS + 1)
    if across.std() < _FLAT:
        return None
    bits = np.concatenate(((across[:, 1:] > across[:, :-1]).ravel(), (down[1:] > down[:-1]).ravel()))
    return PicturePrint(np.packbits(bits).view(np.uint64), _shrunk(picture, FIELDS, FIELDS).astype(np.uint8).ravel())


def alike_pictures(bits: NDArray[np.uint64], colours: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Pairs of prints (`first << 32 | second`) that show the same, and how well their colours agree, up to 1."""
    codes = near_prints(bits, MOST_BITS)
    correlation = np.ones(len(codes))
    for start in range(0, len(codes), 1 << 14):
        part = codes[start : start + (1 << 14)]
        correlation[start : start + len(part)] = _correlation(colours[first_of(part)], colours[second_of(part)])
    alike = correlation >= LEAST_CORRELATION
    return codes[alike], correlation[alike]


def _shrunk(picture: object, width: int, height: int) -> NDArray[np.float64]:
    from PIL import Image

    assert isinstance(picture, Image.Image)
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS), np.float64)


def _correlation(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    a = first - first.mean(axis=1, keepdims=True)
    b = second - second.mean(axis=1, keepdims=True)
    length = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.maximum(length, 1e-9))
