"""Models of other runs as further arms of a proof: `run:FOLDER:CANDIDATE` among the recipe's arms.

In: a run with a plan and a split, and the other runs that its recipe names. Out: the plan with one candidate more for each, whose
model lies in this run as if it had been fitted here. What has learnt from a row of this run's test set is refused, because its
answers to it would prove nothing. Nothing is trained and nothing is asked.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sonmat.core.errors import RunError
from sonmat.core.protocols import Emit
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example
from sonmat.runs import RunFolder, sha256_of, write_value
from sonmat.runs.files import read_header
from sonmat.steps.fit import candidate_key

FROM_RUN: Final = "run:"
"""Opens the name of an arm that is another run's."""


def adopt(folder: RunFolder, recipe: Recipe, emit: Emit) -> None:
    """Bring every arm of another run that the recipe names into this run; those that are here already stay.

    Raises:
        RunError: there is no such run or arm, its task is another, or it has learnt from rows of this test set.
    """
    for name in recipe.arm:
        if name.startswith(FROM_RUN):
            _adopt(folder, name, emit)


def check_adoptable(folder: RunFolder, name: str) -> Candidate:
    """The candidate that `run:FOLDER:CANDIDATE` would be in this run.

    Raises:
        RunError: see `adopt`.
    """
    other, theirs = _named(name)
    if other.plan().task != folder.plan().task:
        raise RunError(
            Text(
                en=f"{other.name} does {other.plan().task}, not {folder.plan().task}.",
                ko=f"{other.name}의 과제는 {folder.plan().task}이(가) 아니라 {other.plan().task}입니다.",
            ),
            Text(en="Add an arm of the same task.", ko="같은 과제의 후보를 더하세요."),
        )
    if theirs.elsewhere:
        raise RunError(
            Text(
                en=f"{other.name}:{theirs.id} is asked on another machine, and what leaves this one is named by its address.",
                ko=f"{other.name}:{theirs.id}은(는) 다른 서버가 답하는 후보입니다. 어디로 보낼지는 주소로 직접 지정해야 합니다.",
            ),
            Text(
                en=f"Add openai:{theirs.settings['url']}:{theirs.settings['model']}.",
                ko=f"openai:{theirs.settings['url']}:{theirs.settings['model']}을(를) 더하세요.",
            ),
        )
    if theirs.learns:
        _refuse_learnt(folder, other, theirs)
    origin = Text(en=f"From the run {other.name}. {theirs.reason.en}", ko=f"{other.name} 실행의 후보. {theirs.reason.ko}")
    # It has learnt from none of these rows, so it is the same in every fold.
    changes = {"id": f"{other.name}-{theirs.id}", "learns": False, "over": None, "reason": origin}
    return theirs.model_copy(update=changes)


def _adopt(folder: RunFolder, name: str, emit: Emit) -> None:
    candidate, (other, theirs) = check_adoptable(folder, name), _named(name)
    plan, header = folder.plan(), read_header(folder.file("plan.json"))
    others = tuple(each for each in plan.candidates if each.id != candidate.id)
    where = folder.candidate_folder(candidate.id)
    key = candidate_key(folder, candidate)
    fitted = read_header(where / "fitted.json")
    if fitted is None or fitted.inputs != key:
        shutil.rmtree(where / "model", ignore_errors=True)
        shutil.copytree(other.candidate_folder(theirs.id) / "model", where / "model", copy_function=_linked)
        result = other.fitted(theirs.id).model_copy(update={"candidate": candidate.id})
        write_value(where / "fitted.json", result, key)
        emit("candidate_planned", candidate.reason, candidate=candidate.id, seconds=0.0)
    if candidate not in plan.candidates:
        merged = plan.model_copy(update={"candidates": (*others, candidate)})
        write_value(folder.file("plan.json"), merged, header.inputs if header else "")


def _named(name: str) -> tuple[RunFolder, Candidate]:
    path, _, wanted = name.removeprefix(FROM_RUN).rpartition(":")
    other = RunFolder(Path(path))
    found = {each.id: each for each in other.plan().candidates if (other.candidate_folder(each.id) / "model").exists()}
    if wanted not in found:
        raise RunError(
            Text(
                en=f"{other.name} has no fitted candidate '{wanted}'.",
                ko=f"{other.name}에 학습된 후보 '{wanted}'이(가) 없습니다.",
            ),
            Text(en=f"It has: {', '.join(found)}.", ko=f"있는 후보: {', '.join(found)}."),
        )
    return other, found[wanted]


def _refuse_learnt(folder: RunFolder, other: RunFolder, theirs: Candidate) -> None:
    """A row is the same where its input is, whatever its id and target."""
    split, learnt = folder.split(), other.split()
    tested = _inputs(folder.kept_examples(), split.test)
    shared = tested & _inputs(other.kept_examples(), (*learnt.train, *learnt.validation))
    if shared:
        raise RunError(
            Text(
                en=f"{other.name}:{theirs.id} has learnt from {len(shared)} of the {len(tested)} inputs of this test set, so its "
                "answers to them prove nothing.",
                ko=f"{other.name}:{theirs.id}은(는) 이 테스트 데이터의 입력 {len(tested)}개 중 {len(shared)}개를 이미 학습했으므로 "
                "그 답은 아무것도 증명하지 못합니다.",
            ),
            Text(
                en="Train it without them: mark the test rows in a column of its data and name it with --part.",
                ko="그 행을 빼고 학습하세요. 데이터의 열에 테스트 행을 표시하고 --part로 지정하면 됩니다.",
            ),
        )


def _inputs(examples: Iterable[Example], ids: Iterable[str]) -> set[str]:
    wanted = set(ids)
    return {sha256_of(example.input) for example in examples if example.id in wanted}


def _linked(source: str, target: str) -> None:
    """A second name for the same bytes; a copy, where the disk is another."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
