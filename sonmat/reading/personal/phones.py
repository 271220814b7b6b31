"""Phone numbers: Korean mobile, landline, internet, safe (050) and service (15xx) numbers, NANP numbers, and E.164.

In: plain text. Out: spans. A form that only phone numbers have (010-1234-5678, +44 20 7946 0958) is taken as it stands; bare or
foreign domestic digits need a word such as 'call' or '전화' before them, and numbers that are called something else are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sonmat.reading.personal.context import begins_with_date, names_other_number, stands_before
from sonmat.reading.personal.spans import Span

_START = r"(?<![\d])(?<!\d[-.,/])"
_END = r"(?!\d)(?!-\d)(?![-.]?\d)"
_GAP = r"(?:\s?[-./~·)_]\s?|\s{1,2}|)"
_SIGN = r"(?:\s?[-./~·_]\s?|\s{1,2})"
_ABROAD = r"\(?(?:\+|00)?82\)?" + _GAP + r"(?:\(0\)\s?|0)?"
_MOBILE: Final = re.compile(rf"{_START}(?P<head>{_ABROAD}|\(?0)1[016789]\)?{_GAP}\d{{3,4}}{_GAP}\d{{4}}{_END}")
_LANDLINE: Final = re.compile(
    rf"{_START}(?:{_ABROAD}|\(?0)(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|80|50\d?)(?:\)\s?-?\s?|{_SIGN})\d{{3,4}}{_SIGN}\d{{4}}{_END}"
)
_BARE_VIRTUAL: Final = re.compile(r"(?<![A-Za-z0-9_.,-])(?:070\d{8}|050[2-9]\d{8})(?![A-Za-z0-9_-])")
_SERVICE: Final = re.compile(
    rf"{_START}(?P<first>15(?:22|33|44|51|66|77|88|99)|16(?:00|01|11|22|33|44|55|60|61|66|68|70|77|80|88|89|91|99)"
    rf"|18(?:00|11|22|33|44|51|55|66|77|88|99))(?P<gap>\s?[-.]\s?|\s|)(?P<second>\d{{4}}){_END}"
)
_SPACED_DIGITS: Final = re.compile(r"(?<!\d)(?<!\d )0[ -]1[ -]0(?:[ -]{1,3}\d){8}(?![ -]?\d)")
_SYLLABLE = "[공영일이삼사오육륙칠팔구]"
_SPOKEN: Final = re.compile(
    rf"공\s?일\s?공[\s,-]*(?:{_SYLLABLE}\s?){{3,4}}(?:다시|에|의|[\s,-])*(?:{_SYLLABLE}\s?){{3}}{_SYLLABLE}"
)
_NANP: Final = re.compile(
    rf"{_START}(?P<country>\+?1[-. ]?)?(?:(?P<open>\()[2-9](?!11)\d\d\)\s?-?|[2-9](?!11)\d\d(?P<gap>\s?[-.]\s?|\s|))[2-9](?!11)\d\d"
    r"(?P<second>\s?[-.]\s?|\s|)\d{4}(?:,?\s?(?:x|ext\.?|extension)\s?\d{1,5})?(?!\d)(?!-\d)(?!\.\d)",
    re.IGNORECASE,
)
_COUNTRY = (
    r"(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[1-8]|2[2-6]\d|29[0179]|3[578]\d|42[0-3]|50\d|59\d|6[7-9]\d|"
    r"80[08]|85[02356]|88[0168]|96\d|97\d|99[2-68])"
)
_INTERNATIONAL: Final = re.compile(
    rf"(?<![A-Za-z0-9_+.-])\(?(?:\+|(?<!\d )00(?={_COUNTRY}[ -]))(?P<country>{_COUNTRY})\)?"
    r"(?:[-. /]?\(?\d{1,5}\)?){1,6}(?!\d)(?!-\d)"
)
_IN_A_CODE: Final = re.compile(r"[A-Za-z0-9_-]")
_CODE_GOES_ON: Final = re.compile(r"[A-Za-z_]")
_AFTER_A_WORD: Final = re.compile(r"(?<![A-Za-z0-9_+.,-])\(?\+?\d(?:[-. ()/]{0,2}\d){6,14}(?!\d)(?![-.,]\d)(?![A-Za-z_])")
_PHONE_WORDS: Final = re.compile(
    r"\b(?:tel(?:ephone)?|phone|call(?:ed|ing)?|cell|mobile|fax|whats ?app|dial|text|ring|hotline|contact)\b[^\d]*$"
    r"|(?:전화|연락|휴대폰|핸드폰|폰|팩스|고객센터|대표|문의|콜센터|상담|[☎☏📞📱📠])[^\d]*$|\bH\.?P\.?[^\d]*$",
    re.IGNORECASE,
)
_REACH = 20
_LONGEST_LIFE = 120
"""Years between two numbers that may be those of a person or a war."""
_AMOUNT: Final = re.compile(r"\s?(?:원|won\b|krw|usd|달러|dollars?|개|명|건|%|점|회|포인트|points?)", re.IGNORECASE)


def phones(text: str) -> Iterator[Span]:
    """Every phone number of a text with seven digits or more."""
    yield from _korean(text)
    yield from _american(text)
    for match in _INTERNATIONAL.finditer(text):
        digits = sum(letter.isdigit() for letter in match[0].lstrip("(0"))
        dialled = match[0].lstrip("(")[0] == "+" or not names_other_number(text, match.start())
        if 9 <= digits <= 15 and (match["country"] != "1" or digits == 11) and dialled:
            yield Span("phone", match.start(), match.end())
    for match in _AFTER_A_WORD.finditer(text):
        if _is_called_a_phone(text, match):
            yield Span("phone", match.start(), match.end())


def spoken_phones(text: str) -> Iterator[Span]:
    """Mobile numbers written as they are said: 공일공 일이삼사 오육칠팔."""
    for match in _SPOKEN.finditer(text):
        yield Span("phone", match.start(), match.end())


def _korean(text: str) -> Iterator[Span]:
    for match in _MOBILE.finditer(text):
        if not _is_bare(match[0]) or _bare_mobile(text, match):
            yield Span("phone", match.start(), match.end())
    for pattern in (_LANDLINE, _SPACED_DIGITS):
        for match in pattern.finditer(text):
            yield Span("phone", match.start(), match.end())
    for match in _BARE_VIRTUAL.finditer(text):
        if not names_other_number(text, match.start()):
            yield Span("phone", match.start(), match.end())
    for match in _SERVICE.finditer(text):
        if _is_service(text, match):
            yield Span("phone", match.start(), match.end())


def _is_bare(number: str) -> bool:
    return number.isdigit()


def _bare_mobile(text: str, match: re.Match[str]) -> bool:
    """Eleven digits that begin with 010, or twelve with 8210; older ones, and digits within a code, need a word before them."""
    if names_other_number(text, match.start()) or _CODE_GOES_ON.match(text, match.end()):
        return False
    typical = match[0].startswith(("010", "8210", "82010")) and len(match[0]) >= 11
    alone = typical and not stands_before(_IN_A_CODE, text, match.start(), 1)
    return alone or stands_before(_PHONE_WORDS, text, match.start(), _REACH)


def _is_service(text: str, match: re.Match[str]) -> bool:
    """1588-1234, but neither the years 1592-1598 nor eight digits of which nobody says that they are a phone number."""
    if stands_before(_PHONE_WORDS, text, match.start(), _REACH):
        return True
    if not match["gap"].strip() or names_other_number(text, match.start()):
        return False
    years = 0 < int(match["second"]) - int(match["first"]) <= _LONGEST_LIFE
    return not years and not text[match.end() : match.end() + 2].lstrip().startswith("년")


def _american(text: str) -> Iterator[Span]:
    for match in _NANP.finditer(text):
        called = stands_before(_PHONE_WORDS, text, match.start(), _REACH)
        if called or (_is_grouped(match) and not names_other_number(text, match.start())):
            yield Span("phone", match.start(), match.end())


def _is_grouped(match: re.Match[str]) -> bool:
    """With brackets or signs between the groups, or +1 before them; bare digits or spaces alone are anything."""
    country, gap, second = match["country"] or "", match["gap"] or "", match["second"]
    signs = bool(match["open"] or (gap.strip() and second.strip()))
    return signs or country.startswith("+") or bool(country and gap and second)


def _is_called_a_phone(text: str, match: re.Match[str]) -> bool:
    digits = sum(letter.isdigit() for letter in match[0])
    if digits > 15 or begins_with_date(match[0]) or _AMOUNT.match(text, match.end()):
        return False
    if digits == 7 and not re.fullmatch(r"\d{3}[-. ]\d{4}", match[0]):
        return False
    return stands_before(_PHONE_WORDS, text, match.start(), _REACH) and not names_other_number(text, match.start())
