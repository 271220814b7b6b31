"""What slices are called when people read about them.

In: names and values as `Measure.slice` has them. Out: `Text`s. Columns and values of the user's own data are theirs and stay as
they are; those that Sonmat makes (languages, lengths, groups of people) are said in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sonmat.core.text import Text, verbatim
from sonmat.probing.swap_terms import GROUPS

_LENGTHS: Final = {
    "short": Text(en="short", ko="짧음"),
    "medium": Text(en="medium", ko="중간"),
    "long": Text(en="long", ko="김"),
}
_LANGUAGES: Final = {
    "ko": Text(en="Korean", ko="한국어"),
    "en": Text(en="English", ko="영어"),
    "latin": Text(en="Latin script", ko="로마자"),
    "ja": Text(en="Japanese", ko="일본어"),
    "zh": Text(en="Chinese", ko="중국어"),
    "cyrillic": Text(en="Cyrillic script", ko="키릴 문자"),
    "arabic": Text(en="Arabic script", ko="아랍 문자"),
    "greek": Text(en="Greek", ko="그리스어"),
    "hebrew": Text(en="Hebrew", ko="히브리어"),
    "thai": Text(en="Thai", ko="태국어"),
    "devanagari": Text(en="Devanagari script", ko="데바나가리 문자"),
}


@dataclass(frozen=True)
class _Known:
    title: Text
    values: Mapping[str, Text] | None
    """None where the values are the user's words, or numbers."""


_KNOWN: Final = {
    "text_length": _Known(Text(en="length of the question", ko="질문의 길이"), _LENGTHS),
    "text_language": _Known(Text(en="language of the question", ko="질문의 언어"), _LANGUAGES),
    "language": _Known(Text(en="language", ko="언어"), _LANGUAGES),
    "from": _Known(Text(en="from", ko="바꾸기 전"), GROUPS),
    "to": _Known(Text(en="to", ko="바꾼 뒤"), GROUPS),
    "label": _Known(Text(en="label", ko="라벨"), None),
    "threshold": _Known(Text(en="threshold", ko="기준값"), None),
}


def column_words(name: str, value: str) -> Text:
    """What the column is called; its bare name unless `value` is one that Sonmat gives it."""
    known = _KNOWN.get(name)
    if known is None or (known.values is not None and value not in known.values):
        return verbatim(name)
    return known.title


def value_words(name: str, value: str) -> Text:
    """What the value of the column is called."""
    known = _KNOWN.get(name)
    return known.values.get(value, verbatim(value)) if known is not None and known.values else verbatim(value)


def columns_of_slice(slice: Mapping[str, str]) -> Text:
    """'language of the question', of several columns with commas."""
    return _listed([column_words(name, value) for name, value in slice.items()])


def values_of_slice(slice: Mapping[str, str]) -> Text:
    """'short', of several columns with commas."""
    return _listed([value_words(name, value) for name, value in slice.items()])


def slice_words(slice: Mapping[str, str]) -> Text:
    """'length of the question: short', of several columns with commas."""
    said = [(column_words(name, value), value_words(name, value)) for name, value in slice.items()]
    return _listed([Text(en=f"{title.en}: {own.en}", ko=f"{title.ko}: {own.ko}") for title, own in said])


def listed(names: Sequence[Text], behind: Sequence[str] = ()) -> Text:
    """Names in quotes with commas, each with what stands behind it."""
    ends = behind or [""] * len(names)
    return _listed([Text(en=f"'{name.en}'{end}", ko=f"'{name.ko}'{end}") for name, end in zip(names, ends, strict=True)])


def _listed(parts: Sequence[Text]) -> Text:
    return Text(en=", ".join(part.en for part in parts), ko=", ".join(part.ko for part in parts))
