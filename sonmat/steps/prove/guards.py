"""Guards: bounds on measures that an arm must keep to be recommended.

In: the recipe's bounds and the arms' measures. Out: one `Guard` for each arm and bound, kept or not, with its figures.

A user's bound is one on the value itself: it is broken where the value crosses it, and says so where the interval lies on both sides.
The lower is better, or neither, the bound is the most allowed; the higher is better, it is the least. A default guard is about what
tuning did: it is broken only where harm is beyond noise and larger than `HARM`, and it holds for tuned arms alone. What a probe could
not measure is unknown, and a guard on it is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from sonmat import plugins
from sonmat.core.errors import SettingError, unknown_name
from sonmat.core.probing import Probe, declares
from sonmat.core.proof import Guard, Measure
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Candidate
from sonmat.inference.endpoint.address import is_endpoint, read_address
from sonmat.probing.expectations import read_expectations
from sonmat.probing.slice_words import slice_words
from sonmat.steps.prove.measures import Panel
from sonmat.steps.prove.observing import wanted_probes
from sonmat.steps.prove.phrases import hundredths, points, quantity

HARM: Final = 0.05
"""Harm that a default guard forgives: 5 points of a share."""
DEFAULTS: Final = (
    "forgetting.all",
    "fairness.worst*",
    "safety.*",
    "repetition.loops",
    "repetition.empty",
    "repetition.other_language",
    "format.*",
)
"""Measures that tuned arms are held to unless the user bounds them; the star stands for any letters. Not among them: measures of which
a narrow specialist may rightly have more than its base, such as one answer to many questions, or as many words as are allowed."""
LOSSES: Final = frozenset({"forgetting.all"})
"""Measures that are differences to the base themselves."""
_MEASURE: Final = Text(en="measure", ko="측정값")


def check_wishes(recipe: Recipe) -> None:
    """Nothing, if the methods and probes that the recipe names, or sets bounds on, exist and are wanted, bounds are on measures, what
    answers must keep is well said, and arms are of a kind that there is; before anything is computed.

    Raises:
        SettingError: one does not.
    """
    read_expectations(recipe.expect)
    for name in [*recipe.method, *recipe.settings]:
        plugins.find("methods", name)
    for arm in recipe.arm:
        _check_arm(arm)
    wanted = [probe.name for probe in wanted_probes(recipe)]
    _check_judge(recipe, wanted)
    for name in recipe.guards:
        _check_guard(name, wanted)


def _check_guard(name: str, wanted: Sequence[str]) -> None:
    """Raises:
    SettingError: the bound is on nothing that a proof with the probes `wanted` may measure; it lists what there is.
    """
    probe_name, _, measure = name.partition(".")
    probe = plugins.find("probes", probe_name)
    if not measure:
        declared = _declared(probe)
        raise SettingError(
            Text(
                en=f"The guard '{name}' names a probe, and not what of it is bounded.",
                ko=f"'{name}' 조건은 탐침의 이름뿐이고, 어떤 측정값을 제한할지 빠져 있습니다.",
            ),
            Text(
                en=f"Write {name}.MEASURE. Known: {', '.join(declared)}.",
                ko=f"{name}.측정값처럼 쓰세요. 가능한 값: {', '.join(declared)}.",
            ),
        )
    if probe_name not in wanted:
        raise SettingError(
            Text(
                en=f"The guard {name} needs the probe {probe_name}, which is left out.",
                ko=f"{name} 조건에는 {probe_name} 탐침이 필요한데 빠져 있습니다.",
            ),
            Text(
                en=f"Leave the guard out, or add {probe_name} to --probes.",
                ko=f"이 조건을 빼거나 --probes에 {probe_name}을(를) 넣으세요.",
            ),
        )
    if not declares(probe, measure):
        raise _undeclared(probe, name)


def _undeclared(probe: Probe, name: str) -> SettingError:
    error = unknown_name(_MEASURE, name, _declared(probe))
    if error.fix is None or not any("*" in pattern for pattern in probe.measures):
        return error
    star = Text(
        en="The star stands for the name of a column or the like.", ko="별표(*) 자리에는 열 이름 같은 것이 들어갑니다."
    )
    return SettingError(error.what, Text(en=f"{error.fix.en} {star.en}", ko=f"{error.fix.ko} {star.ko}"))


def _declared(probe: Probe) -> list[str]:
    """What guards may name of it, in the order of their names."""
    return sorted(f"{probe.name}.{measure}" for measure in probe.measures)


def _check_arm(arm: str) -> None:
    if is_endpoint(arm):
        read_address(arm)
    elif not arm.startswith("run:"):
        raise SettingError(
            Text(en=f"'{arm}' is no arm that can be added.", ko=f"'{arm}'은(는) 더할 수 있는 후보가 아닙니다."),
            Text(
                en="Name a model of another run as run:FOLDER:CANDIDATE, one that is asked over HTTP as openai:URL:MODEL, or a "
                "method with --method.",
                ko="다른 실행의 모델은 run:폴더:후보로, HTTP로 묻는 모델은 openai:URL:모델로 적고, 방법은 --method로 지정하세요.",
            ),
        )


def _check_judge(recipe: Recipe, wanted: Sequence[str]) -> None:
    if "openai" in recipe.method:
        # The method is nothing without an address.
        read_address("openai")
    if recipe.judge is None:
        return
    read_address(recipe.judge)
    if "judge" not in wanted:
        raise SettingError(
            Text(
                en="A judge is named, but the probe judge is left out.",
                ko="심판 모델을 지정했지만 judge 탐침이 빠져 있습니다.",
            ),
            Text(en="Add judge to --probes, or leave --judge out.", ko="--probes에 judge를 넣거나 --judge를 빼세요."),
        )


def check_measured(bounds: Iterable[str], panel: Panel) -> None:
    """Nothing, if every bound is on something that was measured, or that a probe which failed would have measured.

    Raises:
        SettingError: one is on something that nobody measured; it lists what there is.
    """
    known = {measure_key(measure) for measure in panel.measures}
    lost = {each.probe for each in panel.unmeasured if each.failed}
    for name in bounds:
        if name not in known and name.partition(".")[0] not in lost:
            raise unknown_name(_MEASURE, name, known)


def guards_of(bounds: Mapping[str, float], candidates: Sequence[Candidate], panel: Panel) -> tuple[Guard, ...]:
    """Every guard on every arm that it concerns; first the user's, in the recipe's order.

    Raises:
        SettingError: a bound is on something that nobody measured; it lists what there is.
    """
    check_measured(bounds, panel)
    found = [
        guard
        for name, bound in bounds.items()
        for candidate in candidates
        if (guard := _users(name, bound, candidate, panel)) is not None
    ]
    tuned = [candidate for candidate in candidates if candidate.role == "tuned"]
    found += [guard for candidate in tuned for guard in _defaults(candidate, panel, frozenset(bounds))]
    return tuple(found)


def measure_key(measure: Measure) -> str:
    """PROBE.NAME, as guards name it."""
    return f"{measure.probe}.{measure.name}"


# ── the user's ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _users(name: str, bound: float, candidate: Candidate, panel: Panel) -> Guard | None:
    """None where the measure has nothing to do with such an arm."""
    looked_at = [each for each in panel.measures if each.arm == candidate.id and each.probe == name.partition(".")[0]]
    own = [each for each in looked_at if measure_key(each) == name]
    if own:
        return _bounded(name, bound, candidate, _deciding(own))
    reason = _failure(name.partition(".")[0], candidate, panel)
    if reason is None and not (looked_at and candidate.role == "tuned"):
        # The probe says nothing of such an arm, or an untuned one has nothing to lose.
        return None
    unknown = reason or Text(en="this arm has no such measure.", ko="이 후보에는 그런 측정값이 없습니다.")
    return Guard(
        name=name, arm=candidate.id, measure=name, bound=bound, value=None, kept=False, reason=_unknown(name, unknown)
    )


def _deciding(measures: Sequence[Measure]) -> Measure:
    """That of all items; where there are only slices, the worst."""
    whole = [each for each in measures if not each.slice]
    if whole:
        return whole[0]
    least = measures[0].higher_is_better is True
    return min(measures, key=lambda each: each.value if least else -each.value)


def _bounded(name: str, bound: float, candidate: Candidate, measure: Measure) -> Guard:
    floor = measure.higher_is_better is True
    kept = measure.value >= bound if floor else measure.value <= bound
    return Guard(
        name=name,
        arm=candidate.id,
        measure=name,
        bound=bound,
        value=measure.value,
        kept=kept,
        reason=_bounded_reason(measure, bound, floor, kept),
    )


def _bounded_reason(measure: Measure, bound: float, floor: bool, kept: bool) -> Text:
    value, limit = figure(measure), quantity(bound, measure.unit)
    straddled = measure.low is not None and measure.high is not None and measure.low < bound < measure.high
    en = f"{measure.title.en}{_part(measure).en}: {value.en}, at {'least' if floor else 'most'} {limit.en} allowed"
    ko = f"{measure.title.ko}{_part(measure).ko}: {value.ko}, 기준은 {limit.ko} {'이상' if floor else '이하'}"
    if straddled:
        doubt_en = "; noise alone could have broken it" if kept else "; noise alone could have kept it"
        doubt_ko = ". 오차만으로도 기준을 벗어날 수 있습니다" if kept else ". 오차만으로도 기준 안에 들 수 있습니다"
        en, ko = en + doubt_en, ko + doubt_ko
    return Text(en=f"{en}.", ko=f"{ko}.")


# ── the defaults ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Harm:
    """What tuning made worse, in the measure's unit; positive is harm."""

    points: float
    low: float
    high: float
    beyond_noise: bool


