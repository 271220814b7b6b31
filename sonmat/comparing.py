"""Two runs side by side: is the newer model better than the older one, on items that neither has learnt from?

In: two run directories with proofs. Out: a `RunComparison`; nothing is asked and nothing is written. Where the sealed test sets are
one, all of it counts; else the items that stand in both, told by their content. The statistics are those of the proof. Only what
both were tested on is compared: an older model may have learnt from rows that the newer was tested on, and such rows stand in
one test set alone. Costs of errors are those of the newer run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sonmat import plugins
from sonmat.core.decision import COST_METRIC
from sonmat.core.errors import RunError
from sonmat.core.proof import Arm, Comparison, Guard, Prediction, Proof, RunComparison
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Split
from sonmat.models.deciding import costs_of_run
from sonmat.runs import RunFolder, sha256_of
from sonmat.statistics.cross_validation import Turns
from sonmat.steps.prove.guards import check_measured, guards_of
from sonmat.steps.prove.judge import Evidence, judge
from sonmat.steps.prove.measures import Panel
from sonmat.steps.prove.phrases import Phrases, duration
from sonmat.steps.prove.setting import rows_of
from sonmat.steps.prove.verdict import Lead

FEWEST_ITEMS: Final = 20
"""Shared test items below which nothing is compared."""


def compare(
    older: RunFolder,
    newer: RunFolder,
    *,
    candidates: tuple[str | None, str | None] = (None, None),
    guards: Mapping[str, float] | None = None,
) -> RunComparison:
    """The newer run's arm beside the older's.

    Args:
        candidates: which arm of each; the one in use if None.
        guards: bounds that the newer arm must keep, on top of those of its own recipe.

    Raises:
        RunError: a run has no proof or no such arm, the tasks differ, or too few test items stand in both.
        SettingError: a guard is on something that the newer run did not measure.
    """
    sides = _named_apart(_side(older, candidates[0]), _side(newer, candidates[1]))
    # Said now, and not after the statistics.
    check_measured([*newer.recipe().guards, *(guards or {})], _panel(sides[1]))
    task, costs = _common_task(sides), costs_of_run(newer)
    examples, ids = _shared_items(sides)
    evidence = [_evidence(side, ids[number], examples) for number, side in enumerate(sides)]
    proof = judge(
        evidence,
        examples,
        [
            plugins.find("metrics", name)
            for name in (*([COST_METRIC] if costs else []), *plugins.find("tasks", task).metrics)
        ],
        labels=older.plan().spec.labels,
        seed=older.recipe().seed,
        seal=older.split().seal,
        titles={each.candidate.id: Text(en=each.candidate.id, ko=each.candidate.id) for each in evidence},
        turns=_turns([side.split for side in sides]),
        costs=costs,
    )
    return _told(proof, sides, evidence, guards or {})


@dataclass(frozen=True)
class _Side:
    folder: RunFolder
    candidate: Candidate
    proof: Proof
    split: Split
    name: str


def _side(folder: RunFolder, candidate: str | None) -> _Side:
    proof = folder.proof()
    wanted = candidate or proof.verdict.use
    known = [arm.candidate for arm in proof.arms]
    if wanted not in known:
        raise RunError(
            Text(en=f"{folder.name} has no arm '{wanted}'.", ko=f"{folder.name}에 '{wanted}' 후보가 없습니다."),
            Text(en=f"It has: {', '.join(known)}.", ko=f"있는 후보: {', '.join(known)}."),
        )
    found = next(each for each in folder.plan().candidates if each.id == wanted)
    return _Side(folder, found, proof, folder.split(), f"{folder.path.resolve().name}:{wanted}")


def _named_apart(older: _Side, newer: _Side) -> tuple[_Side, _Side]:
    """Runs of one name in two places are named by their places.

    Raises:
        RunError: both are one arm of one run.
    """
    if older.name != newer.name:
        return older, newer
    places = [f"{side.folder.path.resolve()}:{side.candidate.id}" for side in (older, newer)]
    if places[0] == places[1]:
        raise RunError(
            Text(en=f"{older.name} is named twice.", ko=f"{older.name}을(를) 두 번 지정했습니다."),
            Text(en="Name two runs, or RUN:CANDIDATE twice.", ko="서로 다른 두 실행이나 실행:후보를 지정하세요."),
        )
    return replace(older, name=places[0]), replace(newer, name=places[1])


def _common_task(sides: Sequence[_Side]) -> str:
    tasks = [side.folder.plan().task for side in sides]
    if tasks[0] == tasks[1]:
        return tasks[0]
    raise RunError(
        Text(
            en=f"{sides[0].name} does {tasks[0]} and {sides[1].name} does {tasks[1]}: their answers cannot be compared.",
            ko=f"{sides[0].name}의 과제는 {tasks[0]}, {sides[1].name}의 과제는 {tasks[1]}이라 답을 견줄 수 없습니다.",
        ),
        Text(en="Name two runs of one task.", ko="과제가 같은 두 실행을 지정하세요."),
    )


def _shared_items(sides: Sequence[_Side]) -> tuple[list[Example], tuple[list[str], list[str]]]:
    """The items as the older run has them, and their ids in each run.

    Two items are the same if input and target are; of items that stand twice in a test set the first counts.
    """
    rows = [rows_of(side.folder, side.split.test) for side in sides]
    if sides[0].split.seal == sides[1].split.seal:
        same = [example.id for example in rows[0]]
        return rows[0], (same, same)
    by_content = [_first_by_content(each) for each in rows]
    shared = [digest for digest in by_content[0] if digest in by_content[1]]
    if len(shared) < FEWEST_ITEMS:
        raise _too_few(sides, len(shared), [len(each) for each in rows])
    examples = [by_content[0][digest] for digest in shared]
    return examples, ([each.id for each in examples], [by_content[1][digest].id for digest in shared])


def _first_by_content(examples: Sequence[Example]) -> dict[str, Example]:
    found: dict[str, Example] = {}
    for example in examples:
        found.setdefault(sha256_of(example.input, example.target), example)
    return found


def _too_few(sides: Sequence[_Side], shared: int, items: Sequence[int]) -> RunError:
    return RunError(
        Text(
            en=f"The test sets of {sides[0].name} ({items[0]} items) and {sides[1].name} ({items[1]} items) have {shared} items in "
            f"common; at least {FEWEST_ITEMS} are needed. On other items a model may be tested that has learnt from them.",
            ko=f"{sides[0].name}의 테스트 문항({items[0]}개)과 {sides[1].name}의 테스트 문항({items[1]}개) 가운데 같은 것이 "
            f"{shared}개뿐입니다. {FEWEST_ITEMS}개는 있어야 합니다. 다른 문항은 어느 한 모델이 이미 학습했을 수 있습니다.",
        ),
        Text(
            en="Keep the test rows apart in both runs: mark them in a column and name it with --part.",
            ko="두 실행에서 같은 행으로 테스트하세요. 테스트 행을 열에 표시하고 --part로 지정하면 됩니다.",
        ),
    )


def _evidence(side: _Side, ids: Sequence[str], examples: Sequence[Example]) -> Evidence:
    """The answers to the shared items, under the ids of the older run; of several repetitions the first."""
    renamed = {own: example.id for own, example in zip(ids, examples, strict=True)}
    answers: dict[str, Prediction] = {}
    for prediction in side.folder.predictions(side.candidate.id):
        if prediction.row in renamed:
            row = renamed[prediction.row]
            answers.setdefault(row, prediction.model_copy(update={"row": row}))
    arm = next(each for each in side.proof.arms if each.candidate == side.candidate.id)
    return Evidence(
        candidate=side.candidate.model_copy(update={"id": side.name}),
        predictions=list(answers.values()),
        seconds_per_answer=arm.seconds_per_answer,
        peak_bytes=arm.peak_bytes,
        fit_seconds=arm.fit_seconds,
        budget=arm.budget,
    )


def _turns(splits: Sequence[Split]) -> Turns | None:
    """Of the cross-validation with the fewest folds, which widens intervals most; None where there was none."""
    folds = [len(split.folds) // split.repeats for split in splits if split.folds]
    return Turns(min(folds), 1) if folds else None


def _told(proof: Proof, sides: Sequence[_Side], evidence: Sequence[Evidence], asked: Mapping[str, float]) -> RunComparison:
    older, newer = (each.candidate.id for each in evidence)
    comparisons = tuple(_newer_less_older(each, newer) for each in proof.comparisons)
    headline = next((each for each in comparisons if each.metric == proof.headline), None)
    if headline is None:
        raise _without_answers(proof, sides)
    phrases = Phrases(plugins.find("metrics", proof.headline), {})
    guards = (*_guards(sides[1], newer, asked), _no_regression(headline, newer, phrases))
    passed = all(guard.kept for guard in guards)
    measures = [
        measure.model_copy(update={"arm": name})
        for side, name in zip(sides, (older, newer), strict=True)
        for measure in side.proof.measures
        if measure.arm == side.candidate.id
    ]
    return RunComparison(
        older=older,
        newer=newer,
        task=sides[0].folder.plan().task,
        headline=proof.headline,
        items=proof.items,
        same_seal=sides[0].split.seal == sides[1].split.seal,
        arms=tuple(sorted(proof.arms, key=lambda arm: arm.candidate != older)),
        comparisons=comparisons,
        smallest_detectable=proof.smallest_detectable,
        measures=tuple(measures),
        guards=guards,
        passed=passed,
        sentence=_sentence(headline, phrases, older, newer, passed),
        details=tuple(_details(proof, sides, headline, guards, phrases)),
    )


def _newer_less_older(found: Comparison, newer: str) -> Comparison:
    if found.a == newer:
        return found
    better = {"a": "b", "b": "a", "neither": "neither"}[found.better]
    turned = {"a": found.b, "b": found.a, "better": better, "difference": _turned(found.difference)}
    only = {"a_only_right": found.b_only_right, "b_only_right": found.a_only_right}
    return found.model_copy(update={**turned, **only, "low": _turned(found.high), "high": _turned(found.low)})


def _turned(difference: float) -> float:
    """The other way round; of no difference 0 and not −0, which would be shown as a loss."""
    return 0.0 - difference


def _guards(side: _Side, name: str, asked: Mapping[str, float]) -> list[Guard]:
    """The newer arm's own, by its proof's measures, with the recipe's bounds and those that were asked for now."""
    found = guards_of({**side.folder.recipe().guards, **asked}, [side.candidate], _panel(side))
    return [guard.model_copy(update={"arm": name}) for guard in found]


