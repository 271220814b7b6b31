"""Turns chat messages into token ids, for training and serving alike, with the tokens that a loss may count.

The text that the model's own template renders is cut where each assistant turn begins and ends, and the pieces are
tokenised one by one. So what serving sends as a prompt is, token for token, the beginning of what training saw, whatever
the tokeniser would have merged across the cut. Beginning-of-text tokens come from the template alone and are never doubled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sonmat.core.errors import DataError, ModelError
from sonmat.core.text import Text

Messages = Sequence[dict[str, Any]]


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


def render_prompt(messages: Messages, tokenizer: Any) -> list[int]:
    """Token ids of `messages`, ready for the assistant to speak."""
    rendered = _rendered_text(messages, tokenizer, ask=True)
    ids: list[int] = []
    for piece in _pieces(messages, tokenizer, rendered):
        ids.extend(_tokenise(piece.text, tokenizer))
    return ids


def render_training(messages: Messages, tokenizer: Any, supervise: Literal["all", "last"]) -> RenderedChat:
    """Token ids of a whole conversation; an assistant message with `weight` 0 is read but not learnt.

    Raises:
        DataError: no token would be learnt, or all would.
        ModelError: the template renders a conversation's beginning differently once it goes on.
    """
    rendered = _rendered_text(messages, tokenizer, ask=False)
    pieces = _pieces(messages, tokenizer, rendered)
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
    asked = _rendered_text(opening, tokenizer, ask=True)
    whole = _rendered_text([*opening, {"role": "assistant", "content": "b"}], tokenizer, ask=False)
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


def _pieces(messages: Messages, tokenizer: Any, rendered: str) -> list[_Piece]:
    """The rendered text cut at the beginning and the end of every assistant turn."""
    pieces: list[_Piece] = []
    at = 0
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _rendered_text(messages[:index], tokenizer, ask=True)
        through = _rendered_text(messages[: index + 1], tokenizer, ask=False)
        if not (through.startswith(before) and rendered.startswith(through)):
            raise _unstable_template()
        pieces.append(_Piece(rendered[at : len(before)], reply=False, weight=0))
        pieces.append(_Piece(rendered[len(before) : len(through)], reply=True, weight=float(message.get("weight", 1))))
        at = len(through)
    if at < len(rendered):
        pieces.append(_Piece(rendered[at:], reply=False, weight=0))
    return pieces


def _rendered_text(messages: Messages, tokenizer: Any, *, ask: bool) -> str:
    if not tokenizer.chat_template:
        raise ModelError(
            Text(en="The base model has no chat template.", ko="기본 모델에 대화 템플릿이 없습니다."),
            Text(
                en="Choose a chat model, or a family for which Sonmat brings a template (see docs/models.md).",
                ko="대화 모델을 고르거나 Sonmat이 템플릿을 제공하는 계열을 쓰세요(docs/models.md).",
            ),
        )
    plain = [{key: value for key, value in message.items() if key != "weight"} for message in messages]
    return str(tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=ask))


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
