"""Where the base's own answers are replayed, the plan counts the time in which it writes them: once, however often is trained."""

from __future__ import annotations

from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.protocols import Workload
from sonmat.core.recipe import Recipe
from sonmat.core.values import Candidate, Device, ModelFacts, Spec
from sonmat.steps.plan.choose import Offer, choose
from sonmat.training.general_texts import prompts
from sonmat.training.replay import MOST_NEW_TOKENS

DEVICE = Device(kind="cpu", cores=2, memory_bytes=16 << 30, bf16=True, flops_per_second=1e11)
FORWARD = 2 * (10**8 + 576 * 49_152)
"""Operations of a token."""
SECONDS_OF_AN_ANSWER = 3 * MOST_NEW_TOKENS * FORWARD / (0.5 * 1e11)


def planned(replay: Any, languages: tuple[str, ...] = ("en",), fits: int = 1) -> Candidate:
    base = ModelFacts(
        name="small", path="/nowhere", origin="folder", checksum="c", family="llama", model_type="llama", parameters=10**8,
        hidden_size=576, layers=30, vocabulary=49_152, chat=True, languages=languages,
    )  # fmt: skip
    workload = Workload(
        base=base, device=DEVICE, train_rows=500, validation_rows=60, test_rows=100, mean_tokens=40.0, longest_tokens=90,
        mean_target_tokens=20.0,
    )  # fmt: skip
    recipe = Recipe.model_validate(
        {"data": "d.jsonl", "method": ("lora",), "settings": {"lora": {"replay": replay, "compile": "no"}}}
    )
    offers = [Offer(base, Spec(), workload, tuned=True)]
    chosen = choose(plugins.find("tasks", "chat"), offers, recipe, DEVICE, [], fits)
    return next(each for each in chosen if each.method == "lora")


def trained(share: float) -> float:
    """Seconds of the training alone: more rows in an epoch, as if they were the user's own."""
    return (planned(0.0).estimate.seconds - 12) / (1 - share) + 12


def test_the_time_of_writing_is_in_the_estimate_and_told() -> None:
    found = planned(0.3).estimate
    english = sum(each.language == "en" for each in prompts())
    written = english * SECONDS_OF_AN_ANSWER
    assert written > 60
    assert found.seconds - trained(0.3) == pytest.approx(written, rel=0.05)
    assert f"writes {english} answers to be replayed, for {written:.0f} s at most" in found.basis.en
    assert f"답 {english}개를 쓰는 시간은 최대 {written:.0f}초" in found.basis.ko
    assert "replayed" not in planned(0.0).estimate.basis.en


def test_folds_and_shares_that_are_tried_share_the_answers() -> None:
    once = planned(0.3)
    folds = planned(0.3, fits=6)
    written = sum(each.language == "en" for each in prompts()) * SECONDS_OF_AN_ANSWER
    assert folds.estimate.seconds == pytest.approx(6 * (once.estimate.seconds - written) + written, abs=1)
    tuned = planned("tuned").estimate.seconds
    assert tuned == pytest.approx(sum(trained(share) - 12 for share in (0.3, 0.1, 0.0)) + 12 + written, rel=0.05)


def test_a_base_answers_in_the_languages_that_it_speaks() -> None:
    assert planned(0.3, ("en", "ko")).estimate.seconds > planned(0.3).estimate.seconds + 60
    # Of one that speaks neither, or nobody knows what, all are asked.
    assert planned(0.3, ()).estimate == planned(0.3, ("xx",)).estimate == planned(0.3, ("en", "ko")).estimate
