"""Rows of a question, a context and an answer as one turn of chat: the context, an empty line, and the question below it."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.contexts import asked_in, context_columns, find_columns
from sonmat.reading.turns import cannot_hold, single_turn, single_turn_of


class ContextChat:
    name = "context_chat"
    title = Text(en="a question, a context and a free answer", ko="질문, 지문, 자유로운 답변")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        found = find_columns(table, wanted)
        if found is None:
            return None
        return Guess(
            sure=0.975,
            columns=Columns(input=found.question, target=found.answer),
            reason=Text(
                en=f"'{found.context}' is put above '{found.question}' in the user's message",
                ko=f"사용자 메시지에 '{found.context}' 열을 '{found.question}' 열 위에 넣습니다",
            ),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        _, context = context_columns(fields)
        asked = asked_in(fields, columns.input, context, columns.target)
        if isinstance(asked, Text):
            return asked
        if not asked.answers:
            return Text(en="has no answer to learn", ko="배울 답이 없습니다")
        question = f"{asked.context}\n\n{asked.question}" if asked.context else asked.question
        return single_turn(question, asked.answers[0]["text"])

    def write(self, pair: Pair, columns: Columns) -> Json:
        turn = single_turn_of(pair, self.title)
        if turn.system is not None:
            raise cannot_hold(self.title, Text(en="a system message", ko="시스템 메시지"))
        context, _, question = turn.question.rpartition("\n\n")
        return {columns.input or "question": question, "context": context, columns.target or "answer": turn.answer}


plugin = ContextChat()
