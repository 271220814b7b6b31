"""Before a proof begins it is told how long the probes that have yet to look will take, of each arm, as the plan tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sonmat import pipeline
from sonmat.core.errors import Paused
from sonmat.core.probing import Setting, Work
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Event, Fits
from sonmat.foretelling import say_what_waits
from sonmat.runs import write_value
from sonmat.steps.plan.probing import probing_seconds
from sonmat.steps.prove.setting import setting_of
from tests.prove_probes.conftest import ARMS, Counting, World


@dataclass
class Foretelling(Counting):
    """A probe that says how much it will ask of each arm."""

    tells: Callable[[Candidate], Work] = field(default=lambda candidate: Work(3, elsewhere_seconds=60.0))

    def work(self, setting: Setting, candidate: Candidate) -> Work:
        return self.tells(candidate)


def told(world: World) -> list[Event]:
    events: list[Event] = []
    say_what_waits(world.folder, world.folder.event_log("prove", (events.append,)))
    return events


def test_probes_added_to_a_finished_run_are_foretold_by_arm_and_those_that_have_looked_are_not(world: World) -> None:
    world.probes = [Foretelling(name="first")]
    world.prove()
    assert told(world) == []
    world.probes.append(Foretelling(name="judge-like", unsupported=frozenset({"majority"})))
    world.probes.append(Counting(name="silent"))
    (event,) = told(world)
    assert event.kind == "probes_waiting"
    setting = setting_of(world.folder)
    plan = world.folder.plan()
    alone = setting.recipe.model_copy(update={"probes": ("judge-like",)})
    expected = probing_seconds(
        Setting(setting.task, setting.spec, (), setting.train, setting.test, 0, alone), plan.candidates, plan.device, {}
    )
    assert event.data == {"seconds": pytest.approx(sum(expected.values())), "arms": expected}
    assert set(expected) == set(ARMS[1:])
    assert event.message is not None
    assert event.message.en == f"Probes that have yet to look: judge-like. About 2 min: {ARMS[1]} 60 s, {ARMS[2]} 60 s."
    assert event.message.ko == f"아직 재지 않은 탐침: judge-like. 약 2분 걸립니다({ARMS[1]} 60초, {ARMS[2]} 60초)."
    world.prove()
    assert told(world) == []


def test_the_estimate_rests_on_the_tokens_that_the_plan_counted(world: World) -> None:
    world.probes = [Foretelling(tells=lambda candidate: Work(3, read_bytes=1e6))]
    (guessed,) = told(world)
    plan = world.folder.plan()
    bases = [each.base.checksum for each in plan.candidates if each.base]
    write_value(world.folder.file("plan.json"), plan.model_copy(update={"mean_tokens": dict.fromkeys(bases, 1e4)}))
    (counted,) = told(world)
    assert counted.data["seconds"] > 2 * guessed.data["seconds"] > 0


def test_a_probe_that_failed_is_foretold_again_and_an_arm_without_a_model_is_not(world: World) -> None:
    world.probes = [Foretelling(fails_at=1)]
    world.prove()
    (event,) = told(world)
    assert set(event.data["arms"]) == set(ARMS)
    failed = {ARMS[2]: Text(en="no memory", ko="메모리 부족")}
    write_value(world.folder.file("fit.json"), Fits(fitted=ARMS[:2], failed=failed), "fitted")
    (event,) = told(world)
    assert set(event.data["arms"]) == set(ARMS[:2])


def test_what_an_interruption_left_is_foretold_alone(world: World) -> None:
    world.probes = [Foretelling(name="first"), Foretelling(name="second")]
    world.pause = lambda: "second" in {name.partition("-")[0] for name in world.asked}
    with pytest.raises(Paused):
        world.prove()
    (event,) = told(world)
    assert event.data["arms"] == {"majority": 60.0, ARMS[1]: 120.0, ARMS[2]: 120.0}


def test_a_probe_that_cannot_tell_its_work_is_said_and_the_proof_goes_on(world: World) -> None:
    def broken(candidate: Candidate) -> Work:
        raise ValueError("no idea")

    world.probes = [Foretelling(tells=broken)]
    (event,) = told(world)
    assert event.kind == "probes_unforetold"
    assert "ValueError: no idea" in str(event.message)


def test_it_is_told_before_anything_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.probes = [Foretelling()]
    happened: list[str] = []
    monkeypatch.setattr(pipeline, "prove", lambda *given: happened.append("prove"))
    log = world.folder.event_log("prove", (lambda event: happened.append(event.kind),))
    pipeline._do("prove", world.folder, world.folder.recipe(), log, "inputs")
    assert happened == ["probes_waiting", "prove"]
