"""Planted label errors are found, the most suspicious first; clean and merely difficult labels are left in peace."""

from __future__ import annotations

import numpy as np
import pytest

from sonmat.checking.grouping import dealt_into_folds
from sonmat.checking.label_noise import doubts_of_labels
from sonmat.checking.label_quality import confident_labels, judged_labels, numbered, out_of_fold
from sonmat.checks.label_errors import plugin
from sonmat.conformance import check_check, findings_of
from sonmat.core.values import Example
from sonmat.plugins import find_kind
from tests.checks.made_rows import INTENTS, intents, topics, with_target

SINGLE, SEVERAL = find_kind("text-classification"), find_kind("multi-label-classification")


def flipped(rows: list[Example], places: list[int]) -> list[Example]:
    """The rows, those at `places` with the next intent's label."""
    changed = list(rows)
    for place in places:
        label = rows[place].target["label"]
        changed[place] = with_target(rows[place], {"label": INTENTS[(INTENTS.index(label) + 1) % len(INTENTS)]})
    return changed


def test_flipped_labels_are_found_and_clean_ones_left_in_peace() -> None:
    clean = intents(240)
    places = [3, 50, 77, 101, 142, 190, 233]
    check_check(plugin, SINGLE, clean, flipped(clean, places), {f"row{place}" for place in places})


def test_the_finding_names_the_right_label_its_chance_and_a_short_text() -> None:
    clean = intents(240)
    (found,) = findings_of(plugin, flipped(clean, [3, 50, 77, 101, 142, 190, 233]), SINGLE)
    assert found.severity == "warning"
    told = {row["id"]: row for row in found.data["rows"]}
    assert told["row50"]["given"] == [INTENTS[3]]
    assert told["row50"]["suggested"] == [INTENTS[2]]
    assert [row["id"] for row in found.data["rows"]] == list(found.rows)
    doubts = [row["wrong"] for row in found.data["rows"]]
    assert doubts == sorted(doubts, reverse=True)
    assert 0.01 < found.data["share"] < 0.06
    assert found.data["expected"] == 7
    assert all(len(piece) < 120 and "→" in piece for piece in found.evidence)


def test_evidence_shows_no_personal_data() -> None:
    rows = flipped(intents(240), [3, 50, 77, 101, 142, 190, 233])
    hidden = [row.model_copy(update={"input": {"text": f"hong@example.com {row.input['text']}"}}) for row in rows]
    (found,) = findings_of(plugin, hidden, SINGLE)
    assert found.evidence
    assert "hong@" not in " ".join(found.evidence)


def test_added_and_forgotten_labels_are_found_where_rows_have_several() -> None:
    clean = topics(320)
    faulty = list(clean)
    planted = set()
    for place in range(5, 320, 40):
        row = clean[place]
        extra = next(intent for intent in INTENTS if intent not in row.target["labels"])
        labels = [*row.target["labels"], extra] if place % 80 == 5 else row.target["labels"][:1]
        faulty[place] = with_target(row, {"labels": labels})
        planted.add(row.id)
    check_check(plugin, SEVERAL, clean, faulty, planted)
    told = {row["id"]: row for row in findings_of(plugin, faulty, SEVERAL)[0].data["rows"]}
    assert all(set(row["suggested"]) == set(clean[int(id[3:])].target["labels"]) for id, row in told.items())


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_labels_that_the_text_does_not_tell_are_left_in_peace(classes: int) -> None:
    rows = [
        row.model_copy(update={"input": {"text": f"{number}번째 문의입니다"}})
        for number, row in enumerate(intents(240, names=INTENTS[:classes]))
    ]
    assert findings_of(plugin, rows, SINGLE) == []


@pytest.mark.parametrize("rows", [0, 10, 49])
def test_too_few_rows_are_not_judged(rows: int) -> None:
    assert findings_of(plugin, intents(rows), SINGLE) == []


def test_one_class_or_only_tiny_classes_are_not_judged() -> None:
    same = [with_target(row, {"label": "배송"}) for row in intents(80)]
    assert findings_of(plugin, same, SINGLE) == []
    each = [with_target(row, {"label": f"label {number // 2}"}) for number, row in enumerate(intents(80))]
    assert findings_of(plugin, each, SINGLE) == []


def cloud(rows: int, classes: int, apart: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, classes, rows)
    centres = chance.normal(0, apart, (classes, 12))
    return (centres[labels] + chance.normal(0, 1, (rows, 12))).astype(np.float32), labels


def judged(features: np.ndarray, labels: np.ndarray):  # type: ignore[no-untyped-def]
    return judged_labels(labels, out_of_fold(features, labels, np.arange(len(labels), dtype=np.uint64), 0, lambda: None))


