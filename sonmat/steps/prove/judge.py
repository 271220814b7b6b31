"""From what every arm answered to the proof: scores with intervals, paired comparisons, verdict. A pure function.

In: each arm's predictions on the sealed test set, with what they cost. Out: `Proof`. It runs no model and touches no file.

Decisions: all pairs of arms are compared on the same items. For every metric the pairs are one family, in which Holm's
correction keeps the chance of naming any winner wrongly at 5 %. A pair's interval has the level at which Holm decided it (never
below 95 %), and is extended to zero where the exact test cannot tell the arms apart; so an interval on one side of zero and a
named winner are the same thing.

Every arm is also tested against its own answers dealt out to the items at random. An arm that is not better than that guesses;
it can still beat the floor in a metric that rewards guessing (macro-F1 does: any mixture of labels beats one label alone).

Two arms are equivalent where the whole interval of their difference lies within `MARGIN` (two one-sided tests, Schuirmann 1987, J.
Pharmacokinetics and Biopharmaceutics 15:657): that of 90 % for one pair, of a higher level for several, so that the chance of calling
any pair equivalent wrongly stays at 5 % (Bonferroni).

Mean costs have intervals that heed the dear errors that have not happened yet (`statistics.costs`).

After a cross-validation each item has one answer a repetition. Its statistics are their mean, so that an item stays one item;
intervals are stretched and p-values raised, because the models that answered have learnt from overlapping rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np

from sonmat.core.decision import COST_METRIC, Costs
from sonmat.core.errors import DataError, RunError, SonmatError
from sonmat.core.proof import Arm, ClassScore, Comparison, Guard, Prediction, Proof, Score
from sonmat.core.protocols import Judged, Metric
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example
from sonmat.statistics import (
    Discordance,
    HolmStep,
    Interval,
    difference_interval,
    difference_standard_error,
    exact_mcnemar,
    holm,
    measure,
    paired_samples,
    smallest_detectable_difference,
    smallest_detectable_share_difference,
    standard_error,
    swap_test,
    value_interval,
)
from sonmat.statistics.costs import correlation, cost_difference_interval, cost_interval
from sonmat.statistics.cross_validation import Turns, overlap_p_value, stretched
from sonmat.statistics.proportions import normal_quantile
from sonmat.statistics.resampling import Floats, cluster_of_items, number_of_clusters
from sonmat.steps.prove.measures import Panel
from sonmat.steps.prove.verdict import Standing, decide

MARGIN: Final = 0.02
"""Difference that does not matter: 2 points of a share, else 2 % of the value of arm b."""
_COST_OF_ROLE = {"floor": 0, "base": 1, "tuned": 2}
_ERROR: Final = 0.05
_FEWEST_EQUIVALENT: Final = 30
"""Items below which arms that happen to say the same are not called equivalent."""
_ROWS_SHOWN = 5

_Repeated = Sequence[Sequence[Judged]]
"""Every item with its answer, in each repetition; one where nothing is repeated."""


@dataclass(frozen=True)
class Evidence:
    """What one arm answered to the test set, and what that cost."""

    candidate: Candidate
    predictions: Sequence[Prediction]
    """One for every test item, in any order; after a repeated cross-validation one for each repetition, in their order."""
    seconds_per_answer: float
    peak_bytes: int
    fit_seconds: float
    budget: Text | None = None
    """What was tried on the validation rows to choose its settings."""


def judge(
    evidence: Sequence[Evidence],
    examples: Sequence[Example],
    metrics: Sequence[Metric],
    *,
    labels: Sequence[str],
    seed: int,
    seal: str,
    failed: Mapping[str, Text] | None = None,
    titles: Mapping[str, Text] | None = None,
    turns: Turns | None = None,
    panel: Panel | None = None,
    guards: Sequence[Guard] = (),
    costs: Costs | None = None,
) -> Proof:
    """The proof over the sealed test items `examples`.

    Args:
        metrics: the headline first. An arm without a value for some item has no score in that metric; without a headline it
            is counted as failed.
        labels: of a classification task, for the rows per class; empty for other tasks.
        failed: candidates that gave no evidence, and why.
        titles: what to call each candidate in sentences; its id where it is missing.
        turns: of a cross-validation; None where the items were put aside from the beginning.
        panel: what the probes gave.
        guards: what the arms must keep to be recommended, and whether they do.
        costs: of errors, where the user has set them, for the metric `COST_METRIC`.

    Raises:
        RunError: an arm's rows are not exactly the test items.
        DataError: there is no test item.
        SonmatError: no arm has a value of the headline metric.
    """
    repeats = turns.repeats if turns else 1
    _refuse_other_items(evidence, examples, repeats)
    groups = None if all(example.group is None for example in examples) else [example.group for example in examples]
    judged = {each.candidate.id: _judged(each.predictions, examples, repeats, costs) for each in evidence}
    worst = np.array([costs.of(example.target["label"], None) for example in examples]) if costs is not None else None
    trials = [
        _Trial(metric, judged, groups, seed, turns, worst if metric.name == COST_METRIC else None) for metric in metrics
    ]
    headline = trials[0]
    failures = {**(failed or {}), **{name: _without_headline(headline.metric) for name in judged if not headline.has(name)}}
    entrants = [each for each in evidence if headline.has(each.candidate.id)]
    if not entrants:
        raise SonmatError(_nothing_to_judge(failures))
    arms = tuple(_arm(each, trials, judged[each.candidate.id], labels) for each in entrants)
    comparisons = tuple(comparison for trial in trials for comparison in trial.comparisons(_pairs(arms, trial)))
    smallest = headline.smallest_detectable(arms)
    standing = Standing(
        headline=headline.metric,
        items=len(examples),
        clusters=headline.clusters,
        arms=arms,
        comparisons=tuple(each for each in comparisons if each.metric == headline.metric.name),
        smallest_detectable=smallest,
        failed=failures,
        titles=titles or {},
        guessing=frozenset(arm.candidate for arm in arms if headline.guesses(arm.candidate, judged[arm.candidate])),
        turns=turns,
        measures=panel.measures if panel else (),
        guards=guards,
        unmeasured=panel.unmeasured if panel else (),
    )
    return Proof(
        headline=headline.metric.name,
        seal=seal,
        items=len(examples),
        arms=arms,
        comparisons=comparisons,
        smallest_detectable=smallest,
        verdict=decide(standing),
        failed=failures,
        measures=panel.measures if panel else (),
        guards=tuple(guards),
        unmeasured=panel.unmeasured if panel else (),
    )


def class_scores(judged: Sequence[Judged], labels: Sequence[str]) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of every class, 0 where undefined; answers outside the classes count against recall only."""
    pairs = [(item.target["label"], item.output.get("label")) for item in judged]
    names = list(dict.fromkeys([*labels, *sorted({target for target, _ in pairs})]))
    support = Counter(target for target, _ in pairs)
    predicted = Counter(answer for _, answer in pairs if isinstance(answer, str))
    right = Counter(target for target, answer in pairs if target == answer)
    return tuple(
        ClassScore(
            label=name,
            precision=right[name] / predicted[name] if predicted[name] else 0.0,
            recall=right[name] / support[name] if support[name] else 0.0,
            f1=2 * right[name] / (support[name] + predicted[name]) if support[name] + predicted[name] else 0.0,
            support=support[name],
            predicted=predicted[name],
        )
        for name in names
    )


