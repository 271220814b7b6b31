"""How long the rows are in the base model's own tokens, and what its longest input would cut off."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sonmat import plugins
from sonmat.core.errors import DataError
from sonmat.core.protocols import Emit, Row, Task
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Example, ModelFacts, Spec
from sonmat.training.tuning import give_template
from sonmat.training.weights import load_processor

MOST_CUT_SHARE = 0.01
"""Share of all tokens that may be cut without the user's word (invariant: silent truncation is the field's first pain)."""
ROWS_SHOWN = 5


@dataclass(frozen=True)
class Lengths:
    """Tokens of the rows that were encoded for `max_tokens`."""

    rows: int
    max_tokens: int
    tokens: int
    cut_tokens: int
    cut_rows: tuple[tuple[str, int], ...]
    """Place in the user's file and tokens lost, the worst first."""
    lost: tuple[str, ...]
    """Places of rows whose target would not fit, with the reason."""
    longest_tokens: int
    mean_target_tokens: float
    longest_target_tokens: int

    @property
    def mean_tokens(self) -> float:
        return self.tokens / max(self.rows, 1)

    def answer_room(self, spec: Spec) -> int:
        """Longest answer to write: half as long again as the longest reference, up to the spec's own limit."""
        return max(16, min(spec.max_new_tokens, round(1.5 * self.longest_target_tokens)))

    def refuse_cuts(self, recipe: Recipe, emit: Emit) -> None:
        """Stop if rows would lose their target, or more than 1 % of all tokens, unless the recipe allows it."""
        if self.lost:
            raise DataError(
                Text(
                    en=f"{len(self.lost)} rows cannot be trained on: " + "; ".join(self.lost[:ROWS_SHOWN]) + ".",
                    ko=f"{len(self.lost)}개 행을 학습에 쓸 수 없습니다: " + "; ".join(self.lost[:ROWS_SHOWN]) + ".",
                ),
                Text(
                    en="Shorten these answers or raise --max-tokens (up to the base model's limit).",
                    ko="응답을 줄이거나 --max-tokens를 (모델의 한도까지) 늘리세요.",
                ),
            )
        if not self.cut_tokens:
            return
        share = self.cut_tokens / (self.tokens + self.cut_tokens)
        worst = ", ".join(f"{place} (−{tokens})" for place, tokens in self.cut_rows[:ROWS_SHOWN])
        what = Text(
            en=f"{len(self.cut_rows)} of {self.rows} rows are longer than {self.max_tokens} tokens; {share:.1%} of all "
            f"tokens would be cut off. The longest: {worst}.",
            ko=f"{self.rows}개 행 중 {len(self.cut_rows)}개가 {self.max_tokens}토큰보다 길어 전체 토큰의 {share:.1%}가 잘립니다. "
            f"가장 긴 행: {worst}.",
        )
        if share > MOST_CUT_SHARE and not recipe.allow_truncation:
            raise DataError(
                what,
                Text(
                    en="Shorten or split these rows, raise --max-tokens if the base allows it, choose a base with a longer "
                    "input, or train on cut rows with --allow-truncation.",
                    ko="행을 줄이거나 나누고, 모델이 허용하면 --max-tokens를 늘리거나, 더 긴 입력을 받는 모델을 고르세요. "
                    "잘린 채로 학습하려면 --allow-truncation을 쓰세요.",
                ),
            )
        emit("truncation", what, rows=len(self.cut_rows), share=share)


def measure_lengths(
    task: Task,
    spec: Spec,
    base: ModelFacts,
    examples: Sequence[Example],
    train: Sequence[Example],
    media_root: str,
    emit: Emit,
) -> Lengths:
    """Encode every row as training will, and count."""
    if task.modality != "text":
        rows = [task.encode(train[0], load_processor(task, base.path), spec.model_copy(update={"media_root": media_root}))]
        cost = rows[0].length
        return Lengths(len(examples), spec.max_tokens, cost * len(examples), 0, (), (), cost, 1.0, 1)
    processor = load_processor(task, base.path)
    give_template(plugins.find("families", base.family), processor)
    encoded: list[tuple[Example, Row]] = []
    lost: list[str] = []
    start = last = time.perf_counter()
    for number, example in enumerate(examples, start=1):
        try:
            encoded.append((example, task.encode(example, processor, spec)))
        except DataError as error:
            lost.append(f"{example.source.place} ({error.what})")
        now = time.perf_counter()
        if now - last > 1:
            last = now
            left = (now - start) / number * (len(examples) - number)
            emit("progress", done=number, total=len(examples), seconds_left=round(left, 1))
    learnt = {example.id for example in train}
    cuts = sorted(((f"{example.source.place}", row.cut) for example, row in encoded if row.cut), key=lambda cut: -cut[1])
    # Of the training rows alone: the room for answers must not be fitted to the test rows.
    targets = [row.supervised for example, row in encoded if example.id in learnt] or [1]
    return Lengths(
        rows=len(encoded),
        max_tokens=spec.max_tokens,
        tokens=sum(row.length for _, row in encoded),
        cut_tokens=sum(row.cut for _, row in encoded),
        cut_rows=tuple(cuts),
        lost=tuple(lost),
        longest_tokens=max((row.length for _, row in encoded), default=0),
        mean_target_tokens=sum(targets) / len(targets),
        longest_target_tokens=max(targets),
    )
