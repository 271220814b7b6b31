"""Questions with a text that answers them, as SQuAD and KorQuAD have them: which columns, and what a row says.

In: a table or the fields of a row. Out: the columns and how many answers stand word for word in their texts; question, context
and answers. Shapes make pairs of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sonmat.core.protocols import Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Json
from sonmat.reading.cells import parsed, text_of
from sonmat.reading.columns import profiles

_QUESTIONS = ("question", "query", "질문", "문의")
_CONTEXTS = ("context", "passage", "paragraph", "document", "지문", "본문", "문맥", "근거")
_ANSWERS = ("answers", "answer", "answer_text", "정답", "답", "답변")


@dataclass(frozen=True)
class ContextColumns:
    question: str
    context: str
    answer: str
    inside: float
    """Share of the sampled answers that stand in their context."""
    structured: bool
    """Whether answers are lists or objects, as SQuAD's are."""


@dataclass(frozen=True)
class Asked:
    question: str
    context: str
    answers: list[Json]
    """Text and perhaps start of each; empty where the context has no answer."""


def find_columns(table: Table, wanted: Columns) -> ContextColumns | None:
    """The columns of a table that has all three."""
    names = {name.strip().casefold(): name for name in table.columns}
    question = next((names[name] for name in _QUESTIONS if name in names), None)
    context = next((names[name] for name in _CONTEXTS if name in names), None)
    answer = wanted.target or next((names[name] for name in _ANSWERS if name in names), None)
    if question is None or context is None or answer is None or wanted.input not in (None, question):
        return None
    columns = profiles(table)
    if answer in (question, context) or not (columns[question].can_be_text and columns[context].can_be_text):
        return None
    found = [asked for row in table.rows if isinstance(asked := asked_in(row, question, context, answer), Asked)]
    answered = [asked for asked in found if asked.answers]
    if len(found) * 2 <= len(table.rows) or not answered:
        return None
    inside = sum(asked.answers[0]["text"] in asked.context for asked in answered) / len(answered)
    structured = sum(isinstance(parsed(row.get(answer)), dict | list) for row in table.rows) * 2 > len(table.rows)
    return ContextColumns(question, context, answer, inside, structured)


def context_columns(fields: Json) -> tuple[str | None, str | None]:
    """Question's and context's columns of one row."""
    names = {name.strip().casefold(): name for name in fields}
    return (
        next((names[name] for name in _QUESTIONS if name in names), None),
        next((names[name] for name in _CONTEXTS if name in names), None),
    )


def asked_in(fields: Json, question: str | None, context: str | None, answer: str | None) -> Asked | Text:
    """What one row asks, and the answers."""
    words, around = text_of(fields, question or _QUESTIONS[0]), text_of(fields, context or _CONTEXTS[0])
    if isinstance(words, Text):
        return words
    if isinstance(around, Text):
        return around
    value = parsed(fields.get(answer or _ANSWERS[0]))
    answers = _answers(value, fields.get("answer_start"))
    if answers is None:
        return Text(en=f"has no answer in '{answer}'", ko=f"'{answer}'에 답이 없습니다")
    return Asked(words, around, answers)


def _answers(value: Any, start: Any) -> list[Json] | None:
    """SQuAD's {"text": [...], "answer_start": [...]}, a list of texts or of {"text", "answer_start"}, or one text."""
    if isinstance(value, dict):
        texts, starts = value.get("text"), value.get("answer_start") or value.get("start")
        if isinstance(texts, str):
            return _answers(texts, starts)
        if not isinstance(texts, list):
            return None
        starts = starts if isinstance(starts, list) and len(starts) == len(texts) else [None] * len(texts)
        value = [{"text": text, "answer_start": at} for text, at in zip(texts, starts, strict=True)]
    if isinstance(value, list):
        found = [_answer(entry, None) for entry in value]
        whole = [entry for entry in found if entry is not None]
        return whole if len(whole) == len(found) else None
    if value == "":
        return []
    one = _answer(value, start)
    return None if one is None else [one]


def _answer(value: Any, start: Any) -> Json | None:
    if isinstance(value, dict):
        value, start = value.get("text"), value.get("answer_start", value.get("start"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        return None
    at = int(start) if isinstance(start, int) or (isinstance(start, str) and start.isdigit()) else None
    return {"text": value} if at is None else {"text": value, "start": at}
