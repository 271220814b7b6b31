"""Answers that rest on passages: look up, give the model what was found with the question, have it answer.

In: an index, a way of giving passages, questions. Out: predictions, each with the passages that the model was given. Of the passages
that were found as many are given as leave the model room to answer; the question itself is never cut for them. Nothing of a
question's reference is looked at, except by the model for its likelihood.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from sonmat.core.proof import Passage, Prediction
from sonmat.core.protocols import Predictor, Question
from sonmat.core.values import Json
from sonmat.inference.rendering import render_prompt
from sonmat.retrieval.index import By, PassageIndex
from sonmat.retrieval.passages import question_of

INSTRUCTIONS: Final = {
    "ko": "아래 내용을 바탕으로 질문에 답하세요.",
    "en": "Use this information to answer.",
}
"""What the model is told about the passages, by the language of the question. Small models talk about what is called a passage or
has a number, instead of using it."""
_QUESTION: Final = {"ko": "질문", "en": "Question"}


class Giving(Protocol):
    """A way to put passages to a model."""

    @property
    def asked(self) -> Predictor:
        """What is asked, as it answers without passages."""

    def fitting(self, question: Question, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        """The best of `passages` that leave room to answer."""

    def answers(self, questions: Sequence[Question], passages: Sequence[Sequence[Passage]]) -> Iterator[Prediction]:
        """One prediction a question that is given with its passages."""


@dataclass(frozen=True)
class RetrievingPredictor:
    index: PassageIndex
    by: By
    count: int
    """At most so many passages go with a question."""
    giving: Giving

    def loaded(self) -> Predictor:
        """The model that is asked, as it answers without passages."""
        return self.giving.asked

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        start = time.perf_counter()
        rows = [question.row for question in questions]
        found = self.index.search([question_of(question.input) for question in questions], self.by, self.count, rows)
        given = [self.giving.fitting(question, passages) for question, passages in zip(questions, found, strict=True)]
        seconds = (time.perf_counter() - start) / max(len(questions), 1)
        # One row may be asked in several ways at once.
        numbered = [replace(question, row=str(place)) for place, question in enumerate(questions)]
        for prediction in self.giving.answers(numbered, given):
            place = int(prediction.row)
            update = {"row": rows[place], "sources": given[place], "seconds": prediction.seconds + seconds}
            yield prediction.model_copy(update=update)


@dataclass(frozen=True)
class BeforeTheQuestion:
    """Chat: passages stand before the user's last words, in the same message."""

    asked: Predictor
    tokenizer: Any
    longest: int
    """Most tokens that prompt and answer have together."""
    max_new_tokens: int
    instruction: str = ""
    """What the model is told about them; '' for `INSTRUCTIONS`."""

    def fitting(self, question: Question, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        room = self.longest - (question.max_new_tokens or self.max_new_tokens)
        kept: tuple[Passage, ...] = ()
        for passage in passages:
            # A long one is passed over for shorter ones behind it.
            if self._tokens(self._with(question.input, (*kept, passage))) <= room:
                kept = (*kept, passage)
        return kept

    def answers(self, questions: Sequence[Question], passages: Sequence[Sequence[Passage]]) -> Iterator[Prediction]:
        changed = [
            replace(question, input=self._with(question.input, given)) if given else question
            for question, given in zip(questions, passages, strict=True)
        ]
        return self.asked.answer(changed)

    def _with(self, input: Json, passages: Sequence[Passage]) -> Json:
        messages = [dict(message) for message in input["messages"]]
        users = [place for place, message in enumerate(messages) if message["role"] == "user"]
        if not users:
            return input
        question = str(messages[users[-1]]["content"])
        language = "ko" if any("가" <= sign <= "힣" for sign in question) else "en"
        listed = "\n\n".join(passage.text for passage in passages)
        told = self.instruction or INSTRUCTIONS[language]
        messages[users[-1]]["content"] = f"{told}\n\n{listed}\n\n{_QUESTION[language]}: {question}"
        return {**input, "messages": messages}

    def _tokens(self, input: Json) -> int:
        return len(render_prompt(input["messages"], self.tokenizer, input.get("tools")))
