"""Rows of `prompt` and `completion`, as OpenAI's older fine-tuning and TRL have them, and perhaps `system`. One turn."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import text_of
from sonmat.reading.columns import profiles
from sonmat.reading.turns import single_turn, single_turn_of


class PromptCompletion:
    name = "prompt_completion"
    title = Text(en="prompt and completion", ko="프롬프트와 완성문")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        named = {"prompt", "completion"} <= set(table.columns)
        if not named or wanted.input not in (None, "prompt") or wanted.target not in (None, "completion"):
            return None
        completion = profiles(table)["completion"]
        return Guess(
            # Completions that repeat are labels in disguise.
            sure=0.5 if completion.repeats else 0.96,
            columns=Columns(input="prompt", target="completion"),
            reason=Text(en="its columns are prompt and completion", ko="열 이름이 prompt와 completion입니다"),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        prompt, completion = text_of(fields, "prompt"), text_of(fields, "completion")
        if isinstance(prompt, Text):
            return prompt
        return completion if isinstance(completion, Text) else single_turn(prompt, completion, fields.get("system"))

    def write(self, pair: Pair, columns: Columns) -> Json:
        turn = single_turn_of(pair, self.title)
        before = {"system": turn.system} if turn.system else {}
        return {**before, "prompt": turn.question, "completion": turn.answer}


plugin = PromptCompletion()
