"""`check_probe`: holds a probe, built-in or third-party, to its contract.

In: the plug-in, and where its own tests have better ones, a setting and predictors. Out: its measures of the arm, or an
`AssertionError` that says which promise is broken. It loads no model: an arm that recites the references stands for the tuned one, one
that says the same to everything for its base. Probes that look at weights need predictors with a model behind them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sonmat import plugins
from sonmat.core.probing import Foretold, Probe, Seen, Setting, declares
from sonmat.core.proof import Measure, Measured, Prediction
from sonmat.core.protocols import No, Predictor, Question, Yes
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Estimate, Example, Fitted, Json, ModelFacts

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PATTERN = re.compile(r"[a-z*][a-z0-9_*-]*")
_NOTHING = Text(en="made for a check", ko="점검용")


@dataclass(frozen=True)
class Reciter:
    """Answers every question that it knows with its reference, and all others with one of them; the same every time."""

    known: Mapping[str, Json]
    nats: float = 1.0

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        anything = next(iter(self.known.values()))
        for question in questions:
            output = self.known.get(_key(question.input), anything)
            yield Prediction(
                row=question.row,
                output=dict(output) if question.write else {},
                confidence=0.9,
                seconds=0.01,
                tokens=3,
                reference_nll=self.nats if question.reference is not None else None,
            )


def made_setting(task: str = "text-classification", rows: int = 12) -> Setting:
    """A run of the task's tiny examples, `rows` of them to test with."""
    found = plugins.find("tasks", task)
    tiny = found.tiny()
    examples = [
        tiny.examples[number % len(tiny.examples)].model_copy(update={"id": f"row-{number}"}) for number in range(2 * rows)
    ]
    return Setting(
        task=found,
        spec=tiny.spec,
        languages=("en",),
        train=examples[rows:],
        test=examples[:rows],
        seed=0,
        recipe=Recipe(data="data.csv", price=1.0),
    )


def reciter(setting: Setting) -> Reciter:
    """An arm that is always right on the test set."""
    return Reciter({_key(example.input): _output(example) for example in setting.test})


def check_probe(
    probe: Probe,
    setting: Setting | None = None,
    predictor: Predictor | None = None,
    base: Predictor | None = None,
    *,
    worse: Predictor | None = None,
    worse_in: str = "",
) -> tuple[Measure, ...]:
    """Raise `AssertionError` unless `probe` keeps its contract; returns what it measures of the arm beside its base.

    Args:
        setting: a run; the tiny examples of text classification if left out.
        predictor: the tuned arm's; one that recites references if left out.
        base: its untuned base's; one that says the same to everything if left out.
        worse: a planted arm that must be measured as worse than `predictor` in the measure `worse_in`.
    """
    _has_the_members(probe)
    where = setting or made_setting()
    anything = _output(where.test[0])
    tuned, plain = made_candidate("tuned"), made_candidate("base")
    if not _supports(probe, where, tuned):
        return ()
    own = _seen(probe, where, tuned, predictor or reciter(where))
    before = (
        _seen(probe, where, plain, base or Reciter({"": anything}, nats=2.0)) if _supports(probe, where, plain) else None
    )
    if before is not None:
        _expect(
            probe,
            len(own.rows) == len(before.rows),
            f"gives {len(own.rows)} rows of one arm and {len(before.rows)} of another; expected the same number for every arm",
        )
    measures = _measured(probe, where, own, before)
    for alone in (own, before):
        for measure in _measured(probe, where, alone, None) if alone is not None else ():
            _expect(
                probe, measure.change is None, f"tells a change in {measure.name} where there is nothing to compare with"
            )
    if worse is not None:
        _tells_worse(probe, measures, _measured(probe, where, _seen(probe, where, tuned, worse), before), worse_in)
    return measures


def made_candidate(role: str) -> Candidate:
    """An arm of the made run, tuned or untuned, on one base."""
    facts = ModelFacts(
        name="tiny", path="tiny", origin="tiny", checksum="tiny", family="generic", model_type="bert", parameters=1
    )  # fmt: skip
    return Candidate.model_validate(
        {
            "id": f"{role}-arm", "method": "full" if role == "tuned" else "zero-shot", "role": role, "base": facts,
            "learns": role == "tuned", "reason": _NOTHING,
            "estimate": Estimate(peak_bytes=1, seconds=1.0, basis=_NOTHING),
        }
    )  # fmt: skip


def _has_the_members(probe: Probe) -> None:
    lacking = plugins.missing_members(probe, "probes")
    _expect(probe, not lacking, f"lacks {', '.join(lacking)}")
    _expect(
        probe, bool(_NAME.fullmatch(probe.name)), "has a name that guards cannot write: use small letters, digits, - and _"
    )
    _expect(probe, bool(probe.title.en and probe.title.ko), "has no title in one of the languages")
    named = isinstance(probe.measures, tuple) and all(isinstance(each, str) for each in probe.measures)
    _expect(probe, named, f"declares {probe.measures!r} as its measures; expected a tuple of names")
    for each in probe.measures:
        _expect(
            probe,
            bool(_PATTERN.fullmatch(each)),
            f"declares a measure '{each}': use small letters, digits, - and _, and a star for what only the data knows",
        )


def _supports(probe: Probe, setting: Setting, candidate: Candidate) -> bool:
    said = probe.supports(setting, candidate)
    _expect(probe, isinstance(said, Yes | No), f"says {said!r} to whether it supports an arm; expected Yes or No")
    if isinstance(said, No):
        _expect(probe, bool(said.reason.en and said.reason.ko), "refuses an arm without a reason in one of the languages")
    return isinstance(said, Yes)


