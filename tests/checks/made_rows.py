"""Rows made on the spot for tests of checks: customers' messages whose words tell their intent."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sonmat.core.values import Example, Json, Source

WORDS = {
    "배송": ("택배가", "도착", "배송이", "운송장", "기사님", "수령", "출발", "물류센터", "언제 와요", "늦어요"),
    "환불": ("돈을", "돌려", "환불", "취소", "반품", "결제 취소", "원금", "계좌로", "받고 싶어요", "처리해 주세요"),
    "계정": ("비밀번호", "로그인", "아이디", "가입", "탈퇴", "인증번호", "이메일", "잊었어요", "변경", "접속이 안 돼요"),
    "매장": ("영업시간", "위치", "주차", "몇 시에", "열어요", "지점", "찾아가는", "근처", "방문", "휴무일"),
}
INTENTS = tuple(WORDS)


def message(intent: str, chance: random.Random) -> str:
    return " ".join(chance.sample(WORDS[intent], 4))


def intents(rows: int, seed: int = 0, names: Sequence[str] = INTENTS) -> list[Example]:
    """`rows` messages, as many of each intent."""
    chance = random.Random(seed)
    return [
        example(number, {"text": message(names[number % len(names)], chance)}, {"label": names[number % len(names)]})
        for number in range(rows)
    ]


def topics(rows: int, seed: int = 0) -> list[Example]:
    """`rows` messages about one thing or two, with a label for each."""
    chance = random.Random(seed)
    made = []
    for number in range(rows):
        about = chance.sample(INTENTS, 1 + number % 2)
        text = " ".join(message(intent, chance) for intent in about)
        made.append(example(number, {"text": text}, {"labels": about}))
    return made


def example(number: int, input: Json, target: Json) -> Example:
    return Example(id=f"row{number}", input=input, target=target, source=Source(file="made.csv", row=number + 2))


def with_target(row: Example, target: Json) -> Example:
    return row.model_copy(update={"target": target})
