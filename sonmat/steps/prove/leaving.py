"""Says what is about to leave this machine, before it does, and afterwards what should be known of the answers.

In: a loaded predictor and the questions of the test set. Out: an event with the number of questions and characters and where they go.
A predictor of this machine sends nothing, and nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sonmat.core.protocols import Emit, Predictor, Question
from sonmat.core.text import Text
from sonmat.prompting.endpoint import EndpointPredictor


def say_what_leaves(predictor: Predictor, questions: Sequence[Question], emit: Emit) -> None:
    """The event "sending", if `predictor` asks another machine."""
    if not isinstance(predictor, EndpointPredictor):
        return
    address, left = predictor.client.address, predictor.sending(questions)
    if left.requests == 0:
        said = Text(
            en=f"All answers of {address.model} are there already; nothing is sent.",
            ko=f"{address.model}의 답이 이미 모두 있어 아무것도 보내지 않습니다.",
        )
    else:
        secret = predictor.client.how_sent
        said = Text(
            en=f"Sending {left.requests:,} questions with {left.characters:,} characters to {address.url}, to {address.model}"
            f"{secret.en}.",
            ko=f"질문 {left.requests:,}개({left.characters:,}자)를 {address.url}의 {address.model}에 보냅니다{secret.ko}.",
        )
    emit("sending", said, to=address.url, model=address.model, questions=left.requests, characters=left.characters)


def remarks_of(predictor: Predictor) -> tuple[Text, ...]:
    """What should be known of what `predictor` has answered."""
    return predictor.remarks() if isinstance(predictor, EndpointPredictor) else ()
