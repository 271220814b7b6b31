"""Instructions and formats to try, made from the task and the training rows: what somebody who asks with care would try.

In: the task's spec, training examples, a user's own instructions. Out: prompts of different wordings, the task's own words first,
then the user's. It asks no model: instructions in a model's own words are made in `own_words`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from sonmat.core.protocols import Task
from sonmat.core.values import Example, Spec
from sonmat.prompting.nearest import typical_places
from sonmat.prompting.prompt import Prompt, Shot, can_be_shown, shot_of, text_of
from sonmat.reading.language import languages_of

MOST_TYPICAL_LETTERS = 120
"""Of a text that is shown beside its label."""
_TEXTS_LOOKED_AT = 2_000

_KOREAN = {"text_word": "글", "answer_word": "라벨"}


def wordings(
    task: Task, spec: Spec, train: Sequence[Example], instructions: Sequence[str], own: Sequence[str], most: int
) -> list[Prompt]:
    """Up to `most` prompts, the task's own words first; every one of the user's `instructions` is among them.

    Args:
        own: instructions that the base has written.
    """
    labelled = bool(spec.labels) and not task.generates
    language = language_of_rows(train)
    users = [_with_instruction(text, labelled, language) for text in instructions]
    owns = [_with_instruction(text, labelled, language) for text in own]
    made = _for_labels(spec, train, language) if labelled else _for_chat(train, language)
    found = [Prompt(), *users]
    for prompt in (*_in_turn(owns, made),):
        if len(found) < most and prompt not in found:
            found.append(prompt)
    return found


def language_of_rows(train: Sequence[Example]) -> str:
    """'ko' or 'en': the language that instructions are written in first."""
    spoken = languages_of(text_of(example.input) for example in train[:_TEXTS_LOOKED_AT])
    return "ko" if "ko" in spoken else "en"


def _with_instruction(text: str, labelled: bool, language: str) -> Prompt:
    words = _KOREAN if language == "ko" and labelled else {}
    return Prompt(instruction=text, place="first" if labelled else "system", **words)


def _in_turn(first: Sequence[Prompt], second: Sequence[Prompt]) -> list[Prompt]:
    """One of each in turn, so that a small budget still sees both kinds."""
    mixed: list[Prompt] = []
    for place in range(max(len(first), len(second))):
        mixed += [*second[place : place + 1], *first[place : place + 1]]
    return mixed


def _for_labels(spec: Spec, train: Sequence[Example], language: str) -> list[Prompt]:
    typical = _typical_texts(spec, train)
    english = [
        Prompt(instruction="Which of these labels fits the text best? Answer with the label alone.", place="last"),
        Prompt(
            instruction="Choose the label that fits the text. Answer with the label and nothing else.",
            labels="examples",
            typical=typical,
        ),
        Prompt(instruction="You label texts. Answer every text with exactly one of these labels.", place="system"),
        Prompt(
            instruction="Read the text and name its category. The categories are: {labels}.",
            labels="commas",
            answer_word="Category",
        ),
        Prompt(
            instruction="The text belongs to one of these: {labels}. To which one?",
            place="last",
            labels="commas",
            answer_word="Answer",
        ),
        Prompt(
            instruction="You label texts. Each label with a text that is typical of it:",
            place="system",
            labels="examples",
            typical=typical,
        ),
    ]
    if language != "ko":
        return english
    korean = [
        Prompt(instruction="다음 중 이 글에 맞는 라벨은 무엇인가요? 라벨만 답하세요.", place="last", **_KOREAN),
        Prompt(
            instruction="글에 맞는 라벨을 하나 골라 그대로 쓰세요. 라벨마다 대표적인 글을 함께 적었습니다.",
            labels="examples",
            typical=typical,
            **_KOREAN,
        ),
        Prompt(instruction="아래 라벨 가운데 글에 맞는 것 하나만 골라 그대로 쓰세요.", place="first", **_KOREAN),
        Prompt(
            instruction="글을 읽고 알맞은 분류를 고르세요. 분류: {labels}",
            labels="commas",
            text_word="글",
            answer_word="분류",
        ),
        Prompt(instruction="당신은 글을 분류합니다. 글마다 아래 라벨 가운데 하나로만 답하세요.", place="system", **_KOREAN),
    ]
    return _in_turn(english, korean)


def _for_chat(train: Sequence[Example], language: str) -> list[Prompt]:
    shots = _typical_shots(train)
    letters = [len(str(example.target.get("text", ""))) for example in train]
    words = [len(str(example.target.get("text", "")).split()) for example in train]
    length, count = int(statistics.median(letters or [100])), int(statistics.median(words or [20]))
    english = [
        f"Answer the user directly and correctly, in about {count} words.",
        "Answer in the manner of this example."
        + "".join(f"\n\nQuestion: {text_of(shot.input)}\nAnswer: {shot.target.get('text', '')}" for shot in shots[:1]),
        "You are an expert on what the user asks. Give a short, exact answer and nothing else.",
    ]
    korean = [
        f"사용자의 질문에 한국어로 바로, 정확하게, {length}자 안팎으로 답하세요.",
        "다음 예시와 같은 방식으로 답하세요."
        + "".join(f"\n\n질문: {text_of(shot.input)}\n답: {shot.target.get('text', '')}" for shot in shots[:1]),
        "당신은 이 분야의 전문가입니다. 짧고 정확하게, 답만 말하세요.",
    ]
    told = [Prompt(instruction=text, place="system") for text in english]
    if language == "ko":
        told = _in_turn([Prompt(instruction=text, place="system") for text in english], _systems(korean))
    shown = [Prompt(shots=shots), told[0].model_copy(update={"shots": shots})] if shots else []
    return _in_turn(told, shown)


def _systems(texts: Sequence[str]) -> list[Prompt]:
    return [Prompt(instruction=text, place="system") for text in texts]


def _typical_texts(spec: Spec, train: Sequence[Example]) -> dict[str, str]:
    """Of every label the text that is most like the others of that label, on one line."""
    found: dict[str, str] = {}
    for label in spec.labels:
        texts = [text_of(example.input) for example in train if example.target.get("label") == label][:_TEXTS_LOOKED_AT]
        # A long text would push the question out.
        short = [text for text in texts if len(text) <= MOST_TYPICAL_LETTERS] or texts
        if short:
            line = " ".join(short[typical_places(short, 1)[0]].split())
            found[label] = line if len(line) <= MOST_TYPICAL_LETTERS else f"{line[: MOST_TYPICAL_LETTERS - 1]}…"
    return found


def _typical_shots(train: Sequence[Example]) -> tuple[Shot, ...]:
    """Two examples that are most like the others."""
    usable = [example for example in train if can_be_shown(example)][:_TEXTS_LOOKED_AT]
    places = typical_places([text_of(example.input) for example in usable], 2)
    return tuple(shot_of(usable[place]) for place in places)
