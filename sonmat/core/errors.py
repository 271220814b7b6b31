"""The error tree. A message says what was found, where, what was expected, and what to do next.

SonmatError
├── UserError              the caller can mend it: shown without a traceback, exit code 2
│   ├── DataError          a file, row or value of the user's data
│   │   └── DataBlocked    the audit found what must be decided first: exit code 1
│   ├── SettingError       a name, recipe key or option
│   ├── ModelError         a base model: unknown, broken, licence not accepted, not to be had
│   ├── RunError           a run directory: missing, busy, of a newer version
│   └── ResourceError      not enough memory or disk
├── TrainingDiverged       the optimisation failed even at a lower learning rate
├── Paused                 stopped on request; continues later from where it stood (exit code 130)
├── WorkerFailed           a job's process ended without a result
└── PluginError            a plug-in of the wrong shape; names its file
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from sonmat.core.text import Text


class SonmatError(Exception):
    """`what` happened and what to do about it; `str()` is in the reader's language."""

    exit_code = 1

    def __init__(self, what: Text, fix: Text | None = None) -> None:
        super().__init__(what, fix)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n{self.fix}" if self.fix else str(self.what)

    @property
    def whole(self) -> Text:
        """What happened and what to do, as one sentence after the other."""
        if self.fix is None:
            return self.what
        return Text(en=f"{self.what.en} {self.fix.en}", ko=f"{self.what.ko} {self.fix.ko}")


class UserError(SonmatError):
    exit_code = 2


class DataError(UserError):
    pass


class DataBlocked(DataError):
    exit_code = 1


class SettingError(UserError):
    pass


class ModelError(UserError):
    pass


class RunError(UserError):
    pass


class ResourceError(UserError):
    pass


class TrainingDiverged(SonmatError):
    pass


class Paused(SonmatError):
    exit_code = 130


class WorkerFailed(SonmatError):
    pass


class PluginError(SonmatError):
    pass


def unknown_name(kind: Text, name: str, known: Iterable[str]) -> SettingError:
    """A `SettingError` for `name`, with the nearest of `known` proposed."""
    names = sorted(known)
    folded = {entry.casefold(): entry for entry in names}
    close = [folded[match] for match in difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)]
    what = Text(en=f"There is no {kind.en} named '{name}'.", ko=f"'{name}'(이)라는 {_as_subject(kind.ko)} 없습니다.")
    listed = ", ".join(names)
    if close:
        fix = Text(
            en=f"Did you mean '{close[0]}'? Known: {listed}.", ko=f"'{close[0]}'을(를) 뜻하셨나요? 가능한 값: {listed}."
        )
    else:
        fix = Text(en=f"Known: {listed}.", ko=f"가능한 값: {listed}.")
    return SettingError(what, fix)


def _as_subject(korean: str) -> str:
    """A Korean noun with the particle of a subject: 이 behind a consonant, 가 behind a vowel."""
    return f"{korean}{'이' if (ord(korean[-1]) - ord('가')) % 28 else '가'}"
