"""A run directory: what counts as done, what is put aside, who may write; and the seal of its test set."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonmat.core.errors import RunError
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Audit, Event, Example, Source, Split
from sonmat.pipeline import perform
from sonmat.runs import EventLog, RunFolder, read_events, write_value
from sonmat.runs.folder import run_name
from sonmat.runs.seal import check_seal, seal_of

EXAMPLES = [
    Example(id=str(n), input={"text": f"t{n}"}, target={"label": "x"}, source=Source(file="d.csv", row=n)) for n in range(6)
]


def split_of(examples: list[Example]) -> Split:
    return Split(
        train=("0", "1", "2"), validation=("3",), test=("4", "5"), seal=seal_of(examples[4:]), how=Text(en="-", ko="-")
    )


def test_a_step_is_done_only_if_its_inputs_are_the_same(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert not folder.is_done("audit", "a")
    write_value(folder.file("audit.json"), Audit(findings=(), rows_in=0, kept=0, changed=0, dropped=0), "a")
    assert folder.is_done("audit", "a")
    assert not folder.is_done("audit", "b")


def test_retiring_moves_and_never_deletes(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for name in ("audit.json", "ledger.jsonl", "split.json"):
        folder.file(name).write_text(name)
    shelf = folder.retire("audit", "split")
    assert shelf == tmp_path / "history" / "001"
    assert sorted(path.name for path in shelf.iterdir()) == ["audit.json", "ledger.jsonl", "split.json"]
    assert folder.retire("audit", "split") is None
    folder.file("audit.json").write_text("again")
    assert folder.retire("audit") == tmp_path / "history" / "002"


def test_two_writers_do_not_share_a_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with folder.writing(), pytest.raises(RunError, match="Another process"), RunFolder(tmp_path).writing():
        pass
    with folder.writing():
        pass


def test_names_of_runs_come_from_the_data(tmp_path: Path) -> None:
    assert run_name("data/리뷰 2026.csv.gz") == "리뷰-2026"
    (tmp_path / "my.photos").mkdir()
    assert run_name(str(tmp_path / "my.photos") + "/") == "my-photos"


def test_events_survive_a_torn_last_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path, "fit")
    log("step", step=1)
    with path.open("ab") as stream:
        stream.write(b'{"at": 1.0, "kind": "st')
    assert [event.data for event, _ in read_events(path)] == [{"step": 1}]
    log("step", Text(en="two", ko="둘"), step=2)
    events = [event for event, _ in read_events(path)]
    assert [event.data["step"] for event in events] == [1, 2]
    assert events[1].message == Text(en="two", ko="둘")


def test_events_can_be_followed_from_where_one_stopped(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    heard: list[Event] = []
    log = EventLog(path, "fit", (heard.append,))
    log("a")
    ((_, offset),) = read_events(path)
    log("b")
    assert [event.kind for event, _ in read_events(path, offset)] == ["b"]
    assert [event.kind for event in heard] == ["a", "b"]


def test_the_seal_holds_for_the_same_rows_in_any_order() -> None:
    check_seal(list(reversed(EXAMPLES)), split_of(EXAMPLES))


def test_a_changed_test_row_breaks_the_seal() -> None:
    changed = [*EXAMPLES[:5], EXAMPLES[5].model_copy(update={"target": {"label": "y"}})]
    with pytest.raises(RunError, match="not the one that was sealed"):
        check_seal(changed, split_of(EXAMPLES))


def test_a_missing_test_row_breaks_the_seal() -> None:
    with pytest.raises(RunError, match="sealed"):
        check_seal(EXAMPLES[:5], split_of(EXAMPLES))


def test_a_test_row_that_is_also_trained_on_is_refused() -> None:
    leaky = split_of(EXAMPLES).model_copy(update={"train": ("0", "4")})
    with pytest.raises(RunError, match="1 rows also used for training"):
        check_seal(EXAMPLES, leaky)


def test_going_on_with_a_run_of_a_newer_version_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("text,label\na,b\n", encoding="utf-8")
    recipe = Recipe(data=str(tmp_path / "d.csv"))
    folder = RunFolder(tmp_path / "run")
    write_value(folder.file("recipe.json"), recipe)
    newer = folder.file("recipe.json").read_text(encoding="utf-8").replace('"version": 1', '"version": 99')
    folder.file("recipe.json").write_text(newer, encoding="utf-8")
    with pytest.raises(RunError, match="99"):
        perform(folder, recipe, "load")
    assert folder.file("recipe.json").read_text(encoding="utf-8") == newer
