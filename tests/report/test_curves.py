"""Learning curves: told once after a stop, thinned without bending, and absent where nothing was trained."""

from __future__ import annotations

from sonmat.core.text import Text
from sonmat.core.values import Event, Fitted
from sonmat.steps.report.curves import MOST_POINTS, learning_curve
from tests.report.made_run import training_events

FITTED = Fitted(candidate="c", seconds=1, peak_bytes=1, steps=200, best_step=150, selection={"accuracy": 0.9})


def step(number: int, loss: float | None) -> Event:
    return Event(at=0, kind="step", data={"step": number, "loss": loss, "learning_rate": 1e-4})


def test_steps_that_a_resumed_run_did_again_are_told_once() -> None:
    resumed = learning_curve("c", training_events(killed=True), FITTED)
    assert resumed is not None
    assert [point.step for point in resumed.train_loss] == list(range(1, 201))
    assert max(point.value for point in resumed.train_loss) < 3, "the losses of the killed process are still there"
    assert [point.step for point in resumed.validation_loss] == [0, 25, 50, 75, 100, 125, 150, 175, 200]
    assert resumed.resumed_at == (100,)


def test_a_kill_right_before_the_end_leaves_no_later_steps() -> None:
    events = [*(step(number, 1.0) for number in range(1, 31)), Event(at=0, kind="resumed", data={"step": 10})]
    curve = learning_curve("c", events, None)
    assert curve is not None
    assert [point.step for point in curve.train_loss] == list(range(1, 11))


def test_training_that_backed_off_says_so_and_forgets_the_explosion() -> None:
    said = Text(en="Back to step 2.", ko="2단계로 돌아갑니다.")
    events = [step(1, 2.0), step(2, 1.9), step(3, 80.0), Event(at=0, kind="backed_off", message=said, data={"step": 2})]
    curve = learning_curve("c", [*events, step(3, 1.8)], None)
    assert curve is not None
    assert [point.value for point in curve.train_loss] == [2.0, 1.9, 1.8]
    assert curve.back_offs == (said,)
    assert curve.resumed_at == ()


def test_a_loss_that_was_not_finite_is_no_point() -> None:
    curve = learning_curve("c", [step(1, None), step(2, float("nan")), step(3, 0.5)], None)
    assert curve is not None
    assert [(point.step, point.value) for point in curve.train_loss] == [(3, 0.5)]


def test_a_long_training_is_thinned_to_means() -> None:
    curve = learning_curve("c", (step(number, float(number % 7)) for number in range(1, 10_001)), None)
    assert curve is not None
    assert len(curve.train_loss) <= MOST_POINTS
    assert curve.train_loss[-1].step == 10_000
    assert abs(sum(point.value for point in curve.train_loss) / len(curve.train_loss) - 3.0) < 0.05


def test_the_measure_is_the_one_that_chose_the_checkpoint() -> None:
    data = {"step": 5, "epoch": 1.0, "loss": 0.4, "macro_f1": 0.5, "accuracy": 0.6, "best": True, "collapsed": False}
    events = [Event(at=0, kind="validation", data=data)]
    chosen, first = learning_curve("c", events, FITTED), learning_curve("c", events, None)
    assert chosen is not None
    assert first is not None
    assert chosen.measure is not None
    assert first.measure is not None
    assert (chosen.measure.name, first.measure.name) == ("accuracy", "macro_f1")


def test_a_candidate_that_was_not_trained_has_no_curve() -> None:
    assert learning_curve("c", [Event(at=0, kind="progress", data={"done": 1})], None) is None