class _Trial:
    """One metric over all arms that have it."""

    def __init__(
        self,
        metric: Metric,
        judged: Mapping[str, _Repeated],
        groups: Sequence[str | None] | None,
        seed: int,
        turns: Turns | None = None,
        worst: Floats | None = None,
    ) -> None:
        """
        Args:
            worst: of a metric that is a mean of costs, the most that an error may cost at each item, shape (items,).
        """
        self.metric = metric
        self.worst = worst
        self.groups = groups
        self.seed = seed
        self.spread = turns.spread if turns else 1.0
        # A mean over repetitions is neither right nor wrong.
        self.right_or_wrong = metric.right_or_wrong and (turns is None or turns.repeats == 1)
        rows = {name: self._mean_statistics(items) for name, items in judged.items()}
        self.statistics: dict[str, Floats] = {
            name: statistics
            for name, statistics in rows.items()
            if np.isfinite(statistics).all() and np.isfinite(measure(metric.value, statistics))
        }
        items = len(next(iter(rows.values()), ()))
        self.clusters = number_of_clusters(cluster_of_items(items, groups))
        self.exact_shares = self.right_or_wrong and self.clusters == items
        self.samples = paired_samples(metric.value, self.statistics, seed, groups)

    def has(self, name: str) -> bool:
        return name in self.samples

    def score(self, name: str) -> Score:
        sample = self.samples[name]
        interval = self._of_one(name, 0.95)
        interval = self._stretched(interval, sample.value, lowest=0.0)
        return Score(
            metric=self.metric.name,
            value=sample.value,
            low=interval.low,
            high=interval.high,
            items=len(sample.outcomes),
        )

    def _of_one(self, name: str, level: float) -> Interval:
        sample = self.samples[name]
        if self.worst is not None:
            return cost_interval(sample.outcomes, self.worst, self.clusters, level)
        return value_interval(sample, share=self.metric.percent, right_or_wrong=self.right_or_wrong, level=level)

    def comparisons(self, pairs: Sequence[tuple[str, str]]) -> list[Comparison]:
        """One family: Holm's correction runs over all of `pairs`."""
        p_values = [self._p_value(a, b) for a, b in pairs]
        steps = holm(p_values)
        return [self._comparison(a, b, p, step, len(pairs)) for (a, b), p, step in zip(pairs, p_values, steps, strict=True)]

    def guesses(self, name: str, judged: _Repeated) -> bool:
        """Whether the arm's answers fit their items no better than the same answers shuffled (5 % error)."""
        if all(item.output == judged[0][0].output for items in judged for item in items):
            return True
        order = np.random.default_rng(self.seed).permutation(len(judged[0]))
        dealt = [
            [replace(item, output=items[place].output) for item, place in zip(items, order, strict=True)]
            for items in judged
        ]
        own, shuffled = self.statistics[name], self._mean_statistics(dealt)
        if np.array_equal(own, shuffled):
            # Answers differ and the metric does not tell them apart: it measures likelihood, or all are wrong.
            return False
        gain = measure(self.metric.value, own) - measure(self.metric.value, shuffled)
        better = (gain > 0) == self.metric.higher_is_better
        p_value = swap_test(self.metric.value, own, shuffled, seed=self.seed, groups=self.groups)
        return not better or p_value > 0.05

    def _mean_statistics(self, judged: _Repeated) -> Floats:
        """Of every item over all repetitions, shape (items, k)."""
        return np.asarray(np.mean([self.metric.statistics(items) for items in judged], axis=0), dtype=np.float64)

    def _stretched(self, interval: Interval, about: float, lowest: float) -> Interval:
        if self.spread == 1.0:
            return interval
        bounds = (lowest, 1.0) if self.metric.percent else (-math.inf, math.inf)
        return stretched(interval, about, self.spread, *bounds)

    def smallest_detectable(self, arms: Sequence[Arm]) -> float:
        """For the closest race, that of the two best arms; for a lone arm as against a rival with independent errors."""
        sign = -1 if self.metric.higher_is_better else 1
        best, *rivals = sorted((arm.candidate for arm in arms), key=lambda name: sign * self.samples[name].value)
        if self.exact_shares:
            found = smallest_detectable_share_difference(self._discordant(best, rivals), self.clusters)
            return min(1.0, self.spread * found)
        if self.worst is not None:
            ends = self._difference(best, rivals[0], 0.95) if rivals else self._of_one(best, 0.95)
            return smallest_detectable_difference(ends.width / 2 / normal_quantile(0.95))
        sample = self.samples[best]
        error = difference_standard_error(sample, self.samples[rivals[0]]) if rivals else 2**0.5 * standard_error(sample)
        if error > 0:
            detectable = self.spread * smallest_detectable_difference(error)
            return min(1.0, detectable) if self.metric.percent else detectable
        # The arms never differ: a share is told as if by counts, anything else no better than by its own size.
        return smallest_detectable_share_difference(0, self.clusters) if self.metric.percent else abs(sample.value)

    def _discordant(self, best: str, rivals: Sequence[str]) -> float:
        if not rivals:
            right = self.samples[best].value
            return 2 * self.clusters * right * (1 - right)
        discordance = self._discordance(best, rivals[0])
        return discordance.a_only_right + discordance.b_only_right

    def _p_value(self, a: str, b: str) -> float:
        if self.spread == 1.0:
            return self._exact_p_value(a, b)
        one, other = self.samples[a], self.samples[b]
        error = self.spread * difference_standard_error(one, other)
        return max(self._exact_p_value(a, b), overlap_p_value(one.value - other.value, error, self.clusters))

    def _exact_p_value(self, a: str, b: str) -> float:
        if self.exact_shares:
            return exact_mcnemar(self._discordance(a, b))
        return swap_test(self.metric.value, self.statistics[a], self.statistics[b], seed=self.seed, groups=self.groups)

    def _discordance(self, a: str, b: str) -> Discordance:
        ahead = self.samples[a].outcomes - self.samples[b].outcomes
        return Discordance(int((ahead > 0).sum()), int((ahead < 0).sum()))

    def _comparison(self, a: str, b: str, p_value: float, step: HolmStep, pairs: int) -> Comparison:
        interval = self._difference(a, b, step.level)
        margin = MARGIN if self.metric.percent else MARGIN * abs(self.samples[b].value)
        room = self._difference(a, b, 1 - 2 * _ERROR / pairs)
        if step.adjusted_p_value > 0.05:
            interval = interval.including(0.0)
        discordance = self._discordance(a, b) if self.right_or_wrong else None
        higher_is = "a" if self.metric.higher_is_better else "b"
        lower_is = "b" if self.metric.higher_is_better else "a"
        return Comparison(
            a=a,
            b=b,
            metric=self.metric.name,
            difference=self.samples[a].value - self.samples[b].value,
            low=interval.low,
            high=interval.high,
            p_value=p_value,
            adjusted_p_value=step.adjusted_p_value,
            level=step.level,
            a_only_right=discordance.a_only_right if discordance else None,
            b_only_right=discordance.b_only_right if discordance else None,
            better=higher_is if interval.low > 0 else lower_is if interval.high < 0 else "neither",
            equivalent=self.clusters >= _FEWEST_EQUIVALENT and -margin < room.low and room.high < margin,
            margin=margin,
        )

    def _difference(self, a: str, b: str, level: float) -> Interval:
        """The interval of a − b, as wide as the overlap of folds asks."""
        one, other = self.samples[a], self.samples[b]
        if self.worst is not None:
            ends = self._of_one(a, level), self._of_one(b, level)
            interval = cost_difference_interval(*ends, (one.value, other.value), correlation(one.outcomes, other.outcomes))
        else:
            interval = difference_interval(
                one, other, share=self.metric.percent, right_or_wrong=self.right_or_wrong, level=level
            )
        return self._stretched(interval, one.value - other.value, lowest=-1.0)


