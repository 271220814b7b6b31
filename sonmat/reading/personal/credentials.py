"""Passwords, access keys and private keys: by the published form of a service's keys, or by a telling name and a random value.

In: plain text. Out: spans of the secret itself, its name left readable. Placeholders such as <password> or ${TOKEN} are none.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from sonmat.reading.personal.spans import PersonalKind, Span

_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_PUBLISHED_FORMS: Final = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # Amazon
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{22,255}|glpat-[A-Za-z0-9_-]{20,}"  # GitHub, GitLab
    r"|xox[abeoprs](?:-|\.)[A-Za-z0-9.-]{10,}|xapp-[A-Za-z0-9-]{10,}"  # Slack
    r"|sk-(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{20,}"  # OpenAI, Anthropic and others that followed
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}"  # Google
    r"|[srp]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9]{16,}"  # Stripe
    r"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|dop_v1_[a-f0-9]{64}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|(?:AC|SK)[0-9a-f]{32}(?![0-9A-Za-z])|\d{8,10}:AA[A-Za-z0-9_-]{33}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"  # JSON web token (RFC 7519)
    r")"
)
_WEBHOOK: Final = re.compile(
    r"hooks\.slack\.com/services/[A-Za-z0-9_/]{20,}|discord(?:app)?\.com/api/webhooks/\d+/[\w-]{20,}"
)
_BEARER: Final = re.compile(r"\bbearer\s+(?P<value>[A-Za-z0-9._~+/-]{16,}=*)", re.IGNORECASE)
_IN_ADDRESS: Final = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,64}:(?P<value>[^\s/@]{2,128})@")
_NAMED_PASSWORD: Final = re.compile(
    r"(?:passwords?|passwd|pass ?phrase|passcode|pwd|\bpw|\bpass|\bpin(?: ?(?:code|number))?|비밀번호|비번|패스워드|암호|\b핀 ?번호)"
    r"""["'`]?(?P<sign>\s*(?::|=>|==?)\s*|\s?[은는이가]\s|\s?[은는]:\s|\s+is:?\s+|\s)["'`]?(?P<value>[!-&(-_a-~]{4,64})""",
    re.IGNORECASE,
)
_NAMED_KEY: Final = re.compile(
    r"(?:api[ _-]?key|secret(?:[ _-]?(?:access)?[ _-]?key)?|access[ _-]?key(?:[ _-]?id)?|access[ _-]?token|auth[ _-]?token|token|"
    r"client[ _-]?secret|private[ _-]?key|credentials?|account[ _-]?key|authorization|"
    r"인증 ?키|API ?키|시크릿(?: ?키)?|액세스 ?키|토큰|비밀 ?키|서비스 ?키)"
    r"""["'`]?\s*(?::|=>|=|[은는이가]\s|\bis\b)\s*["'`]?(?:(?:Bearer|Basic|Token)\s+)?(?P<value>[A-Za-z0-9+/_.=-]{16,512})""",
    re.IGNORECASE,
)
_NO_VALUE: Final = re.compile(
    r"[<\[{$%*•‹].*|.*(?:\*\*\*|x{4}|…|\.\.\.).*|.*[({].*[)}]?|"
    r"(?:your|my|the|new|old|some|change|example|placeholder|sample|dummy)[ _-].*|"
    r"(?:none|null|nil|true|false|undefined|required|optional|incorrect|invalid|wrong|reset|expired|string|"
    r"password\w*|getpass|https?:.*|(?:/[a-z._-]+)+/?)[.,;!?]?",
    re.IGNORECASE,
)
_COUNTED: Final = re.compile(
    r"\s?(?:자(?!로)|글자|개|회|번|일|분|초|시간|년|자리|단계|중|characters?|letters?|digits?|times?|days?|minutes?)",
    re.IGNORECASE,
)
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9_/+.-]{16}|PRIVATE KEY|://")
_LEAST_ENTROPY = 3.0
"""Bits a character. Sixteen random hexadecimal digits have 3.2 on average, words with hyphens more than they should."""


def secrets(text: str) -> Iterator[Span]:
    """Every secret."""
    if _LONG_RUN.search(text):
        yield from _by_form(text)
        if _names_key(text):
            for match in _NAMED_KEY.finditer(text):
                if _is_random(match["value"]):
                    yield Span("secret", match.start("value"), match.end("value"))
    if _names_password(text):
        for match in _NAMED_PASSWORD.finditer(text):
            value = match["value"].rstrip("\"'`,;.)]")
            end = match.start("value") + len(value)
            if _is_password(value, match["sign"].strip(), text, end):
                yield Span("password", match.start("value"), end)


def might_hold_secret(text: str) -> bool:
    """False where `secrets` would certainly find nothing; quick."""
    return _LONG_RUN.search(text) is not None or _names_password(text)


def _names_key(text: str) -> bool:
    folded = text.lower()
    english = "key" in folded or "token" in folded or "secret" in folded or "credential" in folded or "authoriz" in folded
    return english or "키" in text or "토큰" in text or "시크릿" in text


def _names_password(text: str) -> bool:
    folded = text.lower()
    if "pass" in folded or "pwd" in folded or "pw" in folded or "pin" in folded:
        return True
    return "비밀" in text or "비번" in text or "패스워드" in text or "암호" in text or "핀" in text


def _by_form(text: str) -> Iterator[Span]:
    if "PRIVATE KEY" in text:
        yield from _spans("private_key", _PRIVATE_KEY, text)
    yield from _spans("secret", _PUBLISHED_FORMS, text)
    if "://" in text or "hooks" in text:
        yield from _spans("secret", _WEBHOOK, text)
        for match in _IN_ADDRESS.finditer(text):
            if not _NO_VALUE.fullmatch(match["value"]):
                yield Span("password", match.start("value"), match.end("value"))
    for match in _BEARER.finditer(text):
        if _is_random(match["value"]):
            yield Span("secret", match.start("value"), match.end("value"))


def _spans(kind: PersonalKind, pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    for match in pattern.finditer(text):
        yield Span(kind, match.start(), match.end())


def _is_random(value: str) -> bool:
    bare = value.rstrip(".=")
    if _NO_VALUE.fullmatch(value) or not any(map(str.isdigit, bare)) or not any(map(str.isalpha, bare)):
        return False
    counts = Counter(bare)
    entropy = -sum(count / len(bare) * math.log2(count / len(bare)) for count in counts.values())
    return entropy >= _LEAST_ENTROPY and not re.fullmatch(r"[a-z]+(?:[_.-][a-z]+)*[_.-]?\d{0,4}", bare)


def _is_password(value: str, sign: str, text: str, end: int) -> bool:
    """Digits and letters mixed, or a PIN; with '=' and quotes also a word. Prose about passwords has none of these."""
    if len(value) < 4 or _NO_VALUE.fullmatch(value) or _COUNTED.match(text, end):
        return False
    letters, digits = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    others = any(not letter.isalnum() for letter in value)
    if value.isdigit():
        return len(value) <= 12 and not (len(value) == 4 and value[:2] in ("19", "20") and sign not in (":", "="))
    assigned = sign in (":", "=", "=>", "==")
    if sign in ("", "이", "가"):
        return letters and digits and (others or len(value) >= 6)
    if letters and (digits or (others and not re.fullmatch(r"[A-Za-z]+(?:[-'/][A-Za-z]+)*", value))):
        return True
    quoted = text[end : end + 1] in ("'", '"', "`")
    return assigned and (quoted or (sign == "=" and len(value) >= 6 and value.isalpha()))
