"""Further arms for a finished run: what can join, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sonmat import adding
from sonmat.adopting import adopt, check_adoptable
from sonmat.core.errors import RunError, SettingError
from sonmat.core.protocols import Emit
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Event, Example, Plan, Refused
from sonmat.runs import RunFolder, write_rows, write_value
from sonmat.runs.events import EventLog
from sonmat.runs.files import read_header
from sonmat.steps.fit import _is_fitted
from tests.report.made_run import classification_run

FULL = "full-multilingual-e5-small"
QUIET: Emit = EventLog(None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name, seed in (("here", 0), ("there", 9)):
        run = classification_run(folder / name, rows=120, seed=seed)
        for candidate in run.plan().candidates:
            model = run.candidate_folder(candidate.id) / "model"
            model.mkdir(parents=True, exist_ok=True)
            (model / "weights.bin").write_bytes(name.encode())
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(made, tmp_path / "runs")) / "here")


@pytest.fixture
def there(here: RunFolder) -> RunFolder:
    """A run of other rows: none of its training inputs stands in the first one's test set."""
    other = RunFolder(here.path.parent / "there")
    rows = [each.model_copy(update={"input": {"text": f"other {each.id}"}}) for each in other.examples()]
    write_rows(other.file("examples.jsonl"), Example, rows)
    return other


def recipe_with(folder: RunFolder, *arms: str) -> Recipe:
    return folder.recipe().model_copy(update={"arm": arms})


def test_a_model_of_another_run_joins_the_plan_as_if_it_had_been_fitted_here(here: RunFolder, there: RunFolder) -> None:
    name = f"run:{there.path}:{FULL}"
    before = read_header(here.file("plan.json"))
    adopt(here, recipe_with(here, name), QUIET)
    adopt(here, recipe_with(here, name), QUIET)
    *others, joined = here.plan().candidates
    assert (joined.id, joined.role, joined.learns) == (f"there-{FULL}", "tuned", False)
    assert len(others) == 4
    assert (here.candidate_folder(joined.id) / "model" / "weights.bin").read_bytes() == b"there"
    assert here.fitted(joined.id).seconds == there.fitted(FULL).seconds
    assert read_header(here.file("plan.json")) == before
    assert _is_fitted(here, joined, joined.id)


def test_a_model_that_has_learnt_from_the_test_set_is_refused(here: RunFolder) -> None:
    # Of the same rows and another split: some test inputs were training inputs there.
    other = RunFolder(Path(shutil.copytree(here.path, here.path.parent / "again")))
    split = other.split()
    turned = split.model_copy(update={"train": (*split.train[5:], *split.test), "test": split.train[:5]})
    write_value(other.file("split.json"), turned)
    tested = {str(each.input) for each in here.kept_examples() if each.id in set(split.test)}
    with pytest.raises(RunError, match=rf"has learnt from {len(tested)} of the {len(tested)} inputs"):
        check_adoptable(here, f"run:{other.path}:{FULL}")
    assert len(here.plan().candidates) == 4


def test_what_learns_nothing_may_come_from_any_run(here: RunFolder) -> None:
    other = RunFolder(Path(shutil.copytree(here.path, here.path.parent / "again")))
    plan = other.plan()
    plain = plan.candidates[1].model_copy(update={"learns": False})
    write_value(other.file("plan.json"), plan.model_copy(update={"candidates": (plain,)}))
    split = other.split()
    write_value(other.file("split.json"), split.model_copy(update={"train": split.test}))
    assert check_adoptable(here, f"run:{other.path}:{plain.id}").method == "zero-shot"


def test_another_task_or_an_unfitted_candidate_is_refused(here: RunFolder, there: RunFolder) -> None:
    with pytest.raises(RunError, match="there has no fitted candidate 'lora'"):
        check_adoptable(here, f"run:{there.path}:lora")
    write_value(there.file("plan.json"), there.plan().model_copy(update={"task": "chat"}))
    with pytest.raises(RunError, match="there does chat, not text-classification"):
        check_adoptable(here, f"run:{there.path}:{FULL}")


# ── adding ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """Recipes that the pipeline was asked to perform."""
    asked: list[Recipe] = []
    monkeypatch.setattr(adding, "perform", lambda folder, recipe, upto, listeners: asked.append(recipe))
    monkeypatch.setattr(adding, "fingerprints_now", lambda folder, recipe, listeners: {"plan": "planned anew"})
    return asked