def _refuse_other_items(evidence: Sequence[Evidence], examples: Sequence[Example], repeats: int) -> None:
    if not examples:
        raise DataError(
            Text(
                en="The test set is empty, so nothing can be proven.",
                ko="테스트 데이터가 비어 있어 아무것도 증명할 수 없습니다.",
            ),
            Text(en="Give more examples and run again.", ko="예제를 더 넣고 다시 실행하세요."),
        )
    wanted = Counter({example.id: repeats for example in examples})
    for each in evidence:
        answered = Counter(prediction.row for prediction in each.predictions)
        missing, extra = sorted(wanted - answered), sorted(row for row in answered if row not in wanted)
        twice = sorted(row for row, times in answered.items() if times > repeats)
        if missing or extra or twice:
            raise RunError(_other_items(each.candidate.id, missing, extra, twice), _prove_again(each.candidate.id))


def _other_items(candidate: str, missing: Sequence[str], extra: Sequence[str], twice: Sequence[str]) -> Text:
    kinds = [("missing", "빠진 행", missing), ("not of the test set", "테스트 데이터에 없는 행", extra)]
    kinds.append(("answered twice", "두 번 답한 행", twice))
    en = "; ".join(f"{len(rows)} {kind}: {_listed(rows)}" for kind, _, rows in kinds if rows)
    ko = "; ".join(f"{kind} {len(rows)}개: {_listed(rows)}" for _, kind, rows in kinds if rows)
    return Text(
        en=f"The predictions of '{candidate}' are not exactly those of the sealed test set ({en}). Arms that answer different "
        "items cannot be compared.",
        ko=f"'{candidate}'의 예측이 봉인된 테스트 데이터와 정확히 일치하지 않습니다({ko}). "
        "서로 다른 문항에 답한 후보끼리는 비교할 수 없습니다.",
    )


