"""From bases and methods to candidates: settings with their origins, costs, and what must be left out."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from sonmat import plugins
from sonmat.core.errors import ResourceError, SettingError
from sonmat.core.faults import fault_words
from sonmat.core.protocols import Method, No, Task, Workload
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device, Estimate, ModelFacts, Refused, Spec
from sonmat.steps.plan.suiting import MEMORY_SHARE, Suited, suit
from sonmat.training.replay import check_replay, with_written_answers
from sonmat.training.settings import TrainingSettings

PREFERRED = {
    True: ("lora", "freeze", "full"),
    False: ("full", "head-only", "lora", "freeze"),
}
"""Tuned methods by how much they promise, for tasks that generate and tasks that do not; others follow in name order."""
ASKED_BY_ADDRESS = "openai"
"""The method of arms that only an address brings in (`plan.endpoints`)."""
RETRIEVING = "rag"
"""The method that documents are for."""
NEXT_TO_NOTHING_SECONDS = 60.0
"""What needs no pretrained model is planned whatever else is, as long as it takes no longer."""


@dataclass(frozen=True)
class Offer:
    """A base with what the task and the data make of it."""

    base: ModelFacts
    spec: Spec
    workload: Workload
    tuned: bool
    """Whether methods may train it; else it is only asked."""


def choose(
    task: Task, offers: Sequence[Offer], recipe: Recipe, device: Device, refused: list[Refused], fits: int = 1
) -> tuple[Candidate, ...]:
    """Candidates in the order they will be fitted; what is left out goes to `refused` with its reason.

    Args:
        fits: how often each candidate is fitted: once more than there are folds.
    Raises:
        SettingError: an unknown method or setting.
        ResourceError: no tuned method fits into this machine.
    """
    for name in [*recipe.method, *recipe.settings]:
        plugins.find("methods", name)
    chosen: list[Candidate] = []
    unasked: list[Refused] = []
    seconds_left = recipe.minutes * 60
    ordered = _ordered(task, recipe)
    prompting = [method for method in ordered if method.role == "base" and method.learns]
    waiting = [method for method in ordered if method not in prompting]
    while waiting:
        method = waiting.pop(0)
        for offer in offers if method.needs_base else offers[:1]:
            if method.role == "tuned" and not offer.tuned:
                continue
            verdict = method.supports(task, offer.base if method.needs_base else None, device)
            if isinstance(verdict, No):
                if method.role == "floor" and not _asked_for(method.name, recipe):
                    # That pictures have no words to count is nothing to tell.
                    continue
                told = method.role == "tuned" or _asked_for(method.name, recipe)
                goal = refused if told else unasked
                goal.append(Refused(method=method.name, base=offer.base.name, reason=verdict.reason))
                continue
            candidate = _candidate(method, task, offer, recipe, fits if method.learns else 1)
            problem = _too_large(candidate, device) or too_long(candidate, seconds_left, recipe)
            if problem is not None:
                refused.append(Refused(method=method.name, base=offer.base.name, reason=problem))
                continue
            chosen.append(candidate)
            if not _always(candidate):
                seconds_left -= candidate.estimate.seconds
            if method.role == "tuned":
                # The first way of tuning has the first claim on the minutes, then better prompts, then further ways of tuning.
                waiting, prompting = [*prompting, *waiting], []
    # Why an untuned base cannot be asked in one way matters only where there is no other way.
    asked = {candidate.base.name for candidate in chosen if candidate.role == "base" and candidate.base}
    refused.extend(entry for entry in unasked if entry.base not in asked)
    if not any(candidate.role == "tuned" for candidate in chosen):
        _refuse_all(refused, recipe, fits)
    places = {method.name: place for place, method in enumerate(ordered)}
    return tuple(sorted(chosen, key=lambda candidate: places[candidate.method]))


def _ordered(task: Task, recipe: Recipe) -> list[Method]:
    """Floors and bases first, then the tuned methods by what they promise: all, or those that the recipe names. The floor and the
    base as it is come along whatever it names; prompts made with care and shots only if it names them or nothing."""
    methods = plugins.every("methods")
    preferred = PREFERRED[task.generates]

    def rank(method: Method) -> tuple[int, bool, int, str]:
        place = preferred.index(method.name) if method.name in preferred else len(preferred)
        return (("floor", "base", "tuned").index(method.role), method.learns, place, method.name)

    def wanted(method: Method) -> bool:
        if method.name == ASKED_BY_ADDRESS:
            return False
        if method.role == "tuned":
            return not _named(recipe) or method.name in recipe.method
        if method.name == RETRIEVING and not task.generates:
            # Similar examples before a text to label are what few-shot shows.
            return method.name in recipe.method
        return method.role == "floor" or not method.learns or not recipe.method or _asked_for(method.name, recipe)

    return sorted(filter(wanted, methods), key=rank)


def _asked_for(method: str, recipe: Recipe) -> bool:
    """Whether the user wants this method, by its name or by what only it can use."""
    return method in recipe.method or (method == RETRIEVING and bool(recipe.documents))


def _named(recipe: Recipe) -> bool:
    """Whether the recipe itself says which methods to tune with."""
    return any(plugins.find("methods", name).role == "tuned" for name in recipe.method)


def _candidate(method: Method, task: Task, offer: Offer, recipe: Recipe, fits: int) -> Candidate:
    proposed = method.propose(task, offer.workload)
    user = recipe.settings.get(method.name, {})
    wanted = _validated(method, {**proposed, **user})
    if isinstance(wanted, TrainingSettings):
        check_replay(task, wanted.replay)
    suited = suit(method, wanted, frozenset(user), offer.workload)
    resolved, planned = suited.settings.model_dump(mode="json"), {*proposed, *suited.chosen}
    origins = {name: "user" if name in user else "plan" if name in planned else "default" for name in resolved}
    base = offer.base if method.needs_base else None
    estimate = _of_all_fits(suited.estimate, fits)
    if base is not None and isinstance(wanted, TrainingSettings):
        estimate = with_written_answers(estimate, wanted.replay, base, offer.workload.device)
    return Candidate.model_validate(
        {
            "id": f"{method.name}-{_slug(base.name)}" if base else method.name,
            "method": method.name,
            "role": method.role,
            "base": base,
            "spec": offer.spec,
            "settings": resolved,
            "origins": origins,
            "learns": method.learns,
            "reason": _with_what_was_chosen(_reason(method, recipe), suited),
            "estimate": estimate,
        }
    )


def _of_all_fits(estimate: Estimate, fits: int) -> Estimate:
    if fits == 1:
        return estimate
    basis = Text(
        en=f"{estimate.basis.en}; {fits} fits, one for each fold and one of all rows",
        ko=f"{estimate.basis.ko}. 폴드마다 한 번과 전체 행으로 한 번, 모두 {fits}번 학습",
    )
    return estimate.model_copy(update={"seconds": round(fits * estimate.seconds, 1), "basis": basis})


def _validated(method: Method, values: dict[str, Any]) -> BaseModel:
    """The method's settings; every problem of the user's values reported at once."""
    try:
        return method.Settings.model_validate(values)
    except ValidationError as error:
        problems = [_problem(method, dict(fault)) for fault in error.errors()]
        raise SettingError(
            Text(
                en=f"Settings of {method.name}: " + "; ".join(problem.en for problem in problems) + ".",
                ko=f"{method.name}의 설정: " + "; ".join(problem.ko for problem in problems) + ".",
            ),
            Text(
                en=f"Known: {', '.join(method.Settings.model_fields)}.",
                ko=f"가능한 값: {', '.join(method.Settings.model_fields)}.",
            ),
        ) from error


def _problem(method: Method, fault: dict[str, Any]) -> Text:
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        words = fault_words(fault)
        return Text(en=f"{name}: {words.en}", ko=f"{name}: {words.ko}")
    close = difflib.get_close_matches(name, method.Settings.model_fields, n=1)
    nearest = (
        Text(en=f" (did you mean '{close[0]}'?)", ko=f"('{close[0]}'을(를) 뜻하셨나요?)") if close else Text(en="", ko="")
    )
    return Text(en=f"there is no '{name}'{nearest.en}", ko=f"'{name}'은(는) 없습니다{nearest.ko}")


def _too_large(candidate: Candidate, device: Device) -> Text | None:
    allowed = device.memory_bytes * MEMORY_SHARE
    if candidate.estimate.peak_bytes <= allowed:
        return None
    need, free = candidate.estimate.peak_bytes / 1e9, device.memory_bytes / 1e9
    return Text(
        en=f"needs about {need:.1f} GB of memory and {free:.1f} GB are free",
        ko=f"메모리가 약 {need:.1f} GB 필요한데 {free:.1f} GB만 비어 있습니다",
    )


def _always(candidate: Candidate) -> bool:
    """Whether a candidate is planned whatever is left of the minutes: without the floor and the base as it is, nothing is proven."""
    if candidate.role == "floor":
        return candidate.estimate.seconds <= NEXT_TO_NOTHING_SECONDS
    return candidate.role == "base" and not candidate.learns


def too_long(candidate: Candidate, seconds_left: float, recipe: Recipe) -> Text | None:
    """What the plan adds by itself must fit into the user's minutes; what the user named always runs."""
    if _always(candidate) or _asked_for(candidate.method, recipe) or candidate.estimate.seconds <= seconds_left:
        return None
    minutes = candidate.estimate.seconds / 60
    return Text(
        en=f"would take about {minutes:.1f} minutes and {max(seconds_left, 0) / 60:.1f} of --minutes {recipe.minutes:g} are left; "
        f"name it with --method {candidate.method}, or allow more minutes",
        ko=f"약 {minutes:.1f}분 걸리는데 --minutes {recipe.minutes:g} 중 {max(seconds_left, 0) / 60:.1f}분 남았습니다. "
        f"--method {candidate.method}(으)로 지정하거나 시간을 늘리세요",
    )