def _defaults(candidate: Candidate, panel: Panel, bounded: frozenset[str]) -> Iterator[Guard]:
    for measure in panel.measures:
        name = measure_key(measure)
        concerned = measure.arm == candidate.id and not measure.slice and name not in bounded and _is_default(name)
        harm = _harm(measure) if concerned else None
        if harm is None:
            continue
        broken = harm.beyond_noise and harm.points > HARM
        yield Guard(
            name=name,
            arm=candidate.id,
            measure=name,
            bound=HARM,
            value=measure.value,
            kept=not broken,
            reason=_harm_reason(measure, harm),
            by="default",
        )
    for probe in dict.fromkeys(pattern.partition(".")[0] for pattern in DEFAULTS):
        reason = _failure(probe, candidate, panel)
        if reason is not None and not any(name.startswith(f"{probe}.") for name in bounded):
            unknown = _unknown(probe, reason)
            yield Guard(
                name=probe,
                arm=candidate.id,
                measure=f"{probe}.*",
                bound=HARM,
                value=None,
                kept=False,
                reason=unknown,
                by="default",
            )


def _is_default(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in DEFAULTS)


def _harm(measure: Measure) -> _Harm | None:
    """None where nothing can be called harm, or where there was nothing to compare with."""
    if measure.unit != "share" or measure.higher_is_better is None:
        return None
    if measure_key(measure) in LOSSES:
        low, high = measure.low, measure.high
        if low is None or high is None:
            return None
        return _Harm(measure.value, low, high, low > 0)
    change = measure.change
    if change is None:
        return None
    if measure.higher_is_better:
        return _Harm(-change.difference, -change.high, -change.low, change.beyond_noise and change.difference < 0)
    return _Harm(change.difference, change.low, change.high, change.beyond_noise and change.difference > 0)