def _listed(rows: Sequence[str]) -> str:
    return ", ".join(rows[:_ROWS_SHOWN]) + (", …" if len(rows) > _ROWS_SHOWN else "")


def _prove_again(candidate: str) -> Text:
    return Text(
        en=f"Delete predictions/{candidate}.jsonl in the run directory and run `sonmat prove` again.",
        ko=f"실행 폴더의 predictions/{candidate}.jsonl을 지우고 `sonmat prove`를 다시 실행하세요.",
    )


def _judged(predictions: Sequence[Prediction], examples: Sequence[Example], repeats: int, costs: Costs | None) -> _Repeated:
    by_row: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        by_row.setdefault(prediction.row, []).append(prediction)
    return [[_judged_item(example, by_row[example.id][turn], costs) for example in examples] for turn in range(repeats)]


def _judged_item(example: Example, prediction: Prediction, costs: Costs | None) -> Judged:
    return Judged(
        input=example.input,
        target=example.target,
        output=prediction.output,
        confidence=prediction.confidence,
        reference_nll=prediction.reference_nll,
        costs=costs,
    )


def _without_headline(metric: Metric) -> Text:
    return Text(
        en=f"It has no value of {metric.title.en} for some test items, so it cannot be compared.",
        ko=f"일부 테스트 문항에서 {metric.title.ko} 값이 없어 비교할 수 없습니다.",
    )


