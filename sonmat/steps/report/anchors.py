"""Ids of places on the page.

In: names, which may hold anything. Out: an id without spaces. Two names that differ in punctuation alone share one.
"""

from __future__ import annotations

import re


def anchor_of(*names: str) -> str:
    """The id that stands for `names` in this order."""
    return "-".join(re.sub(r"[^\w.]+", "-", name) for name in names)