def _refuse_all(refused: Sequence[Refused], recipe: Recipe, fits: int) -> None:
    lines = Text(
        en="\n".join(f"  {entry.method}: {entry.reason.en}" for entry in refused),
        ko="\n".join(f"  {entry.method}: {entry.reason.ko}" for entry in refused),
    )
    raise ResourceError(
        Text(
            en=f"No way of tuning fits this machine and --minutes {recipe.minutes:g}:\n{lines.en}",
            ko=f"이 기계와 --minutes {recipe.minutes:g}에 맞는 학습 방법이 없습니다:\n{lines.ko}",
        ),
        _ways_out() if fits == 1 else _ways_out_of_folds(fits),
    )


def _ways_out() -> Text:
    return Text(
        en="Allow more minutes, name a method with --method, or choose a smaller base with --base.",
        ko="시간을 늘리거나 --method로 방법을 지정하거나 --base로 더 작은 모델을 고르세요.",
    )


def _ways_out_of_folds(fits: int) -> Text:
    usual = _ways_out()
    return Text(
        en=f"{usual.en} Cross-validation fits every candidate {fits} times: with --folds 0 it is fitted once, and tested on so few "
        "rows that only large differences show.",
        ko=f"{usual.ko} 교차 검증은 후보마다 {fits}번 학습합니다. --folds 0이면 한 번만 학습하지만, 테스트 행이 적어 아주 큰 차이만 "
        "드러납니다.",
    )


