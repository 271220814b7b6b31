"""The learning curve finds the curve that points were made from, and the check says which data would grow better."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sonmat.checking.learning_curve import Curve, fitted, growing_shares, measured
from sonmat.checks.enough import plugin
from sonmat.conformance import check_check, findings_of
from sonmat.core.values import Example
from sonmat.plugins import find_kind
from tests.checks.made_rows import INTENTS, WORDS, example, intents, with_target

KIND = find_kind("text-classification")


def hard(rows: int, seed: int = 0) -> list[Example]:
    """Only one word of each message, of many thousand, tells its intent: every row more teaches another word."""
    chance = random.Random(seed)
    made = []
    for number in range(rows):
        intent = INTENTS[number % 4]
        told = f"{WORDS[intent][0]}{chance.randrange(400)}"
        noise = " ".join(chance.choice([word for words in WORDS.values() for word in words]) for _ in range(5))
        made.append(example(number, {"text": f"{noise} {told}"}, {"label": intent}))
    return made


def test_data_that_would_grow_better_with_more_rows_are_told_so() -> None:
    check_check(plugin, KIND, intents(60), hard(240), set())
    (found,) = findings_of(plugin, hard(240), KIND)
    assert found.data["gain"]["value"] > 0.01
    assert "more rows" in found.what.en


def test_data_that_are_learnt_already_are_told_so() -> None:
    (found,) = findings_of(plugin, intents(600), KIND)
    assert found.data["gain"]["high"] < 0.01
    assert "will hardly help" in found.what.en
    assert "거의 나아지지 않습니다" in found.what.ko


def test_the_class_that_is_short_of_rows_is_named_first() -> None:
    chance = random.Random(1)
    rows = [row for number, row in enumerate(hard(480)) if row.target["label"] != "매장" or chance.random() < 0.25]
    (found,) = findings_of(plugin, rows, KIND)
    assert found.data["classes"][0]["label"] == "매장"
    assert found.data["classes"][0]["rows_now"] == pytest.approx(sum(row.target["label"] == "매장" for row in rows), abs=2)


def test_the_data_hold_what_a_plot_needs() -> None:
    (found,) = findings_of(plugin, hard(240), KIND)
    sizes = [point["rows"] for point in found.data["points"]]
    assert sizes == sorted(sizes)
    assert sizes[-1] == found.data["rows_now"] == 192
    assert all(point["low"] <= point["error"] <= point["high"] for point in found.data["points"] + found.data["curve"])
    errors = [point["error"] for point in found.data["curve"]]
    assert errors == sorted(errors, reverse=True)
    assert found.data["curve"][-1]["rows"] == 2 * found.data["rows_now"]


def test_classes_that_a_simple_model_cannot_learn_have_no_forecast() -> None:
    texts = [row.input for row in intents(240)]
    random.Random(0).shuffle(texts)
    rows = [row.model_copy(update={"input": text}) for row, text in zip(intents(240), texts, strict=True)]
    (found,) = findings_of(plugin, rows, KIND)
    assert "learns next to nothing" in found.what.en
    assert "gain" not in found.data


@pytest.mark.parametrize("rows", [0, 30, 99])
def test_too_few_rows_have_no_curve(rows: int) -> None:
    assert findings_of(plugin, intents(rows), KIND) == []


def test_one_class_and_tiny_classes_have_no_curve() -> None:
    assert findings_of(plugin, [with_target(row, {"label": "a"}) for row in intents(200)], KIND) == []
    tiny = [with_target(row, {"label": f"class {number // 4}"}) for number, row in enumerate(intents(200))]
    assert findings_of(plugin, tiny, KIND) == []


@pytest.mark.parametrize(("rows", "expected"), [(1, 1), (999, 1), (1000, 0)])
def test_a_few_conversations_are_set_beside_the_usual_number(rows: int, expected: int) -> None:
    talk = [
        example(number, {"messages": [{"role": "user", "content": f"{number}?"}]}, {"text": f"{number}!"})
        for number in range(rows)
    ]
    found = findings_of(plugin, talk, find_kind("chat"))
    assert len(found) == expected
    assert all("LIMA" in finding.what.en and finding.severity == "note" for finding in found)


@pytest.mark.parametrize(("a", "b", "c"), [(0.1, 2.0, 0.5), (0.0, 1.0, 0.3), (0.05, 5.0, 1.0), (0.2, 0.0, 0.5)])
def test_the_curve_that_points_were_made_from_is_found_again(a: float, b: float, c: float) -> None:
    sizes = np.array([50.0, 100, 200, 400, 800])
    curve: Curve = fitted(sizes, np.tile(a + b * sizes**-c, (4, 1)), seed=0)
    truth = b * (800**-c - 1600**-c)
    gain = curve.gain(800, 1600)
    assert gain.value == pytest.approx(truth, abs=2e-3)
    assert curve.error(1600).value == pytest.approx(a + b * 1600**-c, abs=3e-3)
    assert gain.low <= gain.value + 1e-9 <= gain.high + 2e-9


def test_noisier_points_have_a_wider_band() -> None:
    sizes, chance = np.array([50.0, 100, 200, 400, 800]), np.random.default_rng(0)
    widths = []
    for noise in (0.002, 0.03):
        gain = fitted(sizes, 0.1 + 2 * sizes**-0.5 + chance.normal(0, noise, (6, 5)), seed=0).gain(800, 1600)
        widths.append(gain.high - gain.low)
    assert widths[1] > 2 * widths[0]


def test_sizes_are_nested_stratified_and_thin_only_one_class_where_asked() -> None:
    chance = np.random.default_rng(0)
    labels = np.arange(200) % 4
    features = np.eye(4, dtype=np.float32)[labels] + chance.normal(0, 0.1, (200, 4)).astype(np.float32)
    same = np.arange(200, dtype=np.uint64)
    whole = measured(features, labels, same, (0.25, 0.5, 1.0), 2, 0, lambda: None)
    assert whole.sizes.tolist() == [40, 80, 160]
    thinned = measured(features, labels, same, (0.25, 0.5, 1.0), 2, 0, lambda: None, thinned=1)
    assert thinned.sizes.tolist() == [10, 20, 40]
    assert whole.errors.shape == (2, 3)
    assert whole.errors[:, -1].max() < 0.05


def test_the_smallest_part_holds_a_few_rows_of_each_class() -> None:
    assert growing_shares(10_000, 4)[0] == pytest.approx(0.1)
    assert growing_shares(200, 10)[0] * 160 / 10 >= 5
    assert growing_shares(100, 50)[0] <= 0.4
