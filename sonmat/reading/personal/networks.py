"""IP addresses of version 4 and 6 that may lead to somebody; not versions, section numbers, masks, loopback or a router's own.

In: plain text. Out: spans.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from sonmat.reading.personal.context import stands_before
from sonmat.reading.personal.spans import Span

_FOUR: Final = re.compile(
    r"(?<![A-Za-z0-9_.-])(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})(?![A-Za-z0-9_]|\.\d|-[A-Za-z0-9])"
)
_SIX: Final = re.compile(
    r"(?<![A-Za-z0-9_:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?:\.\d{1,3}){3})?(?![A-Za-z0-9_:])"
)
_VERSION_WORDS: Final = re.compile(
    r"(?:버전|버젼|펌웨어|빌드|패치|업데이트|릴리스|드라이버|섹션|조항|항목|목차|version|ver\.?|firmware|build|patch|release|update|"
    r"driver|section|chapter|clause|figure|table|sdk|kernel|chrome|safari|firefox|edge|opera|§|제|v)[\s:=(#]*$",
    re.IGNORECASE,
)
_VERSION_BEHIND: Final = re.compile(
    r"\s?(?:버전|버젼|version|절|항|장|릴리스|release|빌드|build|업데이트|패치)", re.IGNORECASE
)
_ADDRESS_WORDS: Final = re.compile(
    r"\bip\b|ipv4|아이피|서버|호스트|주소|접속|핑|게이트웨이|방화벽|로그인|클라이언트|server|host|ping|address|gateway|firewall|client|login|from|ssh|://",
    re.IGNORECASE,
)
_SMALL = 31
"""Four numbers up to this are rather a version or a section than an address, unless a word says otherwise."""


def ip_addresses(text: str) -> Iterator[Span]:
    """Every IP address of a host."""
    for match in _FOUR.finditer(text):
        if _is_host(match[0]) and not _is_version(text, match):
            yield Span("ip_address", match.start(), match.end())
    if text.count(":") >= 2:
        for match in _SIX.finditer(text):
            if _is_six(match[0]):
                yield Span("ip_address", match.start(), match.end())


def _is_host(written: str) -> bool:
    try:
        address = ipaddress.IPv4Address(written)
    except ValueError:
        return False
    if address.is_unspecified or address.is_loopback or address.is_multicast or written.startswith(("0.", "255.")):
        return False
    # A router's own address or a network as a whole stands in every manual and leads to nobody.
    return not (address.is_private and written.rpartition(".")[2] in ("0", "1", "254", "255"))


def _is_version(text: str, match: re.Match[str]) -> bool:
    if stands_before(_VERSION_WORDS, text, match.start(), 12) or _VERSION_BEHIND.match(text, match.end()):
        return True
    small = all(int(part) <= _SMALL for part in match[0].split("."))
    return small and not stands_before(_ADDRESS_WORDS, text, match.start(), 24)


def _is_six(written: str) -> bool:
    """Four groups or more, or a compressed address of a host; 'dead::beef' and 12:34:56 are none."""
    try:
        address = ipaddress.IPv6Address(written)
    except ValueError:
        return False
    groups = [group for group in written.split(":") if group]
    telling = len(groups) >= 4 or (len(groups) >= 2 and written[:1] in "23fF" and any(map(str.isdigit, written)))
    return telling and not (address.is_unspecified or address.is_loopback)
