"""Characters that no reader sees or means: control codes, zero-width and direction marks, private use, half a surrogate pair, and
Hangul in loose jamo as macOS writes file names.

In: a text. Out: the names of what is in it, and the text without. Joiners inside emoji and in scripts that need them, direction
marks beside right-to-left letters, and old Hangul that has no composed form are left alone.
"""

from __future__ import annotations

import re
import unicodedata

_JAMO = "\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff"
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_WIDTHLESS = "\u00ad\u180e\u200b\u2060-\u2064\ufeff\u3164\uffa0\u034f"
_JOINERS = "\u200c\u200d"
_DIRECTIONS = "\u200e\u200f\u202a-\u202e\u2066-\u2069"
_BREAKS = "\u2028\u2029"
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U0010ffff"
_BROKEN = "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
_TAGS = "\U000e0000-\U000e007f"

SUSPECT = re.compile(f"[{_CONTROLS}{_WIDTHLESS}{_JOINERS}{_DIRECTIONS}{_BREAKS}{_PRIVATE}{_BROKEN}{_TAGS}{_JAMO}]")
"""What may be wrong; `invisible_in` decides."""

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
_NEEDS_JOINERS = "\u0590-\u0dff\u0e00-\u109f\u1780-\u18af"
"""Arabic, the scripts of India and South-East Asia, Mongolian."""
_PICTURES = "\u00a9\u00ae\u203c-\u3299\ufe0f\u20e3\U0001f000-\U0001faff"
_MEANT_JOINERS = re.compile(
    f"(?<=[{_PICTURES}])\u200d(?=[{_PICTURES}])|(?<=[{_NEEDS_JOINERS}])[{_JOINERS}]+|[{_JOINERS}]+(?=[{_NEEDS_JOINERS}])"
)
_FLAGS = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
"""Flags of England, Scotland and Wales are spelt with tags."""
_JAMO_RUN = re.compile(f"[가-힣]?[{_JAMO}]+")
_LINE_ENDS = re.compile(f"[\x0b\x0c\x85{_BREAKS}]")
_BULLETS = re.compile("[\uf0a7\uf0b7]")
"""What bullets of Word become when copied."""
_REMOVED = re.compile(f"[{_CONTROLS}{_WIDTHLESS}{_JOINERS}{_PRIVATE}{_BROKEN}{_TAGS}]")
_MARKS = re.compile(f"[{_DIRECTIONS}]")


def invisible_in(text: str) -> tuple[str, ...]:
    """Names of what `visible` would take out or put together, each once, e.g. 'U+200B ZERO WIDTH SPACE'; () for a clean text."""
    masked = _FLAGS.sub("", _MEANT_JOINERS.sub("", text))
    found = [*_LINE_ENDS.findall(masked), *_REMOVED.findall(masked)]
    if not _RIGHT_TO_LEFT.search(masked):
        found += _MARKS.findall(masked)
    names = [_named(character) for character in dict.fromkeys(found)]
    if _composed(text) != text:
        names.append("Hangul in loose jamo (NFD)")
    return tuple(names)


def visible(text: str) -> str:
    """`text` without what `invisible_in` names: line ends as such, Hangul composed, everything else taken out."""
    if not SUSPECT.search(text):
        return text
    kept: list[str] = []
    at = 0
    for meant in re.finditer(f"{_MEANT_JOINERS.pattern}|{_FLAGS.pattern}", text):
        kept += [_without(text[at : meant.start()]), meant.group()]
        at = meant.end()
    cleaned = "".join([*kept, _without(text[at:])])
    if not _RIGHT_TO_LEFT.search(cleaned):
        cleaned = _MARKS.sub("", cleaned)
    return _composed(cleaned)


def _without(text: str) -> str:
    text = _BULLETS.sub("•", _LINE_ENDS.sub("\n", text))
    return _REMOVED.sub("", text)


def _composed(text: str) -> str:
    return _JAMO_RUN.sub(lambda run: unicodedata.normalize("NFC", run.group()), text)


def _named(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if "\ud800" <= character <= "\udfff":
        return f"{code} (half a surrogate pair)"
    if unicodedata.category(character) == "Co":
        return f"{code} (private use)"
    name = unicodedata.name(character, "")
    return f"{code} {name}" if name else f"{code} (control character)"