def _reason(method: Method, recipe: Recipe) -> Text:
    if _asked_for(method.name, recipe):
        return Text(en="you asked for it", ko="직접 고른 방법입니다")
    if method.role == "floor":
        return Text(
            en="what needs no pretrained model, at next to no cost: every arm must beat it",
            ko="사전학습 모델 없이 거의 공짜로 얻는 답. 모든 후보가 이겨야 합니다",
        )
    if method.role == "base" and method.learns:
        return Text(
            en="what the untuned base does with your examples at hand",
            ko="미세조정하지 않은 기본 모델이 예시를 참고해 낸 결과입니다",
        )
    if method.role == "base":
        return Text(en="what you have without tuning", ko="미세조정하지 않았을 때의 결과입니다")
    return Text(
        en=f"fits into {recipe.minutes:g} minutes and this machine's memory",
        ko=f"{recipe.minutes:g}분과 이 기계의 메모리 안에 들어갑니다",
    )


def _with_what_was_chosen(reason: Text, suited: Suited) -> Text:
    all_of_it = (reason, *suited.reasons)
    return Text(en="; ".join(part.en for part in all_of_it), ko=". ".join(part.ko for part in all_of_it))


def _slug(name: str) -> str:
    return name.rsplit("/", 1)[-1].replace("@", "-")
