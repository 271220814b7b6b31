"""What the proof and its probes know of a run, read from its directory: the rows, the task, the recipe. It asks no model."""

from __future__ import annotations

from collections.abc import Sequence

from sonmat import plugins
from sonmat.core.probing import Setting
from sonmat.core.values import Example
from sonmat.runs import RunFolder


def setting_of(folder: RunFolder) -> Setting:
    """What every probe of this run is given."""
    plan, split, recipe = folder.plan(), folder.split(), folder.recipe()
    rows = rows_of(folder, [*split.train, *split.test])
    return Setting(
        task=plugins.find("tasks", plan.task),
        spec=plan.spec.model_copy(update={"media_root": str(folder.path)}),
        languages=folder.source().languages,
        train=rows[: len(split.train)],
        test=rows[len(split.train) :],
        seed=recipe.seed,
        recipe=recipe,
    )


def rows_of(folder: RunFolder, ids: Sequence[str]) -> list[Example]:
    """The rows with these ids, in their order."""
    wanted = set(ids)
    examples = {example.id: example for example in folder.kept_examples() if example.id in wanted}
    return [examples[id] for id in ids]
