"""A blind comparison of two arms: a person sees both answers to a test item, not whose they are, and says which is better.

In: a proven run, two of its arms. Out: pairs to judge, votes in `votes.jsonl` as they are cast, and a `Preference` when the arms are
revealed. It shows nothing and reads no keys; `cli.blind` does, and so may a notebook.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sonmat import plugins
from sonmat.core.errors import RunError, SettingError, unknown_name
from sonmat.core.probing import plain_base
from sonmat.core.proof import Preference, Proof
from sonmat.core.text import Text
from sonmat.probing.blind_pairs import Pair, Pairs, independent, read_pairs
from sonmat.probing.preference import preference_of, stands
from sonmat.probing.preference_words import expectation
from sonmat.runs import RunFolder
from sonmat.runs.votes import CHOICES, Choice, Reveal, Vote, append_vote, read_ballot
from sonmat.statistics.preference import smallest_detectable_preference

ITEMS: Final = 50
"""Asked if nothing else is said: enough for a preference of 70 %, in a quarter of an hour."""
_LONGEST_NAME: Final = 40


class BlindComparison:
    """Two arms of a run, whose answers are judged by people who do not know which is which.

    Args:
        arms: two candidates; the one in use and its untuned base, or the runner-up, if None.
        items: how many pairs to judge.
        who: what the person wants to be called, if several judge.

    Raises:
        RunError: the run has no proof, no such arm, no second arm, or its test rows are not those that were sealed.
        SettingError: `arms` are not two, `items` is not positive, or `who` is too long.
    """

    def __init__(
        self, folder: RunFolder, arms: Sequence[str] | None = None, items: int | None = None, who: str = ""
    ) -> None:
        self.folder = folder
        self.arms = _two(folder, arms)
        self.who = _checked(who)
        if items is not None and items < 1:
            raise SettingError(
                Text(en=f"{items} items cannot be judged.", ko=f"{items}문항은 판정할 수 없습니다."),
                Text(en="Give a number from 1 on.", ko="1 이상의 수를 지정하세요."),
            )
        self.all: Pairs = read_pairs(folder, self.arms)
        self.pairs: tuple[Pair, ...] = self.all.differing[: ITEMS if items is None else items]
        """Those to judge, in their order."""
        self._seed = folder.recipe().seed

    @property
    def choices(self) -> dict[str, Choice]:
        """What this person has said of `pairs`, by item; votes on answers that have changed since are left out."""
        by_row = {pair.row: pair for pair in self.pairs}
        votes = read_ballot(self.folder.path, self.arms).votes.values()
        own = [vote for vote in votes if vote.who == self.who and vote.row in by_row and stands(vote, by_row[vote.row])]
        return {vote.row: vote.choice for vote in own}

    @property
    def expectation(self) -> Text:
        """What judging all pairs could show."""
        apart = independent(pair.group for pair in self.pairs)
        return expectation(len(self.pairs), smallest_detectable_preference(apart))

    def vote(self, pair: Pair, choice: Choice) -> None:
        """Keep what the person says of one of `pairs`; the latest word counts."""
        if choice not in CHOICES:
            raise unknown_name(Text(en="choice", ko="선택"), choice, CHOICES)
        today = date.today().isoformat()
        append_vote(
            self.folder.path,
            Vote(row=pair.row, left=pair.left, right=pair.right, choice=choice, words=pair.words, who=self.who, date=today),
        )

    def reveal(self) -> Preference:
        """What all votes come to, everybody's; that it was looked at is kept beside them."""
        ballot = read_ballot(self.folder.path, self.arms)
        if ballot.votes and ballot.votes != read_ballot(self.folder.path, self.arms, revealed=True).votes:
            append_vote(self.folder.path, Reveal(arms=self.arms, date=date.today().isoformat()))
        return preference_of(self.all, ballot, self.arms, self._seed)


def _two(folder: RunFolder, arms: Sequence[str] | None) -> tuple[str, str]:
    proof = folder.proof()
    if arms is None:
        return _default_arms(folder, proof)
    known = [arm.candidate for arm in proof.arms]
    for arm in arms:
        if arm not in known:
            raise unknown_name(Text(en="arm", ko="후보"), arm, known)
    if len(set(arms)) != 2 or len(arms) != 2:
        raise SettingError(
            Text(
                en=f"A blind comparison is one of two arms, not of {len(set(arms))}.",
                ko=f"블라인드 비교는 두 후보를 견줍니다. {len(set(arms))}개를 지정했습니다.",
            ),
            Text(en=f"Name two of: {', '.join(known)}.", ko=f"이 가운데 둘을 지정하세요: {', '.join(known)}."),
        )
    return arms[0], arms[1]


def _default_arms(folder: RunFolder, proof: Proof) -> tuple[str, str]:
    """The arm in use, and its untuned base; else the best of the others, those with a model first."""
    entered = [arm.candidate for arm in proof.arms]
    candidates = [each for each in folder.plan().candidates if each.id in entered]
    used = next((each for each in candidates if each.id == proof.verdict.use), None)
    base = plain_base(used, candidates) if used is not None else None
    if base is not None:
        return proof.verdict.use, base.id
    sign = -1 if plugins.find("metrics", proof.headline).higher_is_better else 1
    others = [arm for arm in proof.arms if arm.candidate != proof.verdict.use]
    if not others:
        raise RunError(
            Text(
                en=f"{folder.name} has one arm only; there is nothing to compare it with.",
                ko=f"{folder.name}에는 후보가 하나뿐이라 비교할 상대가 없습니다.",
            ),
            Text(en="Add one: `sonmat prove RUN --add-arm METHOD`.", ko="`sonmat prove 실행 --add-arm 방법`으로 더하세요."),
        )
    best = min(others, key=lambda arm: (arm.role == "floor", sign * arm.headline.value))
    return proof.verdict.use, best.candidate


def _checked(who: str) -> str:
    name = " ".join(who.split())
    if len(name) <= _LONGEST_NAME:
        return name
    raise SettingError(
        Text(en=f"The name has {len(name)} letters.", ko=f"이름이 {len(name)}자입니다."),
        Text(en=f"Give at most {_LONGEST_NAME}.", ko=f"{_LONGEST_NAME}자 이하로 지정하세요."),
    )
