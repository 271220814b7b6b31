"""TF-IDF: the weights are scikit-learn's, what is saved can be read and needs no pickle, and the validation rows choose."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from sonmat import plugins
from sonmat.core.errors import Paused
from sonmat.core.protocols import FitJob, No, Predictor, Question, SavedModel, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Example, Source, Spec
from sonmat.embedding.term_weights import TermWeights, terms_of

METHOD = plugins.find("methods", "tf-idf")
TASK = plugins.find("tasks", "text-classification")
TEXTS = ["the room is warm", "turn the light on", "거실 불을 켜 줘", "거실 불 꺼", "light light on", "it is a warm room on"]


def silent(kind: str, message: Text | None = None, /, **data: Any) -> None: ...


def example(text: str, label: str, number: int) -> Example:
    return Example(id=str(number), input={"text": text}, target={"label": label}, source=Source(file="", row=number))


def rows(count: int = 40, seed: int = 0) -> list[Example]:
    chance = np.random.default_rng(seed)
    signs = {"on": ("켜줘", "켜 줄래", "turn on"), "off": ("꺼줘", "꺼 줄래", "turn off"), "what": ("몇 도야", "how warm")}
    rooms = ("거실", "안방", "kitchen", "hall")
    made = []
    for number in range(count):
        label = list(signs)[number % 3]
        text = f"{rooms[chance.integers(4)]} {signs[label][chance.integers(len(signs[label]))]} {chance.integers(99)}"
        made.append(example(text, label, number))
    return made


def job(folder: Path, train: Sequence[Example], validation: Sequence[Example] = (), **settings: Any) -> FitJob:
    folder.mkdir(parents=True, exist_ok=True)
    return FitJob(
        task=TASK,
        spec=TASK.specify([*train, *validation]),
        base=None,
        family=None,
        settings=METHOD.Settings.model_validate(settings),
        train=train,
        validation=validation,
        selection=plugins.find("metrics", "macro_f1"),
        folder=folder,
        work=folder / "work",
        seed=0,
        device=Device(),
        emit=silent,
        should_pause=lambda: False,
    )


def loaded(made: FitJob) -> Predictor:
    return METHOD.load(SavedModel(made.folder, "tf-idf", TASK, made.spec, None, None, made.settings, Device()))


@pytest.mark.parametrize("of", ["words", "letters"])
def test_weights_are_those_of_scikit_learn(of: Any) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    how = {
        "words": {"ngram_range": (1, 2), "token_pattern": r"\w+"},
        "letters": {"analyzer": "char_wb", "ngram_range": (2, 4)},
    }
    theirs = TfidfVectorizer(sublinear_tf=True, **how[of])
    expected = theirs.fit_transform(TEXTS)
    ours = TermWeights.learnt(of, TEXTS, most=10_000)
    assert set(ours.terms) == set(theirs.vocabulary_)
    order = [theirs.vocabulary_[term] for term in ours.terms]
    np.testing.assert_allclose(ours.rows(TEXTS).toarray(), expected.toarray()[:, order], atol=1e-6)
    later = ["a light in the hall", "", "완전히 다른 말"]
    np.testing.assert_allclose(ours.rows(later).toarray(), theirs.transform(later).toarray()[:, order], atol=1e-6)


def test_probabilities_are_those_of_scikit_learn(tmp_path: Path) -> None:
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    for labels in (("on", "off", "what"), ("on", "off")):
        train = [row for row in rows() if row.target["label"] in labels]
        made = job(tmp_path / str(len(labels)), train, terms="both", strengths=(10.0,))
        METHOD.fit(made)
        texts = [row.input["text"] for row in train]
        kinds = [TermWeights.learnt(of, texts, 30_000) for of in ("words", "letters")]
        features = sparse.hstack([kind.rows(texts) for kind in kinds], format="csr")
        theirs = LogisticRegression(C=10.0, max_iter=300).fit(features, [row.target["label"] for row in train])
        expected = theirs.predict_proba(features)
        for place, found in enumerate(loaded(made).answer([Question(row.id, row.input) for row in train])):
            assert [found.output["scores"][label] for label in theirs.classes_] == pytest.approx(expected[place], abs=1e-5)
            assert found.confidence == pytest.approx(max(expected[place]), abs=1e-5)


def test_it_learns_and_says_what_was_tried_on_the_validation_rows(tmp_path: Path) -> None:
    made = job(tmp_path, rows(60), rows(30, seed=1))
    result = METHOD.fit(made)
    assert result.budget is not None
    assert result.budget.en.startswith("9 settings tried on 30 validation rows; chosen: ")
    assert result.selection["macro_f1"] > 0.9
    (found,) = loaded(made).answer([Question("q", {"text": "부엌 kitchen 꺼줘"})])
    assert (found.output["label"], set(found.output["scores"])) == ("off", {"on", "off", "what"})
    assert found.confidence is not None
    assert 1 / 3 < found.confidence < 1


def test_the_test_rows_have_no_part_in_the_choice_and_the_validation_rows_none_in_the_weights(tmp_path: Path) -> None:
    train, some, others = rows(60), rows(30, seed=1), rows(30, seed=2)
    one, other = (
        job(tmp_path / "1", train, some, strengths=(10,), terms="words"),
        job(tmp_path / "2", train, others, strengths=(10,), terms="words"),
    )
    METHOD.fit(one)
    METHOD.fit(other)
    assert (one.folder / "terms.json").read_text() == (other.folder / "terms.json").read_text()
    assert (one.folder / "weights.npz").read_bytes() == (other.folder / "weights.npz").read_bytes()


def test_what_is_saved_can_be_read_and_is_loaded_without_pickle_or_scikit_learn(tmp_path: Path) -> None:
    made = job(tmp_path, rows())
    METHOD.fit(made)
    content = json.loads((tmp_path / "terms.json").read_text(encoding="utf-8"))
    assert content["labels"] == ["off", "on", "what"]
    assert any("켜줘" in kind["terms"] or "켜줘 " in kind["terms"] for kind in content["kinds"])
    assert {file.name for file in tmp_path.iterdir()} == {"terms.json", "weights.npz"}
    asked = (
        "import sys; from pathlib import Path; from tests.methods.test_tf_idf import *\n"
        f"made = SavedModel(Path({str(tmp_path)!r}), 'tf-idf', TASK, Spec(labels=('off', 'on', 'what')), None, None, "
        "METHOD.Settings(), Device())\n"
        "print([each.output['label'] for each in METHOD.load(made).answer([Question('', {'text': 'hall 켜줘'})])])\n"
        "print({'sklearn', 'torch', 'kiwipiepy', 'pickle5'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["['on']", "set()"]


def test_a_text_of_unknown_words_gets_an_answer_and_little_confidence(tmp_path: Path) -> None:
    made = job(tmp_path, rows())
    METHOD.fit(made)
    for text in ("zzz", "!?", "😀"):
        (found,) = loaded(made).answer([Question("q", {"text": text})])
        assert found.confidence is not None
        assert found.confidence < 0.6


def test_labels_that_the_training_rows_lack_are_never_said_and_one_label_is_always_said(tmp_path: Path) -> None:
    train = [row for row in rows() if row.target["label"] == "on"]
    made = replace(job(tmp_path, train), spec=Spec(labels=("off", "on", "what")))
    METHOD.fit(made)
    (found,) = loaded(made).answer([Question("q", {"text": "꺼줘"})])
    assert found.output == {"label": "on", "scores": {"off": 0.0, "on": 1.0, "what": 0.0}}


def test_it_stops_between_two_tries_when_asked(tmp_path: Path) -> None:
    with pytest.raises(Paused):
        METHOD.fit(replace(job(tmp_path, rows()), should_pause=lambda: True))


def test_a_short_word_is_one_group_and_an_endless_text_is_cut() -> None:
    assert list(terms_of("letters", "A 켜")) == [" a", "a ", " a ", " 켜", "켜 ", " 켜 "]
    assert len(list(terms_of("words", "a " * 50_000))) == 2 * 10_000 - 1


def test_it_takes_texts_with_labels_only() -> None:
    assert isinstance(METHOD.supports(TASK, None, Device()), Yes)
    for other in ("chat", "image-classification"):
        assert isinstance(METHOD.supports(plugins.find("tasks", other), None, Device()), No)


def test_more_rows_and_classes_are_estimated_to_take_longer_and_a_small_job_seconds() -> None:
    def seconds(train: int, classes: int) -> float:
        load = Workload(
            None, Device(), train, 100, 100, mean_tokens=20, longest_tokens=60, mean_target_tokens=1, classes=classes
        )
        return float(METHOD.estimate(METHOD.Settings(), load).seconds)

    assert seconds(1_600, 13) < 30
    assert seconds(1_600, 13) < seconds(16_000, 13) < seconds(16_000, 130)


@pytest.mark.parametrize("strengths", [(0.0,), (1.0, -1.0), (float("nan"),), ()])
def test_strengths_that_hold_nothing_small_are_refused(strengths: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="strengths"):
        METHOD.Settings.model_validate({"strengths": strengths})
