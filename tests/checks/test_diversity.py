"""Groups of like rows are found as they were made, the map is whole, and one topic for all classes is warned of."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sonmat.checks.diversity import MOST_ON_MAP, plugin
from sonmat.conformance import check_check, findings_of
from sonmat.core.values import Example
from sonmat.plugins import find_kind
from tests.checks.made_rows import INTENTS, WORDS, example, intents, message

KIND = find_kind("text-classification")


def one_topic(rows: int) -> list[Example]:
    """Nearly all rows are about deliveries, whatever their label."""
    chance = random.Random(3)
    return [
        example(
            number,
            {
                "text": "택배가 언제 도착하나요 " + chance.choice(["네", "음", "자"])
                if number % 12
                else message("계정", chance)
            },
            {"label": INTENTS[number % len(INTENTS)]},
        )
        for number in range(rows)
    ]


def test_one_topic_for_several_classes_is_warned_of() -> None:
    check_check(plugin, KIND, intents(40), one_topic(120), set())
    (found,) = findings_of(plugin, one_topic(120), KIND)
    assert found.severity == "warning"
    assert "92% of the rows are alike" in found.what.en


def test_groups_are_those_that_the_rows_were_made_of() -> None:
    (found,) = findings_of(plugin, intents(400), KIND)
    assert found.severity == "note"
    groups = found.data["clusters"]
    assert [group["size"] for group in groups] == [100] * 4
    assert found.data["effective"] == pytest.approx(4, abs=0.01)
    for group in groups:
        (intent,) = {INTENTS[int(id[3:]) % 4] for id in group["examples"]}
        assert group["words"]
        assert all(any(word in phrase for phrase in WORDS[intent]) for word in group["words"])


def test_the_map_has_every_row_once_and_like_rows_lie_together() -> None:
    rows = intents(300)
    (found,) = findings_of(plugin, rows, KIND)
    drawn = found.data["map"]
    assert drawn["ids"] == [row.id for row in rows]
    assert drawn["label"] == [row.target["label"] for row in rows]
    assert len({len(column) for column in drawn.values()}) == 1
    places = np.array([drawn["x"], drawn["y"]]).T
    assert np.abs(places).max() == pytest.approx(1, abs=1e-3)
    labels = np.array(drawn["label"])
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(len(places))
    assert (labels[gaps.argmin(axis=1)] == labels).mean() > 0.95


def test_a_large_sample_is_drawn_on_a_map_of_its_own_size() -> None:
    assert MOST_ON_MAP <= 2_000


@pytest.mark.parametrize("text", ["같은 말", "!!!"])
def test_rows_that_all_say_the_same_are_one_group(text: str) -> None:
    rows = [example(number, {"text": text}, {"label": INTENTS[number % 4]}) for number in range(60)]
    (found,) = findings_of(plugin, rows, KIND)
    assert len(found.data["clusters"]) == 1
    assert found.severity == "warning"


def test_words_of_a_group_hold_no_personal_data() -> None:
    rows = [
        row.model_copy(update={"input": {"text": f"{row.input['text']} honggildong@example.com"}})
        if row.target["label"] == "환불"
        else row
        for row in intents(80)
    ]
    (found,) = findings_of(plugin, rows, KIND)
    assert "honggildong" not in str(found.data) + str(found.evidence)
