"""Rows of given texts, for tests of what checks say about texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sonmat import plugins
from sonmat.conformance import check_check, findings_of
from sonmat.core.values import Example, Finding, Source
from sonmat.core.watching import Check

CHAT = plugins.find("tasks", "chat")
LABELS = plugins.find("tasks", "text-classification")
CLEAN = (
    "배송이 늦어요. 언제 도착하나요?", "환불해 주세요 ㅠㅠ", "비밀번호를 잊었어요ㅋㅋ", "매장은 몇 시에 열어요?",
    "이 두 개 중 더 큰 것으로 주세요", "Galaxy S24 케이스 있나요? 5 < 6 입니다", "가격은 1,000원 ~ 2,000원 & 무료 배송",
    "Where is my order?", "Please cancel it & refund me.", "It’s a naïve café – “really”.", "👨‍👩‍👧 가족 사진 🇰🇷",
    "大韓民國은 한자로 쓴 대한민국입니다.", "안녕하세요, 저는 김입니다.",
    "a <- b; if (x < y && y > z) return", "Ciao! Così va bene, è un’idea.",
)  # fmt: skip
"""Texts of all sorts with nothing wrong in them."""


def texts(said: Iterable[str], prefix: str = "row") -> list[Example]:
    """Texts with one of two labels."""
    return [
        Example(
            id=f"{prefix}{number}",
            input={"text": text},
            target={"label": ("a", "b")[number % 2]},
            source=Source(file="made.csv", row=number + 2),
        )
        for number, text in enumerate(said)
    ]


def answers(said: Iterable[str | tuple[str, str]], prefix: str = "row") -> list[Example]:
    """Conversations: question and answer, or an answer to some question."""
    pairs = [
        (f"{number}번째 질문입니다. 알려 주시겠어요?", each) if isinstance(each, str) else each
        for number, each in enumerate(said)
    ]
    return [
        Example(
            id=f"{prefix}{number}",
            input={"messages": [{"role": "user", "content": question}]},
            target={"text": answer},
            source=Source(file="made.jsonl", row=number + 1),
        )
        for number, (question, answer) in enumerate(pairs)
    ]


def finds(check: Check, faulty: Sequence[str], clean: Sequence[str] = CLEAN) -> list[Finding]:
    """Hold `check` to its contract: it names every one of the `faulty` texts between clean ones, and nothing else."""
    rows = texts([*clean, *faulty])
    planted = {row.id for row in rows[len(clean) :]}
    check_check(check, LABELS, texts(clean), rows, planted)
    return findings_of(check, rows, LABELS)


def finds_answers(check: Check, clean: Sequence[Example], faulty: Sequence[Example]) -> list[Finding]:
    """The same for conversations; ids must differ."""
    rows = [*clean, *faulty]
    check_check(check, CHAT, clean, rows, {row.id for row in faulty})
    return findings_of(check, rows, CHAT)


def silent_on(check: Check, said: Collection[str]) -> bool:
    """Whether `check` finds nothing in these texts, each tried alone."""
    return not [text for text in said if findings_of(check, texts([text]), LABELS)]


def mended(findings: Iterable[Finding]) -> dict[str, str]:
    """Texts that the repairs put in place, by row."""
    return {
        repair.row: repair.input["text"]
        for finding in findings
        for repair in finding.repairs
        if repair.input is not None
    }  # fmt: skip
