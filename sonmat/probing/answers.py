"""What probes of written answers need of a run: which tasks write, how to put a question of one's own, and what an arm wrote.

In: a setting and what was seen of an arm. Out: questions and texts. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from sonmat.core.probing import Seen, Setting
from sonmat.core.protocols import No, Task, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Json
from sonmat.reading.rows import texts_of

PanelLanguage = Literal["ko", "en"]

_WRITES_NO_TEXT: Final = No(Text(en="its answers are no written text.", ko="글로 쓴 답이 아닙니다."))
_NO_MODEL: Final = No(Text(en="there is no model behind it.", ko="모델이 아닙니다."))


def writes_text(setting: Setting, candidate: Candidate, *, model: bool = False) -> Yes | No:
    """Whether the arm answers with text; with `model`, also whether a model writes it.

    Args:
        model: a floor (the commonest answer and the like) counts as No.
    """
    if not setting.task.generates or "text" not in setting.task.Target.model_fields:
        return _WRITES_NO_TEXT
    return _NO_MODEL if model and candidate.role == "floor" else Yes()


def has_weights_of_another(candidate: Candidate) -> bool:
    """Whether the arm asks a model that another arm asks more plainly: with examples, passages or another instruction before the
    question. What lies in the weights alone is then that arm's."""
    return candidate.over is not None or (candidate.role == "base" and candidate.learns)


def can_be_asked(task: Task) -> bool:
    """Whether questions that are not the user's can be put to models of the task."""
    return task.generates and ("messages" in task.Input.model_fields or "text" in task.Input.model_fields)


def asked(task: Task, question: str) -> Json:
    """`question` as an input of the task."""
    if "messages" in task.Input.model_fields:
        return {"messages": [{"role": "user", "content": question}]}
    return {"text": question}


def panel_languages(setting: Setting) -> tuple[PanelLanguage, ...]:
    """Of Korean and English those that the data is in; both where it is in neither."""
    languages: tuple[PanelLanguage, ...] = ("ko", "en")
    return tuple(language for language in languages if language in setting.languages) or languages


def answer_texts(seen: Seen) -> dict[str, str]:
    """What the arm wrote to the test set, by row; '' where it wrote nothing."""
    return {row: written(prediction.output) for row, prediction in seen.answers.items()}


def written(output: Json) -> str:
    """The text of an output or target."""
    return str(output.get("text") or "")


def bytes_of(value: Json) -> int:
    """Of all texts in an input or target, in UTF-8."""
    return sum(len(text.encode()) for text in texts_of(value))


def groups_of(examples: Sequence[Example]) -> Mapping[str, str | None]:
    """What rows of the user's data belong together, by row."""
    return {example.id: example.group for example in examples}
