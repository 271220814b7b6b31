"""Rows of a question, a context and the answers that stand in it: SQuAD's `answers`, or a column of texts and `answer_start`."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.contexts import asked_in, context_columns, find_columns

_INSIDE = 0.8
"""Share of answers that stand word for word in their context, from which on they were cut out of it."""


class QuestionContext:
    name = "question_context"
    title = Text(en="a question, a context and the answer in it", ko="질문, 지문, 지문 속의 답")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        found = find_columns(table, wanted)
        if found is None:
            return None
        return Guess(
            sure=0.985 if found.inside >= _INSIDE else 0.3,
            columns=Columns(input=found.question, target=found.answer),
            reason=Text(
                en=f"'{found.question}' asks, and {found.inside:.0%} of '{found.answer}' stand word for word in "
                f"'{found.context}'",
                ko=f"'{found.question}' 열이 묻고, '{found.answer}' 열의 {found.inside:.0%}가 '{found.context}' 열에 그대로 있습니다",
            ),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        _, context = context_columns(fields)
        asked = asked_in(fields, columns.input, context, columns.target)
        if isinstance(asked, Text):
            return asked
        for answer in asked.answers:
            problem = _misplaced(answer, asked.context)
            if problem is not None:
                return problem
        first, *others = asked.answers or [{"text": ""}]
        more = {"alternatives": others} if others else {}
        return Pair(input={"question": asked.question, "context": asked.context}, target={**first, **more})

    def write(self, pair: Pair, columns: Columns) -> Json:
        first = {name: value for name, value in pair.target.items() if name != "alternatives"}
        answers = [first, *pair.target.get("alternatives", [])] if first["text"] else []
        return {
            columns.input or "question": pair.input["question"],
            "context": pair.input["context"],
            columns.target or "answers": {
                "text": [answer["text"] for answer in answers],
                "answer_start": [answer.get("start") for answer in answers],
            },
        }


def _misplaced(answer: Json, context: str) -> Text | None:
    start, text = answer.get("start"), answer["text"]
    if start is not None and context[start : start + len(text)] != text:
        return Text(
            en=f"its answer does not stand at character {start} of the context",
            ko=f"지문의 {start}번째 글자에 답이 없습니다",
        )
    if text not in context:
        return Text(en="its answer does not stand in the context", ko="지문에 답이 그대로 들어 있지 않습니다")
    return None


plugin = QuestionContext()
