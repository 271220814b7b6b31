"""Probes in the proof: asked once while the model is loaded, resumed one by one, and none of their faults loses the proof."""

from __future__ import annotations

import pytest

from sonmat.adding import add_arms
from sonmat.core.errors import Paused, SettingError, WorkerFailed
from sonmat.core.probing import plain_base
from sonmat.core.recipe import Recipe
from sonmat.core.text import verbatim
from sonmat.pipeline import perform
from sonmat.runs import write_value
from sonmat.runs.files import read_header
from sonmat.runs.observations import read_observations
from sonmat.steps.prove import check_wishes
from tests.prove_probes.conftest import ARMS, Counting, World


def with_recipe(world: World, **changes: object) -> None:
    recipe = world.folder.recipe().model_copy(update=changes)
    write_value(world.folder.file("recipe.json"), recipe)


def test_every_arm_is_observed_and_measured_beside_its_untuned_base(world: World) -> None:
    probe = Counting()
    world.probes = [probe]
    proof = world.prove()
    assert probe.observed == list(ARMS)
    assert [each.arm for each in proof.measures] == list(ARMS)
    assert probe.bases == {"majority": None, ARMS[1]: None, ARMS[2]: ARMS[1]}
    assert proof.unmeasured == ()
    rows = list(read_observations(world.folder, "majority", "counting"))
    assert rows == [{"row": str(number), "label": "refund"} for number in range(3)]
    assert proof == world.folder.proof()


def test_what_was_observed_of_the_same_model_is_not_asked_again(world: World) -> None:
    probe = Counting()
    world.probes = [probe]
    world.prove()
    world.asked.clear()
    world.prove()
    assert world.asked == []
    assert probe.observed == list(ARMS)


def test_another_probe_asks_only_its_own_questions(world: World) -> None:
    world.probes = [Counting()]
    world.prove()
    world.asked.clear()
    world.probes.append(Counting(name="other"))
    world.prove()
    assert set(world.asked) == {"other-0", "other-1", "other-2"}


def test_another_model_or_other_slices_are_observed_anew_and_a_bound_is_not(world: World) -> None:
    probe = Counting()
    world.probes = [probe]
    world.prove()
    with_recipe(world, guards={"counting.seen": 0.9}, price=2.0)
    world.prove()
    assert len(probe.observed) == 3
    with_recipe(world, slices=("who",))
    world.prove()
    assert len(probe.observed) == 6
    fitted = world.folder.candidate_folder("majority") / "fitted.json"
    write_value(fitted, world.folder.fitted("majority"), "trained again")
    world.prove()
    assert probe.observed[6:] == ["majority"]


def test_a_probe_that_fails_is_told_and_the_others_and_the_proof_go_on(world: World) -> None:
    broken, whole = Counting(name="broken", fails_at=1), Counting(name="whole")
    world.probes = [broken, whole]
    proof = world.prove()
    assert {(each.probe, each.arm) for each in proof.unmeasured} == {("broken", arm) for arm in ARMS}
    assert all("cannot go on" in each.reason.en for each in proof.unmeasured)
    assert [each.probe for each in proof.measures] == ["whole"] * 3
    assert len(world.failures()) == 3
    assert any("Unknown: broken of" in detail.en for detail in proof.verdict.details)
    # Like a candidate that failed, it is tried again by the next run.
    header = read_header(world.folder.file("proof.json"))
    assert header is not None
    assert header.inputs == "unfinished inputs"
    broken.fails_at = None
    assert world.prove().unmeasured == ()
    assert len(whole.observed) == 3


def test_a_probe_whose_figures_cannot_be_worked_out_is_told(world: World) -> None:
    world.probes = [Counting(breaks=True)]
    proof = world.prove()
    assert [each.reason.en for each in proof.unmeasured] == ["ZeroDivisionError: no figure"] * 3
    assert proof.arms


def test_a_probe_that_takes_the_process_down_is_left_out_and_the_arm_stays(world: World) -> None:
    world.probes = [Counting(name="heavy"), Counting(name="light")]

    def killed(folder: object, setting: object, candidate: object, model: object, emit: object, pause: object) -> None:
        raise WorkerFailed(verbatim("killed"))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sonmat.steps.prove.answer.observe", killed)
        proof = world.prove()
    # Each death costs the probe that was in hand, never the answers.
    assert [arm.candidate for arm in proof.arms] == list(ARMS)
    assert {each.probe for each in proof.unmeasured} == {"heavy", "light"}
    assert world.jobs == [f"answer/{arm}" for arm in ARMS for _ in range(2)]


def test_ctrl_c_in_a_probe_leaves_what_is_done_and_the_next_run_goes_on_there(world: World) -> None:
    first, second = Counting(name="first"), Counting(name="second")
    world.probes = [first, second]
    world.pause = lambda: "second" in {name.partition("-")[0] for name in world.asked}
    with pytest.raises(Paused):
        world.prove()
    assert (first.observed, second.observed) == (["majority"], ["majority"])
    world.pause = lambda: False
    world.asked.clear()
    proof = world.prove()
    assert first.observed == list(ARMS)
    assert second.observed == ["majority", *ARMS]
    assert not any(name.startswith("row") for name in world.asked[:3])
    assert len(proof.measures) == 6


