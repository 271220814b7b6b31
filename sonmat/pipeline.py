"""The nine steps in order: load → audit → split → plan → fit → prove → report → release → learn.

Each step reads the files of those before it and writes its own, the last one atomically. A step whose file was made from the
same inputs is not repeated; one whose inputs changed is done again, and what it had given goes to `history/`.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sonmat.adopting import adopt
from sonmat.core.errors import DataError, unknown_name
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text, reader_language
from sonmat.executors.local import run_locally
from sonmat.foretelling import say_what_waits
from sonmat.retrieval.documents import documents_fingerprint
from sonmat.runs import STEP_FILES, RunFolder, sha256_of, write_value
from sonmat.runs.decisions import decisions_fingerprint
from sonmat.runs.events import EventLog, Listener
from sonmat.runs.files import VERSION, read_header
from sonmat.runs.votes import votes_fingerprint
from sonmat.steps.audit import audit
from sonmat.steps.fit import fit
from sonmat.steps.learn import learn
from sonmat.steps.load import data_fingerprint, load
from sonmat.steps.plan import plan
from sonmat.steps.prove import check_wishes, prove
from sonmat.steps.release import release
from sonmat.steps.report import write_report
from sonmat.steps.split import split

STEPS: tuple[str, ...] = tuple(STEP_FILES)


def perform(folder: RunFolder, recipe: Recipe, upto: str = "learn", listeners: tuple[Listener, ...] = ()) -> None:
    """Do what is not yet done of the steps up to and including `upto`.

    Raises:
        UserError: the data, a setting, a model or the machine; what was done so far stays.
        SettingError: there is no step `upto`, no probe of a name that the recipe gives, or no guard can be had of it.
        Paused: Ctrl-C; the next call continues.
    """
    if upto not in STEPS:
        raise unknown_name(Text(en="step", ko="단계"), upto, STEPS)
    # Said now, and not after an hour of training.
    check_wishes(recipe)
    with folder.writing():
        # A run of a newer version is refused here, before anything of it is overwritten.
        read_header(folder.file("recipe.json"))
        fingerprints = fingerprints_now(folder, recipe, listeners)
        write_value(folder.file("recipe.json"), recipe)
        folder.event_log("", listeners)("environment", versions=installed_versions())
        redone = False
        for step in STEPS[: STEPS.index(upto) + 1]:
            log = folder.event_log(step, listeners)
            if step == "release" and _is_stopped(folder, log):
                break
            if not redone and folder.is_done(step, fingerprints[step]):
                log("unchanged")
                continue
            if not redone:
                _retire(folder, step, log)
            redone = redone or step != "report"
            log("started")
            _do(step, folder, recipe, log, fingerprints[step])
            log("done")


def fingerprints_now(folder: RunFolder, recipe: Recipe, listeners: tuple[Listener, ...] = ()) -> dict[str, str]:
    """What each step of the run would be made from, with its data, documents and decisions as they are now.

    Raises:
        DataError: the data is not there, and the run has loaded none like it.
    """
    data, documents = _data_of(folder, recipe, listeners), _documents_of(folder, recipe, listeners)
    return fingerprints_of(recipe, data, decisions_fingerprint(folder.path), documents, votes_fingerprint(folder.path))


def fingerprints_of(recipe: Recipe, data: str, decisions: str = "", documents: str = "", votes: str = "") -> dict[str, str]:
    """What each step is made from: its own settings and, through the one before it, everything earlier.

    Args:
        data: fingerprint of the data's content.
        decisions: fingerprint of what a person decided about single rows.
        documents: fingerprint of the content of the documents to look answers up in.
        votes: fingerprint of blind votes, which the report tells of.
    """
    own: dict[str, tuple[Any, ...]] = {
        "load": (
            data,
            recipe.task,
            recipe.input,
            recipe.target,
            recipe.map,
            recipe.template,
            recipe.group,
            recipe.slices,
            recipe.part,
            recipe.time,
            recipe.bad_rows,
        ),
        "audit": (
            recipe.labels,
            recipe.bad_rows,
            recipe.normalise,
            recipe.duplicates,
            recipe.near_duplicates,
            recipe.leakage,
            recipe.personal_data,
            recipe.skip,
            recipe.embedder,
            recipe.seed,
            decisions,
        ),
        "split": (recipe.seed, recipe.shares, recipe.folds),
        "plan": (
            recipe.base,
            recipe.method,
            recipe.minutes,
            recipe.settings,
            recipe.accept_licence,
            recipe.allow_truncation,
            recipe.max_tokens,
            documents,
            recipe.arm,
        ),
        # Models made without costs stay what they are.
        "fit": (recipe.cost,) if recipe.cost else (),
        "prove": (
            recipe.probes,
            recipe.guards,
            recipe.price,
            recipe.expect,
            *(() if recipe.curve is None else (recipe.curve,)),
        ),
        "report": (recipe.lang or reader_language(), *((votes,) if votes else ())),
    }
    if recipe.judge is not None or recipe.token_prices:
        # Runs without them stay what they are.
        own["prove"] = (*own["prove"], recipe.judge, recipe.token_prices)
    found: dict[str, str] = {}
    before = ""
    for step in STEPS:
        found[step] = before = sha256_of(step, VERSION, before, own.get(step, ()))
        if step == "audit" and recipe.base is not None:
            # Its tokens are counted, but no row changes by that: what follows stays what it is.
            found[step] = sha256_of(before, recipe.base, recipe.max_tokens)
        if step == "report":
            # A report in another language changes nothing that comes after it.
            before = found["prove"]
    return found


def _is_stopped(folder: RunFolder, log: EventLog) -> bool:
    """Whether no arm keeps the guards: then nothing is put into use, and nothing can be learnt from its use."""
    if folder.proof().verdict.stopped != "no_arm":
        return False
    folder.retire("release", "learn")
    log(
        "not_released",
        Text(
            en="No arm keeps the guards, so nothing is released.",
            ko="조건을 모두 지키는 후보가 없어 아무것도 내보내지 않습니다.",
        ),
    )
    return True


def installed_versions() -> dict[str, str]:
    """Versions of what computes, for whoever repeats the run."""
    names = ("sonmat", "torch", "transformers", "peft", "accelerate", "tokenizers", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _data_of(folder: RunFolder, recipe: Recipe, listeners: tuple[Listener, ...]) -> str:
    """Fingerprint of the data as it is now; of a run whose data has gone (a copied run, say), of what it loaded."""
    try:
        return data_fingerprint(recipe.data)
    except DataError:
        if not folder.exists("load") or folder.source().data != recipe.data:
            raise
    folder.event_log("load", listeners)(
        "data_gone",
        Text(
            en=f"{', '.join(recipe.data)} is no longer there: going on with the rows that this run loaded from it.",
            ko=f"{', '.join(recipe.data)}이(가) 더 이상 없어, 이 실행이 읽어 둔 행으로 계속합니다.",
        ),
    )
    return folder.source().sha256


def _documents_of(folder: RunFolder, recipe: Recipe, listeners: tuple[Listener, ...]) -> str:
    """Fingerprint of the documents as they are now; of a run whose documents have gone, of those that it was planned with."""
    try:
        return documents_fingerprint([Path(path) for path in recipe.documents])
    except DataError:
        if not folder.exists("plan") or folder.recipe().documents != recipe.documents:
            raise
        planned = {each.documents for each in folder.plan().candidates} - {""}
        if not planned:
            raise
    folder.event_log("plan", listeners)(
        "data_gone",
        Text(
            en="The documents are no longer there: going on with the answers and models that this run made with them.",
            ko="문서가 더 이상 없어, 이 실행이 그 문서로 만든 답과 모델로 계속합니다.",
        ),
    )
    return planned.pop()


def _do(step: str, folder: RunFolder, recipe: Recipe, log: EventLog, inputs: str) -> None:
    steps: dict[str, Callable[[], object]] = {
        "load": lambda: load(folder, recipe, inputs, log),
        "audit": lambda: audit(folder, recipe, inputs, log),
        "split": lambda: split(folder, recipe, inputs, log),
        "plan": lambda: plan(folder, recipe, log, inputs),
        "fit": lambda: _fit(folder, recipe, log, inputs),
        "prove": lambda: _prove(folder, log, inputs),
        "report": lambda: write_report(folder, recipe.lang or reader_language(), log, inputs),
        "release": lambda: release(folder, run_locally, log, log.tell, inputs),
        "learn": lambda: learn(folder, log, inputs),
    }
    steps[step]()


def _fit(folder: RunFolder, recipe: Recipe, log: EventLog, inputs: str) -> None:
    adopt(folder, recipe, log)
    fit(folder, run_locally, log, log.tell, inputs)


def _prove(folder: RunFolder, log: EventLog, inputs: str) -> None:
    say_what_waits(folder, log)
    prove(folder, run_locally, log, log.tell, inputs)


def _retire(folder: RunFolder, step: str, log: EventLog) -> None:
    """Put aside what this step and those after it had made from other inputs. Models stay: fit and prove check each one."""
    if not folder.exists(step):
        return
    unfinished = folder.is_unfinished(step)
    # Nothing is made from a report.
    stale = (step,) if step == "report" else STEPS[STEPS.index(step) :]
    shelf = folder.retire(*stale)
    if shelf is not None and not unfinished:
        log(
            "changed",
            Text(
                en=f"What '{step}' is made from has changed: doing it and what follows again. Earlier results: {shelf}.",
                ko=f"'{step}' 단계의 입력이 바뀌어 이 단계부터 다시 합니다. 이전 결과: {shelf}.",
            ),
            history=str(shelf),
        )
