"""Two runs side by side: only on shared items, with the proof's statistics, and an exit code that a CI can heed."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import sonmat
from sonmat.cli import main
from sonmat.core.errors import RunError, SettingError
from sonmat.core.proof import Measure, Prediction, Unmeasured
from sonmat.core.text import Text, set_language
from sonmat.core.values import Example
from sonmat.runs import RunFolder, write_rows, write_value
from tests.report.made_run import classification_run, no_gain_run

FULL, HEAD, FLOOR = "full-multilingual-e5-small", "head-multilingual-e5-small", "majority"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = classification_run(tmp_path_factory.mktemp("made") / "old", rows=400)
    # Made rows repeat one another; here every input is one of a kind.
    rows = [each.model_copy(update={"input": {"text": f"{each.input['text']} ({each.id})"}}) for each in folder.examples()]
    write_rows(folder.file("examples.jsonl"), Example, rows)
    return folder.path


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SONMAT_RUNS", str(tmp_path))
    monkeypatch.setenv("SONMAT_LANG", "en")
    yield
    set_language(None)


@pytest.fixture
def old(made: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(made, tmp_path / "old")))


@pytest.fixture
def new(made: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(made, tmp_path / "new")))


def test_a_newer_model_that_is_worse_is_said_and_does_not_pass(old: RunFolder, new: RunFolder) -> None:
    found = sonmat.compare("old", f"new:{FLOOR}")
    assert (found.older, found.newer, found.same_seal, found.passed) == (f"old:{FULL}", f"new:{FLOOR}", True, False)
    assert found.comparisons[0].better == "b"
    assert found.comparisons[0].difference < 0
    assert found.sentence.en.startswith(f"new:{FLOOR} is worse than old:{FULL} by")
    assert [guard.name for guard in found.guards if not guard.kept] == ["regression"]
    assert found.items == len(old.split().test)


def test_a_newer_model_that_is_better_passes(old: RunFolder, new: RunFolder) -> None:
    found = sonmat.compare(f"old:{FLOOR}", "new")
    assert found.passed
    assert (found.comparisons[0].a, found.comparisons[0].better) == (f"new:{FULL}", "a")
    assert [arm.candidate for arm in found.arms] == [f"old:{FLOOR}", f"new:{FULL}"]
    assert "is better than" in found.sentence.en
    assert "낫습니다" in found.sentence.ko


def test_no_difference_is_not_shown_as_a_loss(old: RunFolder, new: RunFolder) -> None:
    found = sonmat.compare("old", "new")
    assert [math.copysign(1, each.difference) for each in found.comparisons] == [1.0] * len(found.comparisons)


def test_the_same_answers_are_not_told_apart_and_few_items_are_no_proof_of_equality(old: RunFolder, new: RunFolder) -> None:
    found = sonmat.compare("old", "new")
    assert found.passed
    assert not found.comparisons[0].equivalent
    assert "that is no proof that they are equally good" in found.sentence.en


def test_the_differences_are_those_of_the_two_proofs(old: RunFolder, new: RunFolder) -> None:
    found = sonmat.compare(f"old:{HEAD}", f"new:{FULL}")
    arms = {arm.candidate: arm.headline.value for arm in found.arms}
    assert found.comparisons[0].difference == pytest.approx(arms[f"new:{FULL}"] - arms[f"old:{HEAD}"])
    accuracy = next(each for each in found.comparisons if each.metric == "accuracy")
    right = {}
    for folder, candidate in ((old, HEAD), (new, FULL)):
        target = {example.id: example.target["label"] for example in folder.kept_examples()}
        right[candidate] = {each.row: each.output["label"] == target[each.row] for each in folder.predictions(candidate)}
    assert accuracy.a_only_right == sum(right[FULL][row] and not right[HEAD][row] for row in right[FULL])
    assert accuracy.b_only_right == sum(right[HEAD][row] and not right[FULL][row] for row in right[FULL])


def renamed(folder: RunFolder, keep: int) -> None:
    """Other ids everywhere, and of the test rows only `keep` with their old content."""
    split = folder.split()
    names = {example.id: f"new-{example.id}" for example in folder.examples()}
    changed = set(split.test[keep:])

    def other(example: Example) -> Example:
        input = {"text": f"another question {example.id}"} if example.id in changed else example.input
        return example.model_copy(update={"id": names[example.id], "input": input})

    write_rows(folder.file("examples.jsonl"), Example, [other(each) for each in list(folder.examples())])
    ledger = [line.model_copy(update={"id": names.get(line.id, line.id)}) for line in folder.ledger()]
    write_rows(folder.file("ledger.jsonl"), type(ledger[0]), ledger)
    parts = {part: tuple(names[id] for id in getattr(split, part)) for part in ("train", "validation", "test")}
    write_value(folder.file("split.json"), split.model_copy(update={**parts, "seal": "another"}))
    for arm in folder.proof().arms:
        answers = [each.model_copy(update={"row": names[each.row]}) for each in folder.predictions(arm.candidate)]
        write_rows(folder.predictions_file(arm.candidate), Prediction, answers)


def test_of_other_test_sets_the_items_with_the_same_content_are_compared(old: RunFolder, new: RunFolder) -> None:
    renamed(new, keep=25)
    found = sonmat.compare(f"old:{FLOOR}", "new")
    assert (found.items, found.same_seal) == (25, False)
    assert "25 items stand in both test sets" in found.details[0].en


def test_too_few_shared_items_are_refused_with_the_reason(old: RunFolder, new: RunFolder) -> None:
    renamed(new, keep=19)
    with pytest.raises(RunError, match=r"have 19 items in common; at least 20"):
        sonmat.compare("old", "new")


def test_other_tasks_and_unknown_arms_and_the_same_arm_twice_are_refused(
    old: RunFolder, new: RunFolder, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"has no arm 'lora'\.\s*It has: majority"):
        sonmat.compare("old:lora", "new")
    with pytest.raises(RunError, match="is named twice"):
        sonmat.compare("old", "old")
    plan = new.plan()
    write_value(new.file("plan.json"), plan.model_copy(update={"task": "chat"}))
    with pytest.raises(RunError, match=r"does text-classification and new:.* does chat"):
        sonmat.compare("old", "new")


def test_runs_of_one_name_in_two_places_are_told_apart(old: RunFolder, tmp_path: Path) -> None:
    elsewhere = Path(shutil.copytree(old.path, tmp_path / "elsewhere" / "old"))
    found = sonmat.compare(old.path, elsewhere)
    assert found.older != found.newer
    assert str(elsewhere) in found.newer


def slow(folder: RunFolder, seconds: float, arm: str = FULL) -> None:
    measure = Measure(
        probe="speed", name="p95", title=Text(en="slow", ko="느림"), arm=arm, value=seconds, items=30, unit="seconds",
        higher_is_better=False,
    )  # fmt: skip
    write_value(folder.file("proof.json"), folder.proof().model_copy(update={"measures": (measure,)}))


def test_guards_are_those_of_the_newer_recipe_and_of_the_call(old: RunFolder, new: RunFolder) -> None:
    slow(new, 0.4)
    assert sonmat.compare("old", "new", guards={"speed.p95": 0.5}).passed
    broken = sonmat.compare("old", "new", guards={"speed.p95": 0.3})
    assert not broken.passed
    assert "does not keep its guards" in broken.sentence.en
    assert any("slow: 0.4 s, at most 0.3 s allowed" in detail.en for detail in broken.details)
    write_value(new.file("recipe.json"), new.recipe().model_copy(update={"guards": {"speed.p95": 0.3}}))
    assert not sonmat.compare("old", "new").passed
    # An older run need not keep them.
    write_value(old.file("recipe.json"), old.recipe().model_copy(update={"guards": {"speed.p95": 0.3}}))
    slow(old, 9.0)
    write_value(new.file("recipe.json"), new.recipe().model_copy(update={"guards": {}}))
    assert sonmat.compare("old", "new").passed
    with pytest.raises(SettingError, match=r"Did you mean 'speed\.p95'"):
        sonmat.compare("old", "new", guards={"speed.p59": 1})


def test_a_guard_on_what_the_newer_run_did_not_measure_is_refused_before_anything_is_compared(
    old: RunFolder, new: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(new, 0.4)
    monkeypatch.setattr("sonmat.comparing.judge", None)
    with pytest.raises(SettingError, match=r"Did you mean 'speed\.p95'"):
        sonmat.compare("old", "new", guards={"speed.p59": 1})
    write_value(new.file("recipe.json"), new.recipe().model_copy(update={"guards": {"speed.p99": 0.3}}))
    with pytest.raises(SettingError, match=r"no measure named 'speed\.p99'"):
        sonmat.compare("old", "new")


def test_what_the_newer_run_could_not_measure_is_no_guard_kept(old: RunFolder, new: RunFolder) -> None:
    lost = Unmeasured(probe="safety", arm=FULL, reason=Text(en="no memory", ko="메모리 부족"))
    write_value(new.file("proof.json"), new.proof().model_copy(update={"unmeasured": (lost,)}))
    assert not sonmat.compare("old", "new").passed


def test_the_command_prints_both_and_ends_with_exit_code_3_where_guards_are_not_kept(
    old: RunFolder, new: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["compare", f"old:{FLOOR}", "new"]) == 0
    out = capsys.readouterr().out
    assert "macro-F1" in out
    assert "is better than" in out
    assert max(map(len, out.splitlines())) <= 80
    assert main(["compare", "old", f"new:{FLOOR}"]) == 3
    assert "is worse than" in capsys.readouterr().out
    assert main(["compare", "old", f"new:{FLOOR}", "--json"]) == 3
    assert '"passed": false' in capsys.readouterr().out
    slow(new, 0.4)
    assert main(["compare", "old", "new", "--guard", "speed.p95=0.1"]) == 3
    assert main(["compare", "old", "new", "--guard", "speed.p95"]) == 2
    assert main(["compare", "old", "nothing"]) == 2


def test_runs_without_a_shared_item_are_refused(old: RunFolder, tmp_path: Path) -> None:
    other = no_gain_run(tmp_path / "other", rows=100)
    rows = [each.model_copy(update={"input": {"text": f"other {each.id}"}}) for each in other.examples()]
    write_rows(other.file("examples.jsonl"), Example, rows)
    write_value(other.file("split.json"), other.split().model_copy(update={"seal": "another"}))
    with pytest.raises(RunError, match="have 0 items in common"):
        sonmat.compare("old", other.path)
