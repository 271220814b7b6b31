"""Noise that leaves the meaning of a question as it is: letters' case, extra white space, one slip of the finger, no full stop.

In: a text and a seed. Out: the same text as a hurried person might have typed it, the same for the same seed, or None where that
noise has nothing to change. Latin letters slip to a neighbouring key (QWERTY), Hangul by one jamo to a neighbouring key of the
two-set keyboard; digits, addresses and words with digits are left alone. It asks nobody and compares no answers.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final, Literal, get_args

from sonmat.core.text import Text
from sonmat.core.values import Json

Noise = Literal["upper", "lower", "spaces", "typo", "punctuation"]
NOISES: Final[tuple[Noise, ...]] = get_args(Noise)

TITLES: Final[Mapping[Noise, Text]] = {
    "upper": Text(en="all in capital letters", ko="모두 대문자로 쓰면"),
    "lower": Text(en="all in small letters", ko="모두 소문자로 쓰면"),
    "spaces": Text(en="extra spaces and a line break", ko="공백과 줄바꿈을 더하면"),
    "typo": Text(en="one typing error", ko="오타가 하나 있으면"),
    "punctuation": Text(en="no punctuation at the end", ko="끝의 문장 부호를 빼면"),
}

_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_JAMO_ROWS: Final = ("ㅂㅈㄷㄱㅅ", "ㅁㄴㅇㄹㅎ", "ㅋㅌㅊㅍ", "ㅛㅕㅑㅐㅔ", "ㅗㅓㅏㅣ", "ㅠㅜㅡ")
"""Consonants and vowels apart: a slip from one to the other makes no syllable."""
_FIRST_SYLLABLE: Final = 0xAC00
_INITIALS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_WORD: Final = re.compile(r"\S+")
_LATIN: Final = re.compile(r"[A-Za-z]")
_HANGUL: Final = re.compile("[가-힣]")
_ADDRESS: Final = re.compile(r"\d|@|://|www\.|[/\\_]")
"""Words in which one letter more or less is another thing."""
_LAST_MARKS: Final = re.compile(r"[.?!。？！…,;:]+\s*\Z")
_SHORTEST_LATIN: Final = 4
"""Letters of a word that is still read when one of them is wrong."""
_SHORTEST_HANGUL: Final = 2


def perturbed(text: str, noise: Noise, seed: int) -> str | None:
    """`text` with the noise; None where it would be the same."""
    changed = _MAKERS[noise](text, random.Random(f"{seed} {noise} {text}"))
    return None if changed == text or not changed.strip() else changed


def perturbed_input(input: Json, noise: Noise, seed: int) -> Json | None:
    """An input with the noise in its text or its last message of the user; None where it has none or nothing changes."""
    if "messages" in input:
        places = [place for place, message in enumerate(input["messages"]) if message["role"] == "user"]
        if not places:
            return None
        said = perturbed(str(input["messages"][places[-1]]["content"]), noise, seed)
        if said is None:
            return None
        messages = [dict(message) for message in input["messages"]]
        messages[places[-1]]["content"] = said
        return {**input, "messages": messages}
    said = perturbed(str(input["text"]), noise, seed)
    return None if said is None else {**input, "text": said}


def _upper(text: str, chance: random.Random) -> str:
    return text.upper() if _mostly_latin(text) else text


def _lower(text: str, chance: random.Random) -> str:
    return text.lower() if _mostly_latin(text) else text


def _mostly_latin(text: str) -> bool:
    """Korean with an 'API' in it says nothing of case."""
    return len(_LATIN.findall(text)) * 2 > sum(letter.isalpha() for letter in text)


def _spaces(text: str, chance: random.Random) -> str:
    """Every third gap is wider, one of them is a line break, and spaces stand at the end."""
    gaps = [match.start() for match in re.finditer(" ", text)]
    wider = set(chance.sample(gaps, (len(gaps) + 2) // 3))
    broken = chance.choice(sorted(wider)) if wider else -1
    letters = [
        "\n" if place == broken else "  " if place in wider else letter for place, letter in enumerate(text)
    ]  # fmt: skip
    return "".join(letters) + "  "


def _punctuation(text: str, chance: random.Random) -> str:
    return _LAST_MARKS.sub("", text)


def _typo(text: str, chance: random.Random) -> str:
    places = _slips(text)
    if not places:
        return text
    place = chance.choice(places)
    letter = text[place]
    slipped = _slipped_syllable(letter, chance) if _HANGUL.match(letter) else _slipped_letter(letter, chance)
    return text[:place] + slipped + text[place + 1 :]


def _slips(text: str) -> list[int]:
    """Letters that may slip: not the first of a word, which readers need most, and only of words that are long enough."""
    places = []
    for word in _WORD.finditer(text):
        if _ADDRESS.search(word.group()):
            continue
        for pattern, shortest in ((_LATIN, _SHORTEST_LATIN), (_HANGUL, _SHORTEST_HANGUL)):
            letters = [match.start() for match in pattern.finditer(word.group())]
            if len(letters) >= shortest:
                places += [word.start() + at for at in letters[1:]]
    return sorted(places)


def _slipped_letter(letter: str, chance: random.Random) -> str:
    slipped = chance.choice(_neighbours(letter.lower(), _ROWS))
    return slipped.upper() if letter.isupper() else slipped


def _slipped_syllable(syllable: str, chance: random.Random) -> str:
    """With one jamo from a neighbouring key, or its last consonant missing."""
    number = ord(syllable) - _FIRST_SYLLABLE
    initial, vowel, final = number // 588, number % 588 // 28, number % 28
    made = [
        *(_composed(_INITIALS.index(jamo), vowel, final) for jamo in _neighbours(_INITIALS[initial], _JAMO_ROWS)),
        *(_composed(initial, _VOWELS.index(jamo), final) for jamo in _neighbours(_VOWELS[vowel], _JAMO_ROWS)),
        *([_composed(initial, vowel, 0)] if final else []),
    ]
    # A double or compound jamo without a final (꽈) has no key of its own beside it.
    return chance.choice(made) if made else _composed(_INITIALS.index("ㅇ"), vowel, final)


def _composed(initial: int, vowel: int, final: int) -> str:
    return unicodedata.normalize("NFC", chr(_FIRST_SYLLABLE + initial * 588 + vowel * 28 + final))


def _neighbours(key: str, rows: tuple[str, ...]) -> list[str]:
    """Keys beside it in its row."""
    row = next((row for row in rows if key in row), "")
    at = row.find(key)
    return [row[place] for place in (at - 1, at + 1) if row and 0 <= place < len(row)]


_MAKERS: Final[Mapping[Noise, Callable[[str, random.Random], str]]] = {
    "upper": _upper,
    "lower": _lower,
    "spaces": _spaces,
    "typo": _typo,
    "punctuation": _punctuation,
}
