"""`sonmat blind`: one key a pair, nothing told before the end, and nothing lost by stopping."""

from __future__ import annotations

import io
import os
import pty
import select
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from sonmat.blinding import BlindComparison
from sonmat.cli.blind import judge
from sonmat.core.text import set_language
from sonmat.probing.blind_pairs import read_pairs
from sonmat.runs import RunFolder
from tests.blind.made import BASE, TUNED, chat_run, label_run
from tests.cli.conftest import Sonmat, widest

ARMS = (TUNED, BASE)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return chat_run(tmp_path / "runs" / "faq", items=12, identical=2)


def sat(folder: RunFolder, typed: list[str] | str, items: int | None = None, width: int = 80) -> tuple[bool, str]:
    """What a sitting came to, and all that stood on the screen."""
    screen = Console(width=width, markup=False, highlight=False, emoji=False, record=True, file=io.StringIO())
    waiting = iter(typed)
    finished = judge(BlindComparison(folder, ARMS, items), screen, lambda: next(waiting))
    return finished, screen.export_text()


def test_every_pair_is_asked_once_and_no_arm_is_named(folder: RunFolder) -> None:
    finished, shown = sat(folder, "lrgxslrgxs")
    assert finished
    assert list(BlindComparison(folder, ARMS).choices.values()) == ["left", "right", "both_good", "both_bad", "skip"] * 2
    for arm in ARMS:
        assert arm not in shown
    assert "10/10" in shown
    assert "Left" in shown
    assert "User: " in shown
    assert "2 with one answer from both count as ties" in shown
    assert widest(shown) <= 80


def test_answers_stand_on_the_side_that_the_vote_is_kept_for(folder: RunFolder) -> None:
    first = read_pairs(folder, ARMS).differing[0]
    _, shown = sat(folder, "q", width=100)
    line = next(line for line in shown.splitlines() if "fine" in line and "plain" in line)
    assert (line.index("fine") < line.index("plain")) == (first.left == TUNED)


def test_a_sitting_that_was_stopped_goes_on_where_it_was(folder: RunFolder) -> None:
    finished, shown = sat(folder, "lrq")
    assert not finished
    assert "2 of 10 judged" in shown
    assert "stay hidden" in shown
    finished, shown = sat(folder, "llllllll")
    assert finished
    assert "3/10" in shown
    assert "2/10" not in shown
    assert list(BlindComparison(folder, ARMS).choices.values()) == ["left", "right", *["left"] * 8]


def test_back_asks_the_pair_before_again_and_its_new_answer_counts(folder: RunFolder) -> None:
    sat(folder, "lbrlbbgq")
    assert list(BlindComparison(folder, ARMS).choices.values()) == ["both_good", "left"]


def test_other_keys_are_passed_over_and_those_of_a_korean_keyboard_and_arrows_are_known(folder: RunFolder) -> None:
    sat(folder, ["z", "\r", "ㅣ", "ㄱ", "ㅎ", "ㅌ", "ㄴ", "\x1b[D", "\x1b[C", "L", "ㅂ"])
    given = ["left", "right", "both_good", "both_bad", "skip", "left", "right", "left"]
    assert list(BlindComparison(folder, ARMS).choices.values()) == given


def test_ctrl_c_and_the_end_of_input_lose_nothing(folder: RunFolder) -> None:
    def stopping(error: type[BaseException]) -> Iterator[str]:
        yield from "lr"
        raise error

    for error in (KeyboardInterrupt, EOFError):
        waiting = stopping(error)
        screen = Console(file=io.StringIO())
        comparison = BlindComparison(folder, ARMS)
        if error is EOFError:
            assert not judge(comparison, screen, lambda waiting=waiting: next(waiting))  # type: ignore[misc]
        else:
            with pytest.raises(KeyboardInterrupt):
                judge(comparison, screen, lambda waiting=waiting: next(waiting))  # type: ignore[misc]
    assert len(BlindComparison(folder, ARMS).choices) == 4


def test_a_narrow_screen_stacks_the_answers(folder: RunFolder) -> None:
    _, shown = sat(folder, "q", width=50)
    assert "[Left]" in shown
    assert widest(shown) <= 50


def test_korean_is_spoken_throughout(folder: RunFolder) -> None:
    set_language("ko")
    _, shown = sat(folder, "q")
    assert "왼쪽" in shown
    assert "둘 다 좋음" in shown
    assert "q 끝" in shown
    assert "문항을 판정했습니다" in shown


def test_personal_data_is_masked_and_a_very_long_answer_is_cut_and_says_so(folder: RunFolder) -> None:
    from sonmat.core.proof import Prediction
    from sonmat.runs import write_rows

    rows = [
        each.model_copy(update={"output": {"text": f"Write to jane@acme-mail.com {'word ' * 3000}"}})
        for each in folder.predictions(TUNED)
    ]
    write_rows(folder.predictions_file(TUNED), Prediction, rows)
    _, shown = sat(folder, "q")
    assert "jane@" not in shown
    assert "(cut)" in shown


def test_labels_are_judged_in_the_same_way(tmp_path: Path) -> None:
    _, shown = sat(label_run(tmp_path / "mails"), "q")
    assert "text: " in shown


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_terminal_it_says_what_to_do(sonmat: Sonmat, folder: RunFolder) -> None:
    result = sonmat("blind", "faq")
    assert result.code == 2
    assert "terminal" in result.err
    assert "--json" in result.err


def test_json_and_show_give_the_outcome(sonmat: Sonmat, folder: RunFolder) -> None:
    assert sonmat("blind", "faq", "--arms", f"{TUNED},{BASE}", "--json").json["preference"]["judged"] == 0
    assert "Blind comparison" not in sonmat("show", "faq").out
    sat(folder, "l" * 10)
    found = sonmat("blind", "faq", "--arms", f"{TUNED},{BASE}", "--json").json["preference"]
    assert (found["judged"], found["left"], found["identical"]) == (10, 10, 2)
    shown = sonmat("show", "faq")
    assert "Blind comparison" in shown.out
    assert found["sentence"]["en"].split(":")[0] in " ".join(shown.out.split())
    assert sonmat("show", "faq", "--json").json["preferences"] == [found]
    assert "the side mattered" in " ".join(sonmat("blind", "faq", "--arms", f"{TUNED},{BASE}", "--reveal").out.split())


def test_an_unknown_arm_proposes_the_nearest(sonmat: Sonmat, folder: RunFolder) -> None:
    result = sonmat("blind", "faq", "--arms", f"{TUNED},zero-shot", "--reveal")
    assert result.code == 2
    assert "Did you mean" in result.err


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
def test_in_a_real_terminal_single_keys_are_read_and_the_arms_revealed_at_the_end(folder: RunFolder) -> None:
    words = ["-m", "sonmat", "blind", str(folder.path), "--arms", f"{TUNED},{BASE}", "--items", "2"]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "SONMAT_LANG": "en", "TERM": "xterm"}
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, *words], environment)
    shown = b""
    waiting = [b"l", b"r"]
    while select.select([terminal], [], [], 60)[0]:
        try:
            shown += os.read(terminal, 65536)
        except OSError:
            # The other side has closed: the command has ended.
            break
        if waiting and shown.count(b"q quit") == 3 - len(waiting):
            assert TUNED.encode() not in shown
            # A key that comes before single keys are read is thrown away, as all that was typed ahead.
            while termios.tcgetattr(terminal)[3] & termios.ICANON:
                time.sleep(0.01)
            os.write(terminal, waiting.pop(0))
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert TUNED.encode() in shown.split(b"q quit")[-1]
