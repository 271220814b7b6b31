"""Finds personal data in a text: `find_personal`, over all recognisers, behind a first look that lets clean texts pass quickly.

In: a text. Out: spans in it, none over another. What each recogniser asks of a value stands in its own file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sonmat.reading.personal.addresses import addresses
from sonmat.reading.personal.credentials import secrets
from sonmat.reading.personal.emails import SPELT_SIGNS, emails
from sonmat.reading.personal.identities import identities, passports
from sonmat.reading.personal.money import accounts, cards, ibans
from sonmat.reading.personal.networks import ip_addresses
from sonmat.reading.personal.phones import phones, spoken_phones
from sonmat.reading.personal.plain import plain
from sonmat.reading.personal.spans import Span, without_overlaps

_ANY_SIGN: Final = re.compile(r"[\d@＠=_]")
"""Nearly every value holds a digit, and an address an @. What holds neither is told by the words below."""
_SEVEN_DIGITS: Final = re.compile(r"\d(?:[^\w\n]{0,3}_?\d){6}|\d\)?ㅡ?\s?\d{3}")
_IBAN_SIGN: Final = re.compile(r"[A-Za-z]{2}\d{2}[ -]?[A-Za-z0-9]{4}")
_ADDRESS_SIGN: Final = re.compile(
    r"[로길동읍면리가호]\s?(?:지하\s?|산\s?)?\d|\d\s?(?:동|번지)|\d\w{0,4}\s+(?:[NSEWnsew]\.?\s)?[A-Za-z0-9][\w.'-]*\s+[A-Za-z]|[Bb]ox|BOX"
)
_SECRET_SIGN: Final = re.compile(
    r"[A-Za-z0-9_-]{16}|PRIVATE|://|[Pp][Aa][Ss][Ss]|[Pp][Ww]|\b[Pp][Ii][Nn]\b|비밀|비번|패스워드|암호|핀|"
    r"[Tt]oken|[Kk]ey|[Ss]ecret|AKIA|[Bb]earer|xox|\d:AA"
)
_LONGEST_AT_ONCE = 20_000
"""Characters that the recognisers see together; a longer text is cut at white space, so that time grows with its length only."""


def find_personal(text: str) -> list[Span]:
    """Every piece of personal data in `text`, in order; overlapping readings are settled for the longest one."""
    if not might_hold_personal(text):
        return []
    found: list[Span] = []
    for start, end in _stretches(text):
        stretch = plain(text[start:end])
        for span in without_overlaps(_readings(stretch.text)):
            first, last = stretch.original(span.start, span.end)
            found.append(Span(span.kind, start + first, start + last))
    return found


def might_hold_personal(text: str) -> bool:
    """False where `text` certainly holds nothing that is looked for; quick."""
    if _ANY_SIGN.search(text):
        return True
    if "공일공" in text or "골뱅이" in text or "AKIA" in text or "PRIVATE KEY" in text:
        return True
    return (" dot " in text or "at)" in text or "at]" in text or ":" in text) and _holds_a_word(text)


def _holds_a_word(text: str) -> bool:
    return any(sign in text for sign in SPELT_SIGNS) or _SECRET_SIGN.search(text) is not None


def _readings(text: str) -> Iterator[Span]:
    """What every recogniser sees that has a reason to look; readings may overlap."""
    if "@" in text or any(sign in text for sign in SPELT_SIGNS):
        yield from emails(text)
    if _SECRET_SIGN.search(text):
        yield from secrets(text)
    if "공" in text:
        yield from spoken_phones(text)
    if _IBAN_SIGN.search(text):
        yield from ibans(text)
    if _SEVEN_DIGITS.search(text):
        yield from phones(text)
        yield from cards(text)
        yield from accounts(text)
        yield from identities(text)
    yield from passports(text)
    if text.count(".") >= 3 or text.count(":") >= 2:
        yield from ip_addresses(text)
    if _ADDRESS_SIGN.search(text):
        yield from addresses(text)


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while len(text) - start > _LONGEST_AT_ONCE:
        cut = text.rfind("\n", start + 1, start + _LONGEST_AT_ONCE)
        if cut < 0:
            cut = text.rfind(" ", start + 1, start + _LONGEST_AT_ONCE)
        end = cut if cut > 0 else start + _LONGEST_AT_ONCE
        yield start, end
        start = end
    yield start, len(text)
