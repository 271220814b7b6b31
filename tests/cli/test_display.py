"""The display: lines that stay, a line that moves on terminals, few lines elsewhere."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from sonmat.cli.display import SECONDS_BETWEEN_LINES, Display
from sonmat.core.text import Text, set_language
from sonmat.core.values import Event
from tests.cli.conftest import widest


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def event(kind: str, step: str = "fit", message: Text | None = None, at: float = 0.0, **data: Any) -> Event:
    return Event(at=at, kind=kind, step=step, message=message, data=data)


def screen(terminal: bool = False) -> tuple[io.StringIO, Console]:
    stream = io.StringIO()
    return stream, Console(file=stream, width=80, force_terminal=terminal, markup=False, highlight=False)


TRAINING = [
    event("candidate", message=Text(en="LoRA", ko="로라"), candidate="lora", number=2, of=3),
    event("step", step="fit", loss=1.234, learning_rate=2e-5),
    event("validation", macro_f1=0.912, loss=0.4, best=True, epoch=1.0),
]


def test_without_a_terminal_progress_is_a_line_every_few_seconds() -> None:
    stream, console = screen()
    clock = Clock()
    with Display(console, clock=clock) as display:
        for _ in range(81):
            display(event("progress", done=5, total=10, seconds_left=80.0))
            clock.now += 0.25
    assert stream.getvalue().count("50%") == 1 + int(20 / SECONDS_BETWEEN_LINES)


def test_progress_of_training_shows_loss_metric_rate_and_time_left() -> None:
    stream, console = screen()
    with Display(console, clock=Clock()) as display:
        for each in TRAINING:
            display(each)
        display(event("progress", done=5, total=10, seconds_left=80.0))
    text = stream.getvalue().replace("\u00a0", " ")
    assert "2/3 LoRA" in text
    assert "50% · 1 min 20 s left · loss 1.23 · macro-F1 91.2 % · rate 2.0e-05" in text
    assert widest(text) <= 80


def test_the_end_of_a_training_says_what_it_came_to() -> None:
    stream, console = screen()
    with Display(console, clock=Clock()) as display:
        display(event("candidate", message=Text(en="LoRA", ko="로라"), candidate="lora", number=1, of=2))
        display(event("validation", step="fit", macro_f1=0.9, best=True))
        display(Event(at=0, kind="step", step="fit", data={"step": 40, "total": 40, "loss": 1.0, "learning_rate": 0.0}))
        display(Event(at=0, kind="validation", step="fit", data={"step": 20, "macro_f1": 0.95, "best": True}))
        display(Event(at=0, kind="validation", step="fit", data={"step": 40, "macro_f1": 0.91, "best": False}))
        display(event("candidate", message=Text(en="Full", ko="전체"), candidate="full", number=2, of=2))
    assert "best validation: macro-F1 95.0 % at step 20 of 40" in stream.getvalue()


def test_a_step_that_is_done_is_one_line_with_its_time() -> None:
    stream, console = screen()
    with Display(console) as display:
        display(event("started", "audit", at=10.0))
        display(event("done", "audit", at=12.0))
        display(event("unchanged", "split"))
    assert stream.getvalue().replace("\u00a0", " ") == "audit   ✓ 2 s\nsplit   = done before, unchanged\n"


def test_without_a_terminal_there_are_no_control_characters_and_no_trailing_spaces() -> None:
    stream, console = screen()
    with Display(console, clock=Clock()) as display:
        for each in [*TRAINING, event("progress", done=1, total=None), event("done", at=3.0)]:
            display(each)
    text = stream.getvalue()
    assert all(character.isprintable() for character in text.replace("\n", "").replace("\u00a0", " "))
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_terminal_shows_a_bar_with_the_time_left_that_is_gone_at_the_end() -> None:
    stream, console = screen(terminal=True)
    with Display(console, clock=Clock()) as display:
        display(event("candidate", message=Text(en="LoRA", ko="로라"), candidate="lora", number=1, of=1))
        display(event("progress", done=5, total=10, seconds_left=80.0))
    text = stream.getvalue().replace("\u00a0", " ")
    assert "━" in text
    assert "1 min 20 s left" in text
    assert text.endswith(("\x1b[2K", "\x1b[?25h", "\x1b[1A\x1b[2K"))


def test_the_time_left_goes_on_between_events() -> None:
    stream, console = screen(terminal=True)
    clock = Clock()
    with Display(console, clock=clock) as display:
        display(event("progress", done=5, total=10, seconds_left=80.0))
        clock.now = 30.0
        console.print(display._live_line())
    assert "50 s left" in stream.getvalue().replace("\u00a0", " ")


def test_jobs_are_shown_under_the_step_they_belong_to() -> None:
    stream, console = screen()
    with Display(console, clock=Clock()) as display:
        display(event("progress", "answer", done=1, total=4, seconds_left=9.0))
    assert stream.getvalue().startswith("prove ")


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("finding", {"severity": "warning"}, "! Words."),
        ("finding", {"severity": "blocker"}, "✗ Words."),
        ("candidate_planned", {"candidate": "lora", "seconds": 61.0}, "+ lora: Words. (≈ 1 min 1 s)"),
        ("candidate_refused", {"method": "full", "base": "big"}, "− full · big: Words."),
        ("candidate_failed", {"candidate": "lora"}, "✗ Words."),
        ("pausing", {}, "· Words."),
        ("resumed", {"step": 12}, "continues from step 12"),
        ("replay_share", {"replay": 0.1}, "· Words."),
        ("licence", {}, "· Words."),
    ],
)
def test_messages_are_printed_as_they_come(kind: str, data: dict[str, Any], expected: str) -> None:
    stream, console = screen()
    with Display(console) as display:
        display(Event(at=0, kind=kind, step="plan", message=Text(en="Words.", ko="말."), data=data))
    assert expected in stream.getvalue().replace("\u00a0", " ")


@pytest.mark.parametrize("kind", ["verdict", "report", "failed", "finding"])
def test_what_the_command_shows_itself_is_not_shown_twice(kind: str) -> None:
    stream, console = screen()
    with Display(console, hidden=frozenset({"finding"})) as display:
        display(event(kind, message=Text(en="Words.", ko="말.")))
    assert stream.getvalue() == ""


def test_long_korean_messages_are_wrapped_by_their_width_on_the_screen() -> None:
    set_language("ko")
    stream, console = screen()
    with Display(console) as display:
        display(event("recognised", "load", Text(en="x", ko="가나다라마바사 " * 30)))
    assert widest(stream.getvalue()) <= 80
    assert "가나다라" in stream.getvalue()


def test_the_budget_of_a_training_is_said_once_and_its_padding_stands_in_the_line_that_moves() -> None:
    stream, console = screen()
    said = Text(en="Passes of up to 1,024 tokens, 4.2% of it padding (as set).", ko="한 번에 최대 1,024토큰씩 계산합니다.")
    with Display(console, clock=Clock()) as display:
        display(TRAINING[0])
        display(event("budget", message=said, tokens=1024, packed=False, padding=0.042, reason="given", trials=[]))
        display(TRAINING[1])
        display(event("progress", done=5, total=10))
        display(event("candidate", message=Text(en="Full", ko="전체"), candidate="full", number=3, of=3))
        display(TRAINING[1])
        display(event("progress", done=5, total=10))
    text = stream.getvalue()
    assert "Passes of up to 1,024 tokens, 4.2% of it padding (as set)." in text
    assert text.count("padding 4%") == 1


def test_of_several_shares_of_replay_each_training_is_told_by_itself() -> None:
    stream, console = screen()
    with Display(console, clock=Clock()) as display:
        for share, value in ((0.3, 0.917), (0.1, 0.583)):
            display(event("replay_share", message=Text(en=f"Share {share}.", ko="-"), replay=share, number=1, of=2))
            display(event("step", loss=1.0, replay=share))
            display(event("validation", nll_per_character=value, loss=1.0, best=True, replay=share))
        display(event("replay_chosen", message=Text(en="Kept.", ko="-"), replay=0.1))
    text = " ".join(stream.getvalue().replace("\u00a0", " ").split())
    told = ["Share 0.3.", "0.917", "Share 0.1.", "0.583", "Kept."]
    assert [text.count(each) for each in told] == [1] * 5
    assert sorted(told, key=text.index) == told
    assert text.count("best validation") == 2
