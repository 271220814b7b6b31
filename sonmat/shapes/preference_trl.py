"""TRL's preference rows: `prompt`, `chosen` and `rejected` as texts or as messages. Without `prompt`, it is what both answers begin
with: their common turns, the transcript up to the last "Assistant:", or their common words."""

from __future__ import annotations

import re

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import parsed, text_of
from sonmat.reading.preferences import Ending, ending_of, preference_pair
from sonmat.reading.turns import is_conversation

_SPEAKER = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}


class PreferenceTrl:
    name = "preference_trl"
    title = Text(en="preference pairs (TRL)", ko="선호 쌍(TRL)")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        if not {"chosen", "rejected"} <= set(table.columns):
            return None
        asked = "prompt" if "prompt" in table.columns else None
        if wanted.input not in (None, asked) or wanted.target not in (None, "chosen"):
            return None
        names = ", ".join(name for name in (asked, "chosen", "rejected") if name)
        return Guess(
            sure=0.99,
            columns=Columns(input=asked, target="chosen"),
            reason=Text(
                en=f"its columns are TRL's for preferences: {names}", ko=f"열이 TRL 선호 데이터의 것입니다: {names}"
            ),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        chosen, rejected = ending_of(fields, "chosen"), ending_of(fields, "rejected")
        if isinstance(chosen, Text):
            return chosen
        if isinstance(rejected, Text):
            return rejected
        if chosen.before != rejected.before:
            return Text(
                en="has answers to different conversations in 'chosen' and 'rejected'",
                ko="'chosen'과 'rejected'의 앞 대화가 서로 다릅니다",
            )
        if fields.get("prompt") is None:
            return _implicit(chosen, rejected, fields)
        prompt = parsed(fields["prompt"])
        if is_conversation(prompt):
            before = [] if chosen.before[: len(prompt)] == prompt else prompt
            return preference_pair([*before, *chosen.before], chosen.answer, rejected.answer, fields)
        asked = text_of(fields, "prompt")
        if isinstance(asked, Text):
            return asked
        # Some data sets repeat the prompt as the first turn of each answer.
        turns = chosen.before or [{"role": "user", "content": asked}]
        if chosen.before and asked not in [turn["content"] for turn in chosen.before]:
            return Text(en="has a prompt that its answers do not answer", ko="prompt와 답의 앞 대화가 서로 다릅니다")
        return preference_pair(turns, chosen.answer, rejected.answer, fields)

    def write(self, pair: Pair, columns: Columns) -> Json:
        tools = {"tools": pair.input["tools"]} if pair.input.get("tools") else {}
        return {
            "prompt": pair.input["messages"],
            "chosen": [{"role": "assistant", "content": pair.target["chosen"]}],
            "rejected": [{"role": "assistant", "content": pair.target["rejected"]}],
            **tools,
        }


def _implicit(chosen: Ending, rejected: Ending, fields: Json) -> Pair | Text:
    if chosen.before:
        return preference_pair(chosen.before, chosen.answer, rejected.answer, fields)
    shared = _beginning(chosen.answer, rejected.answer)
    cut = [found.end() for found in _SPEAKER.finditer(shared) if found[1] == "Assistant"][-1:]
    if cut:
        prompt = [found for found in _transcript(shared[: cut[0]]) if found["content"]]
        return preference_pair(prompt, chosen.answer[cut[0] :].strip(), rejected.answer[cut[0] :].strip(), fields)
    # As TRL does it: the words that both begin with, up to the last space.
    at = shared.rfind(" ")
    if at <= 0:
        return Text(
            en="has no prompt, and its answers have no beginning in common",
            ko="prompt가 없고 두 답의 앞부분도 서로 다릅니다",
        )
    asked = [{"role": "user", "content": shared[:at]}]
    return preference_pair(asked, chosen.answer[at:].strip(), rejected.answer[at:].strip(), fields)


def _beginning(one: str, other: str) -> str:
    """What both texts begin with."""
    same = next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        len(min(one, other, key=len)),
    )
    return one[:same]


def _transcript(text: str) -> list[Json]:
    """Turns of "\\n\\nHuman: ... \\n\\nAssistant: ..."."""
    parts = _SPEAKER.split(text)
    return [
        {"role": _ROLES[speaker], "content": said.strip()} for speaker, said in zip(parts[1::2], parts[2::2], strict=True)
    ]


plugin = PreferenceTrl()
