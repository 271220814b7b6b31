"""What the proof and its probes know of a run, read from its directory: the rows, the task, the recipe. It asks no model."""

from __future__ import annotations

from collections.abc import Sequence

from sonmat import plugins
from sonmat.core.errors import RunError
from sonmat.core.probing import Setting
from sonmat.core.proof import Prediction
from sonmat.core.text import Text
from sonmat.core.values import Example
from sonmat.runs import RunFolder
from sonmat.runs.folder import ENDPOINTS
from sonmat.runs.folds import has_answered


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
        candidates=plan.candidates,
        answers=lambda candidate: _answers(folder, candidate),
        kept=folder.file(ENDPOINTS),
    )


def _answers(folder: RunFolder, candidate: str) -> dict[str, Prediction]:
    """Of several repetitions the first counts."""
    if not has_answered(folder, candidate):
        raise RunError(
            Text(
                en=f"{candidate} has not answered the test set.",
                ko=f"{candidate}이(가) 테스트 문항에 답하지 않았습니다.",
            )
        )
    found: dict[str, Prediction] = {}
    for prediction in folder.predictions(candidate):
        found.setdefault(prediction.row, prediction)
    return found


def rows_of(folder: RunFolder, ids: Sequence[str]) -> list[Example]:
    """The rows with these ids, in their order."""
    wanted = set(ids)
    examples = {example.id: example for example in folder.kept_examples() if example.id in wanted}
    return [examples[id] for id in ids]
