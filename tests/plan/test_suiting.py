"""What the plan does about a device with little memory, and when it compiles: with its reason, and never against the user."""

from __future__ import annotations

from typing import Any

import pytest

from sonmat.core.errors import ResourceError
from sonmat.core.protocols import Workload
from sonmat.core.values import Candidate, Device, Refused, Spec
from sonmat.steps.plan.choose import Offer
from sonmat.training import accelerators, compiling
from tests.plan.test_plan import facts, plan

LLAMA_8B = facts(
    name="eight-billion", family="llama", model_type="llama", parameters=8_030_000_000, embedding_parameters=525_000_000,
    hidden_size=4096, layers=32, vocabulary=128_256, chat=True,
)  # fmt: skip


def planned(memory_gb: float, kind: Any = "cuda", **recipe: Any) -> tuple[dict[str, Candidate], list[Refused]]:
    device = Device(kind=kind, memory_bytes=int(memory_gb * 1e9), bf16=True, flops_per_second=4e14)
    workload = Workload(
        base=LLAMA_8B, device=device, train_rows=5000, validation_rows=500, test_rows=500,
        mean_tokens=400.0, longest_tokens=2048, mean_target_tokens=150.0,
    )  # fmt: skip
    offer = Offer(LLAMA_8B, Spec(), workload, tuned=True)
    recipe.setdefault("settings", {}).setdefault("lora", {}).setdefault("micro_batch_tokens", 8192)
    return plan(task="chat", offers=[offer], device=device, method=("lora",), minutes=1e5, **recipe)


def test_where_memory_is_enough_activations_are_kept() -> None:
    chosen, _ = planned(120)
    assert chosen["lora"].settings["activations"] == "keep"
    assert chosen["lora"].origins["activations"] == "default"
    assert "recomputed" not in chosen["lora"].reason.en


@pytest.mark.parametrize(("memory_gb", "way"), [(40, "recompute"), (26, "offload")])
def test_where_memory_is_short_the_cheapest_way_that_fits_is_taken_and_said(memory_gb: float, way: str) -> None:
    candidate = planned(memory_gb)[0]["lora"]
    assert candidate.settings["activations"] == way
    assert candidate.origins["activations"] == "plan"
    assert f"{memory_gb:.1f} GB are free" in candidate.reason.en
    assert "다시 계산" in candidate.reason.ko
    assert "GB with kept ones" in candidate.estimate.basis.en
    assert candidate.estimate.peak_bytes <= memory_gb * 1e9


def test_on_a_processor_nothing_is_moved_to_where_it_is_already() -> None:
    assert planned(40, "cpu")[0]["lora"].settings["activations"] == "recompute"
    with pytest.raises(ResourceError, match=r"26\.0 GB are free"):
        planned(26, "cpu")


def test_what_the_user_says_is_not_changed() -> None:
    with pytest.raises(ResourceError, match=r"lora: needs about 9\d\.\d GB"):
        planned(40, settings={"lora": {"activations": "keep"}})


def test_what_fits_in_no_way_is_refused_with_the_least_it_needs() -> None:
    with pytest.raises(ResourceError, match=r"lora: needs about 2\d\.\d GB of memory and 18\.0 GB are free"):
        planned(18)


def test_coarse_optimiser_state_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    def large(memory_gb: float) -> Candidate:
        return planned(memory_gb, settings={"lora": {"rank": 1024}})[0]["lora"]

    with pytest.raises(ResourceError):
        large(62)
    monkeypatch.setattr(accelerators, "find_spec", lambda name: object())
    assert large(80).settings["optimiser_state"] == "fp32"
    found = large(62)
    assert (found.settings["optimiser_state"], found.origins["optimiser_state"]) == ("8bit", "plan")
    assert "8-bit state" in found.reason.en


def test_recomputing_takes_longer_in_the_estimate() -> None:
    kept, again = (planned(memory)[0]["lora"].estimate for memory in (120, 40))
    assert again.seconds > 1.2 * kept.seconds
    assert again.peak_bytes < kept.peak_bytes


def test_long_trainings_on_a_gpu_are_compiled_and_short_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "find_spec", lambda name: object())
    long = planned(120)[0]["lora"]
    assert (long.settings["compile"], long.origins["compile"]) == ("yes", "plan")
    assert "compiled: costs" in long.reason.en
    monkeypatch.setattr(compiling, "PAYS_FROM_SECONDS", 1e9)
    short = planned(120)[0]["lora"]
    assert short.settings["compile"] == "no"
    assert planned(120, settings={"lora": {"compile": "yes"}})[0]["lora"].origins["compile"] == "user"


def test_on_a_processor_it_is_not_compiled_and_not_talked_about() -> None:
    candidate = planned(400, "cpu")[0]["lora"]
    assert candidate.settings["compile"] == "no"
    assert "compil" not in candidate.reason.en