@pytest.mark.parametrize("row", [lambda _: "same", lambda _: None, lambda number: number])
def test_rows_without_an_id_of_their_own_are_refused(world: World, row: object) -> None:
    world.probes = [Counting(row=row)]  # type: ignore[arg-type]
    assert all("a text of its own as 'row'" in each.reason.en for each in world.prove().unmeasured)


def test_a_probe_that_does_not_concern_an_arm_is_told_only_if_it_was_asked_for(world: World) -> None:
    world.probes = [Counting(unsupported=frozenset({"majority"}))]
    assert world.prove().unmeasured == ()
    with_recipe(world, probes=("counting",))
    (found,) = world.prove().unmeasured
    assert (found.arm, found.failed, found.reason.en) == ("majority", False, "it cannot be counted.")
    header = read_header(world.folder.file("proof.json"))
    assert header is not None
    assert header.inputs == "inputs"


def test_no_probes_can_be_chosen(world: World) -> None:
    probe = Counting()
    world.probes = [probe]
    with_recipe(world, probes=())
    assert world.prove().measures == ()
    assert probe.observed == []


def test_an_unknown_probe_or_a_guard_of_one_that_is_left_out_is_an_error_before_anything_is_done(world: World) -> None:
    world.probes = [Counting(), Counting(name="other")]
    with pytest.raises(SettingError, match="Did you mean 'counting'"):
        check_wishes(Recipe(data="d", probes=("countin",)))
    with pytest.raises(SettingError, match="Did you mean 'counting'"):
        check_wishes(Recipe(data="d", guards={"conting.seen": 1}))
    with pytest.raises(SettingError, match="counting, which is left out"):
        check_wishes(Recipe(data="d", probes=("other",), guards={"counting.seen": 1}))
    with pytest.raises(SettingError, match="not what of it is bounded"):
        check_wishes(Recipe(data="d", guards={"counting": 1}))
    with pytest.raises(SettingError, match="no method named 'loar'"):
        check_wishes(Recipe(data="d", method=("loar",)))
    check_wishes(Recipe(data="d", guards={"counting.seen": 1, "counting.unseen_rows": 1}))


def test_a_guard_on_what_its_probe_does_not_measure_is_an_error_before_anything_is_done(world: World) -> None:
    world.probes = [Counting(), Counting(name="other", measures=("read", "written"))]
    with pytest.raises(
        SettingError, match=r"no measure named 'counting\.sen'.*\n.*'counting\.seen'\? Known: .*The star"
    ) as caught:
        check_wishes(Recipe(data="d", guards={"counting.sen": 1}))
    assert "counting.seen, counting.unseen_*" in str(caught.value)
    with pytest.raises(SettingError, match=r"Did you mean 'other\.read'\? Known: other\.read, other\.written\.$"):
        check_wishes(Recipe(data="d", guards={"other.raed": 1}))
    with pytest.raises(SettingError, match=r"Write other\.MEASURE\. Known: other\.read, other\.written\.$"):
        check_wishes(Recipe(data="d", guards={"other": 1}))


def test_a_run_that_is_asked_for_such_a_guard_stays_as_it_was(world: World) -> None:
    world.probes = [Counting()]
    before = world.folder.recipe()
    wished = before.model_copy(update={"guards": {"counting.sen": 1.0}})
    with pytest.raises(SettingError, match=r"no measure named 'counting\.sen'"):
        perform(world.folder, wished, "prove")
    with pytest.raises(SettingError, match=r"no measure named 'counting\.sen'"):
        add_arms(world.folder, wished, ["tf-idf"], "prove")
    assert world.folder.recipe() == before
    assert world.asked == []
    assert not world.folder.exists("prove")


def test_a_guard_on_what_nobody_measured_lists_what_there_is(world: World) -> None:
    world.probes = [Counting()]
    with_recipe(world, guards={"counting.unseen": 1.0})
    with pytest.raises(SettingError, match=r"Did you mean 'counting\.seen'"):
        world.prove()


def test_a_guard_on_a_probe_that_failed_is_not_kept(world: World) -> None:
    world.probes = [Counting(fails_at=0)]
    with_recipe(world, guards={"counting.seen": 1.0})
    proof = world.prove()
    assert [(each.arm, each.kept, each.value) for each in proof.guards] == [(arm, False, None) for arm in ARMS]
    assert "is unknown" in proof.guards[0].reason.en
    assert proof.verdict.stopped == "no_arm"


def test_the_untuned_arm_beside_which_others_are_set_is_the_plainest(world: World) -> None:
    plan = world.folder.plan()
    zero_shot, lora = plan.candidates[1:]
    shots = zero_shot.model_copy(update={"id": "few-shot", "method": "few-shot", "learns": True})
    other = zero_shot.base.model_copy(update={"checksum": "another"}) if zero_shot.base else None
    foreign = zero_shot.model_copy(update={"id": "foreign", "base": other})
    assert plain_base(lora, [foreign, shots, zero_shot, lora]) is zero_shot
    assert plain_base(lora, [foreign, shots, lora]) is shots
    assert plain_base(shots, [shots, zero_shot]) is zero_shot
    assert plain_base(zero_shot, [shots, zero_shot]) is None
    assert plain_base(plan.candidates[0], plan.candidates) is None