def _nothing_to_judge(failures: Mapping[str, Text]) -> Text:
    return Text(
        en="No candidate can be judged. " + " ".join(f"{name}: {why.en}" for name, why in failures.items()),
        ko="평가할 수 있는 후보가 없습니다. " + " ".join(f"{name}: {why.ko}" for name, why in failures.items()),
    )


def _arm(evidence: Evidence, trials: Sequence[_Trial], judged: _Repeated, labels: Sequence[str]) -> Arm:
    candidate = evidence.candidate
    return Arm(
        candidate=candidate.id,
        method=candidate.method,
        role=candidate.role,
        base=candidate.base.name if candidate.base else None,
        scores=tuple(trial.score(candidate.id) for trial in trials if trial.has(candidate.id)),
        seconds_per_answer=evidence.seconds_per_answer,
        peak_bytes=evidence.peak_bytes,
        fit_seconds=evidence.fit_seconds,
        per_class=_mean_class_scores(judged, labels) if labels else (),
        budget=evidence.budget,
        elsewhere=candidate.elsewhere,
        learns=candidate.learns,
    )


def _mean_class_scores(judged: _Repeated, labels: Sequence[str]) -> tuple[ClassScore, ...]:
    """Over the answers of all repetitions; rows count once."""
    pooled = class_scores([item for items in judged for item in items], labels)
    counts = [{"support": each.support // len(judged), "predicted": round(each.predicted / len(judged))} for each in pooled]
    return tuple(each.model_copy(update=count) for each, count in zip(pooled, counts, strict=True))


def _pairs(arms: Sequence[Arm], trial: _Trial) -> list[tuple[str, str]]:
    """All pairs, the arm of the costlier role first; tuned against base, then against the floor, then tuned among themselves."""
    having = [arm for arm in arms if trial.has(arm.candidate)]
    ordered = sorted(having, key=lambda arm: -_COST_OF_ROLE[arm.role])
    pairs = [(a, b) for a, b in combinations(ordered, 2)]
    rank = {("tuned", "base"): 0, ("tuned", "floor"): 1, ("base", "floor"): 2, ("tuned", "tuned"): 3}
    pairs.sort(key=lambda pair: rank.get((pair[0].role, pair[1].role), 4))
    return [(a.candidate, b.candidate) for a, b in pairs]
