"""Numbers that a state gives: Korean resident, foreigner, business, driving licence and passport numbers, US social security.

In: plain text. Out: spans. Resident numbers are told by a possible birth date and the digit of sex and century; the check digit
is not asked for, because those given since October 2020 have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sonmat.reading.personal.context import names_other_number, stands_after, stands_before
from sonmat.reading.personal.spans import Span

_START = r"(?<!\d)(?<!\d[-.,])"
_END = r"(?!\d)(?!-\d)"
_RESIDENT: Final = re.compile(
    rf"{_START}(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)(?P<gap>\s?[-~._/]\s?|\s|)(?P<sex>[1-8])\d{{6}}{_END}"
)
_COMPANY_WORDS: Final = re.compile(r"법인|등기")
_RESIDENT_WORDS: Final = re.compile(
    r"주민|외국인|등록번호|민증|신분증|resident|registration|\bRRN\b|\bARC\b", re.IGNORECASE
)
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_RESIDENT_WEIGHTS: Final = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)

_BUSINESS: Final = re.compile(rf"{_START}\d{{3}}(?P<gap>\s?[-.]\s?|\s|)\d{{2}}(?P<second>\s?[-.]\s?|\s|)\d{{5}}{_END}")
_BUSINESS_WORDS: Final = re.compile(r"사업자|business (?:registration|number|licen[cs]e)|\bBRN\b", re.IGNORECASE)

_LICENCE_REGION = r"(?:1[1-9]|2[0-8])"
_LICENCE: Final = re.compile(
    rf"{_START}{_LICENCE_REGION}(?P<gap>\s?[-.]\s?|\s|)\d{{2}}(?:\s?[-.]\s?|\s|)\d{{6}}(?:\s?[-.]\s?|\s|)\d{{2}}{_END}"
)
_NAMED_LICENCE: Final = re.compile(
    r"(?:서울|부산|경기|경기북부|강원|충북|충남|전북|전남|경북|경남|제주|대구|인천|광주|대전|울산)\s?-?\s?\d{2}\s?-\s?\d{6}\s?-\s?\d{2}(?!\d)"
)
_LICENCE_WORDS: Final = re.compile(r"면허|licen[cs]e", re.IGNORECASE)

_PASSPORT: Final = re.compile(r"(?<![A-Za-z0-9])[MSRODmsrod]\s?-?(?:\d{8}|\d{3}[A-Za-z]\d{4})(?![A-Za-z0-9])")
_PASSPORT_AFTER_A_WORD: Final = re.compile(
    r"passport\b[^\dA-Z]{0,24}(?-i:(?<![A-Za-z0-9])(?P<number>[A-Z]{0,2}\d{6,9}|[A-Z]\d{2,3}[A-Z]\d{4,5})(?![A-Za-z0-9]))",
    re.IGNORECASE,
)
_PASSPORT_WORDS: Final = re.compile(r"여권|passport", re.IGNORECASE)

_SSN: Final = re.compile(
    rf"{_START}(?!000|666|9\d\d)\d{{3}}(?P<gap>\s?-\s?|[ .]|)(?!00)\d{{2}}(?P<second>\s?-\s?|[ .]|)(?!0000)\d{{4}}{_END}"
)
_SSN_WORDS: Final = re.compile(r"\bssn\b|social\s+security|\bsoc(?:ial)?\b|사회보장|사회 보장", re.IGNORECASE)


def identities(text: str) -> Iterator[Span]:
    """Every number of these kinds in a text with seven digits or more in a row."""
    yield from _residents(text)
    yield from _businesses(text)
    yield from _licences(text)
    yield from _social_security(text)


def passports(text: str) -> Iterator[Span]:
    """Passport numbers near the word; the form alone is that of many part numbers."""
    if not _PASSPORT_WORDS.search(text):
        return
    for match in _PASSPORT.finditer(text):
        if stands_before(_PASSPORT_WORDS, text, match.start(), 40) or stands_after(_PASSPORT_WORDS, text, match.end(), 20):
            yield Span("passport", match.start(), match.end())
    for match in _PASSPORT_AFTER_A_WORD.finditer(text):
        yield Span("passport", match.start("number"), match.end("number"))


def _residents(text: str) -> Iterator[Span]:
    for match in _RESIDENT.finditer(text):
        if not _is_birth_date(match) or _names_company(text, match):
            continue
        if match["gap"] or _bare_resident(text, match):
            foreign = match["sex"] in "5678"
            yield Span("foreigner_number" if foreign else "resident_number", match.start(), match.end())


def _names_company(text: str, match: re.Match[str]) -> bool:
    """Registration numbers of companies have the same groups, and are public."""
    return stands_before(_COMPANY_WORDS, text, match.start(), 16) or stands_after(_COMPANY_WORDS, text, match.end(), 8)


def _is_birth_date(match: re.Match[str]) -> bool:
    month, day = int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        return False
    century = 1900 if match["sex"] in "1256" else 2000
    leap = (century + int(match["year"])) % 4 == 0 and match["year"] + str(century) != "001900"
    return leap or (month, day) != (2, 29)


def _bare_resident(text: str, match: re.Match[str]) -> bool:
    """Thirteen digits in a row: also a barcode or a time in milliseconds, unless something speaks for a person."""
    if stands_before(_RESIDENT_WORDS, text, match.start(), 20):
        return True
    if names_other_number(text, match.start()):
        return False
    digits = "".join(letter for letter in match[0] if letter.isdigit())
    of_this_century = match["sex"] in "3478"
    if of_this_century and int(match["year"]) > 45:
        return False
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, _RESIDENT_WEIGHTS, strict=False))
    offset = 2 if match["sex"] in "5678" else 0
    return ((11 - weighted % 11) + offset) % 10 == int(digits[12]) or not _is_barcode(digits)


def _is_barcode(digits: str) -> bool:
    """Whether the last of 13 digits is the check digit of EAN-13 and ISBN-13: weights 1 and 3."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


def _businesses(text: str) -> Iterator[Span]:
    for match in _BUSINESS.finditer(text):
        whole = bool(match["gap"].strip() and match["second"].strip())
        if not _is_business("".join(letter for letter in match[0] if letter.isdigit())):
            continue
        if stands_before(_BUSINESS_WORDS, text, match.start(), 24) or (
            whole and not names_other_number(text, match.start())
        ):
            yield Span("business_number", match.start(), match.end())


def _is_business(digits: str) -> bool:
    """The check digit of the National Tax Service: weights 1 3 7 1 3 7 1 3 5, the tens of the ninth product added."""
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=False))
    return (10 - (weighted + int(digits[8]) * 5 // 10) % 10) % 10 == int(digits[9])


def _licences(text: str) -> Iterator[Span]:
    for match in _LICENCE.finditer(text):
        called = stands_before(_LICENCE_WORDS, text, match.start(), 24)
        if called or (match["gap"].strip() and match[0].count("-") == 3 and not names_other_number(text, match.start())):
            yield Span("driving_licence", match.start(), match.end())
    for match in _NAMED_LICENCE.finditer(text):
        yield Span("driving_licence", match.start(), match.end())


def _social_security(text: str) -> Iterator[Span]:
    for match in _SSN.finditer(text):
        hyphened = "-" in match["gap"] and "-" in match["second"]
        if stands_before(_SSN_WORDS, text, match.start(), 32) or (hyphened and not names_other_number(text, match.start())):
            yield Span("ssn", match.start(), match.end())
