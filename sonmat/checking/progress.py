"""Tells how far a slow piece of work is: nothing for work of under two seconds, then at most once a second.

In: steps done, of how many. Out: `progress` events. It measures nothing else and never stops the work.
"""

from __future__ import annotations

import time

from sonmat.core.protocols import Emit
from sonmat.core.text import Text

_QUIET_SECONDS = 2.0
_BETWEEN_SECONDS = 1.0
_FORETELLING = 20
"""One in so many steps is done before the time left is told: the first ones load and warm up."""


class Progress:
    def __init__(self, emit: Emit, what: Text, total: int) -> None:
        self._emit = emit
        self._what = what
        self._total = total
        self._done = 0
        self._began = time.monotonic()
        self._told = self._began + _QUIET_SECONDS - _BETWEEN_SECONDS

    def step(self, steps: int = 1) -> None:
        """`steps` more are done."""
        self._done += steps
        now = time.monotonic()
        if now - self._told < _BETWEEN_SECONDS:
            return
        self._told = now
        left = (now - self._began) / self._done * (self._total - self._done)
        foretold = {"seconds_left": round(left, 1)} if self._done * _FORETELLING >= self._total else {}
        self._emit("progress", self._what, done=self._done, total=self._total, **foretold)
