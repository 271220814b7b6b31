"""The general panel put to a model, and what its answers come to.

In: a predictor, items. Out: one row an item: the nats of every choice, or what was written; and from a row whether it is right. Some
items are asked again behind another opening line that means the same, which shows how much a model moves by nothing. It compares no
arms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sonmat.core.protocols import Predictor, Question, Task
from sonmat.core.values import Json
from sonmat.probing.answers import asked, written
from sonmat.probing.panel import Item, Language

REWORDED: Final = "reworded"
"""Field of a row that holds the answer behind the other opening."""
OPENINGS: Final[dict[Language, str]] = {"en": "Please answer the following.\n\n", "ko": "다음에 답해 주세요.\n\n"}
_CHOICE: Final = "#"


def answer_items(predictor: Predictor, task: Task, items: Sequence[Item], again: Sequence[Item] = ()) -> Iterator[Json]:
    """A row an item, as soon as it is known: {"row", "nats": of each choice} or {"row", "text"}.

    Args:
        again: of the items those to ask behind another opening as well; their rows have the same fields once more in `REWORDED`.
    """
    reworded = {str(row.pop("row")): row for row in _answered(predictor, task, again, OPENINGS)}
    for row in _answered(predictor, task, items, dict.fromkeys(OPENINGS, "")):
        yield {**row, REWORDED: reworded[row["row"]]} if row["row"] in reworded else row


def _answered(predictor: Predictor, task: Task, items: Sequence[Item], openings: Mapping[Language, str]) -> Iterator[Json]:
    questions = [
        question for item in items for question in _questions(item, asked(task, openings[item.language] + item.prompt))
    ]
    nats: dict[str, dict[int, float | None]] = {}
    choices = {item.id: len(item.choices) for item in items}
    for prediction in predictor.answer(questions):
        id, _, place = prediction.row.partition(_CHOICE)
        if not place:
            yield {"row": id, "text": written(prediction.output)}
            continue
        known = nats.setdefault(id, {})
        known[int(place)] = prediction.reference_nll
        if len(known) == choices[id]:
            yield {"row": id, "nats": [known[at] for at in range(choices[id])]}


def is_right(item: Item, row: Json) -> bool:
    """Whether the right choice has the least nats per byte of its text, or what was written keeps the rule.

    Per byte, so that long choices are not at a disadvantage whatever the tokenizer (the `acc_norm` of lm-evaluation-harness, Gao et
    al. 2021). Without a likelihood an item is wrong; so it is where another choice is as likely.
    """
    if item.rule is not None:
        return item.rule.kept_by(str(row["text"]))
    if any(nats is None for nats in row["nats"]):
        return False
    per_byte = [nats / len(choice.encode()) for nats, choice in zip(row["nats"], item.choices, strict=True)]
    return all(per_byte[item.right] < other for place, other in enumerate(per_byte) if place != item.right)


def _questions(item: Item, input: Json) -> list[Question]:
    if item.form == "written":
        return [Question(item.id, input, max_new_tokens=item.most_tokens)]
    return [
        Question(f"{item.id}{_CHOICE}{place}", input, {"text": choice}, write=False)
        for place, choice in enumerate(item.choices)
    ]
