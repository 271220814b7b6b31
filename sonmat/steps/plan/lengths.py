"""How long the rows are in the base model's own tokens, and what its longest input would cut off."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sonmat import plugins
from sonmat.core.errors import DataBlocked, DataError
from sonmat.core.protocols import Emit, Task
from sonmat.core.recipe import Recipe
from sonmat.core.text import Language, Text
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
    cut_rows: tuple[tuple[Text, int], ...]
    """Place in the user's file and tokens lost, the worst first."""
    lost: tuple[Text, ...]
    """Places of rows whose target would not fit, with the reason."""
    longest_tokens: int
    mean_target_tokens: float
    longest_target_tokens: int
    used_ids: int = 0
    """Different tokens of the training rows."""

    @property
    def mean_tokens(self) -> float:
        return self.tokens / max(self.rows, 1)

    def answer_room(self, spec: Spec) -> int:
        """Longest answer to write: half as long again as the longest reference, up to the spec's own limit."""
        return max(16, min(spec.max_new_tokens, round(1.5 * self.longest_target_tokens)))

    def refuse_cuts(self, recipe: Recipe, emit: Emit) -> None:
        """Stop if rows would lose their target, or more than 1 % of all tokens, unless the recipe allows it.

        Raises:
            DataBlocked: rows would; the message names them with the tokens that each would lose.
        """
        if self.lost:
            raise DataBlocked(
                Text(
                    en=f"{len(self.lost)} rows cannot be trained on: {self._named_lost('en')}.",
                    ko=f"{len(self.lost)}개 행을 학습에 쓸 수 없습니다: {self._named_lost('ko')}.",
                ),
                Text(
                    en="Shorten these answers or raise --max-tokens (up to the base model's limit).",
                    ko="응답을 줄이거나 --max-tokens를 (모델의 한도까지) 늘리세요.",
                ),
            )
        if not self.cut_tokens:
            return
        share = self.cut_tokens / (self.tokens + self.cut_tokens)
        what = Text(
            en=f"{len(self.cut_rows)} of {self.rows} rows are longer than {self.max_tokens} tokens; {self.cut_tokens:,} tokens "
            f"({share:.1%} of all) would be cut off. The longest: {self._named_cuts('en')}.",
            ko=f"{self.rows}개 행 중 {len(self.cut_rows)}개가 {self.max_tokens}토큰보다 길어 {self.cut_tokens:,}토큰(전체의 "
            f"{share:.1%})이 잘립니다. 가장 긴 행: {self._named_cuts('ko')}.",
        )
        if share > MOST_CUT_SHARE and not recipe.allow_truncation:
            raise DataBlocked(
                what,
                Text(
                    en="Shorten or split these rows, raise --max-tokens if the base allows it, choose a base with a longer "
                    "input, or train on cut rows with --allow-truncation.",
                    ko="행을 줄이거나 나누고, 모델이 허용하면 --max-tokens를 늘리거나, 더 긴 입력을 받는 모델을 고르세요. "
                    "잘린 채로 학습하려면 --allow-truncation을 쓰세요.",
                ),
            )
        emit("truncation", what, rows=len(self.cut_rows), share=share)

    def _named_lost(self, language: Language) -> str:
        return "; ".join(place.in_language(language) for place in self.lost[:ROWS_SHOWN])

    def _named_cuts(self, language: Language) -> str:
        return ", ".join(f"{place.in_language(language)} (−{tokens})" for place, tokens in self.cut_rows[:ROWS_SHOWN])


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
    learnt = {example.id for example in train}
    cuts: list[tuple[Text, int]] = []
    lost: list[Text] = []
    # Of the training rows alone: the room for answers must not be fitted to the test rows.
    targets: list[int] = []
    used: set[int] = set()
    encoded = tokens = longest = 0
    start = last = time.perf_counter()
    for number, example in enumerate(examples, start=1):
        place = example.source.place
        try:
            row = task.encode(example, processor, spec)
        except DataError as error:
            lost.append(Text(en=f"{place.en} ({error.what.en})", ko=f"{place.ko}({error.what.ko})"))
            continue
        encoded, tokens, longest = encoded + 1, tokens + row.length, max(longest, row.length)
        if row.cut:
            cuts.append((place, row.cut))
        if example.id in learnt:
            targets.append(row.supervised)
            used.update(row.arrays.get("input_ids", ()))
        now = time.perf_counter()
        if now - last > 1:
            last = now
            left = (now - start) / number * (len(examples) - number)
            emit("progress", done=number, total=len(examples), seconds_left=round(left, 1))
    targets = targets or [1]
    return Lengths(
        rows=encoded,
        max_tokens=spec.max_tokens,
        tokens=tokens,
        cut_tokens=sum(cut for _, cut in cuts),
        cut_rows=tuple(sorted(cuts, key=lambda cut: -cut[1])),
        lost=tuple(lost),
        longest_tokens=longest,
        mean_target_tokens=sum(targets) / len(targets),
        longest_target_tokens=max(targets),
        used_ids=len(used),
    )
