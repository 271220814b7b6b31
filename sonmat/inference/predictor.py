"""The predictor of every neural method: a loaded model that answers questions in batches of similar length.

In: questions. Out: predictions: of a task that generates each as soon as its last token is written, of others each batch as
soon as it is computed. Longer rows come first, so that a batch that does not fit into memory fails at once and the time left
is never underestimated.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonmat.core.errors import DataError
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Answer, Batch, Question, Row, Task
from sonmat.core.values import Device, Example, Source, Spec
from sonmat.inference.device import compute_dtype, torch_device
from sonmat.inference.generation import generate_each
from sonmat.inference.rows import Rows, same_length

if TYPE_CHECKING:
    from torch import nn

ROWS_PER_BATCH = 32
TOKENS_PER_BATCH = 4096
WORTH_SAVING = 0.2
"""Share of the tokens to read below which references are read row by row: a mask for every row costs something, too."""
CAUSAL = "AutoModelForCausalLM"
"""The class of models that write an answer behind its prompt, which `generation` does for any number of rows at a time."""


@dataclass(frozen=True)
class NeuralPredictor:
    """Answers through `task.decode`, or writes and reads with `task.parse`; reports the reference's likelihood if it generates."""

    model: nn.Module
    processor: Any
    task: Task
    spec: Spec
    device: Device

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        self.model.eval()
        asked = [question for question in questions if question.write]
        if self.task.generates and self.task.auto_model == CAUSAL:
            yield from self._write(asked)
        else:
            for room in dict.fromkeys(self._room(question) for question in asked):
                yield from self._decode([question for question in asked if self._room(question) == room], room)
        yield from self._only_likelihoods([question for question in questions if not question.write])

    def _write(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        """All rows side by side instead of batch by batch, so that none waits for a longer one."""
        rows = self._input_rows(questions)
        prompts = [rows[index].arrays["input_ids"] for index in range(len(rows))]
        rooms = [self._room(question) for question in questions]
        group_of = {index: group for group in batches_by_length(rows.lengths) for index in group}
        likelihoods: dict[int, float | None] = {}
        for index, written in generate_each(
            self.model, self.processor, prompts, rooms, computing=lambda: computing(self.device)
        ):
            if index not in likelihoods:
                group = group_of[index]
                likelihoods.update(zip(group, self._reference_nll([questions[other] for other in group]), strict=True))
            answer = Answer(self.task.parse(written.text, self.spec), written.confidence, written.tokens)
            yield _prediction(questions[index].row, answer, written.seconds, likelihoods[index])

    def _decode(self, questions: Sequence[Question], max_new_tokens: int) -> Iterator[Prediction]:
        rows = self._input_rows(questions)
        spec = self.spec.model_copy(update={"max_new_tokens": max_new_tokens})
        for group in batches_by_length(rows.lengths):
            start = time.perf_counter()
            batch = self._batch([rows[index] for index in group])
            with computing(self.device):
                answers = self.task.decode(self.model, batch, self.processor, spec)
            seconds = (time.perf_counter() - start) / len(group)
            likelihoods = self._reference_nll([questions[index] for index in group])
            for index, answer, nll in zip(group, answers, likelihoods, strict=True):
                yield _prediction(questions[index].row, answer, seconds, nll)

    def _only_likelihoods(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        """Nothing is written: the empty output, and the reference's likelihood where the task has one."""
        rows = self._reference_rows(questions)
        for index, question in enumerate(questions):
            if index not in rows:
                yield _prediction(question.row, Answer({}), 0.0, None)
        behind = self._behind_prompts(rows)
        if behind is not None:
            yield from self._branches(questions, behind)
            return
        places = list(rows)
        for group in batches_by_length([rows[place].length for place in places]):
            start = time.perf_counter()
            nats = self._nats([rows[places[at]] for at in group])
            seconds = (time.perf_counter() - start) / len(group)
            for at, nll in zip(group, nats, strict=True):
                yield _prediction(questions[places[at]].row, Answer({}), seconds, nll)

    def _behind_prompts(self, rows: Mapping[int, Row]) -> _BehindPrompts | None:
        """The rows by what stands before their references, where reading that once saves enough; else None."""
        if self.task.auto_model != CAUSAL or len(rows) < 2:
            return None
        from sonmat.inference.branches import tokens_read
        from sonmat.inference.slots import fits_slots

        found = _by_prompt(rows)
        if found is None or not fits_slots(self.model):
            return None
        saved = 1 - tokens_read(found.prompts, found.branches) / sum(row.length for row in rows.values())
        return found if saved >= WORTH_SAVING else None

    def _branches(self, questions: Sequence[Question], behind: _BehindPrompts) -> Iterator[Prediction]:
        from sonmat.inference.branches import branch_nats

        for found in branch_nats(self.model, behind.prompts, behind.branches, lambda: computing(self.device)):
            places = behind.places[found.index]
            for place, nats in zip(places, found.nats, strict=True):
                yield _prediction(questions[place].row, Answer({}), found.seconds / len(places), -nats)

    def _input_rows(self, questions: Sequence[Question]) -> Rows[Question]:
        return Rows(
            questions,
            lambda question: self.task.encode_input(question.input, self.processor, self.spec),
            same_length=same_length(self.task),
        )

    def _room(self, question: Question) -> int:
        return question.max_new_tokens or self.spec.max_new_tokens

    def _reference_nll(self, questions: Sequence[Question]) -> list[float | None]:
        """Nats of each reference, all of its tokens summed; None where there is no reference or it does not fit."""
        found: list[float | None] = [None] * len(questions)
        rows = self._reference_rows(questions)
        if rows:
            for index, nll in zip(rows, self._nats(list(rows.values())), strict=True):
                found[index] = nll
        return found

    def _reference_rows(self, questions: Sequence[Question]) -> dict[int, Row]:
        """Questions with their references, encoded, by position; without those that have none or do not fit."""
        rows: dict[int, Row] = {}
        if not self.task.generates:
            return rows
        spec = self.spec.model_copy(update={"supervise": "last"})
        for index, question in enumerate(questions):
            if question.reference is None:
                continue
            try:
                # A row that is too long loses its oldest tokens, in the likelihood as in the answer.
                rows[index] = self.task.encode(_example(question), self.processor, spec)
            except DataError:
                continue
        return rows

    def _nats(self, rows: Sequence[Row]) -> list[float]:
        with computing(self.device):
            losses = self.task.losses(self.model, self._batch(rows))
        return [float(value) for value in losses.sums.tolist()]

    def _batch(self, rows: Sequence[Row]) -> Batch:
        where = torch_device(self.device)
        return {name: tensor.to(where) for name, tensor in self.task.collate(rows, self.processor).items()}


@dataclass(frozen=True)
class _BehindPrompts:
    """References by the prompt that they stand behind."""

    prompts: list[list[int]]
    branches: list[list[list[int]]]
    places: list[list[int]]
    """Of each prompt's references the positions of their questions."""


def _by_prompt(rows: Mapping[int, Row]) -> _BehindPrompts | None:
    """None where a reference is not one piece of text behind a prompt."""
    found: dict[tuple[int, ...], list[tuple[int, list[int]]]] = {}
    for place, row in rows.items():
        ids, learnt = list(row.arrays["input_ids"]), [at for at, label in enumerate(row.arrays["labels"]) if label >= 0]
        first, end = learnt[0], learnt[-1] + 1
        if first == 0 or end - first != len(learnt):
            return None
        found.setdefault(tuple(ids[:first]), []).append((place, ids[first:end]))
    return _BehindPrompts(
        prompts=[list(prompt) for prompt in found],
        branches=[[written for _, written in each] for each in found.values()],
        places=[[place for place, _ in each] for each in found.values()],
    )


def batches_by_length(
    lengths: Sequence[int], rows: int = ROWS_PER_BATCH, tokens: int = TOKENS_PER_BATCH
) -> Iterator[list[int]]:
    """Positions grouped so that padding is small and no batch has over `rows` rows or `tokens` padded tokens."""
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        widest = lengths[group[0]] if group else lengths[index]
        if group and (len(group) == rows or widest * (len(group) + 1) > tokens):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


@contextmanager
def computing(device: Device) -> Iterator[None]:
    """No gradients, and the compute type of the device for matrix products."""
    import torch

    with torch.inference_mode(), autocast(device):
        yield


def autocast(device: Device) -> AbstractContextManager[Any]:
    """bf16 matrix products where the device has them, nothing elsewhere."""
    import torch

    return torch.autocast(device.kind, dtype=compute_dtype(device)) if device.bf16 else nullcontext()


def _prediction(row: str, answer: Answer, seconds: float, nll: float | None) -> Prediction:
    return Prediction(
        row=row,
        output=answer.output,
        confidence=answer.confidence,
        seconds=seconds,
        tokens=answer.tokens,
        reference_nll=nll,
    )


def _example(question: Question) -> Example:
    return Example(id=question.row, input=question.input, target=question.reference or {}, source=Source(file="", row=0))
