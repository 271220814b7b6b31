"""Which examples are shown: the nearest in words, in Korean too, and typical ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonmat.prompting.nearest import NearestExamples, examples_to_show, load_examples, typical_places
from sonmat.prompting.prompt import Shot
from tests.prompting.tiny_talker import examples

TEXTS = ["배송이 언제 오나요", "환불하고 싶어요", "비밀번호를 잊었습니다", "the parcel is late", "I forgot my password"]


def shots(texts: list[str]) -> list[Shot]:
    return [Shot(input={"text": text}, target={"label": str(number)}) for number, text in enumerate(texts)]


def labels(found: list[Shot]) -> list[str]:
    return [shot.target["label"] for shot in found]


def test_the_nearest_example_comes_last_whatever_ending_a_korean_word_has() -> None:
    nearest = NearestExamples(shots(TEXTS))
    asked = [{"text": "비밀번호가 기억나지 않아요"}, {"text": "배송은 언제쯤이죠"}, {"text": "forgotten passwords"}]
    assert [labels(found)[-1] for found in nearest(asked, 2)] == ["2", "0", "4"]
    assert [len(found) for found in nearest(asked, 99)] == [5, 5, 5]


def test_an_example_that_says_the_same_is_nearest_and_ties_keep_their_order() -> None:
    nearest = NearestExamples(shots([*TEXTS, TEXTS[0]]))
    assert labels(nearest([{"text": TEXTS[0]}], 2)[0]) == ["5", "0"]
    assert labels(nearest([{"text": "가"}], 3)[0]) == ["2", "1", "0"]


def test_many_questions_get_what_each_would_get_alone() -> None:
    nearest = NearestExamples(shots(TEXTS))
    asked = [{"text": TEXTS[number % 5] + " 꼭"} for number in range(600)]
    assert [labels(found) for found in nearest(asked, 2)] == [labels(nearest([one], 2)[0]) for one in asked]


def test_saved_examples_are_searched_as_before(tmp_path: Path) -> None:
    nearest = NearestExamples(shots(TEXTS))
    nearest.save(tmp_path)
    asked = [{"text": "환불 되나요"}]
    assert load_examples(tmp_path)(asked, 3) == nearest(asked, 3)


def test_of_very_many_examples_a_seeded_draw_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.prompting.nearest.MOST_EXAMPLES", 10)
    drawn = examples_to_show(examples(30), seed=1)
    assert drawn == examples_to_show(examples(30), seed=1)
    assert drawn != examples_to_show(examples(30), seed=2)
    assert len(drawn) == 10


def test_the_most_typical_text_is_like_the_others_and_the_second_unlike_the_first() -> None:
    texts = [
        "a late parcel",
        "the parcel is late",
        "my late parcel",
        "forgotten password",
        "password forgotten again",
        "zzz",
    ]
    first, second = typical_places(texts, 2)
    assert first in (0, 1, 2)
    assert second in (3, 4)
    assert typical_places([], 2) == []
    assert typical_places(["one"], 2) == [0]
