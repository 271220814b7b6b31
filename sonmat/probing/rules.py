"""Rules that a written answer either keeps or breaks, checked by code and never by another model.

In: an answer. Out: yes or no. All conditions of a rule must hold. Words are compared without regard to case and Unicode form; a
Latin word must begin where it is found ("tulip" is in "tulips", not in "antulip"), and a number must be a whole number.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
_FENCE = re.compile(r"^```\w*\s*\n(.*?)\n?```$", re.DOTALL)
_QUOTES = "\"'“”‘’`*.!。 \t\n"


class Rule(BaseModel):
    """What an answer must keep; conditions that are left out do not count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    equals: tuple[str, ...] = ()
    """One of these, quotation marks, emphasis and full stops around it aside."""
    contains: tuple[tuple[str, ...], ...] = ()
    """Of every group at least one."""
    excludes: tuple[str, ...] = ()
    matches: str | None = None
    """A regular expression for the whole answer."""
    starts: str | None = None
    ends: str | None = None
    """A full stop behind it does not count."""
    number: float | None = None
    """The last number of the answer."""
    lines: int | None = Field(None, ge=1)
    """How many lines that are not empty."""
    each_line: str | None = None
    """A regular expression for every line."""
    least_words: int | None = Field(None, ge=1)
    most_words: int | None = Field(None, ge=1)
    """Words as white space divides them."""
    language: Literal["en", "ko"] | None = None
    """Whether most letters are Latin or Hangul."""
    json_keys: tuple[str, ...] | None = None
    """A JSON object with exactly these keys; a code fence around it does not count."""
    json_value: Any = None

    def kept_by(self, answer: str) -> bool:
        text = unicodedata.normalize("NFC", answer).strip()
        return bool(text) and all(
            (
                not self.equals or _bare(text) in {_bare(wanted) for wanted in self.equals},
                all(any(_holds(text, wanted) for wanted in group) for group in self.contains),
                not any(_holds(text, unwanted) for unwanted in self.excludes),
                self.matches is None or re.fullmatch(self.matches, text) is not None,
                self.starts is None or _bare(text).startswith(_bare(self.starts)),
                self.ends is None or _bare(text).endswith(_bare(self.ends)),
                self.number is None or _last_number(text) == self.number,
                self._lines_kept([line.strip() for line in text.splitlines() if line.strip()]),
                self._words_kept(len(text.split())),
                self.language is None or _language(text) == self.language,
                self._json_kept(text),
            )
        )

    def _lines_kept(self, lines: list[str]) -> bool:
        counted = self.lines is None or len(lines) == self.lines
        return counted and (self.each_line is None or all(re.fullmatch(self.each_line, line) for line in lines))

    def _words_kept(self, words: int) -> bool:
        return (self.least_words is None or words >= self.least_words) and (
            self.most_words is None or words <= self.most_words
        )

    def _json_kept(self, text: str) -> bool:
        if self.json_keys is None and self.json_value is None:
            return True
        fenced = _FENCE.match(text)
        try:
            found = json.loads(fenced[1] if fenced else text)
        except ValueError:
            return False
        if self.json_keys is None:
            return bool(found == self.json_value)
        return isinstance(found, dict) and set(found) == set(self.json_keys)


def _bare(text: str) -> str:
    return " ".join(text.strip(_QUOTES).casefold().split())


def _holds(text: str, wanted: str) -> bool:
    before = r"(?<!\w)" if re.match(r"[A-Za-z]", wanted) else r"(?<!\d)" if wanted[:1].isdigit() else ""
    after = r"(?!\d)" if wanted[-1:].isdigit() else ""
    return re.search(before + re.escape(wanted.casefold()) + after, text.casefold()) is not None


def _last_number(text: str) -> float | None:
    found = _NUMBER.findall(text)
    return float(found[-1].replace(",", "")) if found else None


def _language(text: str) -> str:
    hangul = sum("가" <= letter <= "힣" or "ㄱ" <= letter <= "ㆎ" for letter in text)
    latin = sum(letter.isascii() and letter.isalpha() for letter in text)
    # A syllable of Hangul holds two or three letters of Latin script.
    return "ko" if 2 * hangul > latin else "en" if latin else "none"