def planning(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    monkeypatch.setattr(adding, "plan", lambda folder, recipe, emit, inputs: plan)


def test_a_new_method_is_planned_behind_the_others_which_stay_as_they_were(
    here: RunFolder, performed: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = here.plan()
    full = before.candidates[-1]
    changed = full.model_copy(update={"settings": {"epochs": 99}})
    added = full.model_copy(update={"id": "lora-x", "method": "lora"})
    unasked = full.model_copy(update={"id": "freeze-x", "method": "freeze"})
    planning(monkeypatch, before.model_copy(update={"candidates": (*before.candidates[:-1], changed, added, unasked)}))
    adding.add_arms(here, here.recipe(), ["lora"], "prove")
    assert here.plan().candidates == (*before.candidates, added)
    header = read_header(here.file("plan.json"))
    assert header is not None
    assert header.inputs == "planned anew"
    (recipe,) = performed
    assert set(recipe.method) == {"majority", "zero-shot", "head-only", "full", "lora"}
    assert here.recipe() == recipe


def test_an_arm_that_is_there_already_is_said_to_be_and_nothing_changes(
    here: RunFolder, performed: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = here.plan()
    planning(monkeypatch, before)
    events: list[Event] = []
    adding.add_arms(here, here.recipe(), ["full"], "prove", (events.append,))
    assert [event.message.en for event in events if event.message] == ["full is an arm of this run already."]
    assert here.plan().candidates == before.candidates


def announced(events: list[Event]) -> tuple[list[str], list[str]]:
    """Candidates that were told of, and what was said of the probes."""
    told = [event.data["candidate"] for event in events if event.kind == "candidate_planned"]
    return told, [event.message.en for event in events if event.kind == "probes_planned" and event.message]


def test_only_what_is_new_is_announced_with_the_seconds_of_its_probes(
    here: RunFolder, performed: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = here.plan().model_copy(update={"probe_seconds": {FULL: 30.0}, "mean_tokens": {"its-base": 20.0}})
    write_value(here.file("plan.json"), before)
    added = before.candidates[-1].model_copy(update={"id": "lora-x", "method": "lora"})
    unasked = added.model_copy(update={"id": "freeze-x", "method": "freeze"})
    planned = before.model_copy(
        update={
            "candidates": (*before.candidates, added, unasked),
            "probe_seconds": {FULL: 31.0, "lora-x": 42.0, "freeze-x": 9.0},
            "mean_tokens": {"its-base": 21.0, "another": 30.0},
        }
    )

    def plan(folder: RunFolder, recipe: Recipe, emit: Emit, inputs: str) -> Plan:
        for each in planned.candidates:
            emit("candidate_planned", each.reason, candidate=each.id, seconds=1.0)
        emit("probes_planned", Text(en="all of them", ko="모두"), seconds=82.0)
        emit("base", Text(en="a base", ko="모델"))
        return planned

    monkeypatch.setattr(adding, "plan", plan)
    events: list[Event] = []
    adding.add_arms(here, here.recipe(), ["lora"], "prove", (events.append,))
    told, probes = announced(events)
    assert told == ["lora-x"]
    assert len(probes) == 1
    assert "will take about 42 s besides, over 1 arm;" in probes[0]
    assert [event.kind for event in events].count("base") == 1
    assert here.plan().probe_seconds == {FULL: 30.0, "lora-x": 42.0}
    # What is foretold later rests on them.
    assert here.plan().mean_tokens == {"its-base": 20.0, "another": 30.0}


def test_the_probes_of_a_model_of_another_run_are_foretold_too(
    here: RunFolder, there: RunFolder, performed: list[Recipe]
) -> None:
    events: list[Event] = []
    adding.add_arms(here, here.recipe(), [f"{there.path}:{FULL}"], "prove", (events.append,))
    assert list(here.plan().probe_seconds) == [f"there-{FULL}"]
    assert here.plan().probe_seconds[f"there-{FULL}"] > 0
    assert "over 1 arm;" in announced(events)[1][0]


def test_a_model_that_is_asked_elsewhere_comes_by_its_address_alone(here: RunFolder, there: RunFolder) -> None:
    plan = there.plan()
    asked = plan.candidates[-1].model_copy(
        update={"elsewhere": True, "learns": False, "settings": {"url": "http://127.0.0.1:9/v1", "model": "m"}}
    )
    write_value(there.file("plan.json"), plan.model_copy(update={"candidates": (asked,)}))
    with pytest.raises(RunError, match="named by its address") as caught:
        check_adoptable(here, f"run:{there.path}:{FULL}")
    assert "openai:http://127.0.0.1:9/v1:m" in caught.value.whole.en


def test_an_arm_that_cannot_be_planned_says_why_and_leaves_the_run_as_it_was(
    here: RunFolder, performed: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = here.plan()
    reason = Text(en="too little memory", ko="메모리 부족")
    planning(monkeypatch, before.model_copy(update={"refused": (Refused(method="lora", base=None, reason=reason),)}))
    kept = here.recipe()
    with pytest.raises(SettingError, match="lora cannot be added: too little memory"):
        adding.add_arms(here, kept, ["lora"], "prove")
    assert (here.plan(), here.recipe(), performed) == (before, kept, [])


def test_models_of_other_runs_are_kept_in_the_recipe(
    here: RunFolder, there: RunFolder, performed: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    planning(monkeypatch, here.plan())
    adding.add_arms(here, here.recipe(), [f"{there.path}:{FULL}"], "prove")
    (recipe,) = performed
    assert recipe.arm == (f"run:{there.path.resolve()}:{FULL}",)
    assert recipe.method == ()


def test_a_name_that_is_neither_a_method_nor_a_run_proposes_the_nearest(here: RunFolder, performed: list[Recipe]) -> None:
    with pytest.raises(SettingError, match="Did you mean 'lora'"):
        adding.add_arms(here, here.recipe(), ["lorra"], "prove")
    assert performed == []
