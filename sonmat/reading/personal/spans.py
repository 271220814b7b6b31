"""What a recogniser gives: a stretch of text, the kind of personal data it is, and how kinds are called.

In: spans of several recognisers, which may overlap. Out: spans in the order of the text, none over another. It finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, get_args

from sonmat.core.text import Text

PersonalKind = Literal[
    "private_key",
    "secret",
    "password",
    "iban",
    "card",
    "resident_number",
    "foreigner_number",
    "driving_licence",
    "business_number",
    "passport",
    "ssn",
    "email",
    "ip_address",
    "phone",
    "address",
    "account",
]
"""The most telling first: of two readings of the same stretch, the earlier one counts."""

KINDS: Final[tuple[PersonalKind, ...]] = get_args(PersonalKind)
SECRETS: Final[frozenset[PersonalKind]] = frozenset({"private_key", "secret", "password"})
"""Kinds that open something, rather than name somebody."""

TITLES: Final[dict[PersonalKind, Text]] = {
    "private_key": Text(en="private key", ko="개인 키"),
    "secret": Text(en="access key", ko="접근 키"),
    "password": Text(en="password", ko="비밀번호"),
    "iban": Text(en="IBAN", ko="국제 계좌번호"),
    "card": Text(en="card number", ko="카드 번호"),
    "resident_number": Text(en="resident number", ko="주민등록번호"),
    "foreigner_number": Text(en="foreigner number", ko="외국인등록번호"),
    "driving_licence": Text(en="driving licence", ko="운전면허번호"),
    "business_number": Text(en="business number", ko="사업자등록번호"),
    "passport": Text(en="passport number", ko="여권번호"),
    "ssn": Text(en="social security number", ko="미국 사회보장번호"),
    "email": Text(en="e-mail", ko="이메일"),
    "ip_address": Text(en="IP address", ko="IP 주소"),
    "phone": Text(en="phone number", ko="전화번호"),
    "address": Text(en="address", ko="주소"),
    "account": Text(en="account number", ko="계좌번호"),
}

_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text."""

    kind: PersonalKind
    start: int
    end: int


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """The longest of overlapping spans, of equally long ones the most telling; it takes in what a shorter one holds beyond it.

    A piece of a value that only the loser covered would else stay readable.
    """
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, _RANK[span.kind], span.start)):
        rivals = [other for other in chosen if other.start < span.end and span.start < other.end]
        if not rivals:
            chosen.append(span)
            continue
        winner = rivals[0]
        chosen = [other for other in chosen if other not in rivals]
        together = [span, *rivals]
        chosen.append(Span(winner.kind, min(each.start for each in together), max(each.end for each in together)))
    return sorted(chosen, key=lambda span: span.start)
