"""Sentences that a person reads, in every language that Sonmat speaks, side by side.

In: the sentence in English and in Korean, written where it is needed. Out: the one the reader asked for. A sentence that
lacks a language cannot be written, because both are required arguments.
"""

from __future__ import annotations

import locale
import os
from contextvars import ContextVar
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_language: ContextVar[Language | None] = ContextVar("sonmat_language", default=None)


class Text(BaseModel):
    """One sentence in English and Korean; `str()` gives the reader's language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    ko: str

    def __init__(self, en: str, ko: str) -> None:
        super().__init__(en=en, ko=ko)

    def __str__(self) -> str:
        return self.in_language(reader_language())

    def in_language(self, language: Language) -> str:
        return self.ko if language == "ko" else self.en


def verbatim(words: str) -> Text:
    """A name, number or foreign message that is the same in every language."""
    return Text(en=words, ko=words)


def reader_language() -> Language:
    """The language set by `set_language`, else `SONMAT_LANG`, else the locale's, else English."""
    chosen = _language.get()
    if chosen is not None:
        return chosen
    named = os.environ.get("SONMAT_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    if not named:
        named = locale.getlocale()[0] or ""
    return "ko" if named.lower().startswith("ko") else "en"


def set_language(language: Language | None) -> None:
    """Speak `language` from now on in this context; `None` goes back to the environment's."""
    _language.set(language)
