"""Rows of `prompt` and `completion`: texts, as OpenAI's older fine-tuning has them, and perhaps `system`; or messages, as TRL
has them too, of one turn or several."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import parsed, text_of
from sonmat.reading.columns import profiles
from sonmat.reading.tools import with_tools
from sonmat.reading.turns import is_conversation, pair_of_turns, single_turn, turns_of_pair


class PromptCompletion:
    name = "prompt_completion"
    title = Text(en="prompt and completion", ko="프롬프트와 완성문")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        named = {"prompt", "completion"} <= set(table.columns)
        if not named or wanted.input not in (None, "prompt") or wanted.target not in (None, "completion"):
            return None
        columns = Columns(input="prompt", target="completion")
        talks = sum(is_conversation(parsed(row.get("prompt"))) for row in table.rows)
        if talks * 2 > len(table.rows):
            reason = Text(
                en="its columns are prompt and completion, both lists of messages",
                ko="prompt와 completion 열에 메시지 목록이 있습니다",
            )
            return Guess(sure=0.985, columns=columns, reason=reason)
        completion = profiles(table)["completion"]
        return Guess(
            # Completions that repeat are labels in disguise.
            sure=0.5 if completion.repeats else 0.96,
            columns=columns,
            reason=Text(en="its columns are prompt and completion", ko="열 이름이 prompt와 completion입니다"),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        question = parsed(fields.get("prompt"))
        if is_conversation(question):
            return _of_messages(question, fields)
        prompt, completion = text_of(fields, "prompt"), text_of(fields, "completion")
        if isinstance(prompt, Text):
            return prompt
        return completion if isinstance(completion, Text) else single_turn(prompt, completion, fields.get("system"))

    def write(self, pair: Pair, columns: Columns) -> Json:
        *asked, answer = turns_of_pair(pair)
        plain = [turn["role"] for turn in asked] in (["user"], ["system", "user"]) and "tools" not in pair.input
        if not plain or "tool_calls" in answer or is_conversation(parsed(asked[-1]["content"])):
            tools = {"tools": pair.input["tools"]} if pair.input.get("tools") else {}
            return {"prompt": asked, "completion": [answer], **tools}
        before = {"system": asked[0]["content"]} if len(asked) == 2 else {}
        return {**before, "prompt": asked[-1]["content"], "completion": answer["content"]}


def _of_messages(question: list[Json], fields: Json) -> Pair | Text:
    answer = parsed(fields.get("completion"))
    if not is_conversation(answer):
        said = text_of(fields, "completion")
        if isinstance(said, Text):
            return said
        answer = [{"role": "assistant", "content": said}]
    pair = pair_of_turns([*question, *answer])
    if isinstance(pair, Text):
        return pair
    input = with_tools(pair.input, fields)
    return input if isinstance(input, Text) else Pair(input=input, target=pair.target)


plugin = PromptCompletion()
