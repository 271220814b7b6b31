"""`votes.jsonl`: which of two answers a person found better, append-only, a line a vote, and when the arms were revealed.

In: a run directory. Out: the votes on two arms, the latest of each item and person. A vote hangs on the item and on the very words
that were shown (`words_key`): proving again keeps it, and where an arm now answers otherwise, it no longer counts. It works out no
figure. Nobody's name is kept but the one that a person chooses to give.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError

from sonmat.core.values import Json, Value
from sonmat.runs.appending import append_line, lines_of
from sonmat.runs.files import json_line, read_header, sha256_of, write_rows

VOTES_FILE: Final = "votes.jsonl"
Choice = Literal["left", "right", "both_good", "both_bad", "skip"]
CHOICES: Final[tuple[Choice, ...]] = get_args(Choice)


class Vote(Value):
    """A person's word on the two answers to one item."""

    kind: Literal["vote"] = "vote"
    row: str
    left: str
    """The candidate whose answer stood on the left,"""
    right: str
    """and the other."""
    choice: Choice
    words: dict[str, str]
    """By candidate, the fingerprint of the question and its answer."""
    who: str = ""
    """What the person chose to be called, '' for nothing."""
    date: str
    """ISO 8601, e.g. '2026-08-07'."""

    @property
    def chosen(self) -> str | None:
        """The candidate whose answer was better; None where neither was."""
        return {"left": self.left, "right": self.right}.get(self.choice)


class Reveal(Value):
    """The moment at which the person was told which arm was which, and how the votes stood."""

    kind: Literal["reveal"] = "reveal"
    arms: tuple[str, str]
    date: str


Line = Annotated[Vote | Reveal, Field(discriminator="kind")]
_LINE: Final[TypeAdapter[Vote | Reveal]] = TypeAdapter(Line)


@dataclass(frozen=True)
class Ballot:
    """All votes on two arms."""

    votes: dict[tuple[str, str], Vote]
    """The latest by item and person, in the order in which they were first cast."""
    revealed_after: tuple[int, ...]
    """How many items had been voted on, each time that the arms were revealed and people voted on, be it on the same items."""


def read_ballot(folder: Path, arms: Collection[str], *, revealed: bool = False) -> Ballot:
    """The votes on two arms of the run in `folder`.

    Args:
        revealed: only those that the person has been told the outcome of, so that reading it takes no blindness away.
    Raises:
        RunError: the file was written by a newer version.
    """
    votes: dict[tuple[str, str], Vote] = {}
    told: dict[tuple[str, str], Vote] = {}
    looks: list[dict[tuple[str, str], Vote]] = []
    for line in _lines(folder):
        if isinstance(line, Vote) and {line.left, line.right} == set(arms):
            votes[line.row, line.who] = line
        elif isinstance(line, Reveal) and set(line.arms) == set(arms) and votes != told:
            told = dict(votes)
            looks.append(told)
    known = told if revealed else votes
    return Ballot(known, tuple(len({row for row, _ in look}) for look in looks if look != known))


def compared_arms(folder: Path) -> list[tuple[str, str]]:
    """The pairs of arms that were revealed, each in the order in which it was asked for first."""
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    for line in _lines(folder):
        if isinstance(line, Reveal):
            pairs.setdefault(frozenset(line.arms), line.arms)
    return list(pairs.values())


def votes_fingerprint(folder: Path) -> str:
    """Of the votes as they stand; '' where nobody voted."""
    path = folder / VOTES_FILE
    return sha256_of(path.read_text(encoding="utf-8")) if path.exists() else ""


def append_vote(folder: Path, vote: Vote | Reveal) -> None:
    """Write it so that it survives whatever happens next."""
    path = folder / VOTES_FILE
    if not path.exists():
        write_rows(path, Vote, [])
    append_line(path, json_line(vote.model_dump(mode="json")))


def words_key(input: Json, output: Json) -> str:
    """Fingerprint of a question and the answer to it."""
    return sha256_of(input, output)


def _lines(folder: Path) -> Iterator[Vote | Reveal]:
    path = folder / VOTES_FILE
    # Says that a file is too new before anything of it is passed over as torn.
    read_header(path)
    for line in list(lines_of(path))[1:]:
        try:
            yield _LINE.validate_json(line)
        except ValidationError:
            # A line torn by a kill; the writer after it started on a new line.
            continue
