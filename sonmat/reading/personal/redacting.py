"""Takes personal data out of texts: `masked` for showing a row to somebody, `Redactor` for mending the rows themselves.

In: texts, or the JSON objects that rows consist of. Out: the same with placeholders. It decides nothing about what is done.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from sonmat.reading.personal.finding import find_personal
from sonmat.reading.personal.plain import plain
from sonmat.reading.personal.spans import TITLES, PersonalKind, Span

_HANGUL: Final = re.compile("[가-힣]")
_NOT_TEXT: Final = frozenset({"role", "image", "audio"})
"""Fields of a row that hold a name of the format or a path."""
_MOST_ROUNDS = 4
"""Taking one value out can bring two others together, hardly ever a third time."""
_CUT_OFF: Final = re.compile(
    r"""(?<=…)[^\s…]*[\d@][^\s…]*(?:\s[\d().+-]+(?=\s|$))*|(?:[\d().+-]+\s)*[^\s…"']*[\d@][^\s…"']*(?=…["')]*$)"""
)
"""Words with a digit or @ beside the ellipsis of a cut text."""
_ROW_ID: Final = re.compile(r"[0-9a-f]{16}(?:-\d+)?")


def masked(text: str) -> str:
    """`text` with a kind in place of each piece of personal data: '‹e-mail›', or '‹이메일›' in a Korean text."""
    return _replaced(text, lambda span, value: _shown(span.kind, text))


def masked_piece(text: str) -> str:
    """`masked` for a piece cut out of a longer text: what may be the rest of a value beside an ellipsis is hidden, too."""
    return _CUT_OFF.sub("", masked(text))


def masked_content(content: Any) -> Any:
    """A JSON value with all its texts masked; ids of rows, which may look like card numbers, stay."""
    return _in_texts(content, lambda text: text if _ROW_ID.fullmatch(text) else masked(text))


def excerpt(text: str, span: Span, width: int = 16) -> str:
    """The surroundings of `span`, which is one of `text`, with `width` characters on both sides, masked."""
    pieces: list[str] = []
    here = 0
    end = 0
    for other in find_personal(text):
        pieces.append(text[end : other.start])
        if other.start <= span.start < other.end:
            here = sum(map(len, pieces))
        pieces.append(_shown(other.kind, text))
        end = other.end
    whole = "".join([*pieces, text[end:]])
    last = here + len(_shown(span.kind, text))
    start, stop = max(0, here - width), min(len(whole), last + width)
    piece = f"{'…' * (start > 0)}{whole[start:here].lstrip()}{whole[here:last]}{whole[last:stop].rstrip()}{'…' * (stop < len(whole))}"
    return " ".join(masked_piece(piece).split())


class Redactor:
    """Puts placeholders in place of personal data: [EMAIL_1], [PHONE_2], the same one for the same value wherever it stands.

    Numbers go by the first appearance, so that the same rows in the same order give the same placeholders whatever the
    batches. Values are remembered as keyed hashes, whose key ends with this object.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._numbers: dict[PersonalKind, dict[bytes, int]] = {}

    def redacted(self, text: str) -> str:
        """`text` without personal data."""
        return _replaced(text, self._placeholder)

    def redacted_content(self, content: Any) -> Any:
        """A JSON value with all its texts redacted; roles and paths of media stay."""
        return _in_texts(content, self.redacted)

    def _placeholder(self, span: Span, value: str) -> str:
        known = self._numbers.setdefault(span.kind, {})
        number = known.setdefault(self._hashed(span.kind, value), len(known) + 1)
        return f"[{span.kind.upper()}_{number}]"

    def _hashed(self, kind: PersonalKind, value: str) -> bytes:
        return hashlib.blake2b(
            _same_value(kind, value).encode("utf-8", "surrogatepass"), digest_size=16, key=self._key
        ).digest()


def _replaced(text: str, replacement: Callable[[Span, str], str]) -> str:
    for _ in range(_MOST_ROUNDS):
        spans = find_personal(text)
        if not spans:
            return text
        pieces, end = [], 0
        for span in spans:
            pieces += [text[end : span.start], replacement(span, text[span.start : span.end])]
            end = span.end
        text = "".join([*pieces, text[end:]])
    return text


def _shown(kind: PersonalKind, text: str) -> str:
    title = TITLES[kind]
    return f"‹{title.ko if _HANGUL.search(text) else title.en}›"


def _same_value(kind: PersonalKind, value: str) -> str:
    """What is equal for two ways of writing one value: signs between digits and the case of letters do not count."""
    even = unicodedata.normalize("NFKC", plain(value).text)
    if kind in ("password", "secret", "private_key"):
        return even
    if kind == "email":
        return even.casefold()
    letters = "".join(letter for letter in even.casefold() if letter.isalnum())
    return re.sub(r"^(?:00)?82(?=1|[2-7]\d{7})0?", "0", letters) if kind == "phone" else letters


def _in_texts(content: Any, change: Callable[[str], str]) -> Any:
    if isinstance(content, str):
        return change(content)
    if isinstance(content, dict):
        return {name: value if name in _NOT_TEXT else _in_texts(value, change) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_in_texts(entry, change) for entry in content]
    return content
