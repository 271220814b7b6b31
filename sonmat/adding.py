"""Further arms for a run that has been proven: they are planned, fitted and answered on the same seal; nothing is done twice.

In: a run and names of arms (a method, `RUN:CANDIDATE`, `openai:URL:MODEL`). Out: the run with a plan that has them, and its recipe.
Earlier candidates stay exactly as they were planned, even where this machine would now choose other settings. An arm that cannot
be had is refused before anything of the run is changed.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sonmat import plugins
from sonmat.adopting import FROM_RUN, check_adoptable
from sonmat.core.errors import SettingError, unknown_name
from sonmat.core.protocols import Emit
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Event, Plan
from sonmat.inference.endpoint.address import is_endpoint, read_address
from sonmat.pipeline import fingerprints_now, perform
from sonmat.runs import RunFolder, write_value
from sonmat.runs.events import EventLog, Listener
from sonmat.runs.folder import runs_root
from sonmat.steps.plan import plan
from sonmat.steps.plan.endpoints import METHOD as ENDPOINT
from sonmat.steps.plan.endpoints import with_endpoints
from sonmat.steps.plan.probing import probing_seconds, said
from sonmat.steps.prove import check_wishes
from sonmat.steps.prove.setting import setting_of

_READ_BY_PLAN = ("source.json", "examples.jsonl", "ledger.jsonl", "split.json", "media", "cache")


def add_arms(
    folder: RunFolder, recipe: Recipe, arms: Sequence[str], upto: str, listeners: tuple[Listener, ...] = ()
) -> None:
    """Add `arms` to the run and do what is not done yet up to the step `upto`.

    Args:
        recipe: what the run is asked for besides; its own recipe, if nothing else changes.

    Raises:
        RunError: the run has no plan yet; or what `adopting.adopt` raises.
        SettingError: there is no such method, or it cannot be used here, and why.
        Paused: Ctrl-C; the next call continues.
    """
    check_wishes(recipe)
    wanted = _with_arms(folder, recipe, arms)
    before = folder.plan()
    merged = _foretold(folder, wanted, _merged(folder, wanted, arms, listeners))
    with folder.writing():
        fingerprints = fingerprints_now(folder, wanted, listeners)
        write_value(folder.file("recipe.json"), wanted)
        write_value(folder.file("plan.json"), merged, fingerprints["plan"])
        _announce(before, merged, arms, folder.event_log("plan", listeners))
    perform(folder, wanted, upto, listeners)


def _with_arms(folder: RunFolder, recipe: Recipe, arms: Sequence[str]) -> Recipe:
    # An endpoint is a method of its own and comes by its address alone.
    methods = {method.name for method in plugins.every("methods") if method.name != ENDPOINT}
    named = [name for name in arms if name in methods]
    others = [_checked(name) if is_endpoint(name) else _of_run(folder, name) for name in arms if name not in methods]
    planned = [candidate.method for candidate in folder.plan().candidates if candidate.method in methods]
    return recipe.model_copy(
        update={
            # What the plan chose by itself is named from now on, or the new name would stand for all.
            "method": tuple(dict.fromkeys([*recipe.method, *planned, *named])) if named else recipe.method,
            "arm": tuple(dict.fromkeys([*recipe.arm, *others])),
        }
    )


def _checked(name: str) -> str:
    read_address(name)
    return name


def _of_run(folder: RunFolder, name: str) -> str:
    """`RUN:CANDIDATE` as a recipe keeps it: with the run's folder.

    Raises:
        SettingError: it is neither that nor a method.
    """
    run, colon, candidate = name.removeprefix(FROM_RUN).rpartition(":")
    places = [path for path in (Path(run), runs_root() / run) if colon and (path / "recipe.json").is_file()]
    if not places:
        methods = [method.name for method in plugins.every("methods")]
        raise unknown_name(Text(en="method or run", ko="방법이나 실행"), name, methods)
    found = f"{FROM_RUN}{places[0].resolve()}:{candidate}"
    check_adoptable(folder, found)
    return found


def _merged(folder: RunFolder, recipe: Recipe, arms: Sequence[str], listeners: tuple[Listener, ...]) -> Plan:
    """The earlier candidates as they are, and behind them those that the recipe now brings besides."""
    old, before = folder.recipe(), _with_endpoints(folder, recipe)
    if recipe.method == old.method:
        # Models of other runs are brought in behind the plan.
        return before
    planned = _trial(folder, recipe, listeners)
    known = {candidate.id for candidate in before.candidates}
    # A plan made anew may bring what the first had no reason to.
    added = [candidate for candidate in planned.candidates if candidate.id not in known and candidate.method in arms]
    have = {candidate.method for candidate in (*before.candidates, *added)}
    for name in arms:
        reasons = [each.reason for each in planned.refused if each.method == name]
        if name not in have and name in recipe.method:
            raise _refused(name, reasons)
    refused = tuple(each for each in planned.refused if each.method not in have)
    seconds = {each.id: planned.probe_seconds[each.id] for each in added if each.id in planned.probe_seconds}
    return before.model_copy(
        update={
            "candidates": (*before.candidates, *added),
            "refused": refused,
            "probe_seconds": {**before.probe_seconds, **seconds},
            "mean_tokens": {**planned.mean_tokens, **before.mean_tokens},
        }
    )


def _foretold(folder: RunFolder, recipe: Recipe, merged: Plan) -> Plan:
    """With what the probes will take of arms that came without a plan of their own: endpoints and models of other runs."""
    adopted = [check_adoptable(folder, name) for name in recipe.arm if name.startswith(FROM_RUN)]
    known = {each.id for each in folder.plan().candidates} | set(merged.probe_seconds)
    new = [each for each in (*merged.candidates, *adopted) if each.id not in known]
    setting = replace(setting_of(folder), recipe=recipe, candidates=(*merged.candidates, *adopted))
    seconds = probing_seconds(setting, new, merged.device, merged.mean_tokens)
    return merged.model_copy(update={"probe_seconds": {**merged.probe_seconds, **seconds}})


def _announce(before: Plan, merged: Plan, arms: Sequence[str], emit: Emit) -> None:
    """What is new, and how long it will take; of a model of another run it is said when it is brought in."""
    known = {each.id for each in before.candidates}
    new = {each.method for each in merged.candidates if each.id not in known}
    for name in dict.fromkeys(arms):
        if name not in new and any(each.method == name for each in before.candidates):
            emit(
                "arm_known",
                Text(en=f"{name} is an arm of this run already.", ko=f"{name}은(는) 이미 이 실행의 후보입니다."),
            )
    for candidate in merged.candidates:
        if candidate.id not in known:
            emit("candidate_planned", candidate.reason, candidate=candidate.id, seconds=candidate.estimate.seconds)
    seconds = {id: took for id, took in merged.probe_seconds.items() if id not in before.probe_seconds}
    if seconds:
        emit("probes_planned", said(seconds), seconds=sum(seconds.values()))


def _with_endpoints(folder: RunFolder, recipe: Recipe) -> Plan:
    """The run's plan with the endpoints that `recipe` names."""
    plan, wanted = folder.plan(), dict.fromkeys(folder.split().test)
    rows = {each.id: each for each in folder.kept_examples() if each.id in wanted}
    test = [rows[id] for id in wanted]
    candidates = with_endpoints(plan.candidates, plugins.find("tasks", plan.task), plan.spec, recipe, test)
    return plan.model_copy(update={"candidates": candidates})


