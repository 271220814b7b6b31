"""How a base model is asked: a value that can be saved, compared and put into words.

In: a task's input and, if any, answered examples. Out: chat messages. Without an instruction they are the task's own
(`Task.ask`), which is what zero-shot says. It knows of no model and no tokenizer: what fits into a context is in `rendering`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from sonmat.core.protocols import Task
from sonmat.core.values import Example, Json, Source, Spec, Value

PROMPT_FILE = "prompt.json"
Message = dict[str, Any]
"""A chat message; those of a user's own rows may hold calls of tools and weights beside role and content."""

Answering = Literal["written", "likeliest", "calibrated"]
"""How a label is read off: from the words that the model writes; as the label whose words are likeliest to be the whole answer; or
as the label whose share is highest beside its mean share over unlabelled texts, which takes off a model's taste for some words
(batch calibration, Zhou et al. 2024)."""


class Shot(Value):
    """An answered example to show."""

    input: Json
    target: Json


class Prompt(Value):
    """Everything about a prompt but the question."""

    instruction: str | None = None
    """What the model is told to do; None for the task's own words. '{labels}' stands for the labels."""
    place: Literal["system", "first", "last"] = "first"
    """Where the instruction stands: as the system message, before the first question, or behind each."""
    labels: Literal["lines", "commas", "examples"] = "lines"
    """How labels are listed: one a line, in one line, or one a line with a typical text."""
    typical: dict[str, str] = Field(default_factory=dict)
    """A typical text of each label, for `labels='examples'`."""
    text_word: str = "Text"
    answer_word: str = "Label"
    answer: Answering = "written"
    mean_shares: dict[str, float] = Field(default_factory=dict)
    """Of every label over unlabelled texts, for `answer='calibrated'`."""
    shots: tuple[Shot, ...] = ()
    """Shown before every question."""
    nearest: int = Field(0, ge=0)
    """How many of the training examples that are nearest to the question are shown before it."""

    @property
    def wording(self) -> Prompt:
        """The prompt without how its answer is read: prompts of one wording ask the same."""
        return self.model_copy(update={"answer": "written", "mean_shares": {}})


def messages_of(prompt: Prompt, task: Task, input: Json, shots: Sequence[Shot], spec: Spec) -> list[Message]:
    """`input` as `prompt` asks it behind `shots`, oldest first.

    Roles may be such as a base's template does not take: see `rendering.fit_to_roles`.
    """
    if prompt.instruction is None:
        return list(task.ask(input, [_example(shot) for shot in shots], spec) or [])
    if spec.labels and "text" in input:
        return _labelled(prompt, prompt.instruction, input, shots, spec)
    return _instructed(prompt, prompt.instruction, list(task.ask(input, [_example(shot) for shot in shots], spec) or []))


def listed(prompt: Prompt, spec: Spec) -> str:
    """The labels as `prompt` lists them."""
    if prompt.labels == "commas":
        return ", ".join(spec.labels)
    if prompt.labels == "lines":
        return "\n".join(f"- {label}" for label in spec.labels)
    shown = [(label, prompt.typical.get(label)) for label in spec.labels]
    return "\n".join(f"- {label}" if text is None else f"- {label} ({text})" for label, text in shown)


def text_of(input: Json) -> str:
    """What an input says, in one string: its text, or the words of its last user."""
    if isinstance(input.get("text"), str):
        return str(input["text"])
    said = [str(message["content"]) for message in input.get("messages", ()) if message.get("role") == "user"]
    return said[-1] if said else " ".join(value for value in input.values() if isinstance(value, str))


def can_be_shown(example: Example) -> bool:
    """Whether an example can be a shot: one with tools would need their descriptions, which belong to its own question."""
    messages = example.input.get("messages", ())
    with_tools = bool(example.input.get("tools") or example.target.get("tool_calls"))
    return not with_tools and all(message.get("role") != "tool" and "tool_calls" not in message for message in messages)


def shot_of(example: Example) -> Shot:
    """The example as a shot. What a row tells the system is told once, by the question's own row."""
    if "messages" not in example.input:
        return Shot(input=example.input, target=example.target)
    turns = [turn for turn in example.input["messages"] if turn["role"] != "system"]
    return Shot(input={"messages": turns}, target=example.target)


def _labelled(prompt: Prompt, instruction: str, input: Json, shots: Sequence[Shot], spec: Spec) -> list[Message]:
    labels = listed(prompt, spec)
    told = instruction.replace("{labels}", labels) if "{labels}" in instruction else f"{instruction}\n{labels}"

    def turn(text: str) -> Message:
        asked = f"{prompt.text_word}: {text}\n"
        behind = f"\n{told}\n" if prompt.place == "last" else ""
        return {"role": "user", "content": f"{asked}{behind}{prompt.answer_word}:"}

    messages: list[Message] = []
    for shot in shots:
        messages += [turn(shot.input["text"]), {"role": "assistant", "content": shot.target["label"]}]
    messages.append(turn(input["text"]))
    if prompt.place == "first":
        messages[0] = {"role": "user", "content": f"{told}\n\n{messages[0]['content']}"}
    return [{"role": "system", "content": told}, *messages] if prompt.place == "system" else messages


def _instructed(prompt: Prompt, instruction: str, messages: list[Message]) -> list[Message]:
    if prompt.place == "system":
        own = messages[0]["content"] if messages and messages[0]["role"] == "system" else None
        told = instruction if own is None else f"{instruction}\n\n{own}"
        return [{"role": "system", "content": told}, *messages[0 if own is None else 1 :]]
    users = [at for at, message in enumerate(messages) if message["role"] == "user"]
    if not users:
        return messages
    at = users[0] if prompt.place == "first" else users[-1]
    said = messages[at]["content"]
    content = f"{instruction}\n\n{said}" if prompt.place == "first" else f"{said}\n\n{instruction}"
    return [*messages[:at], {**messages[at], "content": content}, *messages[at + 1 :]]


def _example(shot: Shot) -> Example:
    return Example(id="", input=shot.input, target=shot.target, source=Source(file="", row=0))
