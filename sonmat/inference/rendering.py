"""Turns chat messages into token ids, for training and serving alike, with the tokens that a loss may count.

The text that the model's own template renders is cut where each assistant turn begins and ends, and the pieces are
tokenised one by one. So what serving sends as a prompt is, token for token, the beginning of what training saw, whatever
the tokeniser would have merged across the cut. Beginning-of-text tokens come from the template alone and are never doubled.
Tools, calls of them and their results go through the template too; one that leaves them out is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sonmat.core.errors import DataError, ModelError
from sonmat.core.text import Text
from sonmat.reading.tools import arguments_as_objects

Messages = Sequence[dict[str, Any]]
Tools = Sequence[dict[str, Any]] | None


@dataclass(frozen=True)
class RenderedChat:
    """`supervised[i]` tells whether token `ids[i]` is to be learnt: assistants' words and the token that ends the turn."""

    ids: list[int]
    supervised: list[bool]


@dataclass(frozen=True)
class _Piece:
    text: str
    reply: bool
    weight: float


def render_prompt(messages: Messages, tokenizer: Any, tools: Tools = None) -> list[int]:
    """Token ids of `messages`, ready for the assistant to speak.

    Raises:
        ModelError: the template leaves out tools, calls of tools or their results, or refuses the conversation.
    """
    render = _Renderer(tokenizer, tools)
    rendered = render(messages, ask=True)
    render.check(messages, rendered)
    ids: list[int] = []
    for piece in _pieces(messages, render, rendered):
        ids.extend(_tokenise(piece.text, tokenizer))
    return ids


def render_training(
    messages: Messages, tokenizer: Any, supervise: Literal["all", "last"], tools: Tools = None
) -> RenderedChat:
    """Token ids of a whole conversation; an assistant message with `weight` 0 is read but not learnt.

    Raises:
        DataError: no token would be learnt, or all would.
        ModelError: the template renders a conversation's beginning differently once it goes on, leaves out tools or calls
            of them, or refuses the conversation.
    """
    render = _Renderer(tokenizer, tools)
    rendered = render(messages, ask=False)
    render.check(messages, rendered)
    pieces = _pieces(messages, render, rendered)
    last_reply = max((index for index, piece in enumerate(pieces) if piece.reply), default=-1)
    stop = stop_token(tokenizer)
    ids: list[int] = []
    supervised: list[bool] = []
    for index, piece in enumerate(pieces):
        tokens = _tokenise(piece.text, tokenizer)
        learnt = piece.reply and piece.weight > 0 and (supervise == "all" or index == last_reply)
        # Behind the stop token a template may put a line break; it is never generated, so it is not learnt.
        end = tokens.index(stop) + 1 if stop in tokens else len(tokens)
        ids.extend(tokens)
        supervised.extend(learnt and position < end for position in range(len(tokens)))
    _check_mask(supervised)
    return RenderedChat(ids, supervised)


def stop_token(tokenizer: Any) -> int:
    """The token that ends an assistant's turn in this tokenizer's template; generation stops at it.

    Raises:
        ModelError: the template ends a turn with no special token, so that a model could not learn to stop.
    """
    opening: Messages = [{"role": "user", "content": "a"}]
    render = _Renderer(tokenizer, None)
    asked = render(opening, ask=True)
    whole = render([*opening, {"role": "assistant", "content": "b"}], ask=False)
    special = (set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)) - {tokenizer.unk_token_id}
    _, _, ending = whole[len(asked) :].partition("b")
    for token in _tokenise(ending, tokenizer):
        if token in special:
            return int(token)
    raise ModelError(
        Text(
            en="The model's chat template ends an assistant's turn without a special token.",
            ko="이 모델의 대화 템플릿은 특수 토큰 없이 응답을 끝냅니다.",
        ),
        Text(
            en="A model trained so would never stop speaking. Choose a base with a template such as ChatML.",
            ko="이대로 학습하면 모델이 말을 멈추지 못합니다. ChatML 같은 템플릿이 있는 모델을 고르세요.",
        ),
    )


def _pieces(messages: Messages, render: _Renderer, rendered: str) -> list[_Piece]:
    """The rendered text cut at the beginning and the end of every assistant turn."""
    pieces: list[_Piece] = []
    at = 0
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = render(messages[:index], ask=True)
        through = render(messages[: index + 1], ask=False)
        if not (through.startswith(before) and rendered.startswith(through)):
            raise _unstable_template()
        pieces.append(_Piece(rendered[at : len(before)], reply=False, weight=0))
        pieces.append(_Piece(rendered[len(before) : len(through)], reply=True, weight=float(message.get("weight", 1))))
        at = len(through)
    if at < len(rendered):
        pieces.append(_Piece(rendered[at:], reply=False, weight=0))
    return pieces


