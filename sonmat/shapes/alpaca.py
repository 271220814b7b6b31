"""Alpaca's instruction rows: instruction, output, and perhaps input, system and history (earlier question-answer pairs)."""

from __future__ import annotations

from typing import Any

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import parsed, text_of
from sonmat.reading.turns import pair_of_turns, refuse_tools, refuse_weights


class Alpaca:
    name = "alpaca"
    title = Text(en="instruction, input and output (Alpaca)", ko="지시, 입력, 출력(Alpaca)")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        if wanted.input is not None or wanted.target is not None or not {"instruction", "output"} <= set(table.columns):
            return None
        used = [name for name in ("system", "history", "instruction", "input", "output") if name in table.columns]
        names = ", ".join(used)
        return Guess(
            sure=0.97,
            columns=Columns(input="instruction", target="output"),
            reason=Text(en=f"its columns are Alpaca's: {names}", ko=f"열이 Alpaca의 것입니다: {names}"),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        instruction, output = text_of(fields, "instruction"), text_of(fields, "output")
        more = text_of({"input": fields.get("input") or ""}, "input")
        for part in (instruction, more, output):
            if isinstance(part, Text):
                return part
        question = f"{instruction}\n\n{more}" if more else instruction
        earlier = _earlier(parsed(fields.get("history")) or [])
        if isinstance(earlier, Text):
            return earlier
        system = fields.get("system")
        before = [{"role": "system", "content": system}] if system else []
        asked = {"role": "user", "content": question}
        return pair_of_turns([*before, *earlier, asked, {"role": "assistant", "content": output}])

    def write(self, pair: Pair, columns: Columns) -> Json:
        refuse_tools(pair, self.title)
        refuse_weights(pair, self.title)
        messages: list[Json] = pair.input["messages"]
        row: Json = {"instruction": messages[-1]["content"], "input": "", "output": pair.target["text"]}
        spoken = messages[:-1]
        if spoken and spoken[0]["role"] == "system":
            row["system"] = spoken[0]["content"]
            spoken = spoken[1:]
        if spoken:
            contents = [turn["content"] for turn in spoken]
            row["history"] = [list(turns) for turns in zip(contents[::2], contents[1::2], strict=True)]
        return row


def _earlier(history: Any) -> list[Json] | Text:
    whole = isinstance(history, list) and all(
        isinstance(turns, list) and len(turns) == 2 and all(isinstance(said, str) for said in turns) for turns in history
    )
    if not whole:
        return Text(
            en="has a history that is no list of [question, answer] pairs", ko="history가 [질문, 답] 쌍의 목록이 아닙니다"
        )
    roles = ("user", "assistant")
    return [{"role": role, "content": said} for turns in history for role, said in zip(roles, turns, strict=True)]


plugin = Alpaca()