def _panel(side: _Side) -> Panel:
    return Panel(side.proof.measures, side.proof.unmeasured)


def _no_regression(headline: Comparison, newer: str, phrases: Phrases) -> Guard:
    worse = headline.better == "b"
    low, high = phrases.number(headline.low), phrases.number(headline.high)
    difference = phrases.amount(headline.difference)
    return Guard(
        name="regression",
        arm=newer,
        measure=headline.metric,
        bound=0.0,
        value=headline.difference,
        kept=not worse,
        by="default",
        reason=Text(
            en=f"{phrases.metric.title.en}, newer less older: {difference.en} [{low}, {high}]; "
            f"{'worse beyond noise' if worse else 'not worse beyond noise'}.",
            ko=f"{phrases.metric.title.ko}, 새 실행에서 옛 실행을 뺀 차이: {difference.ko} [{low}, {high}]. "
            f"{'오차 범위를 넘어 나빠졌습니다' if worse else '오차 범위를 넘어 나빠지지 않았습니다'}.",
        ),
    )


def _sentence(headline: Comparison, phrases: Phrases, older: str, newer: str, passed: bool) -> Text:
    toward = 1 if phrases.metric.higher_is_better else -1
    ends = sorted((toward * headline.low, toward * headline.high))
    lead = Lead(toward * headline.difference, ends[0], ends[1], headline.better != "neither")
    low, high = phrases.number(lead.low), phrases.number(lead.high)
    amount, margin = phrases.amount(abs(lead.points)), phrases.amount(headline.margin)
    if lead.won:
        en = f"{newer} is better than {older} by {amount.en} [{low}, {high}]."
        ko = f"{newer}이(가) {older}보다 {amount.ko} 낫습니다 [{low}, {high}]."
    elif lead.lost:
        en = f"{newer} is worse than {older} by {amount.en} [{low}, {high}]."
        ko = f"{newer}이(가) {older}보다 {amount.ko} 못합니다 [{low}, {high}]."
    elif headline.equivalent:
        en = f"{newer} is as good as {older}, within {margin.en} [{low}, {high}]."
        ko = f"{newer}은(는) {older}와(과) {margin.ko} 안에서 동등합니다 [{low}, {high}]."
    else:
        en = f"These items cannot tell {newer} from {older} [{low}, {high}]; that is no proof that they are equally good."
        ko = f"이 문항으로는 {newer}와(과) {older}을(를) 구별할 수 없습니다 [{low}, {high}]. 똑같이 좋다는 증거는 아닙니다."
    if not passed:
        en, ko = f"{en} It does not keep its guards.", f"{ko} 새 실행이 조건을 지키지 않습니다."
    return Text(en=en, ko=ko)