class _Renderer:
    """The tokenizer's chat template with the tools of one conversation."""

    def __init__(self, tokenizer: Any, tools: Tools) -> None:
        if not tokenizer.chat_template:
            raise ModelError(
                Text(en="The base model has no chat template.", ko="기본 모델에 대화 템플릿이 없습니다."),
                Text(
                    en="Choose a chat model, or a family for which Sonmat brings a template (see docs/models.md).",
                    ko="대화 모델을 고르거나 Sonmat이 템플릿을 제공하는 계열을 쓰세요(docs/models.md).",
                ),
            )
        self._tokenizer = tokenizer
        self._tools = list(tools) if tools else None

    def __call__(self, messages: Messages, *, ask: bool) -> str:
        from jinja2.exceptions import TemplateError

        plain = [
            arguments_as_objects({key: value for key, value in message.items() if key != "weight"}) for message in messages
        ]
        offered = {"tools": self._tools} if self._tools else {}
        try:
            rendered = self._tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=ask, **offered)
        except TemplateError as error:
            raise _refused_by_template(error) from error
        return str(rendered)

    def check(self, messages: Messages, rendered: str) -> None:
        """Raises `ModelError` if a tool's name, a call or a result is not in the `rendered` conversation."""
        if not self._tools and not any("tool_calls" in turn or turn["role"] == "tool" for turn in messages):
            return
        if self._tools:
            bare = _Renderer(self._tokenizer, None)(messages, ask=False)
            names = [str(tool.get("function", tool).get("name", "")) for tool in self._tools]
            if any(rendered.count(name) <= bare.count(name) for name in names):
                raise _leaves_out(Text(en="the tools that the row offers", ko="행에 적힌 도구"))
        calls = [call["function"]["name"] for turn in messages for call in turn.get("tool_calls") or ()]
        without = [{key: value for key, value in turn.items() if key != "tool_calls"} for turn in messages]
        silent = self(without, ask=False) if calls else ""
        if any(rendered.count(name) <= silent.count(name) for name in calls):
            raise _leaves_out(Text(en="calls of tools", ko="도구 호출"))
        # Templates may escape a result as JSON or trim it; its first words stay.
        results = [turn["content"].split() for turn in messages if turn["role"] == "tool"]
        if any(words and words[0] not in rendered for words in results):
            raise _leaves_out(Text(en="what tools answered", ko="도구의 결과"))


def _tokenise(text: str, tokenizer: Any) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _check_mask(supervised: list[bool]) -> None:
    if not any(supervised):
        raise DataError(
            Text(en="no assistant word to learn from in this row", ko="이 행에는 배울 응답이 없습니다"),
            Text(
                en="Give it an assistant turn with some text and a weight above 0, or drop the row.",
                ko="내용이 있고 weight가 0보다 큰 assistant 차례를 넣거나 행을 빼세요.",
            ),
        )
    if all(supervised):
        raise ModelError(
            Text(
                en="The chat template leaves nothing but the answer: every token of the row would be learnt.",
                ko="대화 템플릿이 질문을 빼고 응답만 남겨서 행의 모든 토큰이 학습 대상이 됩니다.",
            )
        )


def _unstable_template() -> ModelError:
    return ModelError(
        Text(
            en="The model's chat template renders the beginning of a conversation differently once it goes on, "
            "so that training and serving would see different tokens.",
            ko="이 모델의 대화 템플릿은 대화가 이어지면 앞부분을 다르게 만듭니다. "
            "그러면 학습과 서비스가 서로 다른 토큰을 보게 됩니다.",
        ),
        Text(
            en="Use single-turn rows with this model, or a base whose template only appends.",
            ko="이 모델에는 한 번씩 주고받는 행을 쓰거나, 뒤에 덧붙이기만 하는 템플릿의 모델을 고르세요.",
        ),
    )


def _leaves_out(what: Text) -> ModelError:
    return ModelError(
        Text(
            en=f"The model's chat template leaves out {what.en}, so that it would be lost without a word.",
            ko=f"이 모델의 대화 템플릿은 {what.ko}을(를) 빠뜨립니다. 이대로는 그 내용이 조용히 사라집니다.",
        ),
        Text(
            en="Choose a base that was made for tools, or leave tools out of the rows.",
            ko="도구를 쓰도록 만든 기본 모델을 고르거나, 행에서 도구를 빼세요.",
        ),
    )


def _refused_by_template(error: Exception) -> ModelError:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ModelError(
        Text(
            en=f"The model's chat template refuses this conversation: {said}.",
            ko=f"이 모델의 대화 템플릿이 이 대화를 받아들이지 않습니다: {said}.",
        ),
        Text(
            en="Choose another base, or rows of system, user and assistant turns only.",
            ko="다른 기본 모델을 고르거나 system, user, assistant 차례만 있는 행을 쓰세요.",
        ),
    )
