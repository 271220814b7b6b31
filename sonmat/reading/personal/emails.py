"""E-mail addresses, also spelt out so that robots do not see them ("hong [at] naver [dot] com", "hong골뱅이naver.com").

In: plain text. Out: spans. The domain must have the form of one; whether it exists is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sonmat.reading.personal.spans import Span

_LOCAL = r"[A-Za-z0-9](?:[A-Za-z0-9._%+'-]{0,62}[A-Za-z0-9_+-])?"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_KOREAN_LABEL = r"[가-힣A-Za-z0-9-]{1,40}"
_PROVIDERS = r"(?:naver|gmail|daum|hanmail|kakao|nate|hotmail|outlook|yahoo|icloud|proton(?:mail)?|live)"
_WRITTEN: Final = re.compile(
    rf"(?<![A-Za-z0-9._%+-]){_LOCAL}@(?:(?:{_LABEL}\.)+[A-Za-z]{{2,24}}(?![A-Za-z0-9])|(?:{_KOREAN_LABEL}\.)+(?:한국|kr|com|net)(?![A-Za-z0-9])"
    rf"|\[\d{{1,3}}(?:\.\d{{1,3}}){{3}}\])"
)
_SPACED: Final = re.compile(
    rf"(?<![A-Za-z0-9._%+-]){_LOCAL}\s?@\s?{_PROVIDERS}\s?\.\s?(?:com|net|co\.kr|kr|me)(?![A-Za-z0-9])", re.I
)
_AT = r"\s*(?:\(\s*(?:at|@)\s*\)|\[\s*(?:at|@)\s*\]|\{\s*(?:at|@)\s*\}|<\s*(?:at|@)\s*>|골뱅이|앳)\s*"
_DOT = r"(?:\s*(?:\(\s*(?:dot|\.)\s*\)|\[\s*(?:dot|\.)\s*\]|\{\s*(?:dot|\.)\s*\}|<\s*(?:dot|\.)\s*>|점|닷)\s*|\s+dot\s+|\.)"
_DOMAIN = rf"{_LABEL}(?:{_DOT}{_LABEL}){{0,3}}{_DOT}"
_SPELT: Final = re.compile(
    rf"(?<![A-Za-z0-9._%+-]){_LOCAL}(?:(?:{_DOT}{_LOCAL}){{0,3}}{_AT}{_DOMAIN}(?:[A-Za-z]{{2,24}}(?![A-Za-z0-9])|컴|넷|케이알)"
    rf"|\s+at\s+{_LABEL}(?:\s+dot\s+{_LABEL})?\s+dot\s+(?:com|net|org|edu|io|me|kr|jp|de|uk|fr|co\s+dot\s+[a-z]{{2}})(?![A-Za-z0-9]))",
    re.IGNORECASE,
)
_BRACKETED_AT: Final = re.compile(r"(?:at|AT|At|@)\s*[)\]}>]")
_NO_DOMAIN_ENDS: Final = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".css", ".js", ".json")
"""Names of files such as icon@2x.png have the form of an address."""


def emails(text: str) -> Iterator[Span]:
    """Every e-mail address."""
    if "@" in text:
        for pattern in (_WRITTEN, _SPACED):
            for match in pattern.finditer(text):
                # git@host:owner/name names a repository.
                if not match[0].lower().endswith(_NO_DOMAIN_ENDS) and not match[0].startswith("git@"):
                    yield Span("email", match.start(), match.end())
    if might_hold_spelt_email(text):
        for match in _SPELT.finditer(text):
            yield Span("email", match.start(), match.end())


def might_hold_spelt_email(text: str) -> bool:
    """False where no address without a plain @ can be; quick."""
    if "골뱅이" in text or " dot " in text or " DOT " in text or "앳" in text:
        return True
    return (")" in text or "]" in text or "}" in text or ">" in text) and _BRACKETED_AT.search(text) is not None