def _details(
    proof: Proof, sides: Sequence[_Side], headline: Comparison, guards: Sequence[Guard], phrases: Phrases
) -> list[Text]:
    whole = sides[0].split.seal == sides[1].split.seal
    counts = [len(side.split.test) for side in sides]
    found = [
        Text(en=f"One sealed test set of {proof.items:,} items.", ko=f"봉인된 같은 테스트 문항 {proof.items:,}개입니다.")
        if whole
        else Text(
            en=f"{proof.items:,} items stand in both test sets (of {counts[0]:,} and {counts[1]:,}); only they are compared.",
            ko=f"두 테스트 데이터({counts[0]:,}개, {counts[1]:,}개)에 모두 있는 문항 {proof.items:,}개로만 견줍니다.",
        )
    ]
    smallest = phrases.amount(proof.smallest_detectable)
    found.append(
        Text(
            en=f"A difference of about {smallest.en} or more would be found in 80 % of cases.",
            ko=f"차이가 약 {smallest.ko} 이상이면 80% 확률로 알아챌 수 있습니다.",
        )
    )
    times = [duration(arm.seconds_per_answer) for arm in (_arm(proof, headline.b), _arm(proof, headline.a))]
    found.append(
        Text(
            en=f"An answer took {times[0].en} in the older run and {times[1].en} in the newer, each on the machine of its run.",
            ko=f"답변 하나에 옛 실행은 {times[0].ko}, 새 실행은 {times[1].ko} 걸렸습니다(각 실행의 컴퓨터 기준).",
        )
    )
    return found + [
        Text(en=f"Guard not kept: {guard.reason.en}", ko=f"지키지 못한 조건: {guard.reason.ko}")
        for guard in guards
        if not guard.kept
    ]


def _arm(proof: Proof, name: str) -> Arm:
    return next(arm for arm in proof.arms if arm.candidate == name)


def _without_answers(proof: Proof, sides: Sequence[_Side]) -> RunError:
    reasons = [f"{name}: {why}" for name, why in proof.failed.items()]
    return RunError(
        Text(
            en=f"{sides[0].name} and {sides[1].name} cannot be compared. {' '.join(reasons)}",
            ko=f"{sides[0].name}와(과) {sides[1].name}을(를) 견줄 수 없습니다. {' '.join(reasons)}",
        )
    )
