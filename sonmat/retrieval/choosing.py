"""Chooses how to look things up by the validation rows, within a budget that is declared: first the way of searching, then how
many passages.

In: a job, an index, a way of giving passages. Out: the best choice with its score, and how many were tried. The test rows are never
seen, and neither are references, except for their likelihood. Tasks that generate are compared by it, as tuned models are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sonmat.core.errors import Paused
from sonmat.core.protocols import FitJob, Predictor, Question
from sonmat.core.text import Text
from sonmat.core.values import Example, Value
from sonmat.inference.validating import judged_rows
from sonmat.retrieval.index import By

COUNTS: Final = (1, 3, 5)
"""Numbers of passages that are tried."""
USUAL_COUNT: Final = 3
"""While the way of searching is chosen."""


class LookUp(Value):
    """How passages are looked up."""

    by: By
    passages: int


@dataclass(frozen=True)
class Choice:
    best: LookUp
    score: float | None = None
    """Of the task's selection metric; None where there was nothing to choose."""
    tried: int = 0
    rows: int = 0


def ways_to_search(by: By | None, *, encoder: bool) -> tuple[By, ...]:
    """What may be tried: words alone where there is no encoder, and the user's word before everything else."""
    if not encoder:
        return ("words",)
    return (by,) if by is not None else ("both", "words", "meaning")


def most_tries(by: By | None, passages: int | None, *, encoder: bool) -> int:
    """How many choices are tried at most."""
    return len(ways_to_search(by, encoder=encoder)) + (0 if passages else len(COUNTS) - 1)


def choose_look_up(
    job: FitJob,
    ways: Sequence[By],
    passages: int | None,
    most_rows: int,
    predictor_of: Callable[[LookUp], Predictor],
) -> Choice:
    """The best on up to `most_rows` validation rows; of equally good ones the first that was tried.

    Args:
        passages: how many the user asks for; tried if left out.
    Raises:
        Paused: the job was asked to.
    """
    counts = COUNTS if passages is None else (passages,)
    first = [LookUp(by=by, passages=passages or USUAL_COUNT) for by in ways]
    rows = spread(job.validation, most_rows)
    total = len(ways) + len(counts) - 1
    if total == 1 or not rows:
        return Choice(first[0])
    trial = _Trial(job, rows, predictor_of, total)
    for each in first:
        trial.ask(each)
    by = trial.best.by
    for count in counts:
        if count != first[0].passages:
            trial.ask(LookUp(by=by, passages=count))
    return Choice(trial.best, trial.scores[trial.best], len(trial.scores), len(rows))


def spread(rows: Sequence[Example], most: int) -> list[Example]:
    """Up to `most` rows from all over, in their order."""
    if len(rows) <= most:
        return list(rows)
    return [rows[place * len(rows) // most] for place in range(most)]


@dataclass
class _Trial:
    job: FitJob
    rows: Sequence[Example]
    predictor_of: Callable[[LookUp], Predictor]
    total: int
    scores: dict[LookUp, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    @property
    def best(self) -> LookUp:
        sign = 1 if self.job.selection.higher_is_better else -1
        return max(self.scores, key=lambda each: sign * self.scores[each])

    def ask(self, look_up: LookUp) -> None:
        if self.job.should_pause():
            raise Paused(Text(en="Paused while choosing how to search.", ko="찾는 방식을 고르는 중에 멈췄습니다."))
        write = not self.job.task.generates
        questions = [Question(row.id, row.input, row.target, write=write) for row in self.rows]
        answers = {answer.row: answer for answer in self.predictor_of(look_up).answer(questions)}
        said = [answers[row.id] for row in self.rows]
        judged = judged_rows(self.job, self.rows, [each.output for each in said], [each.reference_nll for each in said])
        statistics = self.job.selection.statistics(judged)
        valued = statistics[(statistics == statistics).all(axis=1)]
        worst = -math.inf if self.job.selection.higher_is_better else math.inf
        self.scores[look_up] = float(self.job.selection.value(valued.sum(axis=0))) if len(valued) else worst
        done = len(self.scores)
        left = (time.perf_counter() - self.started) / done * (self.total - done)
        what = Text(en="Trying ways of searching", ko="찾는 방식을 비교하는 중")
        self.job.emit("progress", what, done=done, total=self.total, seconds_left=round(left, 1))
