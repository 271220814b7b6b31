"""Which texts in Latin script are in another language than most, by py3langid on a bounded number of them.

In: texts. Out: places of the foreign ones. Only long texts and sure verdicts count: a detector that is asked about three words
guesses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sonmat.reading.language import language_of

MOST_TEXTS = 2_000
"""Each takes about a third of a millisecond."""
_FEWEST_LETTERS = 60
_SURE = 0.999
_LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "cs", "hu", "ro", "tr", "id", "vi"]
_ENGLISH = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "in",
        "is",
        "that",
        "it",
        "for",
        "on",
        "with",
        "as",
        "are",
        "this",
        "be",
        "was",
        "by",
        "at",
        "or",
        "from",
        "you",
        "not",
        "have",
        "an",
        "can",
        "will",
        "if",
        "what",
        "how",
        "i",
        "a",
    ]
)
_MOST_ENGLISH = 0.08
"""Share of English function words above which a text is English, whatever the detector says."""


@dataclass
class Foreign:
    main: str = ""
    judged: int = 0
    places: list[int] = field(default_factory=list)
    languages: Counter[str] = field(default_factory=Counter)


def foreign_texts(texts: Sequence[str], rare_share: float) -> Foreign:
    """Places of texts in languages that fewer than `rare_share` of the judged ones are in."""
    verdicts: list[tuple[int, str]] = []
    for place, text in enumerate(texts):
        if len(verdicts) == MOST_TEXTS:
            break
        start = text[:400]
        if len(start) >= _FEWEST_LETTERS and language_of(start) == "latin":
            verdicts.append((place, _language(start)))
    counts = Counter(language for _, language in verdicts if language)
    if not counts:
        return Foreign()
    rare = {language for language, count in counts.items() if count < rare_share * len(verdicts)}
    found = [(place, language) for place, language in verdicts if language in rare]
    return Foreign(
        main=counts.most_common(1)[0][0],
        judged=len(verdicts),
        places=[place for place, _ in found],
        languages=Counter(language for _, language in found),
    )


def _language(text: str) -> str:
    words = re.findall("[a-z]+", text.lower())
    if sum(word in _ENGLISH for word in words) > _MOST_ENGLISH * len(words):
        return "en"
    language, probability = _detector().classify(text)
    return str(language) if probability >= _SURE else ""


@cache
def _detector() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages(_LANGUAGES)
    return detector
