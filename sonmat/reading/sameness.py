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
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    # The only white space that is printable is the plain space, and no invisible character is: most texts end here.
    if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        return text
    return " ".join(_INVISIBLE.sub("", text).split())


def same_hash(value: Any) -> int:
    """A digest of 64 bits for millions of rows, equal for JSON values that say the same; two of a million different values
    collide once in 40 million times."""
    return int.from_bytes(hashlib.blake2b(_canonical(value), digest_size=8).digest(), "big")


def label_key(label: str) -> str:
    """What is left of a label without case, space and '_': variants of one label have the same.

    Signs stay, because '-1' and '1' are two labels.
    """
    return re.sub(r"[\s_]+", "", evened(label).casefold())


def _canonical(value: Any) -> bytes:
    """Equal bytes for values that say the same; an object of one text, by far the commonest, is spared the JSON encoder."""
    if type(value) is dict and len(value) == 1:
        ((name, part),) = value.items()
        if type(part) is str:
            return f"{len(name)} {name}{evened(part)}".encode("utf-8", "surrogatepass")
    canonical = json.dumps(_evened_value(value), sort_keys=True, ensure_ascii=False)
    return f"json {canonical}".encode("utf-8", "surrogatepass")


def _evened_value(value: Any) -> Any:
    if isinstance(value, str):
        return evened(value)
    if isinstance(value, dict):
        return {name: _evened_value(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_evened_value(part) for part in value]
    return value
