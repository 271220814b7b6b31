"""What a text is made of, for comparing it with others: hashes of its overlapping groups of letters.

In: texts. Out: for each the set of its groups as sorted 32-bit hashes, all in one flat array. White space, case and signs at the
edges of words do not count, because people differ in them without saying anything else; signs inside stay (3.5, 1+1).

A group that begins with a Hangul, Han or Kana letter is 3 letters long, any other 6: about a word and a half in both, so that
one changed word weighs alike. It compares nothing by itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

LETTERS_OF_DENSE_SCRIPTS = 3
LETTERS_OF_OTHER_SCRIPTS = 6

_BETWEEN = "\uffff"
"""Stands between texts: never a character, and left as it is by normalisation."""
_GAP, _EDGE_SIGN, _DENSE, _BREAK = 1, 2, 3, 4
_EDGE_SIGNS = ".,!?;:~…·'\"()[]{}“”‘’«»「」『』、。！？"
_DENSE_RANGES = ((0x1100, 0x11FF), (0x3040, 0x30FF), (0x3130, 0x318F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3))


@dataclass(frozen=True)
class ShingleSets:
    """The groups of several texts; those of text i are `hashes[ends[i - 1]:ends[i]]`, rising and each once."""

    hashes: NDArray[np.uint32]
    ends: NDArray[np.int64]


def shingle_sets(texts: Sequence[str]) -> ShingleSets:
    """The groups of letters of each text; a text shorter than a group is one group."""
    letters, ends = _letters(texts)
    if not len(letters):
        return ShingleSets(np.empty(0, np.uint32), np.zeros(len(texts), np.int64))
    starts = np.concatenate(([0], ends[:-1]))
    owners = np.repeat(np.arange(len(texts)), ends - starts)
    left = ends[owners] - np.arange(len(letters))
    wanted = np.where(_class_of(letters) == _DENSE, LETTERS_OF_DENSE_SCRIPTS, LETTERS_OF_OTHER_SCRIPTS)
    hashes = _hashes(letters, np.minimum(wanted, left))
    # Cut-off groups at the end of a text count too, else the number in '채널은 MBC2' would be in none.
    counted = left >= LETTERS_OF_DENSE_SCRIPTS
    counted[starts[ends > starts]] = True
    keys = np.sort((owners[counted].astype(np.uint64) << np.uint64(32)) | hashes[counted])
    keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
    counts = np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(texts))
    return ShingleSets(keys.astype(np.uint32), np.cumsum(counts))


def _letters(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Code points of all texts, evened out, and where each text ends."""
    joined = _BETWEEN.join(texts)
    if joined.count(_BETWEEN) != len(texts) - 1:
        joined = _BETWEEN.join(text.replace(_BETWEEN, " ") for text in texts)
    evened = joined if joined.isascii() else unicodedata.normalize("NFKC", joined)
    points = np.frombuffer(evened.casefold().encode("utf-32-le", "surrogatepass"), np.uint32)
    classes = _class_of(points)
    outside = np.concatenate(([True], (classes == _GAP) | (classes == _BREAK), [True]))
    at_edge = (classes == _EDGE_SIGN) & (outside[:-2] | outside[2:])
    # A run of signs (?!, ...) at the end of a word goes as a whole.
    signs = np.concatenate(([False], classes == _EDGE_SIGN, [False]))
    at_edge |= (classes == _EDGE_SIGN) & (signs[:-2] | signs[2:])
    kept = (classes != _GAP) & (classes != _BREAK) & ~at_edge
    breaks = np.flatnonzero(classes == _BREAK) if len(texts) else np.empty(0, np.int64)
    counts = np.concatenate(([0], np.cumsum(kept)))
    return points[kept], np.append(counts[breaks], counts[-1]) if len(texts) else np.empty(0, np.int64)


def _hashes(letters: NDArray[np.uint32], lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A 32-bit hash of the group of so many letters that begins at each place: a polynomial, then the finaliser of MurmurHash3."""
    most = int(lengths.max())
    padded = np.concatenate((letters.astype(np.uint64), np.zeros(most, np.uint64)))
    hashes = lengths.astype(np.uint64)
    for place in range(most):
        letter = padded[place : place + len(letters)] + np.uint64(1)
        hashes = np.where(lengths > place, hashes * np.uint64(0x100000001B3) ^ letter, hashes)
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xC4CEB9FE1A85EC53)
    return hashes >> np.uint64(32)


def _class_of(points: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """What each code point is; those above the basic plane are ordinary letters, as the last but one in it is."""
    return _classes()[np.where(points > 0xFFFF, 0xFFFE, points)]


@cache
def _classes() -> NDArray[np.uint8]:
    classes = np.zeros(0x10000, np.uint8)
    for first, last in _DENSE_RANGES:
        classes[first : last + 1] = _DENSE
    invisible = chain(range(0x200B, 0x200E), (0x2060, 0xFEFF, 0xAD))
    classes[list(invisible)] = _GAP
    classes[[point for point in range(0x10000) if chr(point).isspace()]] = _GAP
    classes[[ord(sign) for sign in _EDGE_SIGNS]] = _EDGE_SIGN
    classes[ord(_BETWEEN)] = _BREAK
    return classes
