"""Korean particles behind a word that another word takes the place of: 남편은 becomes 아내는, 아들로 becomes 딸로.

In: what stood behind the old word, and both words. Out: the same with the form that the last sound of the new word asks for (Standard
Korean grammar: 은/는, 이/가, 을/를, 과/와, 이라/라 … by a final consonant; 으로/로 by one other than ㄹ). What it does not know stays
out of `ENDINGS`, so that a word before it is not taken for one of the lists: 딸 is no daughter in 딸기.
"""

from __future__ import annotations

from typing import Final

_BEHIND_CONSONANT_AND_VOWEL: Final = (
    "은/는 이/가 을/를 과/와 과는/와는 과도/와도 과의/와의 이랑/랑 이랑은/랑은 이나/나 이며/며 이고/고 이라/라 이라고/라고 "
    "이라는/라는 이라서/라서 이라면/라면 이라도/라도 이라며/라며 이라니/라니 이에요/예요 이었습니다/였습니다 이었어요/였어요 "
    "이었던/였던 이었는데/였는데 이었고/였고 이지만/지만 이면/면 이든/든 이거나/거나 이죠/죠 이지요/지요 이네요/네요 "
    "이어서/여서 이야/야"
)
_BEHIND_OTHERS_AND_RIEUL: Final = "으로/로 으로는/로는 으로도/로도 으로서/로서 으로서는/로서는 으로부터/로부터"
_THE_SAME: Final = (
    "의 도 만 만은 만이 만의 에게 에게는 에게도 에게만 에게서 에겐 한테 한테는 한테도 한테서 한텐 께 께서 께서는 께는 께도 보다 "
    "보다는 보다도 처럼 까지 까지는 까지도 부터 조차 마저 뿐 에 에서 에는 에서는 에서도 인 인데 인데요 인지 인가요 입니다 입니까 일 "
    "이신 이신데 이십니다 이세요"
)
_SUFFIXES: Final = ("씨", "님", "들", "분", "분들", "님들", "네")
_FAMILIAR: Final = ("이는", "이가", "이를", "이와", "이의", "이도", "이만", "이에게", "이한테")
"""Behind a given name that ends in a consonant, where Korean likes to put an 이 before the particle."""

_CONSONANT_TO_VOWEL: Final = dict(pair.split("/") for pair in _BEHIND_CONSONANT_AND_VOWEL.split())
_VOWEL_TO_CONSONANT: Final = {vowel: consonant for consonant, vowel in _CONSONANT_TO_VOWEL.items()}
_OTHERS_TO_RIEUL: Final = dict(pair.split("/") for pair in _BEHIND_OTHERS_AND_RIEUL.split())
_RIEUL_TO_OTHERS: Final = {rieul: other for other, rieul in _OTHERS_TO_RIEUL.items()}
_PARTICLES: Final = (
    *_CONSONANT_TO_VOWEL, *_VOWEL_TO_CONSONANT, *_OTHERS_TO_RIEUL, *_RIEUL_TO_OTHERS, *_THE_SAME.split(),
)  # fmt: skip
ENDINGS: Final = ("", *_PARTICLES, *(f"{suffix}{particle}" for suffix in _SUFFIXES for particle in ("", *_PARTICLES)))
"""All that may stand behind a word, up to the next space."""
NAME_ENDINGS: Final = (*ENDINGS, *_FAMILIAR)
_FIRST_SYLLABLE: Final = 0xAC00
_FINALS: Final = 28
_RIEUL: Final = 8


def fitted(ending: str, old: str, new: str) -> str:
    """What stood behind `old`, as it stands behind `new`; both end in Hangul."""
    before, after = _final(old), _final(new)
    if ending in _FAMILIAR and before:
        return ending if after else ending[1:]
    if ending in _OTHERS_TO_RIEUL or ending in _RIEUL_TO_OTHERS:
        plain = _OTHERS_TO_RIEUL.get(ending, ending)
        return plain if after in (0, _RIEUL) else _RIEUL_TO_OTHERS[plain]
    if before and not after:
        return _CONSONANT_TO_VOWEL.get(ending, ending)
    if after and not before:
        return _VOWEL_TO_CONSONANT.get(ending, ending)
    return ending


def _final(word: str) -> int:
    """Which final consonant the last syllable has, 0 for none."""
    return (ord(word[-1]) - _FIRST_SYLLABLE) % _FINALS
