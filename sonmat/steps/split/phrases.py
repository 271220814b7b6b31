"""What a split says of itself, and why rows cannot be divided. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.steps.split.by_time import TimedParts
from sonmat.steps.split.folding import Folding

_MOST_NAMED: Final = 8
_PART_NAMES: Final = {
    "train": Text(en="training", ko="학습"),
    "validation": Text(en="validation", ko="검증"),
    "test": Text(en="test", ko="테스트"),
}


@dataclass
class Notes:
    """What came up while dividing."""

    group: str | None
    several_labels: bool
    released: list[int] = field(default_factory=list)
    """Rows of each cluster that was too large to stay together."""
    stratified: Literal["labels", "numbers"] | None = None
    several_rows_a_unit: bool = False
    timed: TimedParts | None = None
    given: dict[str, int] | None = None
    without_part: int = 0
    cut: Sequence[str] = ()
    """Parts that were made of the rows given to training."""
    untested: list[str] = field(default_factory=list)
    sizes: tuple[int, int, int] = (0, 0, 0)

    def start_again(self) -> None:
        """Forget a division that is tried once more."""
        self.timed, self.given, self.cut = None, None, ()

    def how(self, folding: Folding | None) -> Text:
        """The description that the user reads."""
        notes = [self._parts_given(), self._by_time(), self._stratified(), self._untested(), self._together()]
        said = [note for each in [*notes, *map(self._released, self.released)] if (note := each) is not None]
        tail_en = "".join(f"; {note.en}" for note in said)
        tail_ko = "".join(f" {note.ko}." for note in said)
        return self._whole(tail_en, tail_ko) if folding is None else self._in_folds(folding, tail_en, tail_ko)

    def _whole(self, tail_en: str, tail_ko: str) -> Text:
        percent = " / ".join(f"{100 * rows / sum(self.sizes):.0f}" for rows in self.sizes)
        counts = " / ".join(f"{rows:,}" for rows in self.sizes)
        return Text(
            en=f"Train / validation / test: {counts} rows ({percent} %){tail_en}. The test set is sealed.",
            ko=f"학습 / 검증 / 테스트: {counts}행({percent}%).{tail_ko} 테스트 데이터는 봉인했습니다.",
        )

    def _in_folds(self, folding: Folding, tail_en: str, tail_ko: str) -> Text:
        train, validation, rows = self.sizes
        folds, repeats = folding.folds, folding.repeats
        times_en = f", {repeats} times over" if repeats > 1 else ""
        times_ko = f"을 {repeats}번 되풀이하여" if repeats > 1 else "으로"
        return Text(
            en=f"Cross-validated in {folds} folds{times_en}: each of the {rows:,} rows is answered by models that did not see "
            f"it{tail_en}. The released model learns from all rows ({train:,} to train, {validation:,} to validate). Training "
            "sets of the folds overlap, so that intervals are approximate. The rows are sealed.",
            ko=f"{folds}-폴드 교차 검증{times_ko} {rows:,}행 모두를 그 행을 보지 않은 모델로 테스트합니다.{tail_ko} 내보낼 모델은 "
            f"모든 행으로 학습합니다(학습 {train:,}, 검증 {validation:,}). 폴드마다 학습 데이터가 겹치므로 구간은 근삿값입니다. "
            "행은 봉인했습니다.",
        )

    def _parts_given(self) -> Text | None:
        if self.given is None:
            return None
        made = [_PART_NAMES[part] for part in self.cut if part != "train"]
        english = "parts as the data gives them"
        korean = "데이터에 정해진 대로 나누었습니다"
        if made:
            english += f", {' and '.join(part.en for part in made)} taken from the training rows"
            korean += f". {'·'.join(part.ko for part in made)}용은 학습 행에서 떼었습니다"
        if self.without_part:
            english += f", {self.without_part:,} rows without a part treated as training rows"
            korean += f". 자리가 정해지지 않은 {self.without_part:,}행은 학습 행으로 보았습니다"
        return Text(en=english, ko=korean)

    def _by_time(self) -> Text | None:
        if self.timed is None:
            return None
        timed = self.timed
        english = f"by time, the latest rows last, borders at {' and '.join(timed.borders)}"
        korean = f"시간 순서로 나누었습니다(경계 {', '.join(timed.borders)})"
        if timed.drawn_back:
            english += f", {timed.drawn_back:,} later rows in an earlier part with rows that they belong to"
            korean += f". 함께 있어야 할 행을 따라 {timed.drawn_back:,}행은 제 시간보다 앞쪽에 두었습니다"
        if timed.undated:
            english += f", {timed.undated:,} rows without a time in training"
            korean += f". 시간이 없는 {timed.undated:,}행은 학습에 넣었습니다"
        return Text(en=english, ko=korean)

    def _stratified(self) -> Text | None:
        if self.timed is not None or self.stratified is None or (self.given is not None and not self.cut):
            return None
        if self.stratified == "numbers":
            return Text(en="low and high targets in proportion", ko="목푯값의 높고 낮음을 고르게 맞추었습니다")
        if self.several_labels:
            return Text(en="each label in proportion", ko="라벨마다 비율을 맞추었습니다")
        return Text(en="classes in proportion", ko="클래스 비율을 맞추었습니다")

    def _untested(self) -> Text | None:
        if not self.untested:
            return None
        more = len(self.untested) - _MOST_NAMED
        names = ", ".join(self.untested[:_MOST_NAMED])
        return Text(
            en=f"no test rows of: {names}" + (f" and {more:,} more" if more > 0 else ""),
            ko=f"테스트 행이 없는 클래스: {names}" + (f" 외 {more:,}개" if more > 0 else ""),
        )

    def _together(self) -> Text | None:
        english, korean = [], []
        if self.group is not None:
            english.append(f"rows with the same '{self.group}' together")
            korean.append(f"'{self.group}' 값이 같은 행은 한쪽에 두었습니다")
        if self.several_rows_a_unit:
            english.append("rows that say the same together")
            korean.append("같은 내용의 행은 한쪽에 두었습니다")
        return Text(en="; ".join(english), ko=". ".join(korean)) if english else None

    def _released(self, rows: int) -> Text:
        return Text(
            en=f"{rows:,} rows that resemble one another in a chain were too many to stay together, so test rows may have "
            "near copies in training",
            ko=f"서로 꼬리를 물고 비슷한 {rows:,}행은 한쪽에 두기에 너무 많아 나누었으므로, 테스트 행과 거의 같은 행이 학습에 "
            "있을 수 있습니다",
        )


def too_few_units(units: int) -> DataError:
    return DataError(
        Text(
            en=f"The rows fall into {units} sets that must stay together (same input, or same group), "
            "too few to train, validate and test.",
            ko=f"함께 있어야 하는 행(입력이 같거나 그룹이 같은 행)으로 묶으면 {units}묶음뿐이어서 "
            "학습, 검증, 테스트로 나눌 수 없습니다.",
        ),
        Text(
            en="Add rows with other inputs, or choose a --group column with more values.",
            ko="입력이 다른 행을 더하거나, 값이 더 많은 열을 --group으로 지정하세요.",
        ),
    )


def too_few_instants(instants: int) -> DataError:
    return DataError(
        Text(
            en=f"The rows have only {instants} different times, too few to divide them by time.",
            ko=f"행의 시간이 {instants}가지뿐이어서 시간 순서로 나눌 수 없습니다.",
        ),
        Text(
            en="Choose a --time column with more values, or leave it out.",
            ko="값이 더 많은 열을 --time으로 지정하거나 빼세요.",
        ),
    )


def nothing_to_learn_from() -> DataError:
    return DataError(
        Text(
            en="Every row is given to validation or test: none is left to learn from.",
            ko="모든 행이 검증이나 테스트로 정해져 있어 배울 행이 없습니다.",
        ),
        Text(
            en="Mark the rows to learn from as 'train' in the part column, or name another column with --part.",
            ko="배울 행의 자리를 'train'으로 적거나 --part로 다른 열을 지정하세요.",
        ),
    )
