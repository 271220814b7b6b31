"""Korean postal addresses: by road name (Road Name Address Act), by lot, and flats of a building.

In: plain text. Out: spans from the highest region (or postal code) down to the flat. A place without a number, such as a
district or a road alone, is no address of somebody. The form "word ending in 로 and a number" is also that of 바로 3분; a region
before it, a flat behind it or a word such as 배송지 tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from sonmat.reading.personal.context import stands_before
from sonmat.reading.personal.korean_regions import REGION
from sonmat.reading.personal.spans import Span

_NUMBER = r"(?:지하\s?|산\s?)?\d{1,4}(?:-\d{1,4})?"
_ROAD_NUMBER: Final = re.compile(
    rf"[로길](?:\s?\d{{1,4}}(?:번|[가나다라마바사아자차카타파하])?길)?\s?{_NUMBER}(?!\d|-\d|[.,]\d|:\d)"
)
_LOT_NUMBER: Final = re.compile(rf"(?:동|읍|면|리|\d가)\s?{_NUMBER}(?!\d|-\d|[.,]\d|:\d)")
_POSTCODE = r"(?:(?:우편번호\s*:?\s*|우\)?\s?)?[(\[]?(?<![\d-])\d{5}[)\]]?,?\s*)?"
_ROAD_ALONE: Final = re.compile(r"(?<![가-힣])[가-힣0-9·]{1,11}(?:대로|로|길)$|(?<![가-힣])[가-힣]{2,9}길$")
_NO_ROADS: Final = re.compile(
    r"(?:으로|스스로|그대로|이대로|마음대로|맘대로|제대로|멋대로|바로|새로|따로|서로|절대로|별로|실제로|대체로|때때로|함부로|"
    r"스타일로|진짜로|그걸로|이걸로)$"
)
_COUNTED: Final = re.compile(
    r"\s?(?:개|명|번(?!지)|원|만|천|억|퍼센트|프로|%|시(?!\s?(?:도|군|구))|분|초|일|월|년|회|차|위|배|킬로|미터|살|세|주|곳|종|가지|권|"
    r"장|마리|대|건|점|등|박|쪽|페이지|단계|인(?!근)|자|조|편|화|강|급|칸|줄|번째|인치|리터|그램|톤|평|평방|곡|잔|병|봉|판|쌍|벌|켤레|"
    r"송이|그루|채|통|모|배수|호선|km|kg|cm|mm|ml|[mgLMGkKtT℃°])"
)
_DETAIL: Final = re.compile(
    r"(?:\s?,?\s?\((?:[가-힣0-9A-Za-z·,.\s-]{1,40})\)"
    r"|\s?,?\s?(?:지하\s?|[BA]|제)?\d{1,5}[A-Za-z]?\s?(?:동|층|호)(?:실)?(?![가-힣]{2}\s?\d)"
    r"|\s?,?\s?[가나다라ABCD]동(?=\s?\d)"
    r"|\s?,?\s\d{2,4}-\d{3,4}(?!\d|-)"
    r"|\s?번지"
    r"|\s?,?\s?[가-힣A-Za-z0-9]{2,20}(?=,?\s?(?:지하\s?|B|제)?\d{1,5}\s?(?:동|층|호)))"
)
_FLAT: Final = re.compile(r"(?:[가-힣A-Za-z0-9]{2,20}\s)?(?<![\d-])\d{2,4}동\s?\d{2,4}호(?!선)")
_VILLAGE: Final = re.compile(r"(?<![가-힣])[가-힣]{1,6}\d?(?:동|리)\s?(?:산\s?)?\d{1,4}(?:-\d{1,4})?\s?번지")
_ADDRESS_WORDS: Final = re.compile(
    r"주소|배송지|거주|살고|사는|살아|자택|집은|집이|댁|우편물|도로명|지번|보내|배송|택배|이사|위치|소재|본사|매장|오시는|찾아오|수령|"
    r"방문|산다"
)


def korean_addresses(text: str) -> Iterator[Span]:
    """Every Korean address of a text that holds a digit."""
    for match in _ROAD_NUMBER.finditer(text):
        start = _road_start(text, match)
        if start is not None:
            yield Span("address", start, _end_of_detail(text, match.end()))
    for match in _LOT_NUMBER.finditer(text):
        window = max(0, match.start() - 40)
        before = _before_lot().search(text, window, match.start() + 1)
        if before and not _COUNTED.match(text, match.end()):
            yield Span("address", before.start(), _end_of_detail(text, match.end()))
    if "호" in text:
        for match in _FLAT.finditer(text):
            yield Span("address", match.start(), match.end())
    if "번지" in text:
        for match in _VILLAGE.finditer(text):
            yield Span("address", match.start(), _end_of_detail(text, match.end()))


def _road_start(text: str, match: re.Match[str]) -> int | None:
    """Where the address that ends in this road and number begins; None if it is no address."""
    road_end = match.start() + 1
    window = max(0, road_end - 48)
    if _COUNTED.match(text, match.end()) or _NO_ROADS.search(text, window, road_end):
        return None
    whole = _before_road().search(text, window, road_end)
    if whole:
        return whole.start()
    road = _ROAD_ALONE.search(text, window, road_end)
    if road is None:
        return None
    in_a_house = _DETAIL.match(text, match.end()) is not None and _end_of_detail(text, match.end()) > match.end()
    return road.start() if in_a_house or stands_before(_ADDRESS_WORDS, text, road.start(), 16) else None


def _end_of_detail(text: str, end: int) -> int:
    for _ in range(5):
        detail = _DETAIL.match(text, end)
        if detail is None:
            break
        end = detail.end()
    return end


# Compiled when first needed: names of four hundred regions take longer than all other patterns together.


@cache
def _before_road() -> re.Pattern[str]:
    """An address down to its road, where the search ends."""
    return re.compile(rf"{_POSTCODE}{REGION}(?:[가-힣]{{1,5}}[읍면]\s*)?,?\s*[가-힣0-9·]{{1,12}}$")


@cache
def _before_lot() -> re.Pattern[str]:
    """An address down to its village, where the search ends."""
    village = r"(?:[가-힣]{1,5}\d{0,2}|[가-힣]{1,4}\d?\s?\d?)(?:동|읍|면|리|가)?"
    return re.compile(rf"{_POSTCODE}{REGION}(?:[가-힣]{{1,5}}[읍면]\s*)?{village}$")
