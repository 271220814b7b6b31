"""Instructions that the base model writes itself from a few training examples (Zhou et al. 2023, "Large Language Models Are
Human-Level Prompt Engineers").

In: the loaded base, training examples. Out: up to two instructions; none where it writes nothing that could be one. Whether they
are any good is for the validation rows to say.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sonmat.core.protocols import Task
from sonmat.core.values import Device, Example, Spec
from sonmat.inference.generation import generate_each
from sonmat.inference.predictor import computing
from sonmat.inference.rendering import render_prompt
from sonmat.prompting.prompt import text_of
from sonmat.prompting.wordings import language_of_rows

if TYPE_CHECKING:
    from torch import nn

DRAWS: Final = 2
_EXAMPLES = 6
_MOST_LETTERS = 200
_FEWEST_TOLD, _MOST_TOLD = 20, 400
_NEW_TOKENS = 80

_ASKED = {
    ("en", True): (
        "Here are texts and the labels that an expert gave them.\n\n{examples}\n\nWrite one sentence that tells a colleague how to "
        "choose the label of another text. Write the sentence only."
    ),
    ("en", False): (
        "Here are questions and how an expert answered them.\n\n{examples}\n\nWrite one sentence that tells an assistant how to "
        "answer such questions in the same way. Write the sentence only."
    ),
    ("ko", True): (
        "다음은 글과, 전문가가 붙인 라벨입니다.\n\n{examples}\n\n다른 글의 라벨을 고르는 방법을 동료에게 알려 주는 한 문장을 쓰세요. "
        "문장만 쓰세요."
    ),
    ("ko", False): (
        "다음은 질문과, 전문가가 한 답입니다.\n\n{examples}\n\n이런 질문에 같은 방식으로 답하도록 알려 주는 한 문장을 쓰세요. "
        "문장만 쓰세요."
    ),
}


def own_instructions(
    model: nn.Module,
    tokenizer: Any,
    task: Task,
    spec: Spec,
    train: Sequence[Example],
    seed: int,
    device: Device,
) -> list[str]:
    """What the base writes when it is shown examples and asked for an instruction; the same for one seed."""
    if not train:
        return []
    labelled = bool(spec.labels) and not task.generates
    asked = _ASKED[language_of_rows(train), labelled]
    prompts = []
    for draw in range(DRAWS):
        shown = random.Random(f"{seed} {draw}").sample(list(train), min(_EXAMPLES, len(train)))
        told = asked.format(examples="\n\n".join(_pair(example) for example in shown))
        ids = render_prompt([{"role": "user", "content": told}], tokenizer)
        prompts.append(ids[-max(spec.max_tokens - _NEW_TOKENS, spec.max_tokens // 2) :])
    room = min(_NEW_TOKENS, max(1, spec.max_tokens // 2))
    written = dict(generate_each(model, tokenizer, prompts, room, computing=lambda: computing(device)))
    found = [_instruction(written[draw].text) for draw in range(DRAWS)]
    return list(dict.fromkeys(text for text in found if text))


def _pair(example: Example) -> str:
    answer = example.target.get("label", example.target.get("text", ""))
    return f"{text_of(example.input)[:_MOST_LETTERS]}\n→ {str(answer)[:_MOST_LETTERS]}"


def _instruction(text: str) -> str | None:
    """The first paragraph without quotes, if it is as long as an instruction."""
    paragraph = text.strip().split("\n\n")[0].strip().strip("\"'“”‘’").strip()
    return paragraph if _FEWEST_TOLD <= len(paragraph) <= _MOST_TOLD else None
