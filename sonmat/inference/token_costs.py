"""What a token that is written costs beside one that is read, for estimates of time."""

from __future__ import annotations

from typing import Final

WRITTEN_COST: Final = 3
"""A token that is written beside other rows costs about as much as this many that are read."""
ALONE_COST: Final = 10
"""And one that is written for a single question: every weight is fetched for it."""
