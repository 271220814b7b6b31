"""OpenAI's preference rows: {"input": {"messages", "tools"?}, "preferred_output": [...], "non_preferred_output": [...]}."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import parsed
from sonmat.reading.preferences import ending_of, preference_pair
from sonmat.reading.turns import is_conversation

_CHOSEN, _REJECTED = "preferred_output", "non_preferred_output"


class PreferenceOpenAI:
    name = "preference_openai"
    title = Text(en="preference pairs (OpenAI)", ko="선호 쌍(OpenAI)")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        columns = Columns(input="input", target=_CHOSEN)
        if not {"input", _CHOSEN, _REJECTED} <= set(table.columns) or wanted.input not in (None, "input"):
            return None
        if wanted.target not in (None, _CHOSEN):
            return None
        return Guess(
            sure=0.99,
            columns=columns,
            reason=Text(
                en=f"its columns are OpenAI's for preferences: input, {_CHOSEN}, {_REJECTED}",
                ko=f"열이 OpenAI 선호 데이터의 것입니다: input, {_CHOSEN}, {_REJECTED}",
            ),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        input = parsed(fields.get("input"))
        if not isinstance(input, dict) or not is_conversation(input.get("messages")):
            return Text(en="has no messages in 'input'", ko="'input'에 메시지가 없습니다")
        chosen, rejected = ending_of(fields, _CHOSEN), ending_of(fields, _REJECTED)
        if isinstance(chosen, Text):
            return chosen
        if isinstance(rejected, Text):
            return rejected
        if chosen.before or rejected.before:
            return Text(
                en="has more than one turn in an output; Sonmat compares single answers",
                ko="출력에 차례가 둘 이상입니다. 손맛은 답 하나씩을 비교합니다",
            )
        return preference_pair(input["messages"], chosen.answer, rejected.answer, input)

    def write(self, pair: Pair, columns: Columns) -> Json:
        return {
            "input": dict(pair.input),
            _CHOSEN: [{"role": "assistant", "content": pair.target["chosen"]}],
            _REJECTED: [{"role": "assistant", "content": pair.target["rejected"]}],
        }


plugin = PreferenceOpenAI()
