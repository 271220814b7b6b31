"""Korean that a keyboard, a copy or an extraction has broken: loose jamo, spaces gone, a space behind every syllable.

In: a text. Out: what is wrong and a short piece that shows it, and the text with loose jamo put together. Slang in jamo (ㅋㅋ,
ㅠㅠ, ㅇㅇ, ㅇㅅㅇ) is normal, and so are long compounds and lists of jamo. Spacing is not mended here: putting spaces back is a
guess that a person should see.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Damage = Literal["jamo", "collapsed", "spread"]

COLLAPSED_SYLLABLES = 16
"""Syllables without a space: longer than the longest usual compound (국립중앙박물관어린이박물관: 13)."""
_COLLAPSED_AMONG_SPACES = 24

_JAMO = "[ㄱ-ㅎ][ㅏ-ㅣ]|(?<=[가-힣])[ㄱ-ㅣ](?=[가-힣])|[ﾡ-ￜ]"
_RUN = f"(?<![가-힣])[가-힣]{{{COLLAPSED_SYLLABLES}}}"
_APART = "(?<![가-힣])(?:[가-힣] ){4}[가-힣](?![가-힣])"

_HANGUL, _LOOSE_SIGN = re.compile("[가-힣ㄱ-ㅣﾡ-ￜ]"), re.compile("[ㄱ-ㅣﾡ-ￜ]")
_FOUR_APART = re.compile(" [가-힣] [가-힣] [가-힣] [가-힣] ")
_LOOSE = "(?![ㅋㅎ][ㅠㅜㅡ])[ㄱ-ㅎ][ㅏ-ㅣ]"
"""A syllable in jamo; 'ㅋㅠ' is laughter in tears."""
_PAIRS = re.compile(f"[ㄱ-ㅣ]*{_LOOSE}[ㄱ-ㅎ]{{0,3}}{_LOOSE}[ㄱ-ㅣ]*")
"""Two syllables or more typed without being put together."""
_PAIR_AT_SYLLABLE = re.compile(
    f"(?<=[가-힣A-Za-z0-9'\")]){_LOOSE}[ㄱ-ㅎ]?(?![ㄱ-ㅣ])|(?<![ㄱ-ㅣ]){_LOOSE}[ㄱ-ㅎ]?(?=[가-힣])"
)
_FINAL_LOST = re.compile("(?<=[가-힣])[ㄱㄴㄷㄹㅂㅅㅆ](?=(?:니다|니까|습니다|어요|아요|는데|지만|다[.!?\\s]|요[.!?\\s]))")
"""'하ㅂ니다': a final consonant that was not put under its syllable."""
_LONG, _SPACED = re.compile(f"[가-힣]{{{COLLAPSED_SYLLABLES},}}"), re.compile("[가-힣] [가-힣]")
_HALF_WIDTH = re.compile("[ﾡ-ﾾￂ-ￇￊ-ￏￒ-ￗￚ-ￜ]+")
_SPREAD = re.compile(_APART.replace("{4}", "{4,}"))
_WORDS_OF_ONE = frozenset(
    "이그저두세네한개중더큰것수할될볼갈올안못잘다좀꼭또왜뭐나너내제날달해집물불눈비밤낮책앞뒤옆위속밖후전때곳분명번원시일월년주말"
    "좋난널걸건게넌참꽤늘곧막딱쭉훅푹확쏙쫙첫새헌온각매별본총약단즉및등외간내초급봄산강길몸손발입귀코목배차문방"
    "줄잔병권채벌켤살층평돈금은동쌀밥국김콩팥떡빵술꿈힘일삶죽갈먹쓸줄알팔살놀둘셋넷열백천만억조"
)
"""Syllables that are often a word of their own: '이 두 개 중 더 큰 것' is fine."""

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_SYLLABLE = re.compile(f"([{_INITIALS}])([{_VOWELS}])(?:([{_FINALS[1:]}])(?![{_VOWELS}]))?")


@dataclass(frozen=True)
class Broken:
    damage: Damage
    piece: str
    """A few letters, or a count; no more of the text."""


def suspect_pattern(characters: str, words: Iterable[str], flat: str) -> re.Pattern[str] | None:
    """What to look for in texts of these characters and words, one behind the other in `flat`; None where nothing can be broken."""
    if not _HANGUL.search(characters):
        return None
    patterns = [_JAMO] if _LOOSE_SIGN.search(characters) else []
    patterns += [_RUN] if any(len(word) >= COLLAPSED_SYLLABLES and _LONG.search(word) for word in words) else []
    patterns += [_APART] if _FOUR_APART.search(flat) else []
    return re.compile("|".join(patterns)) if patterns else None


def broken_korean(text: str) -> Broken | None:
    """What is wrong with the Korean of `text`; None for nothing."""
    piece = _PAIRS.search(text) or _HALF_WIDTH.search(text) or _PAIR_AT_SYLLABLE.search(text) or _FINAL_LOST.search(text)
    if piece:
        return Broken("jamo", piece.group()[:6])
    for spread in _SPREAD.finditer(text):
        syllables = spread.group().split(" ")
        if sum(syllable not in _WORDS_OF_ONE for syllable in syllables) * 2 >= len(syllables):
            return Broken("spread", " ".join(syllables[:3]))
    longest = max(map(_collapsed_run, text.split("\n")))
    return Broken("collapsed", f"{longest}") if longest else None


def joined(text: str) -> str:
    """`text` with loose jamo put together to the syllables that were typed; what makes no syllable stays."""
    text = _HALF_WIDTH.sub(_full_width, text)
    text = _PAIRS.sub(_typed, text)
    text = _PAIR_AT_SYLLABLE.sub(_typed, text)
    return re.sub(f"([가-힣]){_FINAL_LOST.pattern}", _with_final, text)


def _full_width(found: re.Match[str]) -> str:
    jamo = "".join(chr(int(unicodedata.decomposition(sign).split()[1], 16)) for sign in found.group())
    return _SYLLABLE.sub(_syllable, jamo)


def _typed(found: re.Match[str]) -> str:
    run = found.group()
    whole = _SYLLABLE.sub(_syllable, run)
    return run if re.search("[ㅏ-ㅣ]", whole) else whole


def _syllable(found: re.Match[str]) -> str:
    initial, vowel, final = found.groups()
    code = (_INITIALS.index(initial) * 21 + _VOWELS.index(vowel)) * 28 + (_FINALS.index(final) if final else 0)
    return chr(0xAC00 + code)


def _with_final(found: re.Match[str]) -> str:
    syllable, final = found.group()[0], found.group()[1]
    bare = (ord(syllable) - 0xAC00) % 28 == 0
    return chr(ord(syllable) + _FINALS.index(final)) if bare else found.group()


def _collapsed_run(line: str) -> int:
    """Syllables of the longest run without a space, 0 where it may be a compound."""
    longest = max(map(len, _LONG.findall(line)), default=0)
    return longest if longest >= (_COLLAPSED_AMONG_SPACES if _SPACED.search(line) else COLLAPSED_SYLLABLES) else 0
