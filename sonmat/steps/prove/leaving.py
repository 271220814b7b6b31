"""Says what is about to leave this machine, before it does, and afterwards what should be known of the answers; and what will not.

In: a loaded predictor and the questions of the test set. Out: an event with the number of questions and characters and where they go.
A predictor of this machine sends nothing, and nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sonmat.core.probing import Setting
from sonmat.core.protocols import Emit, Predictor, Question
from sonmat.core.text import Text
from sonmat.core.values import Candidate
from sonmat.inference.endpoint.address import read_address
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


def say_what_is_unused(setting: Setting, candidates: Sequence[Candidate], emit: Emit) -> None:
    """A judge or a price of the recipe that can have no effect is said, not ignored."""
    recipe, task = setting.recipe, setting.task
    if recipe.judge is not None and not task.generates:
        emit(
            "unused",
            Text(
                en=f"The judge has no effect: {task.title.en} writes no answers that could be compared, and nothing is sent to it.",
                ko=f"심판을 쓰지 않습니다. {task.title.ko}에는 견줄 글이 없어 심판에게 아무것도 보내지 않습니다.",
            ),
        )
    asked = {str(each.settings.get("model")) for each in candidates if each.elsewhere}
    known = asked | ({read_address(recipe.judge).model} if recipe.judge is not None else set())
    idle = [name for name in recipe.token_prices if name not in known]
    if idle:
        emit(
            "unused",
            Text(
                en=f"No model that is asked elsewhere is called {', '.join(idle)}, so that price has no effect.",
                ko=f"외부 모델 가운데 {', '.join(idle)}이(가) 없어 그 요금은 쓰이지 않습니다.",
            ),
        )
