"""Divides the rows into training, validation and a sealed test set: `split.json`.

In: the examples that the audit kept, the recipe. Out: a `Split`. Rows that say the same, rows that the audit found to belong
together and rows of one group never lie in different parts; classes are spread in proportion. Parts that the data gives are
kept, rows with a time are divided by it, and rows that are too few for a test set are cross-validated. The result depends on
the seed and on what the rows say, not on their order. It changes no row.
"""

from __future__ import annotations

from sonmat.core.protocols import Emit
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Split
from sonmat.reading.collecting import collecting_rarely
from sonmat.runs.files import write_value
from sonmat.runs.folder import RunFolder
from sonmat.steps.split.dividing import SHARES, Wishes, divide, divide_table
from sonmat.steps.split.folding import Folding, folding_for
from sonmat.steps.split.rows import read_table
from sonmat.steps.split.sound import assert_sound

__all__ = ["SHARES", "Folding", "assert_sound", "divide", "split"]


@collecting_rarely()
def split(folder: RunFolder, recipe: Recipe, inputs: str, emit: Emit) -> Split:
    """Write the split of an audited run; `inputs` is the fingerprint that the file is marked with.

    Raises:
        DataError: too many rows belong together, or too few times are different, to fill all parts.
        SettingError: the recipe asks for folds that these rows cannot have.
    """
    emit("progress", Text(en="Reading the rows", ko="행을 읽는 중"), done=0, total=2, seconds_left=None)
    table = read_table(folder.kept_examples())
    emit("progress", Text(en="Dividing the rows", ko="행을 나누는 중"), done=1, total=2, seconds_left=None)
    links = [cluster for finding in folder.audit().findings for cluster in finding.clusters]
    shares = dict(zip(SHARES, recipe.shares, strict=True))
    wishes = Wishes(recipe.seed, recipe.group, shares, folding_for(table, recipe))
    result = divide_table(table, links, wishes)
    write_value(folder.file("split.json"), result, inputs)
    emit(
        "split",
        result.how,
        train=len(result.train),
        validation=len(result.validation),
        test=len(result.test),
        folds=len(result.folds),
    )
    return result
