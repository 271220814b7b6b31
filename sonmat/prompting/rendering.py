"""Prompts as token ids that fit into a base's context, for templates with and without a system role.

In: a `Prompt`, a question, shots. Out: token ids, or the chat input whose rendering fits. What does not fit loses its oldest shots
first, then, where the question is a text to classify, the end of that text, else the instruction. The question itself is never
left out: what is then still too long is cut as the task cuts every row, from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sonmat.core.protocols import Task
from sonmat.core.values import Json, Spec
from sonmat.inference.rendering import render_prompt
from sonmat.prompting.prompt import Message, Prompt, Shot, messages_of

_PROBE = "sonmat system role"
_MOST_CUTS = 8
"""Times that a text is shortened: each takes off at least what is too long by the mean length of its tokens."""


@dataclass(frozen=True)
class Renderer:
    """Renders the prompts of one task for one base.

    Args:
        room: tokens that an answer may take; prompt and answer together are at most `spec.max_tokens` long.
    """

    task: Task
    spec: Spec
    tokenizer: Any
    room: int

    @property
    def longest(self) -> int:
        """Most tokens of a prompt: at least half of a row, however long an answer may be."""
        return max(self.spec.max_tokens - self.room, self.spec.max_tokens // 2)

    @cached_property
    def takes_system(self) -> bool:
        """Whether the base's template shows what a system message says."""
        return takes_system(self.tokenizer)

    def ids(self, prompt: Prompt, input: Json, shots: Sequence[Shot] = ()) -> list[int]:
        """Token ids of the prompt for a model that answers with a label."""
        kept, ids = self._with_shots(prompt, input, shots)
        if len(ids) <= self.longest:
            return ids
        if isinstance(input.get("text"), str):
            ids = self._shortened(prompt, input, kept, ids)
        # The end of a prompt asks the question.
        return ids[-self.longest :]

    def chat_input(self, prompt: Prompt, input: Json, shots: Sequence[Shot] = ()) -> Json:
        """The chat input that asks `input` as the prompt does; the question as it is, if nothing more fits."""
        kept, ids = self._with_shots(prompt, input, shots)
        if len(ids) > self.longest:
            return {**input, "messages": self._messages(Prompt(), input, ())}
        return {**input, "messages": self._messages(prompt, input, kept)}

    def shots_that_fit(self, prompt: Prompt, input: Json, shots: Sequence[Shot]) -> int:
        return len(self._with_shots(prompt, input, shots)[0])

    def _with_shots(self, prompt: Prompt, input: Json, shots: Sequence[Shot]) -> tuple[Sequence[Shot], list[int]]:
        """The newest of `shots` that fit, and the token ids with them."""
        ids = self._rendered(prompt, input, shots)
        while shots and len(ids) > self.longest:
            shots = shots[1:]
            ids = self._rendered(prompt, input, shots)
        return shots, ids

    def _shortened(self, prompt: Prompt, input: Json, shots: Sequence[Shot], ids: list[int]) -> list[int]:
        """The token ids with as much of the end of the text left out as must be."""
        text = str(input["text"])
        tokens = max(1, len(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]))
        for _ in range(_MOST_CUTS):
            too_many = len(ids) - self.longest
            if too_many <= 0 or len(text) < 2:
                break
            kept = max(0.0, 1 - (too_many + 1) / tokens)
            text = text[: max(1, min(int(kept * len(text)), len(text) - 1))]
            tokens = max(1, int(kept * tokens))
            ids = self._rendered(prompt, {**input, "text": text}, shots)
        return ids

    def _rendered(self, prompt: Prompt, input: Json, shots: Sequence[Shot]) -> list[int]:
        return render_prompt(self._messages(prompt, input, shots), self.tokenizer, input.get("tools"))

    def _messages(self, prompt: Prompt, input: Json, shots: Sequence[Shot]) -> list[Message]:
        return fit_to_roles(messages_of(prompt, self.task, input, shots, self.spec), lambda: self.takes_system)


def takes_system(tokenizer: Any) -> bool:
    """Whether the chat template has a system role: some refuse it, some leave it out without a word."""
    from jinja2.exceptions import TemplateError

    asked = [{"role": "system", "content": _PROBE}, {"role": "user", "content": "a"}]
    try:
        rendered = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    except TemplateError:
        return False
    return _PROBE in str(rendered)


def fit_to_roles(messages: list[Message], takes_system: Callable[[], bool]) -> list[Message]:
    """`messages` with what the system is told at the head of the first user's words, where there is no system role."""
    if not any(message["role"] == "system" for message in messages) or takes_system():
        return messages
    told = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    rest = [message for message in messages if message["role"] != "system"]
    at = next((at for at, message in enumerate(rest) if message["role"] == "user"), None)
    if at is None:
        return [{"role": "user", "content": told}, *rest]
    return [*rest[:at], {**rest[at], "content": f"{told}\n\n{rest[at]['content']}"}, *rest[at + 1 :]]
