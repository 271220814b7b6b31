"""Which labels are most likely misspelt: a rare one that is a keystroke or two away from a common one.

In: labels and how often each occurs. Out: pairs of a rare spelling and the common one it was probably meant to be. Korean is
compared by single letters (jamo), so that 배숑 is one keystroke from 배송. It proposes; whether two words are one is for a person
to say: 결제 (payment) and 결재 (approval) are both words.

Not taken for misspellings: labels that differ in a digit, in a letter that stands alone ('grade a', 'grade b'), in a Roman
numeral, in a capital at the end ('typeA', 'typeB'), in a sign ('+1', '-1'), in a negating beginning ('legal', 'illegal'; 기혼,
미혼), or by a word more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from sonmat.reading.sameness import evened, label_key

_RARE = 0.2
"""Of the common label's rows. Two spellings that are about equally frequent are two labels, or a habit that is worth asking about
in another way."""
_COMMON = 5
"""Rows of the common label: from fewer nothing can be said about what is usual."""
_LETTERS_FOR_ONE = 4
_LETTERS_FOR_TWO = 10
"""Letters (of Korean: jamo) that a label must have for one and for two keystrokes to be a slip. 'cat' and 'car' are words."""
_NEGATIONS = (
    "un",
    "in",
    "im",
    "il",
    "ir",
    "non",
    "no",
    "not",
    "dis",
    "de",
    "a",
    "anti",
    "비",
    "미",
    "무",
    "불",
    "부",
    "안",
    "반",
)
_ALONE = re.compile(r"(?<![^\W_])[^\W\d_](?![^\W_])")
_ROMAN = re.compile(r"(?<![^\W_])[ivxl]+(?![^\W_])", re.IGNORECASE)
_LAST_CAPITAL = re.compile(r"(?<=[a-z])[A-Z]$")


@dataclass(frozen=True)
class Typo:
    written: str
    meant: str


def likely_typos(counts: Mapping[str, int]) -> list[Typo]:
    """Every label that is probably a misspelling of another, by its spelling, with the nearest and then commonest one."""
    common = [label for label, count in counts.items() if count >= _COMMON]
    found = []
    for label, count in sorted(counts.items()):
        near = [
            (distance, -counts[other], other)
            for other in common
            if count <= _RARE * counts[other] and (distance := slip_distance(label, other)) is not None
        ]
        if near:
            found.append(Typo(label, min(near)[2]))
    return found


def slip_distance(written: str, meant: str) -> int | None:
    """Keystrokes between two labels where they can be a slip; None where they are too many or the labels mean two things.

    Labels that differ only in case, spaces and width are no slip: `label_variants` knows them.
    """
    if label_key(written) == label_key(meant) or _means_another(written, meant):
        return None
    first, second = _letters(written), _letters(meant)
    length = min(len(first), len(second))
    most = 0 if length < _LETTERS_FOR_ONE else 1 if length < _LETTERS_FOR_TWO else 2
    distance = _distance(first, second, most)
    return distance if distance <= most else None


def _means_another(first: str, second: str) -> bool:
    one, other = evened(first), evened(second)
    if any(pattern.findall(one) != pattern.findall(other) for pattern in (_ALONE, _ROMAN, _LAST_CAPITAL)):
        return True
    if _others(one) != _others(other) or len(_words(one)) != len(_words(other)):
        return True
    return _negates(one.casefold(), other.casefold()) or _negates(other.casefold(), one.casefold())


def _others(label: str) -> list[str]:
    """Digits and signs, which are no slips of spelling; '_', '-' and '/' between words are no more than spaces."""
    return [sign for sign in re.sub(r"(?<=\w)[-/](?=\w)", " ", label) if not sign.isalpha() and sign not in " _"]


def _words(label: str) -> list[str]:
    return re.findall(r"[^\W_]+", label)


def _negates(longer: str, shorter: str) -> bool:
    """Whether a word of `longer` is one of `shorter` with a negating beginning, or with one exchanged: 가결, 부결."""
    for word, plain in zip(_words(longer), _words(shorter), strict=True):
        for negation in _NEGATIONS:
            if word == plain or not word.startswith(negation):
                continue
            rest = word.removeprefix(negation)
            exchanged = "가" <= negation <= "힣" and rest and plain[1:] == rest
            if rest == plain or exchanged:
                return True
    return False


def _letters(label: str) -> str:
    """Single letters in lower case; Korean syllables taken apart."""
    return unicodedata.normalize("NFD", re.sub(r"[\s_\-/]+", "", evened(label).casefold()))


def _distance(first: str, second: str, most: int) -> int:
    """Insertions, deletions, exchanges and swaps of neighbours between two words, or `most` + 1 if there are more.

    Optimal string alignment: Damerau (1964), without editing a swapped pair again.
    """
    if abs(len(first) - len(second)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for number, letter in enumerate(first, start=1):
        earlier, before, row = before, row, [number]
        for place, other in enumerate(second, start=1):
            cost = min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != other))
            if number > 1 and place > 1 and letter == second[place - 2] and first[number - 2] == other:
                cost = min(cost, earlier[place - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
