"""Candidates that stand on another one: after it, never without it, and anew when it changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sonmat.core.errors import TrainingDiverged
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Question
from sonmat.core.text import Text
from sonmat.core.values import Device, ModelFacts, Plan, Spec
from sonmat.methods.rag import RagSettings
from sonmat.models.saved import open_saved, write_manifest
from sonmat.runs import RunFolder, write_rows, write_value
from sonmat.runs.folds import answers_key
from sonmat.steps.fit import candidate_key
from tests.fit.test_fit import candidate, in_folds, start, start_folds
from tests.fit.test_fit import folder as folder  # the fixture


@pytest.fixture
def standing(folder: RunFolder) -> RunFolder:
    """A run with `over`, which stands on `two`."""
    over = candidate("over").model_copy(update={"over": "two"})
    change(folder, Plan(task="chat", spec=Spec(), candidates=(candidate("two"), over), refused=(), device=Device()))
    return folder


def change(folder: RunFolder, plan: Plan) -> None:
    write_value(folder.file("plan.json"), plan)


def test_it_is_fitted_after_what_it_stands_on(standing: RunFolder) -> None:
    assert start(standing, {}) == ["fit/two", "fit/over"]
    assert start(standing, {}) == []


def test_if_that_failed_it_is_left_out_with_the_reason_and_made_up_for_later(standing: RunFolder) -> None:
    assert start_with_floor(standing, fails=True) == ["fit/one", "fit/two"]
    assert "two, which it stands on, could not be trained: diverged" in standing.fits().failed["over"].en
    assert start_with_floor(standing, fails=False) == ["fit/two", "fit/over"]


def start_with_floor(folder: RunFolder, *, fails: bool) -> list[str]:
    plan = folder.plan()
    if plan.candidates[0].id != "one":
        change(folder, plan.model_copy(update={"candidates": (candidate("one"), *plan.candidates)}))
    return start(folder, {"two": TrainingDiverged(Text(en="diverged", ko="발산"))} if fails else {})


def test_it_is_made_anew_when_what_it_stands_on_changes(standing: RunFolder) -> None:
    start(standing, {})
    under, over = standing.plan().candidates
    changed = under.model_copy(update={"settings": {"rank": 2}})
    change(standing, standing.plan().model_copy(update={"candidates": (changed, over)}))
    assert start(standing, {}) == ["fit/two", "fit/over"]


def test_documents_and_the_encoder_count_for_its_fingerprint(standing: RunFolder) -> None:
    encoder = ModelFacts(
        name="e", path="/e", origin="e", checksum="one", family="bert", model_type="bert", parameters=1
    )  # fmt: skip
    plain = candidate("two")
    others = (
        plain.model_copy(update={"documents": "a"}),
        plain.model_copy(update={"documents": "b"}),
        plain.model_copy(update={"encoder": encoder}),
        plain.model_copy(update={"encoder": encoder.model_copy(update={"checksum": "two"})}),
        plain.model_copy(update={"over": "two"}),
    )
    assert len({candidate_key(standing, each) for each in (plain, *others)}) == 6


def test_models_of_folds_that_have_gone_are_made_again_for_what_stands_on_them(standing: RunFolder) -> None:
    in_folds(standing)
    under, over = standing.plan().candidates
    change(standing, standing.plan().model_copy(update={"candidates": (under,)}))
    start_folds(standing, {})
    for fold in (1, 2, 3):
        name = f"two@{fold}"
        shutil.rmtree(standing.candidate_folder(name) / "model")
        write_rows(standing.predictions_file(name), Prediction, [], answers_key(standing, name))
    assert start_folds(standing, {}) == []
    # An arm is added to a run that was proven.
    change(standing, standing.plan().model_copy(update={"candidates": (under, over)}))
    expected = [f"fit/two@{fold}" for fold in (1, 2, 3)] + [f"fit/over@{fold}" for fold in (1, 2, 3)] + ["fit/over"]
    assert start_folds(standing, {}) == expected
    assert start_folds(standing, {}) == []


def test_a_saved_model_opens_with_the_one_it_stands_on_and_knows_how_that_is_loaded(tmp_path: Path) -> None:
    def nothing(kind: str, message: Text | None = None, /, **data: object) -> None:
        raise AssertionError("nothing has to be fetched")

    path = tmp_path / "encoder"
    path.mkdir()
    encoder = ModelFacts(
        name="e", path=str(path), origin="e", checksum="one", family="bert", model_type="bert", parameters=1
    )  # fmt: skip
    under = candidate("majority", "floor")
    over = under.model_copy(
        update={"method": "rag", "over": "majority", "encoder": encoder, "settings": RagSettings().model_dump()}
    )
    (tmp_path / "model" / "over").mkdir(parents=True)
    write_manifest(tmp_path / "model" / "over", under, "chat")
    (tmp_path / "model" / "over" / "answer.json").write_text('{"output": {"text": "hello"}, "confidence": 1.0}')
    write_manifest(tmp_path / "model", over, "chat")
    saved = open_saved(tmp_path / "model", Device(), nothing)
    assert (saved.method, saved.encoder, saved.over and saved.over.method) == ("rag", encoder, "majority")
    assert saved.over is not None
    assert saved.over.load is not None
    (answer,) = saved.over.load(saved.over).answer([Question("q", {})])
    assert answer.output == {"text": "hello"}
    assert open_saved(tmp_path / "model" / "over", Device(), nothing).over is None