@pytest.mark.parametrize("classes", [2, 5, 10])
@pytest.mark.parametrize("apart", [0.3, 0.6, 1.0, 2.0])
def test_classes_that_merely_overlap_are_no_label_errors(classes: int, apart: float) -> None:
    assert not judged(*cloud(600, classes, apart, seed=classes)).reported.any()


@pytest.mark.parametrize("classes", [2, 5])
def test_the_share_of_wrong_labels_and_the_chances_come_out_right(classes: int) -> None:
    features, labels = cloud(1500, classes, 2.0, seed=1)
    chance = np.random.default_rng(2)
    places = chance.choice(len(labels), 120, replace=False)
    given = labels.copy()
    given[places] = (labels[places] + chance.integers(1, classes, 120)) % classes
    result = judged(features, given)
    assert abs(result.noise.share - 0.08) < 0.015
    assert np.isin(places, result.ranking[:150]).mean() > 0.95
    right = np.isin(np.flatnonzero(result.reported), places).mean()
    assert abs(right - result.wrong[result.reported].mean()) < 0.1
    assert (result.suggested[places] == labels[places]).mean() > 0.95


def test_rows_between_classes_are_not_reported_as_errors() -> None:
    features, labels = cloud(1500, 4, 0.8, seed=1)
    chance = np.random.default_rng(2)
    places = chance.choice(len(labels), 75, replace=False)
    given = labels.copy()
    given[places] = (labels[places] + chance.integers(1, 4, 75)) % 4
    found = np.flatnonzero(judged(features, given).reported)
    assert len(found) > 25
    assert np.isin(found, places).mean() > 0.9
    # Of the rows that confident learning names by itself, a third are right.
    alone = (
        confident_labels(given, out_of_fold(features, given, np.arange(1500, dtype=np.uint64), 0, lambda: None)) != given
    )
    assert np.isin(np.flatnonzero(alone), places).mean() < 0.7


def test_slips_are_seen_where_the_model_is_equally_sure_of_all_rows() -> None:
    labels = np.arange(400) % 2
    given = labels.copy()
    given[:20] = 1 - labels[:20]
    probabilities = np.where(np.eye(2)[labels] > 0, 0.95, 0.05)
    assert set(np.flatnonzero(judged_labels(given, probabilities).reported)) == set(range(20))
    assert not judged_labels(labels, probabilities).reported.any()


@pytest.mark.parametrize("seed", range(3))
def test_confident_learning_names_the_rows_that_cleanlab_names(seed: int) -> None:
    from cleanlab.filter import find_label_issues

    features, labels = cloud(500, 4, 0.5, seed)
    probabilities = out_of_fold(features, labels, np.arange(500, dtype=np.uint64), 0, lambda: None)
    theirs = find_label_issues(labels, probabilities, filter_by="confident_learning", n_jobs=1)
    ours = confident_labels(labels, probabilities) != labels
    assert theirs.sum() > 10
    assert np.array_equal(ours, theirs)


def test_rows_that_say_the_same_are_never_on_both_sides_and_classes_are_spread() -> None:
    chance = np.random.default_rng(0)
    classes, same = chance.integers(0, 4, 400), chance.integers(0, 150, 400).astype(np.uint64)
    folds = dealt_into_folds(classes, same, 5, seed=3)
    assert all(len(set(folds[same == key])) == 1 for key in np.unique(same))
    spread = dealt_into_folds(classes, np.arange(400, dtype=np.uint64), 5, seed=3)
    counts = np.array([[np.sum((spread == fold) & (classes == label)) for fold in range(5)] for label in range(4)])
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1


def test_copies_of_a_wrong_row_do_not_vouch_for_one_another() -> None:
    features, labels = cloud(200, 2, 1.5, seed=0)
    features, labels = np.vstack([features, *[features[:1]] * 30]), np.append(labels, [1 - labels[0]] * 30)
    apart = np.arange(230, dtype=np.uint64)
    together = np.where(apart < 200, apart, 0)
    of_wrong = out_of_fold(features, labels, together, 0, lambda: None)[200:, 1 - labels[0]]
    assert of_wrong.max() < 0.2
    assert out_of_fold(features, labels, apart, 0, lambda: None)[200:, 1 - labels[0]].min() > 0.3


def test_no_noise_is_seen_in_labels_drawn_from_the_very_probabilities() -> None:
    chance = np.random.default_rng(5)
    probabilities = chance.dirichlet([0.3] * 4, 1500)
    drawn = np.array([chance.choice(4, p=row) for row in probabilities])
    assert doubts_of_labels(drawn, probabilities).noise.gain < 2


def test_labels_are_numbered_in_the_order_of_their_names() -> None:
    names, numbers = numbered(["b", "a", "b"])
    assert names == ("a", "b")
    assert numbers.tolist() == [1, 0, 1]