def _harm_reason(measure: Measure, harm: _Harm) -> Text:
    worse, span = points(harm.points), f"[{hundredths(harm.low)}, {hundredths(harm.high)}]"
    if not harm.beyond_noise:
        told_en, told_ko = "not worse beyond noise", "오차 범위를 넘어 나빠지지 않았습니다"
    elif harm.points <= HARM:
        told_en, told_ko = "worse beyond noise, but by little", "오차 범위를 넘어 나빠졌지만 폭이 작습니다"
    else:
        told_en, told_ko = "worse beyond noise", "오차 범위를 넘어 나빠졌습니다"
    return Text(
        en=f"{measure.title.en}: {told_en} than before tuning, by {worse.en} {span}; more than "
        f"{points(HARM).en} is not allowed.",
        ko=f"{measure.title.ko}: 미세조정 전보다 {told_ko}({worse.ko} {span}). {points(HARM).ko} 넘게 나빠지면 안 됩니다.",
    )


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def figure(measure: Measure) -> Text:
    """'12.0 % [9.1, 15.2]': the value with the interval, where there is one."""
    value = quantity(measure.value, measure.unit)
    if measure.low is None or measure.high is None:
        return value
    low, high = quantity(measure.low, measure.unit), quantity(measure.high, measure.unit)
    return Text(en=f"{value.en} [{low.en}, {high.en}]", ko=f"{value.ko} [{low.ko}, {high.ko}]")


def _part(measure: Measure) -> Text:
    said = slice_words(measure.slice)
    return Text(en=f" ({said.en})", ko=f" ({said.ko})") if measure.slice else verbatim("")


def _failure(probe: str, candidate: Candidate, panel: Panel) -> Text | None:
    """Why the probe has nothing of the arm; None where it did not fail."""
    return next(
        (each.reason for each in panel.unmeasured if each.failed and (each.probe, each.arm) == (probe, candidate.id)), None
    )


def _unknown(name: str, reason: Text) -> Text:
    return Text(
        en=f"{name} is unknown, so the guard is not kept: {reason.en}",
        ko=f"{name} 값을 알 수 없어 조건을 지켰다고 볼 수 없습니다: {reason.ko}",
    )
