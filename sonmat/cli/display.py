"""Shows a run while it happens: a listener on its events.

In: events. Out: on a terminal, messages as they come, a line for each step done, and one live line with a bar, the time left
and the training figures; elsewhere plain lines, for progress one every few seconds. It decides nothing and keeps nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from sonmat.cli.console import show
from sonmat.cli.training_line import TrainingLine
from sonmat.core.text import Text, reader_language
from sonmat.core.values import Event
from sonmat.steps.report.phrasing import Phrasing

if TYPE_CHECKING:
    from rich.live import Live

SECONDS_BETWEEN_LINES = 5.0
"""Least time between two progress lines where there is no terminal."""
BAR_CELLS = 20
STEP_CELLS = 7

_STEP_OF_JOB = {"answer": "prove", "replay": "release", "profile": "fit"}
"""Jobs are named for what they do; people know the step."""
_SHOWN_ELSEWHERE = frozenset({"verdict", "report", "failed", "environment"})
"""Events whose message the command itself prints, or that lead to an error that is printed."""


class Display:
    """Callable as a listener; use it in a `with` block so that the live line is taken away at the end.

    Args:
        hidden: kinds of events that the command shows in its own way.
    """

    def __init__(
        self, console: Console, hidden: frozenset[str] = frozenset(), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.console = console
        self.hidden = _SHOWN_ELSEWHERE | hidden
        self.clock = clock
        # The live line is drawn in a thread of its own, which does not know the language of this one.
        self.language = reader_language()
        self.phrasing = Phrasing(self.language)
        self.training = TrainingLine(self.phrasing)
        self._live: Live | None = None
        self._activity = ""
        self._progress: Event | None = None
        self._progress_at = 0.0
        self._line_at = float("-inf")
        self._step_began = 0.0
        self._handlers: dict[str, Callable[[Event], None]] = {
            "started": self._step_started,
            "done": self._step_done,
            "unchanged": self._step_unchanged,
            "progress": self._progressed,
            "budget": self._budgeted,
            "step": self._trained,
            "validation": self._validated,
            "resumed": self._resumed,
            "replay_share": self._share_of_replay,
            "replay_chosen": self._share_of_replay,
            "candidate": self._candidate_began,
            "arm": self._arm_began,
            "candidate_planned": self._planned,
            "candidate_refused": self._refused,
            "finding": self._found,
        }

    def __enter__(self) -> Display:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop_live()

    def __call__(self, event: Event) -> None:
        handler = self._handlers.get(event.kind)
        if event.kind in self.hidden:
            return
        if handler is not None:
            handler(event)
        elif event.message is not None:
            failed = event.kind.endswith("_failed")
            style = "red" if failed else "yellow" if event.kind in ("changed", "backed_off", "fallback") else ""
            self._line(event.step, "✗" if failed else "·", self._said(event.message), style)

    # ── lines that stay ─────────────────────────────────────────────────────────────────────────────────────────────

    def _step_started(self, event: Event) -> None:
        self._step_began = event.at
        self._activity = ""

    def _step_done(self, event: Event) -> None:
        self._activity_done(event.step)
        self._stop_live()
        self._line(event.step, "✓", self.phrasing.duration(max(event.at - self._step_began, 0)), "green")

    def _step_unchanged(self, event: Event) -> None:
        self._line(event.step, "=", self._said(Text(en="done before, unchanged", ko="이미 했고 바뀐 것이 없습니다")), "dim")

    def _candidate_began(self, event: Event) -> None:
        self._activity_done(event.step)
        title = self._said(event.message) if event.message else str(event.data["candidate"])
        self._begin_activity(event, title)

    def _arm_began(self, event: Event) -> None:
        self._activity_done(event.step)
        self._begin_activity(event, str(event.data["candidate"]))

    def _begin_activity(self, event: Event, title: str) -> None:
        self.training.begin()
        self._progress = None
        self._activity = title
        self._line(event.step, "▸", f"{event.data['number']}/{event.data['of']} {title}")

    def _activity_done(self, step: str) -> None:
        """What the training that just ended came to."""
        result = self.training.result()
        if result:
            self._line(step, "·", result)
        self.training.begin()
        self._progress = None

    def _share_of_replay(self, event: Event) -> None:
        """One of several trainings of a candidate begins, or all of them are done."""
        self._activity_done(event.step)
        if event.message is not None:
            self._line(event.step, "·", self._said(event.message))

    def _resumed(self, event: Event) -> None:
        step = event.data.get("step", 0)
        self._line(event.step, "·", self._said(Text(en=f"continues from step {step}", ko=f"{step}단계부터 이어서 합니다")))

    def _planned(self, event: Event) -> None:
        seconds = self.phrasing.duration(float(event.data.get("seconds", 0)))
        reason = self._said(event.message) if event.message else ""
        self._line(event.step, "+", f"{event.data['candidate']}: {reason} (≈ {seconds})")

    def _refused(self, event: Event) -> None:
        name = " · ".join(str(part) for part in (event.data["method"], event.data.get("base")) if part)
        self._line(event.step, "−", f"{name}: {self._said(event.message) if event.message else ''}", "dim")

    def _found(self, event: Event) -> None:
        mark, style = {"blocker": ("✗", "red"), "warning": ("!", "yellow")}.get(event.data.get("severity", ""), ("·", ""))
        if event.message is not None:
            self._line(event.step, mark, self._said(event.message), style)

    def _line(self, step: str, mark: str, words: str, style: str = "") -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=STEP_CELLS, style="cyan", no_wrap=True)
        grid.add_column(width=1, style=style)
        grid.add_column(style=style, overflow="fold")
        grid.add_row(_STEP_OF_JOB.get(step, step), mark, words)
        show(self.console, grid)

    def _said(self, text: Text) -> str:
        return text.in_language(self.language)

    # ── the line that moves ─────────────────────────────────────────────────────────────────────────────────────────

    def _budgeted(self, event: Event) -> None:
        self.training.budget(event)
        if event.message is not None:
            self._line(event.step, "·", self._said(event.message))

    def _trained(self, event: Event) -> None:
        self.training.step(event)

    def _validated(self, event: Event) -> None:
        self.training.validation(event)

    def _progressed(self, event: Event) -> None:
        self._progress, self._progress_at = event, self.clock()
        if self.console.is_terminal:
            self._start_live()
        elif self._progress_at - self._line_at >= SECONDS_BETWEEN_LINES:
            self._line_at = self._progress_at
            parts = (self._done_words(event), self._left_words(event), self._figures(event))
            self._line(event.step, "…", " · ".join(part for part in parts if part))

    def _figures(self, event: Event) -> str:
        """What is being done: the training's figures, or its name."""
        return self.training.now() or (self._said(event.message) if event.message else self._activity)

    def _done_words(self, event: Event) -> str:
        done, total = event.data.get("done"), event.data.get("total")
        if done is None:
            return ""
        return f"{100 * done / total:.0f}%" if total else f"{done:,}"

    def _left_words(self, event: Event) -> str:
        seconds = event.data.get("seconds_left")
        if seconds is None:
            return ""
        # Between two events the time goes on.
        seconds = round(seconds - (self.clock() - self._progress_at))
        if seconds <= 0:
            return ""
        left = self.phrasing.duration(seconds)
        return self._said(Text(en=f"{left} left", ko=f"{left} 남음"))

    def _start_live(self) -> None:
        if self._live is None:
            from rich.live import Live

            self._live = Live(
                console=self.console, get_renderable=self._live_line, refresh_per_second=4, transient=True, screen=False
            )
            self._live.start()

    def _stop_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _live_line(self) -> Any:
        from rich.progress_bar import ProgressBar

        event = self._progress
        if event is None:
            return Table.grid()
        total = event.data.get("total")
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=STEP_CELLS, style="cyan", no_wrap=True)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        for _ in range(3):
            grid.add_column(no_wrap=True)
        bar = ProgressBar(total=total or None, completed=event.data.get("done", 0), width=BAR_CELLS, pulse=not total)
        grid.add_row(
            _STEP_OF_JOB.get(event.step, event.step),
            self._figures(event),
            bar,
            self._done_words(event),
            self._left_words(event),
        )
        return grid