def _trial(folder: RunFolder, recipe: Recipe, listeners: tuple[Listener, ...]) -> Plan:
    """What would be planned, found out beside the run, so that a refusal leaves the run as it is."""
    with tempfile.TemporaryDirectory(prefix="sonmat-plan-") as name:
        beside = RunFolder(Path(name))
        for part in _READ_BY_PLAN:
            if folder.file(part).exists():
                _shown(folder.file(part).resolve(), beside.file(part))
        return plan(beside, recipe, EventLog(None, "plan", tuple(map(_without_the_old, listeners))), "")


def _without_the_old(listener: Listener) -> Listener:
    """Not told of arms that are planned once more for nothing; those that are new are announced when the run has them."""

    def tell(event: Event) -> None:
        if event.kind not in ("candidate_planned", "probes_planned"):
            listener(event)

    return tell


def _shown(source: Path, place: Path) -> None:
    try:
        place.symlink_to(source)
    except OSError:
        # Windows allows links only to administrators.
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, place)


def _refused(name: str, reasons: Sequence[Text]) -> SettingError:
    nothing = Text(en="the plan has no use for it.", ko="계획에 쓸 곳이 없습니다.")
    why = reasons[0] if reasons else nothing
    return SettingError(
        Text(en=f"{name} cannot be added: {why.en}", ko=f"{name}을(를) 더할 수 없습니다: {why.ko}"),
        Text(en="The run stays as it was.", ko="실행은 그대로입니다."),
    )
