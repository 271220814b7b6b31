"""The plan: what it chooses, what it refuses and why, and where each setting's value came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.errors import DataBlocked, ResourceError, SettingError
from sonmat.core.protocols import Workload
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device, ModelFacts, Refused, Source, Spec
from sonmat.models import spec_for
from sonmat.steps.plan.choose import Offer, choose
from sonmat.steps.plan.lengths import Lengths

DEVICE = Device(kind="cpu", cores=2, memory_bytes=16 << 30, bf16=True, flops_per_second=4e11)


def facts(**changes: Any) -> ModelFacts:
    known: dict[str, Any] = {
        "name": "small-encoder", "path": "/nowhere", "origin": "folder", "checksum": "c", "family": "bert", "model_type": "bert",
        "parameters": 22_000_000, "embedding_parameters": 12_000_000, "hidden_size": 384, "layers": 6, "vocabulary": 30_000,
    }  # fmt: skip
    return ModelFacts(**{**known, **changes})


def offer(base: ModelFacts | None = None, rows: int = 1000, **changes: Any) -> Offer:
    base = base or facts(**changes)
    workload = Workload(
        base=base, device=DEVICE, train_rows=rows, validation_rows=rows // 5, test_rows=rows // 5,
        mean_tokens=20.0, longest_tokens=60, mean_target_tokens=1.0, classes=3,
    )  # fmt: skip
    return Offer(base, Spec(labels=("a", "b", "c")), workload, tuned=True)


def plan(
    *, task: str = "text-classification", offers: Sequence[Offer] | None = None, device: Device = DEVICE, **recipe: Any
) -> tuple[dict[str, Candidate], list[Refused]]:
    refused: list[Refused] = []
    made = Recipe(data="d.csv", **recipe)
    chosen = choose(plugins.find("tasks", task), offers or [offer()], made, device, refused)
    return {candidate.method: candidate for candidate in chosen}, refused


def test_floor_and_base_are_always_among_the_candidates() -> None:
    chosen, _ = plan(method=("full",))
    assert list(chosen) == ["majority", "tf-idf", "label-names", "full"]


def test_without_a_word_from_the_user_the_most_promising_that_fit_are_tried() -> None:
    chosen, refused = plan()
    assert [name for name, candidate in chosen.items() if candidate.role == "tuned"] == [
        "full",
        "head-only",
        "lora",
        "freeze",
    ]
    assert refused == []


def test_methods_that_would_take_too_long_are_refused_with_their_minutes() -> None:
    chosen, refused = plan(offers=[offer(rows=20_000)], minutes=9)
    assert "full" not in chosen
    (reason,) = [entry.reason.en for entry in refused if entry.method == "full"]
    assert "minutes" in reason
    assert "--method full" in reason


def test_a_method_that_the_user_names_is_tried_however_long_it_takes() -> None:
    chosen, _ = plan(offers=[offer(rows=20_000)], minutes=0.1, method=("full",))
    assert chosen["full"].reason.en == "you asked for it"


def test_the_untuned_base_is_an_arm_however_few_minutes_there_are() -> None:
    chosen, _ = plan(offers=[offer(rows=20_000)], minutes=0.01, method=("full",))
    assert list(chosen) == ["majority", "tf-idf", "label-names", "full"]


def test_a_method_that_does_not_fit_into_memory_is_refused_with_the_figures() -> None:
    big = facts(parameters=7_000_000_000, embedding_parameters=0, hidden_size=4096, layers=32)
    with pytest.raises(ResourceError, match=r"needs about \d+\.\d GB of memory and 17\.2 GB are free"):
        plan(offers=[offer(big)], method=("full",))


def test_where_nothing_fits_the_error_says_what_to_do() -> None:
    with pytest.raises(ResourceError, match="smaller base with --base"):
        plan(offers=[offer(rows=500_000)], minutes=0.1)


def test_settings_carry_where_they_came_from() -> None:
    chosen, _ = plan(method=("freeze",), settings={"freeze": {"epochs": 7}})
    freeze = chosen["freeze"]
    assert freeze.settings["epochs"] == 7
    assert freeze.settings["last_layers"] == 2
    assert (freeze.origins["epochs"], freeze.origins["last_layers"], freeze.origins["schedule"]) == (
        "user",
        "plan",
        "default",
    )


def test_every_problem_of_the_settings_is_reported_at_once_with_the_nearest_name() -> None:
    with pytest.raises(
        SettingError, match=r"did you mean 'learning_rate'\?.*epochs|epochs.*did you mean 'learning_rate'\?"
    ):
        plan(method=("full",), settings={"full": {"learnin_rate": 1e-4, "epochs": 0}})


@pytest.mark.parametrize("where", [{"method": ("lorra",)}, {"settings": {"lorra": {}}}])
def test_an_unknown_method_is_answered_with_the_nearest(where: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="Did you mean 'lora'"):
        plan(**where)


def test_why_a_base_cannot_be_asked_is_said_only_where_there_is_no_other_way() -> None:
    picture = facts(name="camera", model_type="mobilenet_v2", family="mobilenet_v2", vocabulary=0)
    chosen, refused = plan(task="image-classification", offers=[offer(picture)], method=("head-only",))
    assert list(chosen) == ["majority", "head-only"]
    assert {entry.method for entry in refused} == {"label-names", "zero-shot"}, "what else could be asked was not named"
    _, refused = plan()
    assert not {entry.method for entry in refused} & {"label-names", "zero-shot"}


def test_a_chat_model_beside_the_encoder_is_asked_and_never_trained() -> None:
    chat = Offer(facts(name="talker", chat=True, family="llama"), Spec(), offer().workload, tuned=False)
    refused: list[Refused] = []
    chosen = choose(plugins.find("tasks", "text-classification"), [offer(), chat], Recipe(data="d"), DEVICE, refused)
    asked = [candidate for candidate in chosen if candidate.base and candidate.base.name == "talker"]
    assert {candidate.role for candidate in asked} == {"base"}
    # The plain question comes first.
    assert next(candidate.id for candidate in asked) == "zero-shot-talker"
    assert {"best-prompt-talker", "few-shot-talker"} <= {candidate.id for candidate in asked}


def talker_offer(**changes: Any) -> Offer:
    base = facts(name="talker", chat=True, family="llama", parameters=135_000_000, hidden_size=576, layers=30)
    return offer(base, **changes)


def test_prompts_and_shots_are_tried_where_a_base_can_be_asked() -> None:
    chosen, _ = plan(offers=[talker_offer()], minutes=1000)
    roles = [candidate.role for candidate in chosen.values()]
    assert roles == sorted(roles, key=("floor", "base", "tuned").index)
    assert {"zero-shot", "best-prompt", "few-shot", "full", "lora"} <= set(chosen)
    assert (chosen["zero-shot"].learns, chosen["few-shot"].learns, chosen["best-prompt"].learns) == (False, True, True)


def test_who_names_methods_gets_these_and_the_plain_question() -> None:
    chosen, _ = plan(offers=[talker_offer()], method=("lora",))
    assert list(chosen) == ["majority", "tf-idf", "zero-shot", "lora"]
    chosen, _ = plan(offers=[talker_offer()], method=("lora", "few-shot"))
    assert list(chosen) == ["majority", "tf-idf", "zero-shot", "few-shot", "lora"]


def test_prompts_are_left_out_before_the_only_way_of_tuning_is_and_the_plain_question_never() -> None:
    every, _ = plan(offers=[talker_offer()], minutes=1000)
    first = next(candidate for candidate in every.values() if candidate.role == "tuned")
    enough = (first.estimate.seconds + 1) / 60
    chosen, refused = plan(offers=[talker_offer()], minutes=enough)
    assert list(chosen) == ["majority", "tf-idf", "zero-shot", first.method]
    reasons = {entry.method: entry.reason for entry in refused}
    assert "minutes" in reasons["few-shot"].en
    assert "--method best-prompt" in reasons["best-prompt"].ko


def test_prompts_come_before_a_second_way_of_tuning() -> None:
    every, _ = plan(offers=[talker_offer()], minutes=1000)
    first, second = [candidate for candidate in every.values() if candidate.role == "tuned"][:2]
    asking = sum(
        candidate.estimate.seconds for candidate in every.values() if candidate.role == "base" and candidate.learns
    )
    seconds = first.estimate.seconds + asking + 1
    assert second.estimate.seconds > 1
    chosen, refused = plan(offers=[talker_offer()], minutes=seconds / 60)
    assert {"few-shot", "best-prompt", first.method} <= set(chosen)
    assert second.method in {entry.method for entry in refused}


def lengths(**changes: Any) -> Lengths:
    known: dict[str, Any] = {
        "rows": 10, "max_tokens": 128, "tokens": 1000, "cut_tokens": 0, "cut_rows": (), "lost": (), "longest_tokens": 128,
        "mean_target_tokens": 5.0, "longest_target_tokens": 30,
    }  # fmt: skip
    return Lengths(**{**known, **changes})


def place(row: int) -> Text:
    return Source(file="made.csv", row=row).place


def silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    pass


def test_more_than_one_per_cent_of_the_tokens_is_not_cut_without_a_word() -> None:
    cut = lengths(cut_tokens=20, cut_rows=((place(7), 15), (place(3), 5)))
    with pytest.raises(DataBlocked, match=r"row 7 \(−15\)") as caught:
        cut.refuse_cuts(Recipe(data="d"), silent)
    assert "20 tokens" in caught.value.what.en
    assert "7행 (−15)" in caught.value.what.ko
    assert "--allow-truncation" in str(caught.value)


def test_a_cut_that_the_user_allows_is_said_and_goes_on() -> None:
    heard: list[dict[str, Any]] = []
    cut = lengths(cut_tokens=20, cut_rows=((place(7), 20),))
    cut.refuse_cuts(Recipe(data="d", allow_truncation=True), lambda kind, message=None, /, **data: heard.append(data))
    assert heard[0]["rows"] == 1


def test_a_lost_target_stops_the_run_even_if_cuts_are_allowed() -> None:
    with pytest.raises(DataBlocked, match="row 3") as caught:
        lengths(lost=(place(3),)).refuse_cuts(Recipe(data="d", allow_truncation=True), silent)
    assert caught.value.exit_code == 1
    assert "3행" in caught.value.what.ko


def test_answers_have_room_for_half_as_much_again_as_the_longest_reference() -> None:
    assert lengths(longest_target_tokens=100).answer_room(Spec(max_new_tokens=256)) == 150
    assert lengths(longest_target_tokens=1).answer_room(Spec()) == 16
    assert lengths(longest_target_tokens=900).answer_room(Spec(max_new_tokens=256)) == 256


def test_the_base_brings_its_longest_input_and_its_prefix() -> None:
    task = plugins.find("tasks", "text-classification")
    e5 = spec_for(task, Spec(), facts(family="e5", max_positions=512), None)
    assert (e5.text_prefix, e5.max_tokens) == ("query: ", 512)
    short = spec_for(task, Spec(), facts(max_positions=256), 2000)
    assert short.max_tokens == 256


def test_estimates_grow_with_the_work() -> None:
    method = plugins.find("methods", "full")
    settings = method.Settings()
    small, large = (method.estimate(settings, offer(rows=rows).workload) for rows in (1000, 10_000))
    assert large.seconds > small.seconds
    head = plugins.find("methods", "head-only")
    assert head.estimate(head.Settings(), offer().workload).peak_bytes < small.peak_bytes
