"""Street addresses of the United States (USPS Publication 28): number, street, suffix; unit, city, state and ZIP code behind them.

In: plain text. Out: spans. In lower case the form is that of much prose ("2 day court"), so that a unit, a ZIP code or a word such
as 'deliver' must stand by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sonmat.reading.personal.context import stands_before
from sonmat.reading.personal.spans import Span

_TYPES = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr|Lane|Ln|Court|Ct|Place|Pl|Way|Parkway|Pkwy|Circle|Cir|Terrace|Ter|"
    r"Trail|Trl|Highway|Hwy|Square|Sq|Loop|Alley|Plaza|Crescent|Run|Path|Row|Broadway)"
)
_DIRECTION = r"(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West|Northeast|Northwest|Southeast|Southwest)"
_UNIT = (
    r"(?:,?\s(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Room|Rm|Bldg|Building)\.?\s?#?\s?[A-Za-z0-9-]{1,6}"
    r"|,?\s#\s?[A-Za-z0-9-]{1,6})"
)
_STATE = r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|PR|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])"
_ZIP = r"\d{5}(?:-\d{4})?"
_CITY = rf"(?:,?\s(?:[A-Z][A-Za-z.'-]{{1,20}}\s?){{1,3}},?\s{_STATE}\.?(?:,?\s{_ZIP})?)"
_NUMBER = r"(?<![\w.,$€£#-])\d{1,6}"
_STREET: Final = re.compile(
    rf"{_NUMBER}[A-Z]?(?:-\d{{1,4}}|\s?1/2)?\s(?:{_DIRECTION}\.?\s)?"
    rf"(?:(?:[A-Z][A-Za-z.'-]{{1,20}}\s){{1,4}}|\d{{1,3}}(?:st|nd|rd|th)\s(?:[A-Z][a-z]{{1,20}}\s)?){_TYPES}\b\.?"
    rf"(?:\s{_DIRECTION}(?!\w))?{_UNIT}{{0,2}}{_CITY}?(?![a-z])"
)
_LOOSE_STREET: Final = re.compile(
    rf"{_NUMBER}[a-z]?\s(?:(?:n|s|e|w|north|south|east|west)\.?\s)?(?:[a-z]{{1,20}}\s){{1,3}}{_TYPES}\b\.?"
    rf"{_UNIT}{{0,2}}(?:,?\s(?:[a-z]{{1,20}}\s?){{1,3}},?\s{_STATE}\s{_ZIP})?",
    re.IGNORECASE,
)
_EXACT_END: Final = re.compile(r"\d{5}$|\b(?:apt|unit|suite)\b|#", re.IGNORECASE)
_BOX: Final = re.compile(rf"\bP\.?\s?O\.?\s?Box\s\d{{1,6}}\b{_CITY}?", re.IGNORECASE)
_WHERE: Final = re.compile(
    r"\b(?:address|live[sd]?|living|resid\w+|ship\w*|deliver\w*|mail\w*|send|moved|located|home|house|billing)\b",
    re.IGNORECASE,
)


def street_addresses(text: str) -> Iterator[Span]:
    """Every such address of a text that holds a digit."""
    for match in _STREET.finditer(text):
        yield Span("address", match.start(), match.end())
    for match in _LOOSE_STREET.finditer(text):
        if stands_before(_WHERE, text, match.start(), 24) or _EXACT_END.search(match[0].partition(" ")[2]):
            yield Span("address", match.start(), match.end())
    for match in _BOX.finditer(text):
        yield Span("address", match.start(), match.end())
