"""Personal data in texts: where it stands, texts without it, rows without it.

In: texts. Out: spans, masked texts for showing, redacted texts for training. Each recogniser has a file of its own, which says
what it asks of a value. Names of people are not looked for: `docs/personal-data.md` tells what else is not.
"""

from sonmat.reading.personal.finding import find_personal, might_hold_personal
from sonmat.reading.personal.redacting import Redactor, excerpt, masked, masked_content, masked_piece
from sonmat.reading.personal.spans import KINDS, SECRETS, TITLES, PersonalKind, Span

__all__ = [
    "KINDS",
    "SECRETS",
    "TITLES",
    "PersonalKind",
    "Redactor",
    "Span",
    "excerpt",
    "find_personal",
    "masked",
    "masked_content",
    "masked_piece",
    "might_hold_personal",
]
