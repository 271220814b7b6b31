"""Texts that go round in circles, as a language model without brakes writes, and how varied many texts are.

In: texts. Out: the piece that is repeated and how often; distinct-n, the share of different n-grams (Li et al. 2016, section 5).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_FEWEST_WORDS = 8
_VARIED = 0.5
"""Different words over words, above which nothing can go round for long."""
_MOST_WORDS_OF_A_PIECE = 40
_FEWEST_TURNS = 4
_FEWEST_TURNS_OF_LONG = 3
_LONG_PIECE = 4
_FEWEST_LINE_WORDS = 4
_COVERED = 0.4
"""Share of the text that the turns must make up."""
_UNBROKEN = 24
"""Characters without a space, from which on they are looked through for loops."""
_CHARACTERS = re.compile(r"((?=\w*[^\W\d_])\w{4,40}?)\1{3,}")
_NO_WORD = re.compile(r"[\W\d_]+")


@dataclass(frozen=True)
class Loop:
    piece: str
    turns: int


def loop_in(text: str) -> Loop | None:
    """What `text` says over and over; None for text that does not. Laughter, rules and tables of signs are no loops."""
    words = text.split()
    if len(words) >= _FEWEST_WORDS and len(set(words)) < _VARIED * len(words):
        found = _in_a_row(words) or _same_lines(text)
        if found:
            return found
    unbroken = _CHARACTERS.search(text) if max(map(len, words), default=0) >= _UNBROKEN else None
    if unbroken and len(set(unbroken.group(1))) > 2 and len(unbroken.group()) >= _COVERED * len(text):
        return Loop(unbroken.group(1), len(unbroken.group()) // len(unbroken.group(1)))
    return None


def distinct_share(texts: Iterable[str], length: int, most: int) -> float | None:
    """Different n-grams of `length` words over all of them, of the first `most`; None where there are fewer than `most`.

    The share falls with the number of n-grams, so that only figures of the same `most` compare.
    """
    seen: set[tuple[str, ...]] = set()
    count = 0
    for text in texts:
        words = text.split()
        for at in range(len(words) - length + 1):
            seen.add(tuple(words[at : at + length]))
            count += 1
            if count == most:
                return len(seen) / count
    return None


def _in_a_row(words: Sequence[str]) -> Loop | None:
    """A piece of up to 40 words that follows itself several times."""
    for size in range(1, min(_MOST_WORDS_OF_A_PIECE, len(words) // 2) + 1):
        fewest = _FEWEST_TURNS_OF_LONG if size >= _LONG_PIECE else _FEWEST_TURNS
        run = best = end = 0
        for at in range(size, len(words)):
            run = run + 1 if words[at] == words[at - size] else 0
            if run > best:
                best, end = run, at + 1
        turns = best // size + 1
        piece = words[end - size : end]
        if turns >= fewest and turns * size >= max(_COVERED * len(words), 6) and not _NO_WORD.fullmatch("".join(piece)):
            return Loop(" ".join(piece), turns)
    return None


def _same_lines(text: str) -> Loop | None:
    """A sentence or line that returns, other ones between."""
    pieces = [" ".join(piece.split()) for piece in re.split(r"(?<=[.!?。])\s+|\n+", text)]
    counts = Counter(piece for piece in pieces if piece.count(" ") >= _FEWEST_LINE_WORDS - 1)
    if not counts:
        return None
    piece, turns = counts.most_common(1)[0]
    enough = turns >= _FEWEST_TURNS_OF_LONG and turns * len(piece) >= _COVERED * len(text)
    return Loop(piece, turns) if enough and not _NO_WORD.fullmatch(piece) else None
