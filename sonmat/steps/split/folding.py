"""Whether rows are too few for a test set, so that they are cross-validated instead.

In: the rows and the recipe. Out: a `Folding`, or None. `docs/statistics.md` has the reasons for the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sonmat.core.errors import SettingError
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.steps.split.rows import RowTable

FEWEST_TEST_ROWS: Final = 30
"""With fewer, the 95 % interval of an accuracy of 80 % is wider than ±14 points (Wilson)."""
FOLDS: Final = 5
REPEATED_BELOW: Final = 100
"""Of so few rows, which happen to share a fold changes the result about as much as the rows themselves."""
REPEATS: Final = 2


@dataclass(frozen=True)
class Folding:
    folds: int
    """Parts of equal size, each of which is the test set once."""
    repeats: int
    """How often the rows are divided into folds anew."""


def folding_for(table: RowTable, recipe: Recipe) -> Folding | None:
    """How to cross-validate, or None where a test set is put aside.

    Raises:
        SettingError: the recipe asks for folds of rows that are divided by time or by given parts, or for a single fold.
    """
    tied = _tied_to_parts(table)
    if recipe.folds is None:
        few = round(len(table) * recipe.shares[2]) < FEWEST_TEST_ROWS
        return None if tied is not None or not few else _of(table, FOLDS)
    if recipe.folds == 0:
        return None
    if recipe.folds == 1:
        raise SettingError(
            Text(en="One fold is no cross-validation.", ko="폴드가 하나면 교차 검증이 되지 않습니다."),
            Text(
                en="Ask for 2 or more folds, or for 0 to put a test set aside.",
                ko="폴드 수(folds)를 2 이상으로 하거나, 테스트 데이터를 따로 두려면 0으로 하세요.",
            ),
        )
    if tied is not None:
        raise SettingError(
            Text(
                en=f"folds: {recipe.folds} cannot be had, because {tied.en}.",
                ko=f"folds: {recipe.folds}(으)로 할 수 없습니다. {tied.ko}.",
            ),
            Text(en="Leave out one of the two.", ko="둘 중 하나를 빼세요."),
        )
    return _of(table, recipe.folds)


def _of(table: RowTable, folds: int) -> Folding:
    return Folding(folds, REPEATS if len(table) < REPEATED_BELOW else 1)


def _tied_to_parts(table: RowTable) -> Text | None:
    """Why these rows cannot take turns in being tested."""
    if table.has_times:
        return Text(
            en="the rows are divided by time, and the past must not be tested with what was learnt later",
            ko="행을 시간 순서로 나누는데, 나중에 배운 것으로 과거를 테스트할 수는 없습니다",
        )
    given = {part for part in table.given if part is not None} - {"train"}
    if given:
        named = ", ".join(sorted(given))
        return Text(en=f"the data itself says which rows are for {named}", ko=f"데이터에 {named} 행이 정해져 있습니다")
    return None
