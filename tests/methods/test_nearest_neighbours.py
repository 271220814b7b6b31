"""Nearest neighbours: shares are scikit-learn's before the one vote more, vectors are computed once, and validation rows choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from sonmat import plugins
from sonmat.conformance.method import CPU, tiny_base
from sonmat.core.errors import DataError
from sonmat.core.protocols import FitJob, No, Predictor, Question, SavedModel, Task
from sonmat.core.text import Text
from sonmat.core.values import Example
from sonmat.embedding.directions import unit_rows
from sonmat.methods import nearest_neighbours
from sonmat.methods.nearest_neighbours import Neighbours, Voting

METHOD = plugins.find("methods", "nearest-neighbours")


def silent(kind: str, message: Text | None = None, /, **data: Any) -> None: ...


def known(rows: int = 60, width: int = 8, seed: int = 0) -> Neighbours:
    chance = np.random.default_rng(seed)
    places = np.arange(rows) % 3
    vectors = unit_rows((np.eye(width)[places] + chance.normal(0, 0.5, (rows, width))).astype(np.float32))
    return Neighbours(vectors, places, ("a", "b", "c"))


@pytest.mark.parametrize("weighting", ["equal", "nearer"])
@pytest.mark.parametrize("count", [1, 5, 15])
def test_votes_are_those_of_scikit_learn(weighting: Any, count: int) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    rows, asked = known(), known(seed=1).vectors
    theirs = KNeighborsClassifier(count, weights="uniform" if weighting == "equal" else "distance", algorithm="brute")
    expected = theirs.fit(rows.vectors, rows.places).predict_proba(asked)
    shares = rows.shares(asked, Voting(count, weighting))
    usual = np.bincount(rows.places) / len(rows.places)
    np.testing.assert_allclose((shares * (count + 1) - usual) / count, expected, atol=2e-3)
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_a_tie_goes_to_the_commoner_label_and_a_lone_neighbour_is_not_certain() -> None:
    vectors = unit_rows(np.array([[1, 0], [0, 1], [-1, 0], [-1, 0.1]], dtype=np.float32))
    rows = Neighbours(vectors, np.array([0, 1, 1, 1]), ("rare", "usual"))
    between = unit_rows(np.array([[1, 1]], dtype=np.float32))
    assert rows.shares(between, Voting(2, "equal"))[0].tolist() == pytest.approx([1.25 / 3, 1.75 / 3])
    assert rows.shares(vectors[:1], Voting(1, "equal"))[0].tolist() == pytest.approx([1.25 / 2, 0.75 / 2])


def test_a_row_that_is_asked_again_is_its_own_nearest_and_nobody_else_is_counted_twice() -> None:
    rows = known()
    shares = rows.shares(rows.vectors, Voting(9, "nearer"))
    assert (shares.argmax(axis=1) == rows.places).all()


@pytest.mark.parametrize("count", [1, 3, 40])
def test_of_equally_near_rows_the_first_count(count: int) -> None:
    likeness = np.random.default_rng(2).choice(np.array([-0.5, -0.25, -0.0, 0.0, 0.25, 1], np.float32), (50, 40))
    expected = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    np.testing.assert_array_equal(nearest_neighbours._nearest(likeness, count), expected)


def test_the_more_rows_the_fewer_questions_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit_rows(np.random.default_rng(3).normal(size=(30, 4)).astype(np.float32))
    known = Neighbours(vectors, np.arange(30) % 2, ("a", "b"))
    expected, seen, nearest = (
        known.shares(vectors, Voting(5, "nearer")),
        list[tuple[int, ...]](),
        nearest_neighbours._nearest,
    )

    def watched(likeness: Any, count: int) -> Any:
        seen.append(likeness.shape)
        return nearest(likeness, count)

    monkeypatch.setattr(nearest_neighbours, "_nearest", watched)
    monkeypatch.setattr(nearest_neighbours, "_LIKENESSES_AT_ONCE", 250)
    np.testing.assert_allclose(known.shares(vectors, Voting(5, "nearer")), expected, rtol=1e-4)
    assert seen == [(8, 30), (8, 30), (8, 30), (6, 30)]


def test_more_neighbours_than_rows_are_all_rows() -> None:
    rows = known(rows=6)
    np.testing.assert_allclose(rows.shares(rows.vectors, Voting(50, "equal")), 1 / 3)


def job(task: Task, folder: Path, train: Sequence[Example], validation: Sequence[Example], **settings: Any) -> FitJob:
    base = tiny_base(task, folder / "base")
    (folder / "model").mkdir()
    return FitJob(
        task=task,
        spec=task.tiny().spec,
        base=base,
        family=plugins.find("families", base.family),
        settings=METHOD.Settings.model_validate(settings),
        train=train,
        validation=validation,
        selection=plugins.find("metrics", "macro_f1"),
        folder=folder / "model",
        work=folder / "work",
        seed=0,
        device=CPU,
        emit=silent,
        should_pause=lambda: False,
        cache=folder / "cache",
    )


def loaded(made: FitJob) -> Predictor:
    saved = SavedModel(made.folder, METHOD.name, made.task, made.spec, made.base, made.family, made.settings, CPU)
    return METHOD.load(saved)


def test_texts_are_answered_by_their_neighbours_and_the_choice_is_declared(tmp_path: Path) -> None:
    task = plugins.find("tasks", "text-classification")
    rows = task.tiny().examples
    made = job(task, tmp_path, rows[:9], rows[9:])
    result = METHOD.fit(made)
    assert result.budget is not None
    assert result.budget.en.startswith("9 ways of voting tried on 3 validation rows; chosen: ")
    assert {file.name for file in made.folder.iterdir()} == {"neighbours.json", "vectors.npz"}
    assert not any("fine day" in file.read_text("latin-1") for file in made.folder.iterdir()), "no text of a row is kept"
    one = replace(made, settings=METHOD.Settings(neighbours=(1,)))
    METHOD.fit(one)
    answers = {each.row: each for each in loaded(one).answer([Question(row.id, row.input) for row in rows[:9]])}
    assert [answers[row.id].output["label"] for row in rows[:9]] == [row.target["label"] for row in rows[:9]]
    assert set(answers[rows[0].id].output["scores"]) == {"good", "bad", "odd"}


def test_vectors_are_computed_once_for_all_folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = plugins.find("tasks", "text-classification")
    rows = task.tiny().examples
    made = job(task, tmp_path, rows[:9], rows[9:])
    METHOD.fit(made)

    def refuse(*_: Any) -> None:
        raise AssertionError("a vector is computed again")

    monkeypatch.setattr("sonmat.embedding.encoder._text_batches", refuse)
    METHOD.fit(replace(made, train=rows[3:], validation=rows[:3]))


def test_pictures_are_answered_by_their_neighbours_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    task = plugins.find("tasks", "image-classification")
    rows = task.tiny().examples
    made = job(task, tmp_path, rows[:6], rows[6:], neighbours=(1,))
    made = replace(made, spec=made.spec.model_copy(update={"media_root": task.tiny().spec.media_root}))
    METHOD.fit(made)
    predictor = loaded(made)
    answers = {each.row: each.output["label"] for each in predictor.answer([Question(r.id, r.input) for r in rows[:6]])}
    assert answers == {row.id: row.target["label"] for row in rows[:6]}
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="not a readable picture"):
        list(predictor.answer([Question("q", {"image": str(tmp_path / "no.png")})]))
    Image.new("RGB", (8, 8), "white").save(tmp_path / "white.png")
    (white,) = predictor.answer([Question("q", {"image": str(tmp_path / "white.png")})])
    assert white.output["label"] == "light"


def test_a_language_model_is_no_encoder_for_it(tmp_path: Path) -> None:
    chat = plugins.find("tasks", "chat")
    assert isinstance(METHOD.supports(chat, None, CPU), No)
    task = plugins.find("tasks", "text-classification")
    base = tiny_base(task, tmp_path)
    assert isinstance(METHOD.supports(task, base.model_copy(update={"chat": True}), CPU), No)


@pytest.mark.parametrize("neighbours", [(0,), (3, -1), ()])
def test_numbers_of_neighbours_that_are_none_are_refused(neighbours: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match="neighbours"):
        METHOD.Settings.model_validate({"neighbours": neighbours})
