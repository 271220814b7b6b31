"""Answers that go round in circles, and answers that are all alike."""

from __future__ import annotations

import random

import pytest

from sonmat.checking.loops import distinct_share, loop_in
from sonmat.checks.repetition import plugin
from sonmat.conformance import findings_of
from tests.checks.made_texts import CHAT, answers, finds_answers

CLEAN = [f"{number}번 주문은 오늘 출발했습니다. 내일 오후에 도착할 예정이니 조금만 기다려 주세요." for number in range(30)]
LOOPS = [
    "네 네 네 네 네 네 네 네 네 네 네 네 네",
    "알겠습니다. 바로 처리해 드리겠습니다. " * 6,
    "감사합니다" * 12,
    "I do not know what to say about it. Well. I do not know what to say about it. So. I do not know what to say about it.",
    "the end of the end of the end of the end of the end of the end of",
]


def test_every_loop_is_found() -> None:
    (found,) = finds_answers(plugin, answers(CLEAN), answers(LOOPS, "faulty"))
    assert found.evidence[0] == "×13"


@pytest.mark.parametrize(
    "text",
    [
        "ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ",
        "-" * 60,
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        "네 네 네, 알겠습니다. 바로 처리해 드릴게요.",
        "https://example.com/abc/abc/abc/abc/abc/abc/abc",
        "하나 둘 셋 넷 하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열",
    ],
)
def test_laughter_tables_and_rhythm_are_no_loops(text: str) -> None:
    assert loop_in(text) is None


def test_a_loop_tells_its_piece_and_turns() -> None:
    found = loop_in("go round and " * 6)
    assert found is not None
    assert (found.piece, found.turns) == ("go round and", 6)


def test_answers_from_one_template_are_hardly_varied() -> None:
    template = [
        f"주문하신 상품 {number}번은 물류센터에서 출발하여 배송 기사에게 전달되었으니 곧 받으실 수 있습니다."
        for number in range(600)
    ]
    (found,) = findings_of(plugin, answers(template), CHAT)
    assert found.rows == ()
    assert found.data["distinct_2"] < 0.2
    assert found.data["unique_targets"] == 1.0


def test_answers_in_many_words_are_varied() -> None:
    chance = random.Random(0)
    varied = [" ".join(f"낱말{chance.randrange(500)}" for _ in range(12)) for _ in range(600)]
    assert findings_of(plugin, answers(varied), CHAT) == []


def test_distinct_n_is_the_share_of_different_n_grams_over_a_fixed_number() -> None:
    assert distinct_share(["a b a b", "a b"], 1, 6) == pytest.approx(2 / 6)
    assert distinct_share(["a b a b", "a b"], 2, 4) == pytest.approx(2 / 4)
    assert distinct_share(["a b"], 2, 5) is None
