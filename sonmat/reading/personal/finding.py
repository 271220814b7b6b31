"""Finds personal data in a text: `find_personal`, over all recognisers, behind a first look that lets clean texts pass quickly.

In: a text. Out: spans in it, none over another. What each recogniser asks of a value stands in its own file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sonmat.reading.personal.credentials import might_hold_secret, secrets
from sonmat.reading.personal.emails import emails, might_hold_spelt_email
from sonmat.reading.personal.identities import identities, passports
from sonmat.reading.personal.korean_addresses import korean_addresses
from sonmat.reading.personal.money import accounts, cards, ibans
from sonmat.reading.personal.networks import ip_addresses
from sonmat.reading.personal.phones import phones, spoken_phones
from sonmat.reading.personal.plain import plain
from sonmat.reading.personal.spans import Span, without_overlaps
from sonmat.reading.personal.street_addresses import street_addresses

_ANY_SIGN: Final = re.compile(r"[\d@＠]")
"""Nearly every value holds a digit or an @. What holds neither is told by the words below."""
_SEVEN_DIGITS: Final = re.compile(r"\d(?:[^\w\n]{0,3}_?\d){6}")
_IBAN_SIGN: Final = re.compile(r"[A-Za-z]{2}\d{2}[ -]?[A-Za-z0-9]{4}")
_KOREAN_ADDRESS_SIGN: Final = re.compile(r"[로길동읍면리가]\s?(?:지하\s?|산\s?)?\d")
_STREET_SIGN: Final = re.compile(r"\d\w{0,4}\s[A-Za-z0-9][\w.'-]*\s[A-Za-z]|[Bb]ox|BOX")
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
    if "공일공" in text or "AKIA" in text or "AIza" in text or might_hold_spelt_email(text):
        return True
    return (":" in text or "=" in text or "_" in text) and might_hold_secret(text)


def _readings(text: str) -> Iterator[Span]:
    """What every recogniser sees that has a reason to look; readings may overlap."""
    if "@" in text or might_hold_spelt_email(text):
        yield from emails(text)
    if might_hold_secret(text):
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
    if _KOREAN_ADDRESS_SIGN.search(text):
        yield from korean_addresses(text)
    if _STREET_SIGN.search(text):
        yield from street_addresses(text)


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
