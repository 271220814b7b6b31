"""A specialist that answers from Python: the same predictor that was proven and that is served.

In: a saved model. Out: outputs for texts, pictures, chat messages or the task's own inputs. It trains and proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from sonmat.core.errors import DataError, ModelError
from sonmat.core.faults import fault_words
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Predictor, Question, SavedModel
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.models.saved import load_predictor


class Model:
    """A specialist that answers. The same predictor that was proven and that is served."""

    def __init__(self, saved: SavedModel) -> None:
        self.saved = saved

    @property
    def task(self) -> str:
        return self.saved.task.name

    @cached_property
    def predictor(self) -> Predictor:
        return load_predictor(self.saved)

    def predict(self, input: str | Path | Json | Sequence[dict[str, str]]) -> Json:
        """The output for one input, for example `{"label": "refund", "scores": {...}}` or `{"text": "..."}`.

        Args:
            input: a text, the path of a picture, a list of chat messages, or the task's own input as a mapping.
        Raises:
            DataError: the input is none of these.
        """
        return self.predict_all([input])[0].output

    def predict_all(self, inputs: Sequence[str | Path | Json | Sequence[dict[str, str]]]) -> list[Prediction]:
        """A prediction for each input, in their order, computed in batches; `row` is the input's position."""
        questions = [Question(str(index), self._input(value)) for index, value in enumerate(inputs)]
        answers = {int(prediction.row): prediction for prediction in self.predictor.answer(questions)}
        return [answers[index] for index in range(len(inputs))]

    def chat(self, messages: Sequence[dict[str, str]]) -> str:
        """The assistant's next words.

        Raises:
            ModelError: the model does not write.
        """
        if not self.saved.task.generates:
            raise ModelError(
                Text(
                    en=f"This model does {self.task}, not chat.",
                    ko=f"이 모델은 대화가 아니라 {self.saved.task.title.ko} 모델입니다.",
                ),
                Text(en="Use `predict`.", ko="`predict`를 쓰세요."),
            )
        return str(self.predict(list(messages))["text"])

    def _input(self, value: str | Path | Json | Sequence[dict[str, str]]) -> Json:
        task = self.saved.task
        if isinstance(value, dict):
            found: Json = value
        elif isinstance(value, str | Path):
            found = self._from_words(str(value))
        else:
            found = {"messages": [dict(message) for message in value]}
        try:
            task.Input.model_validate(found)
        except ValidationError as error:
            fault = error.errors()[0]
            words = fault_words(fault)
            where = ".".join(str(part) for part in fault["loc"])
            raise DataError(
                Text(
                    en=f"This is no input for {task.title.en}: {where}: {words.en}.",
                    ko=f"{task.title.ko}의 입력이 아닙니다: {where}: {words.ko}.",
                ),
                Text(
                    en=f"Expected fields: {', '.join(task.Input.model_fields)}.",
                    ko=f"필요한 항목: {', '.join(task.Input.model_fields)}.",
                ),
            ) from error
        return found

    def _from_words(self, words: str) -> Json:
        if self.saved.task.modality == "image":
            return {"image": str(Path(words).absolute())}
        if self.saved.task.generates:
            return {"messages": [{"role": "user", "content": words}]}
        return {"text": words}

    def __repr__(self) -> str:
        return f"Model({str(self.saved.folder)!r}, task={self.task!r}, method={self.saved.method!r})"
