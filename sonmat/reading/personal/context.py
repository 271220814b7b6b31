"""Words around a number that say what it is: an order, a serial, a version; or a bank account, a phone.

In: a text and the place of a number in it. Out: whether such words stand there. A number by itself is often ambiguous, and the
words next to it decide; they are looked for a few characters away only, so that one number's words are not taken for another's.
"""

from __future__ import annotations

import re
from re import Pattern
from typing import Final

_SUFFIX = r"[ _-]?(?:번호|넘버|코드|number|num|no|nr|code|id)"
_NAMED_ALONE = (
    r"학번|사번|군번|운송장|송장|바코드|시리얼|품번|타임스탬프|법인등록|법인|등기|제조|"
    r"order|invoice|tracking|serial|s/?n|part|model|sku|isbn|issn|ean|upc|gtin|barcode|ticket|imei|imsi|iccid|doi|"
    r"timestamp|commit|build|patent|parcel|shipment|awb|vin|lot|batch|epoch|uuid|asin"
)
_NAMED_BY_SUFFIX = (
    r"주문|예약|접수|배송|택배|승인|거래|관리|일련|제품|상품|품목|모델|부품|문서|사건|고지서|쿠폰|회원|고객|티켓|좌석|특허|출원|"
    r"허가|신고|조회|추적|인증|확인|발권|항공권|청구서|영수증|참조|기기|장비|물품|소송|민원|출품|신청|수험|당첨|복권|"
    r"item|product|case|ref(?:erence)?|booking|reservation|confirmation|receipt|transaction|customer|member|user|employee|"
    r"student|article|document|file|record|message|device|asset|claim|quote|request|job|coupon|voucher|lottery|flight"
)
_OTHER_NUMBER: Final = re.compile(
    rf"(?<![A-Za-z])(?:(?:{_NAMED_ALONE})(?:{_SUFFIX})?|(?:{_NAMED_BY_SUFFIX})(?:{_SUFFIX}|\s?#)|\bid)\.?"
    r"""\s?(?:[는은이가]|is|was)?\s?[:=#]?\s?["'(\[#]?\s?(?:[A-Z]{1,4}-?)?$""",
    re.IGNORECASE,
)
_OTHER_NUMBER_REACH = 32
_DATE: Final = re.compile(
    r"(?:19|20)\d\d(?P<sign>[-./ ]?)(?:0[1-9]|1[0-2])(?P=sign)(?:0[1-9]|[12]\d|3[01])(?:\s.*)?"
    r"|(?:0?[1-9]|[12]\d|3[01])(?P<other>[./-])(?:0?[1-9]|[12]\d|3[01])(?P=other)(?:19|20)\d\d",
    re.DOTALL,
)


def names_other_number(text: str, start: int) -> bool:
    """Whether the words right before `start` call the number an order, a serial, a tracking number or the like."""
    return _OTHER_NUMBER.search(text, max(0, start - _OTHER_NUMBER_REACH), start) is not None


def stands_before(words: Pattern[str], text: str, start: int, reach: int) -> bool:
    """Whether `words` occur within `reach` characters before `start`."""
    return words.search(text, max(0, start - reach), start) is not None


def stands_after(words: Pattern[str], text: str, end: int, reach: int) -> bool:
    """Whether `words` occur within `reach` characters behind `end`."""
    return words.search(text, end, min(len(text), end + reach)) is not None


def begins_with_date(number: str) -> bool:
    """Whether digits and signs are a day, or one with a time behind a space."""
    return _DATE.fullmatch(number) is not None
