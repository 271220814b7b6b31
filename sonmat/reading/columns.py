"""What a column holds, as far as its name and values tell: labels, texts, paths of pictures, numbers that only count rows.

In: a `Table`. Out: a `Profile` a column, and the best column for a part. It knows no shapes and no tasks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sonmat.core.protocols import Table
from sonmat.core.text import Text
from sonmat.reading.images import is_image_name
from sonmat.reading.sameness import evened

TEXT_NAMES = (
    *("text", "sentence", "utterance", "review", "document", "content", "body", "comment", "message", "title", "question"),
    *("query", "input", "prompt", "문장", "텍스트", "본문", "리뷰", "내용", "글", "댓글", "발화", "질문", "문의", "입력"),
)
LABEL_NAMES = (
    *("label", "labels", "intent", "class", "category", "sentiment", "topic", "tag", "target", "type", "emotion", "genre"),
    *("라벨", "레이블", "의도", "분류", "범주", "카테고리", "감정", "감성", "주제", "유형", "종류", "정답"),
)
IMAGE_NAMES = ("image", "image_path", "path", "file", "filename", "file_name", "picture", "photo", "이미지", "사진", "파일")
KNOWN_NAMES = frozenset(
    {*TEXT_NAMES, *LABEL_NAMES, *IMAGE_NAMES, "output", "answer", "response", "completion", "instruction", "system"}
    | {"id", "답변", "답", "대답", "응답", "출력", "번호"}
)
"""Names that show that a line is a header."""
_ROW_COUNTERS = re.compile(r"(?i)^(id|idx|index|no|num|number|uuid|key|row|unnamed.*|.*[_ ]id|번호|순번|아이디)$")
_NEVER_LABELS = re.compile(r"(?i)^(split|lang|language|source|origin|date|time|timestamp|언어|출처|날짜|일자|시간)$")
_LONGEST_LABEL = 80
"""Characters. Longer values are texts."""
_SAMPLED_WHOLE = 1000
"""Rows of a sample that may be more in the source."""


@dataclass(frozen=True)
class Profile:
    """A column of a sample. Lengths are in characters, after white space is evened out."""

    name: str
    rows: int
    filled: int
    distinct: int
    texts: float
    """Share of the filled values that are strings with at least one letter."""
    plain: bool
    """Whether every value is a string, number or truth value and no list or object."""
    whole_numbers: bool
    numbers: bool
    median_length: float
    longest: int
    pictures: float
    """Share of the filled values that are names of picture files."""

    @property
    def counts_rows(self) -> bool:
        """Whether it only numbers or names the rows."""
        named = _ROW_COUNTERS.match(self.name) is not None
        return self.filled > 1 and self.distinct == self.filled and (named or self.whole_numbers)

    @property
    def repeats(self) -> bool:
        """Whether few short values occur again and again."""
        if not self.plain or not self.filled or self.longest > _LONGEST_LABEL or (self.numbers and not self.whole_numbers):
            return False
        return self.distinct <= max(self.filled / 2, 1) and self.median_length <= _LONGEST_LABEL / 2

    @property
    def can_be_label(self) -> bool:
        return self.plain and self.filled > 0 and not self.counts_rows and self.longest <= _LONGEST_LABEL

    @property
    def can_be_text(self) -> bool:
        return self.plain and self.texts >= 0.5 and not self.pictures >= 0.5 and not self.counts_rows


@dataclass(frozen=True)
class Choice:
    """A column for a part: how sure (0 to 1) and why."""

    column: str
    sure: float
    reason: Text


def profiles(table: Table) -> dict[str, Profile]:
    """Every column's profile by its name, in the order of the table."""
    return {column: _profile(column, [row.get(column) for row in table.rows]) for column in table.columns}


def choose_label(columns: Iterable[Profile], wanted: str | None, excluded: Sequence[str | None] = ()) -> Choice | None:
    """The column that holds labels: the one the user wants, else by name, else by content."""
    candidates = [profile for profile in columns if profile.name not in excluded]
    if wanted is not None:
        return next((_wanted_label(profile) for profile in candidates if profile.name == wanted), None)
    named = _by_name([profile for profile in candidates if profile.can_be_label], LABEL_NAMES)
    if named is not None:
        return Choice(named.name, 0.95 if named.repeats else 0.6, counted(named))
    repeating = [
        p for p in candidates if p.can_be_label and p.repeats and p.distinct > 1 and not _NEVER_LABELS.match(p.name)
    ]
    if not repeating:
        return None
    # Where several repeat, words are likelier labels than numbers, and labels stand behind what they label.
    best = max(enumerate(repeating), key=lambda entry: (not entry[1].numbers, entry[0]))[1]
    return Choice(best.name, 0.85 if len(repeating) == 1 else 0.7, counted(best))


