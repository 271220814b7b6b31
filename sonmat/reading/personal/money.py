"""Payment cards (issuer range and Luhn), IBAN (country length and ISO 7064 mod 97-10), and bank accounts by the words around them.

In: plain text. Out: spans. A Korean account number has no public check digit, so that only its words tell it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sonmat.reading.personal.context import begins_with_date, names_other_number, stands_after, stands_before
from sonmat.reading.personal.spans import Span

_GAP = r"(?:\s?[-.]\s?|\s{1,2})"
_GROUPED_CARD: Final = re.compile(
    rf"(?<!\d)(?<!\d[-.])(?:\d{{4}}{_GAP}\d{{4}}{_GAP}\d{{4}}{_GAP}\d{{4}}|\d{{4}}{_GAP}\d{{6}}{_GAP}\d{{4,5}})(?!\d)(?!-\d{{4,}})"
)
_BARE_CARD: Final = re.compile(r"(?<![A-Za-z0-9_.,-])\d{13,19}(?![A-Za-z0-9_]|[.,]\d|-\d)")
_ISSUERS: Final = re.compile(
    r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|"
    r"(?:6011|65\d\d|64[4-9]\d)\d{12}|62\d{14,17}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|"
    r"(?:50|5[6-9]|6[0-9])\d{14}|9[0-9]\d{14}"
)
"""Visa, Mastercard (two ranges), American Express, Discover, UnionPay, JCB, Diners Club, Maestro, Korean domestic cards."""

_IBAN_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21,
    "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27,
    "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_IBAN_HEAD: Final = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}(?=[ -]?[A-Za-z0-9]{4})")

_ACCOUNT: Final = re.compile(
    r"(?<![A-Za-z0-9_.,+-])(?:\d{2,6}(?:\s?-\s?\d{1,8}){1,4}(?![\d-])|\d{2,6}(?: \d{1,8}){1,4}(?!\d)"
    r"|\d{8,16}(?![A-Za-z0-9_-]|[.,]\d))"
)
_ACCOUNT_WORDS: Final = re.compile(
    r"계좌|입금|송금|이체|통장|예금주|은행|뱅크|카뱅|농협|수협|신협|새마을금고|우체국|"
    r"(?:국민|신한|우리|하나|기업|제일|씨티|대구|부산|토스|축협|KB|NH|IBK|SC)\s?[:)]?\s?$"
    r"|\b(?:account|acct|a/c|routing|bank|iban|wire)\b",
    re.IGNORECASE,
)
_ENGLISH_ACCOUNT: Final = re.compile(
    r"\b(?:(?:bank(?:ing)?|checking|savings?)\s+(?:account|acct)|(?:account|acct)\.?\s*(?:number|no\.?|num|#)|acct\.?|a/c(?:\s*no\.?)?)"
    r"(?:\s+is|\s+ending)?\s*[:#=]?\s*(?P<number>\d(?:[- ]?\d){5,16})(?![\d-])",
    re.IGNORECASE,
)
_ROUTING: Final = re.compile(r"\b(?:routing|aba|rtn)\b[^\d]{0,20}(?P<number>\d{9})(?!\d)", re.IGNORECASE)
_BEHIND_ACCOUNT: Final = re.compile(
    r"[^\d]{0,14}(?:예금주|계좌|통장|은행|뱅크|농협|(?:으로|로|에)\s?(?:입금|송금|이체|보내|부쳐))"
)
_AMOUNT: Final = re.compile(r"\s?(?:원|won\b|krw|달러|건|명|개|회|포인트|점)", re.IGNORECASE)


def cards(text: str) -> Iterator[Span]:
    """Numbers of 13 to 19 digits in the range of an issuer, whose Luhn digit is right."""
    for match in _GROUPED_CARD.finditer(text):
        if _is_card(_digits(match[0])):
            yield Span("card", match.start(), match.end())
    for match in _BARE_CARD.finditer(text):
        if _is_card(match[0]) and not names_other_number(text, match.start()):
            yield Span("card", match.start(), match.end())


def ibans(text: str) -> Iterator[Span]:
    """Numbers with a country's length and remainder 1; spaces and hyphens between groups."""
    for match in _IBAN_HEAD.finditer(text):
        length = _IBAN_LENGTHS.get(match[1].upper())
        end = _end_of(text, match.start(), length) if length else None
        if end is not None and _remainder(text[match.start() : end]) == 1:
            yield Span("iban", match.start(), end)


def accounts(text: str) -> Iterator[Span]:
    """Numbers that the words around them call a bank account."""
    for match in _ENGLISH_ACCOUNT.finditer(text):
        yield Span("account", match.start("number"), match.end("number"))
    for match in _ROUTING.finditer(text):
        if _is_routing(match["number"]):
            yield Span("account", match.start("number"), match.end("number"))
    for match in _ACCOUNT.finditer(text):
        if _is_account(text, match):
            yield Span("account", match.start(), match.end())


def _is_account(text: str, match: re.Match[str]) -> bool:
    digits = _digits(match[0])
    if not 8 <= len(digits) <= 16 or begins_with_date(match[0]) or _AMOUNT.match(text, match.end()):
        return False
    # Bare digits are anything; their word must stand right beside them.
    reach = 30 if "-" in match[0] else 14
    near = stands_before(_ACCOUNT_WORDS, text, match.start(), reach) or stands_after(_BEHIND_ACCOUNT, text, match.end(), 24)
    return near and not names_other_number(text, match.start())


def _digits(number: str) -> str:
    return "".join(letter for letter in number if letter.isdigit())


def _is_card(digits: str) -> bool:
    return _ISSUERS.fullmatch(digits) is not None and _luhn(digits)


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right doubled, the digits summed up."""
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(doubled[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def _end_of(text: str, start: int, length: int) -> int | None:
    """Where `length` letters and digits from `start` end, single spaces and hyphens between them not counted."""
    position, counted = start, 0
    while position < len(text) and counted < length:
        letter = text[position]
        if letter.isascii() and letter.isalnum():
            counted += 1
        elif letter not in " -" or text[position - 1] in " -":
            return None
        position += 1
    following = text[position : position + 1]
    return position if counted == length and not (following.isascii() and following.isalnum()) else None


def _remainder(iban: str) -> int:
    letters = [letter for letter in iban.upper() if letter.isalnum()]
    turned = letters[4:] + letters[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97


def _is_routing(digits: str) -> bool:
    """The check digit of the American Bankers Association: weights 3, 7, 1."""
    return sum(int(digit) * weight for digit, weight in zip(digits, (3, 7, 1) * 3, strict=True)) % 10 == 0
