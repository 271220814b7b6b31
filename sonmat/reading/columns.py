"""What a column holds, as far as its name and values tell: labels, texts, measures, paths of pictures and sound, parts of a split,
numbers that only count rows.

In: a `Table`. Out: a `Profile` a column, and the best column for a part. It knows no shapes and no tasks.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sonmat.core.protocols import Table
from sonmat.core.text import Text
from sonmat.reading.audio_names import is_audio_name
from sonmat.reading.images import is_image_name
from sonmat.reading.parts import says_part
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
AUDIO_NAMES = (
    "audio",
    "audio_path",
    "path",
    "file",
    "filename",
    "file_name",
    "sound",
    "wav",
    "음성",
    "오디오",
    "소리",
    "파일",
)
NUMBER_NAMES = (
    *("score", "rating", "value", "target", "label", "labels", "y", "price", "similarity", "grade", "points", "amount"),
    *("점수", "평점", "별점", "값", "가격", "유사도", "등급", "수치"),
)
KNOWN_NAMES = frozenset(
    {*TEXT_NAMES, *LABEL_NAMES, *IMAGE_NAMES, "output", "answer", "response", "completion", "instruction", "system"}
    | {"id", "답변", "답", "대답", "응답", "출력", "번호"}
)
"""Names that show that a line is a header."""
_ROW_COUNTERS = re.compile(r"(?i)^(id|idx|index|no|num|number|uuid|key|row|unnamed.*|.*[_ ]id|번호|순번|아이디)$")
_NEVER_LABELS = re.compile(r"(?i)^(split|lang|language|source|origin|date|time|timestamp|언어|출처|날짜|일자|시간)$")
FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}
"""How tables say that a label does not fit, or does."""
_LONGEST_LABEL = 80
"""Characters. Longer values are texts."""
_MOST_WHOLE_CLASSES = 20
"""Whole numbers of more different values than this, most of them rare, measure something."""
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
    flags: bool
    """Whether every value is 0 or 1, true or false."""
    median_length: float
    longest: int
    pictures: float
    """Share of the filled values that are names of picture files."""
    sounds: float
    """Share of the filled values that are names of sound files."""
    says_part: bool
    """Whether name and values are those of a given split."""

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
        media = self.pictures >= 0.5 or self.sounds >= 0.5
        return self.plain and self.texts >= 0.5 and not media and not self.counts_rows

    @property
    def measures(self) -> bool:
        """Whether it holds numbers that are no classes: fractions, or many different ones."""
        named = self.name.strip().casefold() in NUMBER_NAMES
        if not self.numbers or not self.plain or (self.counts_rows and not named) or _NEVER_LABELS.match(self.name):
            return False
        return self.counts_rows or not self.whole_numbers or self.distinct > max(_MOST_WHOLE_CLASSES, self.filled / 2)

    @property
    def zero_or_one(self) -> bool:
        return self.flags and not self.counts_rows


@dataclass(frozen=True)
class Choice:
    """A column for a part: how sure (0 to 1) and why."""

    column: str
    sure: float
    reason: Text


_latest: list[tuple[weakref.ref[Table], dict[str, Profile]]] = []
"""Every shape asks about the same table, one after the other."""


def profiles(table: Table) -> dict[str, Profile]:
    """Every column's profile by its name, in the order of the table."""
    if _latest and _latest[0][0]() is table:
        return _latest[0][1]
    found = {column: _profile(column, [row.get(column) for row in table.rows]) for column in table.columns}
    _latest[:] = [(weakref.ref(table), found)]
    return found


def choose_label(columns: Iterable[Profile], wanted: str | None, excluded: Sequence[str | None] = ()) -> Choice | None:
    """The column that holds labels: the one the user wants, else by name, else by content."""
    candidates = [profile for profile in columns if profile.name not in excluded]
    if wanted is not None:
        return next((_wanted_label(profile) for profile in candidates if profile.name == wanted), None)
    named = _by_name([profile for profile in candidates if profile.can_be_label], LABEL_NAMES)
    if named is not None:
        return Choice(named.name, 0.95 if named.repeats else 0.6, counted(named))
    repeating = [
        p
        for p in candidates
        if p.can_be_label and p.repeats and p.distinct > 1 and not _NEVER_LABELS.match(p.name) and not p.says_part
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
    best = _named_or_first([profile for profile in columns if profile.pictures >= 0.5], wanted, IMAGE_NAMES)
    if best is None:
        return None
    reason = Text(en=f"'{best.name}' holds names of picture files", ko=f"'{best.name}' 열에 그림 파일 이름이 있습니다")
    return Choice(best.name, 1.0, reason)


def choose_audio(columns: Iterable[Profile], wanted: str | None) -> Choice | None:
    """The column that holds names of sound files."""
    best = _named_or_first([profile for profile in columns if profile.sounds >= 0.5], wanted, AUDIO_NAMES)
    if best is None:
        return None
    reason = Text(en=f"'{best.name}' holds names of sound files", ko=f"'{best.name}' 열에 소리 파일 이름이 있습니다")
    return Choice(best.name, 1.0, reason)


def choose_number(columns: Iterable[Profile], wanted: str | None, excluded: Sequence[str | None] = ()) -> Choice | None:
    """The column that holds what a regression predicts. Numbers that could be classes too are a poor choice, unless wanted."""
    numbers = [
        p for p in columns if (p.measures or (p.numbers and p.plain and not p.counts_rows)) and p.name not in excluded
    ]
    if wanted is not None:
        found = next((profile for profile in numbers if profile.name == wanted), None)
        return None if found is None else Choice(wanted, 0.9 if found.measures else 0.2, _measured(found))
    measuring = [profile for profile in numbers if profile.measures]
    best = _named_or_first(measuring or numbers, None, NUMBER_NAMES)
    return None if best is None else Choice(best.name, 0.64 if best.measures else 0.2, _measured(best))


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


def _measured(profile: Profile) -> Text:
    return Text(
        en=f"'{profile.name}' holds {profile.distinct:,} different numbers",
        ko=f"'{profile.name}' 열에 서로 다른 숫자가 {profile.distinct:,}개 있습니다",
    )


def _named_or_first(candidates: Sequence[Profile], wanted: str | None, names: Sequence[str]) -> Profile | None:
    if wanted is not None:
        return next((profile for profile in candidates if profile.name == wanted), None)
    return _by_name(candidates, names) or next(iter(candidates), None)


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
        flags=bool(shown) and all(value.casefold() in FLAGS for value in shown),
        median_length=median(lengths) if lengths else 0.0,
        longest=max(lengths, default=0),
        pictures=sum(isinstance(value, str) and is_image_name(value) for value in filled) / count,
        sounds=sum(isinstance(value, str) and is_audio_name(value) for value in filled) / count,
        says_part=says_part(name, shown),
    )