def choose_text(columns: Iterable[Profile], wanted: str | None, excluded: Sequence[str | None] = ()) -> Choice | None:
    """The column that holds the longest or best-named text."""
    candidates = [profile for profile in columns if profile.name not in excluded]
    if wanted is not None:
        found = next((profile for profile in candidates if profile.name == wanted), None)
        return Choice(wanted, 1.0, _asked(wanted)) if found is not None and found.plain else None
    candidates = [profile for profile in candidates if profile.can_be_text]
    named = _by_name(candidates, TEXT_NAMES)
    if named is not None:
        return Choice(named.name, 1.0, _texts(named))
    if not candidates:
        return None
    longest = max(candidates, key=lambda profile: profile.median_length)
    return Choice(longest.name, 0.95, _texts(longest))


def choose_image(columns: Iterable[Profile], wanted: str | None) -> Choice | None:
    """The column that holds names of picture files."""
    candidates = [profile for profile in columns if profile.pictures >= 0.5]
    if wanted is not None:
        candidates = [profile for profile in candidates if profile.name == wanted]
    best = _by_name(candidates, IMAGE_NAMES) or next(iter(candidates), None)
    if best is None:
        return None
    return Choice(
        best.name,
        1.0,
        Text(en=f"'{best.name}' holds names of picture files", ko=f"'{best.name}' 열에 그림 파일 이름이 있습니다"),
    )


def counted(profile: Profile) -> Text:
    """Why the column is taken for labels."""
    sample = profile.rows >= _SAMPLED_WHOLE
    english = (
        f"'{profile.name}' has {profile.distinct:,} different values over {profile.filled:,} {'sampled ' * sample}rows"
    )
    korean = f"'{profile.name}' 열은 {'표본 ' * sample}{profile.filled:,}행에 서로 다른 값이 {profile.distinct:,}개"
    return Text(en=f"{english}: labels", ko=f"{korean}이므로 라벨입니다")


def _texts(profile: Profile) -> Text:
    length = round(profile.median_length)
    return Text(
        en=f"'{profile.name}' holds texts of about {length} characters",
        ko=f"'{profile.name}' 열에는 {length}자 안팎의 글이 있습니다",
    )


def _asked(column: str) -> Text:
    return Text(en=f"you named '{column}'", ko=f"'{column}' 열을 지정하셨습니다")


def _wanted_label(profile: Profile) -> Choice | None:
    if not profile.plain or not profile.filled:
        return None
    named = profile.name.casefold() in LABEL_NAMES
    sure = 1.0 if profile.repeats else 0.6 if named else 0.3
    return Choice(profile.name, sure, counted(profile) if profile.repeats else _asked(profile.name))


def _by_name(candidates: Sequence[Profile], names: Sequence[str]) -> Profile | None:
    for name in names:
        for profile in candidates:
            if profile.name.strip().casefold() == name:
                return profile
    return None


def _profile(name: str, values: Sequence[Any]) -> Profile:
    filled = [value for value in values if value is not None and value != ""]
    shown = [evened(str(value)) for value in filled]
    lengths = [len(value) for value in shown]
    count = max(len(filled), 1)
    return Profile(
        name=name,
        rows=len(values),
        filled=len(filled),
        distinct=len(set(shown)),
        texts=sum(isinstance(value, str) and any(map(str.isalpha, value)) for value in filled) / count,
        plain=all(isinstance(value, str | int | float) for value in filled),
        whole_numbers=bool(shown) and all(re.fullmatch(r"[+-]?\d+(\.0+)?", value) for value in shown),
        numbers=bool(shown) and all(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", value) for value in shown),
        median_length=median(lengths) if lengths else 0.0,
        longest=max(lengths, default=0),
        pictures=sum(isinstance(value, str) and is_image_name(value) for value in filled) / count,
    )
