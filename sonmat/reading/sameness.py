"""When two values say the same: after Unicode normalisation (NFKC) and with white space and invisible characters evened out.

In: strings or JSON values. Out: strings to compare by. Case counts, because it can carry meaning; near-duplicates are not
seen here.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import Any

_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")


def evened(text: str) -> str:
    """`text` in NFKC, runs of white space as one space, none at the ends, invisible characters left out."""
    if text.isascii():
        return " ".join(text.split())
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).split())


def same_key(value: Any) -> str:
    """A digest (32 hexadecimal digits) that is equal for JSON values that say the same."""
    canonical = json.dumps(_evened_value(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def same_hash(value: Any) -> int:
    """`same_key` as an integer of 64 bits, for millions of rows; two of a million different values collide once in 40 million."""
    return int(same_key(value)[:16], 16)


def label_key(label: str) -> str:
    """What is left of a label without case, space and '_': variants of one label have the same.

    Signs stay, because '-1' and '1' are two labels.
    """
    return re.sub(r"[\s_]+", "", evened(label).casefold())


def _evened_value(value: Any) -> Any:
    if isinstance(value, str):
        return evened(value)
    if isinstance(value, dict):
        return {name: _evened_value(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_evened_value(part) for part in value]
    return value