def _seen(probe: Probe, setting: Setting, candidate: Candidate, predictor: Predictor) -> Seen:
    """What a proof would hand to `measure`: rows and answers as they come back from their files."""
    given = list(probe.observe(setting, candidate, predictor))
    for row in given:
        _expect(probe, isinstance(row.get("row"), str), f"gives a row without a text as 'row': {str(row)[:80]}")
    _expect(probe, len({row["row"] for row in given}) == len(given), "gives two rows of the same id")
    _is_foretold(probe, setting, candidate, len(given))
    rows = json.loads(json.dumps(given))
    _expect(probe, rows == given, "gives rows that are not the same when they are read again from JSON")
    questions = [Question(example.id, example.input, example.target) for example in setting.test]
    answers = {answer.row: answer for answer in predictor.answer(questions)}
    measured = Measured(
        candidate=candidate.id, seconds_per_answer=0.01, seconds=0.1, peak_bytes=10**9,
        golden=tuple(list(answers.values())[:8]), load_seconds=1.0, model_bytes=10**8,
    )  # fmt: skip
    fitted = Fitted(candidate=candidate.id, seconds=60.0, peak_bytes=10**9)
    return Seen(candidate=candidate, answers=answers, rows=rows, measured=measured, fitted=fitted)


def _is_foretold(probe: Probe, setting: Setting, candidate: Candidate, given: int) -> None:
    """A probe that foretells says how many rows it gives; the plan's minutes and the time left hang on it."""
    if not isinstance(probe, Foretold):
        return
    work = probe.work(setting, candidate)
    _expect(probe, work.rows == given, f"foretells {work.rows} rows of {candidate.id} and gives {given}")
    amounts = {
        "read_bytes": work.read_bytes, "written_tokens": work.written_tokens, "elsewhere_seconds": work.elsewhere_seconds,
    }  # fmt: skip
    for name, amount in amounts.items():
        _expect(probe, 0 <= amount < math.inf, f"foretells {name} of {amount}")
    _expect(probe, work.most_seconds > 0, f"foretells to stop after {work.most_seconds} seconds")


def _measured(probe: Probe, setting: Setting, own: Seen, base: Seen | None) -> tuple[Measure, ...]:
    before = json.dumps([list(own.rows), list(base.rows) if base else None], sort_keys=True)
    measures = tuple(probe.measure(setting, own, base))
    _expect(probe, tuple(probe.measure(setting, own, base)) == measures, "measures the same rows differently a second time")
    after = json.dumps([list(own.rows), list(base.rows) if base else None], sort_keys=True)
    _expect(probe, before == after, "changes the rows that it measures")
    turned = replace(own, answers=dict(reversed(list(own.answers.items()))))
    _expect(probe, _figures(probe.measure(setting, turned, base)) == _figures(measures), "depends on the order of answers")
    keys = [(measure.name, tuple(sorted(measure.slice.items()))) for measure in measures]
    _expect(probe, len(set(keys)) == len(keys), "gives two measures of the same name and slice")
    for measure in measures:
        _is_well_formed(probe, measure, own)
    return measures


def _figures(measures: Sequence[Measure]) -> list[tuple[str, float]]:
    return [(measure.name, round(measure.value, 12)) for measure in measures]


def _is_well_formed(probe: Probe, measure: Measure, own: Seen) -> None:
    name = measure.name
    _expect(probe, measure.probe == probe.name, f"signs the measure {name} as {measure.probe}")
    _expect(probe, measure.arm == own.candidate.id, f"gives the measure {name} to the arm {measure.arm}")
    _expect(probe, bool(_NAME.fullmatch(name)), f"calls a measure '{name}': use small letters, digits, - and _")
    listed = ", ".join(probe.measures)
    _expect(probe, declares(probe, name), f"gives a measure '{name}' that is none of those that it declares: {listed}")
    _expect(probe, bool(measure.title.en and measure.title.ko), f"has no title of {name} in one of the languages")
    _expect(probe, measure.items > 0, f"rests {name} on {measure.items} items")
    low, high = measure.low, measure.high
    inside = (low is None or low <= measure.value + 1e-9) and (high is None or measure.value <= high + 1e-9)
    _expect(probe, inside, f"gives {name} the value {measure.value} outside of its interval [{low}, {high}]")
    if measure.unit == "share" and measure.change is None and measure.value < 0:
        # A share of what was lost may be negative: more was won.
        _expect(probe, measure.value >= -1, f"gives the share {name} the value {measure.value}")
    if measure.change is not None:
        change = measure.change
        _expect(probe, change.low <= change.high, f"turns the interval of the change in {name} round")
        _expect(
            probe,
            not change.beyond_noise or change.low > 0 or change.high < 0,
            f"calls a change in {name} beyond noise whose interval [{change.low}, {change.high}] holds 0",
        )


def _tells_worse(probe: Probe, good: Sequence[Measure], bad: Sequence[Measure], name: str) -> None:
    pair = [next((each for each in measures if each.name == name), None) for measures in (good, bad)]
    _expect(probe, all(pair), f"has no measure '{name}'; it has {', '.join(each.name for each in good)}")
    one, other = pair
    assert one is not None
    assert other is not None
    worse = other.value < one.value if one.higher_is_better else other.value > one.value
    _expect(
        probe,
        worse and one.higher_is_better is not None,
        f"gives a planted worse arm {other.value} in {name} and the good one {one.value}",
    )


def _output(example: Example) -> Json:
    return dict(example.target)


def _key(input: Json) -> str:
    return json.dumps(input, sort_keys=True, ensure_ascii=False)


def _expect(probe: Probe, kept: bool, broken: str) -> None:
    if not kept:
        raise AssertionError(f"The probe '{getattr(probe, 'name', probe)}' {broken}.")
