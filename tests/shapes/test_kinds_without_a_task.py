"""Kinds that no task learns from are loaded, audited and split; the plan says what can be done instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.errors import SettingError
from sonmat.steps.plan import plan
from tests.data.made import job

ROWS: dict[str, Any] = {
    "question-answering": lambda n: {"question": f"q {n}?", "context": f"it is {n}.", "answers": {"text": [str(n)]}},
    "preference": lambda n: {"prompt": f"q {n}", "chosen": f"good {n}", "rejected": f"bad {n}"},
    "text-regression": lambda n: {"text": f"text {n}", "score": n + 0.5},
}


@pytest.mark.parametrize(("kind", "advice"), [("question-answering", "--task chat"), ("preference", "--to messages")])
def test_the_plan_refuses_a_kind_that_nothing_learns_from(kind: str, advice: str, tmp_path: Path) -> None:
    made = job(tmp_path, "t.jsonl", "".join(json.dumps(ROWS[kind](n)) + "\n" for n in range(40)))
    assert made.load().task == kind
    with pytest.raises(SettingError) as caught:
        plan(made.folder, made.recipe, made.told, "")
    assert "no method learns from them yet" in caught.value.what.en
    assert "아직 없습니다" in caught.value.what.ko
    assert caught.value.fix is not None
    assert advice in caught.value.fix.en
    assert advice in caught.value.fix.ko


@pytest.mark.parametrize("kind", ROWS)
def test_other_kinds_are_loaded_as_their_models_say(kind: str, tmp_path: Path) -> None:
    made = job(tmp_path, "t.jsonl", "".join(json.dumps(ROWS[kind](n)) + "\n" for n in range(12)))
    made.load()
    found = plugins.find_kind(kind)
    for example in made.folder.examples():
        found.Input.model_validate(example.input)
        found.Target.model_validate(example.target)


def test_every_shape_belongs_to_a_kind_and_every_kind_has_shapes() -> None:
    named = {name for kind in plugins.kinds_of_rows() for name in kind.shapes}
    assert named == {shape.name for shape in plugins.every("shapes")}
    assert all(kind.shapes and kind.title.en and kind.title.ko for kind in plugins.kinds_of_rows())
