"""A tuned share of replay in the plan, the time of a fit, the live display and the report's curve: three trainings, told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.errors import SettingError
from sonmat.core.protocols import Workload
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Device, Event, Fitted, ModelFacts, Spec
from sonmat.runs import RunFolder
from sonmat.steps.fit import _earlier_seconds
from sonmat.steps.plan.choose import Offer, choose
from sonmat.steps.report.curves import learning_curve
from sonmat.steps.report.training_told import training_told

DEVICE = Device(kind="cpu", cores=2, memory_bytes=16 << 30, bf16=True, flops_per_second=4e11)


def planned(task: str, replay: Any) -> Any:
    base = ModelFacts(
        name="b", path="", origin="", checksum="", family="llama", model_type="llama", parameters=10**8, hidden_size=512,
        layers=8, vocabulary=32_000, chat=True,
    )  # fmt: skip
    classes = 3 if task == "text-classification" else 0
    offer = Offer(
        base, Spec(labels=("a", "b", "c")), Workload(base, DEVICE, 500, 100, 100, 60.0, 200, 40.0, classes), tuned=True
    )
    recipe = Recipe(data=("d.csv",), method=("lora",), settings={"lora": {"replay": replay}})
    found = choose(plugins.find("tasks", task), [offer], recipe, DEVICE, [])
    return next(candidate for candidate in found if candidate.method == "lora")


def test_the_plan_says_how_many_trainings_it_takes_and_refuses_where_nothing_is_written() -> None:
    tuned, plain = planned("chat", "tuned"), planned("chat", 0.3)
    assert tuned.settings["replay"] == "tuned"
    assert tuned.estimate.seconds > 2 * plain.estimate.seconds
    assert "3 trainings" in tuned.estimate.basis.en
    for replay in ("tuned", 0.2):
        with pytest.raises(SettingError, match="write none"):
            planned("text-classification", replay)
    assert planned("text-classification", 0).settings["replay"] == 0
    with pytest.raises(SettingError, match=r"a share from 0 to 0.9, or tuned"):
        planned("chat", "auto")


def told(kind: str, message: Text | None = None, **data: Any) -> Event:
    return Event(at=0, kind=kind, step="fit", message=message, data=data)


def steps(replay: float | None, first: int, last: int, loss: float) -> list[Event]:
    share: dict[str, Any] = {} if replay is None else {"replay": replay}
    return [told("step", step=number, loss=loss, seconds=1.0, **share) for number in range(first, last + 1)]


def events() -> list[Event]:
    """Interrupted after step 7 of the second share, whose last checkpoint is that of step 5."""
    said = Text(en="Share of replay 2 of 3: 10%.", ko="-")
    return [
        told("replay_share", replay=0.3), *steps(0.3, 1, 10, 3.0),
        told("replay_share", said, replay=0.1), *steps(0.1, 1, 7, 1.0),
        told("replay_share", replay=0.3), told("resumed", step=10, replay=0.3),
        told("replay_share", said, replay=0.1), told("resumed", step=5, replay=0.1), *steps(0.1, 6, 8, 1.0),
        told("replay_share", replay=0.0), *steps(0.0, 1, 6, 2.0),
        told("replay_chosen", Text(en="Replay of 10% is kept.", ko="-"), replay=0.1),
    ]  # fmt: skip


def test_the_curve_is_that_of_the_kept_share() -> None:
    fitted = Fitted(candidate="c", seconds=1, peak_bytes=1, best_step=8)
    curve = learning_curve("c", events(), fitted)
    assert curve is not None
    assert [(point.step, point.value) for point in curve.train_loss] == [(number, 1.0) for number in range(1, 9)]
    assert curve.resumed_at == (5,)
    unfinished = learning_curve("c", events()[:-1], None)
    assert unfinished is not None
    assert {point.value for point in unfinished.train_loss} == {2.0}, "until one is kept, the one in hand"
    sentences = training_told("c", events())
    assert sentences is not None
    assert [each.en for each in sentences.sentences] == ["Replay of 10% is kept."]


def test_the_time_of_a_fit_holds_what_earlier_processes_did_of_every_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunFolder, "candidate_events", lambda *_: iter(events()))
    assert _earlier_seconds(RunFolder(tmp_path), "c") == 10 + 5
    plain = [*steps(None, 1, 7, 1.0), told("resumed", step=5), *steps(None, 6, 9, 1.0)]
    monkeypatch.setattr(RunFolder, "candidate_events", lambda *_: iter(plain))
    assert _earlier_seconds(RunFolder(tmp_path), "c") == 5
