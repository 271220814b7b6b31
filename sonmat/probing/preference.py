"""What the votes of a blind comparison come to: the share that prefers one arm, how sure, and what would make it surer.

In: the pairs of a run and the votes on them. Out: a `Preference`, and the same as measures of the probe `blind`. Ties are left out of
the test, as the sign test has it, and told. Several people's votes on one item count once, as what most of them say. Items that belong
together are drawn together: then the test swaps whole groups and the interval is the bootstrap's.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from sonmat.core.proof import Measure, Preference
from sonmat.core.text import Text
from sonmat.probing.blind_pairs import Pair, Pairs, independent, read_pairs
from sonmat.probing.preference_words import details_of, sentence_of, title_of
from sonmat.probing.tallies import ROWS_SHOWN, value_of_means
from sonmat.runs import RunFolder
from sonmat.runs.votes import Ballot, Vote, compared_arms, read_ballot
from sonmat.statistics import Discordance, exact_mcnemar, paired_samples, swap_test, value_interval
from sonmat.statistics.preference import clopper_pearson_interval, smallest_detectable_preference, votes_needed
from sonmat.statistics.resampling import Floats

PROBE: Final = "blind"
TITLE: Final = Text(en="Blind comparison", ko="블라인드 비교")
_ERROR: Final = 0.05
Outcome = Literal["a", "b", "both_good", "both_bad", "split"]


@dataclass(frozen=True)
class Counted:
    """The votes that still stand, by item."""

    outcomes: Mapping[str, Outcome]
    skipped: int
    dropped: int
    votes: Sequence[Vote]
    shared: int
    agreed: int


def preference_of(pairs: Pairs, ballot: Ballot, arms: tuple[str, str], seed: int) -> Preference:
    """What the votes say of the first of `arms` beside the second."""
    counted = count(pairs, ballot, arms)
    tally = Counter(counted.outcomes.values())
    won, lost = tally["a"], tally["b"]
    left = Counter(vote.choice for vote in counted.votes)
    tested = _tested(pairs, counted, seed) if won + lost else {}
    units = _units(pairs, counted)
    further = _further(won, lost, units) if tested.get("better") == "neither" else 0 if tested else None
    found = Preference(
        a=arms[0],
        b=arms[1],
        items=pairs.items,
        identical=pairs.identical,
        judged=len(counted.outcomes),
        a_better=won,
        b_better=lost,
        both_good=tally["both_good"],
        both_bad=tally["both_bad"],
        split=tally["split"],
        skipped=counted.skipped,
        dropped=counted.dropped,
        people=len({vote.who for vote in counted.votes}),
        shared=counted.shared,
        agreed=counted.agreed,
        smallest_detectable=smallest_detectable_preference(units),
        needed=further,
        left=left["left"],
        right=left["right"],
        left_p_value=exact_mcnemar(Discordance(left["left"], left["right"])) if left["left"] + left["right"] else None,
        looked_after=ballot.revealed_after,
        rows=tuple(row for row, outcome in counted.outcomes.items() if outcome == "b")[:ROWS_SHOWN],
        sentence=Text(en="", ko=""),
        **tested,
    )
    details = details_of(found, grouped=_grouped(pairs), folds=pairs.folds)
    return found.model_copy(update={"sentence": sentence_of(found), "details": details})


def count(pairs: Pairs, ballot: Ballot, arms: tuple[str, str]) -> Counted:
    """Votes on answers that are still what they were, joined by item."""
    by_row = {pair.row: pair for pair in pairs.differing}
    standing = [vote for vote in ballot.votes.values() if vote.row in by_row and stands(vote, by_row[vote.row])]
    votes = [vote for vote in standing if vote.choice != "skip"]
    by_item: defaultdict[str, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_item[vote.row].append(vote)
    several = [of_item for of_item in by_item.values() if len(of_item) > 1]
    return Counted(
        outcomes={row: _outcome(of_item, arms) for row, of_item in by_item.items()},
        skipped=len({vote.row for vote in standing} - set(by_item)),
        dropped=len(ballot.votes) - len(standing),
        votes=votes,
        shared=len(several),
        agreed=sum(len({_word(vote) for vote in of_item}) == 1 for of_item in several),
    )


def stands(vote: Vote, pair: Pair) -> bool:
    """Whether the question and both answers are what the person saw."""
    return vote.words == pair.words


def preferences(folder: RunFolder) -> list[Preference]:
    """Every blind comparison of the run whose arms were revealed, by the votes that stood then.

    Raises:
        RunError: a file of the run is missing, damaged or too new.
    """
    arms = {arm.candidate for arm in folder.proof().arms}
    seed = folder.recipe().seed
    return [
        preference_of(read_pairs(folder, pair), read_ballot(folder.path, pair, revealed=True), pair, seed)
        for pair in compared_arms(folder.path)
        if arms.issuperset(pair)
    ]


def preference_measures(found: Sequence[Preference]) -> tuple[Measure, ...]:
    """The same as measures of the probe `blind`: of the arm that the proof would use, or that was named first."""
    measures = []
    for each in found:
        if each.share is None:
            continue
        measures.append(
            Measure(
                probe=PROBE,
                name=f"preferred_to_{each.b}".lower(),
                title=title_of(each),
                arm=each.a,
                value=each.share,
                low=each.low,
                high=each.high,
                items=each.a_better + each.b_better,
                rows=each.rows,
                note=Text(
                    en=" ".join([each.sentence.en, *(detail.en for detail in each.details)]),
                    ko=" ".join([each.sentence.ko, *(detail.ko for detail in each.details)]),
                ),
            )
        )
    return tuple(measures)


def _word(vote: Vote) -> str:
    return vote.chosen or vote.choice


def _outcome(votes: Sequence[Vote], arms: tuple[str, str]) -> Outcome:
    """What most people say of an item; 'split' where as many prefer the one as the other, or ties are of two kinds."""
    lead = sum((vote.chosen == arms[0]) - (vote.chosen == arms[1]) for vote in votes)
    if lead:
        return "a" if lead > 0 else "b"
    kinds = {vote.choice for vote in votes}
    if kinds == {"both_good"}:
        return "both_good"
    return "both_bad" if kinds == {"both_bad"} else "split"


def _grouped(pairs: Pairs) -> bool:
    return independent(pair.group for pair in pairs.differing) < len(pairs.differing)


def _units(pairs: Pairs, counted: Counted) -> int:
    """Items with a winner, those that belong together counted as one."""
    groups = {pair.row: pair.group for pair in pairs.differing}
    return independent(groups[row] for row, outcome in counted.outcomes.items() if outcome in ("a", "b"))


def _further(won: int, lost: int, units: int) -> int | None:
    """Items with a winner that would show the share that was seen; of groups as many more as there are in each."""
    needed = votes_needed(won / (won + lost))
    return None if needed is None else max(1, math.ceil((needed - units) * (won + lost) / units))


def _tested(pairs: Pairs, counted: Counted, seed: int) -> dict[str, object]:
    """Share, interval, p value and winner over the items on which one was better."""
    groups = {pair.row: pair.group for pair in pairs.differing}
    decided = [row for row, outcome in counted.outcomes.items() if outcome in ("a", "b")]
    won = [counted.outcomes[row] == "a" for row in decided]
    share = sum(won) / len(won)
    named = [groups[row] for row in decided if groups[row] is not None]
    if len(set(named)) == len(named):
        p_value = exact_mcnemar(Discordance(sum(won), len(won) - sum(won)))
        interval = clopper_pearson_interval(sum(won), len(won))
    else:
        of_groups = [groups[row] for row in decided]
        own, other = _column(won), _column([not each for each in won])
        p_value = swap_test(value_of_means, own, other, seed=seed, groups=of_groups)
        sample = paired_samples(value_of_means, {"own": own}, seed, of_groups)["own"]
        interval = value_interval(sample, share=True, right_or_wrong=True)
        if p_value > _ERROR:
            interval = interval.including(0.5)
    clear = p_value <= _ERROR and not interval.holds(0.5)
    better = "neither" if not clear else "a" if share > 0.5 else "b"
    return {"share": share, "low": interval.low, "high": interval.high, "p_value": p_value, "better": better}


def _column(won: Sequence[bool]) -> Floats:
    return np.array([(float(each), 1.0) for each in won], dtype=np.float64)
