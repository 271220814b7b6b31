"""Texts that were written in one encoding and read in another: found by their pattern, mended by reading them again.

In: a text. Out: a garbled piece of it and what it was, or that it cannot be known any more. Nothing is changed unless the bytes
read as valid UTF-8 or CP949 and give letters that such data has. Method: the byte patterns of UTF-8 (RFC 3629) as CP1252
shows them, after the idea of ftfy (R. Speer, 2019).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_BYTE = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)}
"""Bytes as browsers show them in CP1252: undefined ones as control characters."""
_BYTE_OF = {**{chr(byte): byte for byte in range(0x100)}, **{sign: byte for byte, sign in _ONE_BYTE.items()}}


def _class(first: int, last: int) -> str:
    """A character class of what the bytes from `first` to `last` look like in Latin-1 or CP1252."""
    signs = {_ONE_BYTE[byte] for byte in range(first, last + 1)} | {chr(byte) for byte in range(first, last + 1)}
    return "[" + "".join(map(re.escape, sorted(signs))) + "]"


_MORE = _class(0x80, 0xBF)
_PIECE = f"{_class(0xC2, 0xDF)}{_MORE}|{_class(0xE0, 0xEF)}{_MORE}{{2}}|{_class(0xF0, 0xF4)}{_MORE}{{3}}"
_UTF8_AS_LATIN = re.compile(f"(?:{_PIECE})+")
_UTF8_WITH_SPACES = re.compile(f"(?:{_PIECE}|{_class(0xEA, 0xED)}(?:{_MORE} | {_MORE}))+")
"""The byte A0 became a plain space where white space was evened out."""
_CP949_AS_LATIN = re.compile(r"(?:[\xb0-\xc8][\xa1-\xfe]){2,}")
_CP949_PAIR = re.compile(r"[\xb0-\xc8][\xa1-\xfe]")
"""Read again only beside longer pieces; alone it may be anything."""
_ENDS_OF_WORDS = "…–—‘’“”•™\xa0«»"
_SIGNS = re.compile(r"[\xa1-\xbf]")
_LIKELY = re.compile(
    "[가-힣ㄱ-ㆎ\u0080-\u00ff\u0100-\u017f\u0192\u02c6\u02dc\u2010-\u203a\u20ac\u2122\u2190-\u27bf\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef"
    "\u0400-\u045f\u0391-\u03c9\ufe0f\u200b\ufeff\U0001f300-\U0001faff]+"
)
"""What decoded text is made of; rarer letters are taken for chance."""

_LOST = re.compile("\ufffd|占쏙옙|占쏙|쏙옙|(?<!\\w)ï¿½")
"""Marks of a decoder that gave up: the bytes are gone."""
_KS_SYLLABLES = {bytes((high, low)).decode("euc_kr") for high in range(0xB0, 0xC9) for low in range(0xA1, 0xFF)}
_RARE_SYLLABLES = "".join(chr(code) for code in range(0xAC00, 0xD7A4) if chr(code) not in _KS_SYLLABLES)
_RARE = re.compile(f"[{_RARE_SYLLABLES}]")
"""The 8,822 syllables outside KS X 1001, which modern Korean hardly writes; UTF-8 read as CP949 is full of them."""
_HANGUL = re.compile("[가-힣]")
_HAN_OR_MARK = re.compile(
    "[\u4e00-\u9fff\uf900-\ufaff\ufffd][가-힣]|[가-힣][\u4e00-\u9fff\uf900-\ufaff]|(?<![^\\s가-힣])\\?[가-힣]"
)
_RARE_SHARE = 0.25

_LOST_SIGN = re.compile("[\ufffd占ï]|쏙.*옙|옙.*쏙")
_HAN = re.compile("[\u4e00-\u9fff\uf900-\ufaff]")
_LEAD, _FOLLOWS, _HIGH = re.compile("[\xc2-\xf4]"), re.compile(_MORE), re.compile("[\xa1-\xfe]")
_CP949_SIGNS = 2
_BESIDE_HAN = "[가-힣][\u4e00-\u9fff\uf900-\ufaff]|[\u4e00-\u9fff\uf900-\ufaff][가-힣]"
_CANDIDATE = re.compile("|".join((_LOST.pattern, _PIECE, _CP949_AS_LATIN.pattern, _RARE.pattern, _BESIDE_HAN)))


@dataclass(frozen=True)
class Garble:
    """A garbled piece."""

    piece: str
    meant: str | None
    """What was written; None where it cannot be known."""


def garble_in(text: str) -> Garble | None:
    """The first garbled piece of `text`; None where all of it reads as it was written, as far as can be told."""
    if not _CANDIDATE.search(text):
        return None
    mended = ungarbled(text)
    if mended != text:
        start = next((at for at, (old, new) in enumerate(zip(text, mended, strict=False)) if old != new), 0)
        return Garble(text[start : start + 2], mended[start : start + 1])
    lost = _LOST.search(text)
    if lost:
        return Garble(lost.group(), None)
    return Garble(_rare_piece(text), None) if _has_rare_syllables(text) else None


def suspect_pattern(characters: str) -> re.Pattern[str] | None:
    """What to look for in texts made of these characters; None where nothing can be garbled in a way that is known here."""
    if characters.isascii():
        return None
    rare = "".join(sorted(set(_RARE.findall(characters))))
    patterns = [_LOST.pattern] if _LOST_SIGN.search(characters) else []
    patterns += [_PIECE] if _LEAD.search(characters) and _FOLLOWS.search(characters) else []
    patterns += [_CP949_AS_LATIN.pattern] if len(_HIGH.findall(characters)) > _CP949_SIGNS else []
    patterns += [f"[{rare}]"] if len(rare) > 1 else []
    patterns += [_BESIDE_HAN] if _HAN.search(characters) and _HANGUL.search(characters) else []
    return re.compile("|".join(patterns)) if patterns else None


def ungarbled(text: str) -> str:
    """`text` with every piece that was read in a wrong encoding read again; unchanged where that is not certain."""
    for _ in range(3):  # some texts went through it twice
        if not _CANDIDATE.search(text):
            return text
        again = _utf8_from_latin(text)
        again = _hangul_from_latin(text) if again == text else again
        again = _utf8_from_cp949(text) if again == text else again
        if again == text:
            return text
        text = again
    return text


def _utf8_from_latin(text: str) -> str:
    strict = _UTF8_AS_LATIN.sub(_utf8_piece, text)
    return text if strict == text else _UTF8_WITH_SPACES.sub(_utf8_piece, text)


def _utf8_piece(found: re.Match[str]) -> str:
    piece = found.group()
    try:
        meant = bytes(0xA0 if sign == " " else _BYTE_OF[sign] for sign in piece).decode()
    except UnicodeDecodeError:
        return piece
    if len(piece) == 2 and piece[0] not in "ÂÃ" and piece[-1] in _ENDS_OF_WORDS:
        return piece  # 'CAFÉ…' and the like
    return meant if _LIKELY.fullmatch(meant) else piece


def _hangul_from_latin(text: str) -> str:
    long = _CP949_AS_LATIN.sub(_cp949_piece, text)
    return text if long == text else _CP949_PAIR.sub(_cp949_pair, long)


def _cp949_pair(found: re.Match[str]) -> str:
    return found.group().encode("latin-1").decode("euc_kr", "replace")


def _cp949_piece(found: re.Match[str]) -> str:
    """Hangul read as Latin-1; letters of a European alphabet in a row are left."""
    piece = found.group()
    if not _SIGNS.search(piece) or len(set(piece)) < 3:
        return piece
    meant = piece.encode("latin-1").decode("euc_kr", "replace")
    return meant if all("가" <= syllable <= "힣" for syllable in meant) else piece


def _utf8_from_cp949(text: str) -> str:
    """Hangul in UTF-8 read as CP949: only whole texts, and only if they come out as Hangul."""
    if not _HANGUL.search(text) or not (_HAN_OR_MARK.search(text) or _RARE.search(text)):
        return text
    lines = [_line_from_cp949(line) for line in text.split("\n")]
    return "\n".join(lines)


def _line_from_cp949(line: str) -> str:
    try:
        meant = line.encode("cp949").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return line
    letters = [sign for sign in meant if not sign.isascii()]
    return meant if letters and _HANGUL.search(meant) and all(_LIKELY.match(sign) for sign in letters) else line


def _has_rare_syllables(text: str) -> bool:
    """Whether Hangul is so strange, between Han signs or question marks, that it must be UTF-8 read as CP949."""
    rare = set(_RARE.findall(text))
    if len(rare) < 2 or not _HAN_OR_MARK.search(text):
        return False
    return len(_RARE.findall(text)) >= _RARE_SHARE * len(_HANGUL.findall(text))


def _rare_piece(text: str) -> str:
    found = _RARE.search(text)
    return found.group() if found else ""
