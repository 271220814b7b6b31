"""Rows of a question and its free answer under whatever names: input and output, question and answer, 질문 and 답변, or any two
columns of text of which the answers differ from row to row. A `system` column is taken as the system message."""

from __future__ import annotations

from collections.abc import Mapping

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import text_of
from sonmat.reading.columns import Profile, profiles
from sonmat.reading.turns import single_turn, single_turn_of

_NAMES = (
    *(("input", "output"), ("question", "answer"), ("q", "a"), ("query", "response"), ("query", "answer")),
    *(("prompt", "response"), ("instruction", "response"), ("user", "assistant"), ("source", "target")),
    *(
        ("질문", "답변"),
        ("질문", "대답"),
        ("질문", "답"),
        ("질문", "응답"),
        ("질문", "정답"),
        ("문의", "답변"),
        ("문의", "응답"),
    ),
    *(("입력", "출력"), ("지시", "응답"), ("프롬프트", "응답"), ("원문", "번역")),
)


class InputOutput:
    name = "input_output"
    title = Text(en="a question and its answer", ko="질문과 답변")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        columns = profiles(table)
        if wanted.input is None and wanted.target is None:
            return self._by_name(columns) or self._by_content(columns)
        return self._as_wanted(columns, wanted)

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        question, answer = text_of(fields, columns.input), text_of(fields, columns.target)
        if isinstance(question, Text):
            return question
        return answer if isinstance(answer, Text) else single_turn(question, answer, fields.get("system"))

    def write(self, pair: Pair, columns: Columns) -> Json:
        turn = single_turn_of(pair, self.title)
        before = {"system": turn.system} if turn.system else {}
        return {**before, columns.input or "input": turn.question, columns.target or "output": turn.answer}

    def _by_name(self, columns: Mapping[str, Profile]) -> Guess | None:
        folded = {name.strip().casefold(): name for name in columns}
        for question, answer in _NAMES:
            if question in folded and answer in folded:
                target = columns[folded[answer]]
                reason = Text(
                    en=f"its columns are '{folded[question]}' and '{folded[answer]}'",
                    ko=f"열 이름이 '{folded[question]}'와(과) '{folded[answer]}'입니다",
                )
                plain = target.plain and columns[folded[question]].plain
                return _guess(folded[question], target, 0.97, reason) if plain else None
        return None

    def _by_content(self, columns: Mapping[str, Profile]) -> Guess | None:
        texts = [profile for profile in columns.values() if profile.can_be_text and profile.name != "system"]
        if len(texts) != 2:
            return None
        question, answer = texts
        reason = Text(
            en=f"'{question.name}' and '{answer.name}' are texts, and '{answer.name}' differs from row to row",
            ko=f"'{question.name}'와(과) '{answer.name}' 열에 글이 있고, '{answer.name}' 열은 행마다 다릅니다",
        )
        return _guess(question.name, answer, 0.55, reason)

    def _as_wanted(self, columns: Mapping[str, Profile], wanted: Columns) -> Guess | None:
        others = [
            p.name for p in columns.values() if p.can_be_text and p.name not in (wanted.input, wanted.target, "system")
        ]
        question = wanted.input or next(iter(others), "")
        answer = wanted.target or next(iter(others), "")
        if question not in columns or answer not in columns or not (columns[question].plain and columns[answer].plain):
            return None
        reason = Text(
            en=f"you named the columns, and '{answer}' differs from row to row",
            ko=f"열을 지정하셨고 '{answer}' 열은 행마다 다릅니다",
        )
        return _guess(question, columns[answer], 0.9, reason)


def _guess(question: str, answer: Profile, sure: float, reason: Text) -> Guess:
    # Answers that repeat are labels in disguise.
    return Guess(sure=0.4 if answer.repeats else sure, columns=Columns(input=question, target=answer.name), reason=reason)


plugin = InputOutput()
