"""The profile of a fit: it changes nothing, names where time goes, and accounts for all of it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from sonmat import plugins
from sonmat.core.errors import Paused
from sonmat.core.text import Language
from sonmat.training.profile import MOST_STEPS, PARTS, TRACED_STEPS, WARM_UP_STEPS, Profile, profile_fit, shares_of
from sonmat.training.profile_page import profile_page

from .tiny_jobs import tiny_job


@pytest.fixture(scope="module")
def profiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Profile, Path]:
    folder = tmp_path_factory.mktemp("profiled")
    job = tiny_job("chat", "lora", folder, epochs=2, batch_size=4)
    return profile_fit(plugins.find("methods", "lora"), job, folder / "profile.json.gz"), folder


def test_the_shares_of_a_step_sum_to_one_and_every_part_is_seen(profiled: tuple[Profile, Path]) -> None:
    found, _ = profiled
    assert sum(found.parts.values()) == pytest.approx(1)
    assert set(found.parts) == set(PARTS)
    assert all(share > 0 for share in found.parts.values()), found.parts


def test_a_classifier_is_profiled_too(tmp_path: Path) -> None:
    job = tiny_job("text-classification", "full", tmp_path, epochs=2, batch_size=4)
    found = profile_fit(plugins.find("methods", "full"), job, tmp_path / "profile.json.gz")
    assert sum(found.parts.values()) == pytest.approx(1)
    assert min(found.parts["forward"], found.parts["backward"], found.parts["optimiser"], found.padding + 1e-9) > 0


def test_the_length_of_the_whole_training_is_that_of_its_own_settings(profiled: tuple[Profile, Path]) -> None:
    found, _ = profiled
    rows = len(plugins.find("tasks", "chat").tiny().examples)
    assert found.total_steps == 2 * -(-rows // 4)
    assert found.looks == 3
    assert found.timed_steps + WARM_UP_STEPS + TRACED_STEPS == MOST_STEPS
    assert list(found.peaks.values()) == sorted(found.peaks.values())
    assert min(found.load_seconds, found.validation_seconds, found.checkpoint_seconds, found.step_seconds) > 0


def test_the_page_says_what_computed_the_model(profiled: tuple[Profile, Path]) -> None:
    found, _ = profiled
    assert found.kernels["adapters"] == "fused"
    assert "adapters fused" in profile_page(found, "lora", "en")


def test_the_trace_is_one_that_browsers_open_and_knows_the_parts(profiled: tuple[Profile, Path]) -> None:
    with gzip.open(profiled[1] / "profile.json.gz", "rt", encoding="utf-8") as stream:
        names = {event.get("name") for event in json.load(stream)["traceEvents"]}
    assert {"sonmat: data", "sonmat: forward", "_OutputLoss", "aten::mm"} <= names


def test_nothing_but_the_trace_is_left_behind(profiled: tuple[Profile, Path]) -> None:
    _, folder = profiled
    assert {path.name for path in folder.iterdir()} == {"base", "model", "profile.json.gz"}
    assert not list((folder / "model").iterdir())


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_says_it_in_the_readers_language(language: Language, profiled: tuple[Profile, Path]) -> None:
    page = profile_page(profiled[0], "lora-smollm2", language)
    assert ("## Where the time goes" if language == "en" else "## 시간이 쓰인 곳") in page
    assert "lora-smollm2" in page
    assert page.count("\n| ") == 2 + len(PARTS) + 4
    assert "{" not in page


def test_the_page_names_what_costs_most_and_what_would_help() -> None:
    found = Profile(
        step_seconds=2.0,
        parts={
            "data": 0,
            "forward": 0.2,
            "attention": 0.6,
            "output_layer": 0,
            "backward": 0.1,
            "optimiser": 0.1,
            "other": 0,
        },
        tokens_per_second=500.0,
        padding=0.4,
        products_per_second=1e11,
        machine_rate=4e11,
        load_seconds=3.0,
        validation_seconds=300.0,
        checkpoint_seconds=0.5,
        peaks={"load": 1 << 30, "validation": 3 << 30, "checkpoint": 3 << 30, "steps": 3 << 30},
        timed_steps=5,
        total_steps=100,
        looks=4,
    )
    page = profile_page(found, "lora", "en")
    assert "attention (60 %)" in page
    assert "40 % of what is computed is padding" in page
    assert "25 % of what this machine" in page
    assert "Validation takes more time than the steps" in page
    assert "reached during validation" in page


def test_a_fit_that_was_profiled_before_gives_the_same_weights(tmp_path: Path) -> None:
    weights = []
    for name in ("with", "without"):
        folder = tmp_path / name
        folder.mkdir()
        job = tiny_job("chat", "lora", folder, epochs=2, batch_size=4, learning_rate=1e-2)
        if name == "with":
            profile_fit(plugins.find("methods", "lora"), job, folder / "profile.json.gz")
        plugins.find("methods", "lora").fit(job)
        weights.append(load_file(next((folder / "model").glob("*.safetensors"))))
    assert weights[0].keys() == weights[1].keys()
    assert all(bool((weights[0][tensor] == weights[1][tensor]).all()) for tensor in weights[0])


def test_a_wish_to_pause_is_heeded_and_leaves_an_earlier_trace(tmp_path: Path) -> None:
    (tmp_path / "profile.json.gz").write_bytes(b"earlier")
    job = replace(tiny_job("chat", "lora", tmp_path), should_pause=lambda: True)
    with pytest.raises(Paused):
        profile_fit(plugins.find("methods", "lora"), job, tmp_path / "profile.json.gz")
    assert (tmp_path / "profile.json.gz").read_bytes() == b"earlier"


class Recorded:
    """An event of a trace with its own time in microseconds."""

    flops = 0

    def __init__(self, name: str, own: float, parent: Recorded | None = None) -> None:
        self.name, self.self_cpu_time_total, self.self_device_time_total, self.cpu_parent = name, own, 0.0, parent


def test_attention_within_forward_and_backward_counts_as_attention() -> None:
    forward = Recorded("sonmat: forward", 1e5)
    backward = Recorded("autograd::engine::evaluate_function: _ProductsBackward", 0)
    events = [
        forward,
        Recorded("aten::mm", 2e5, forward),
        Recorded("aten::bmm", 1e5, Recorded("_Products", 0, forward)),
        Recorded("aten::bmm", 3e5, Recorded("_ProductsBackward", 0, backward)),
        Recorded("aten::mm", 5e4),
    ]
    shares = shares_of(events, 1.0, accelerated=False)
    assert shares["forward"] == pytest.approx(0.3)
    assert shares["attention"] == pytest.approx(0.4)
    assert shares["backward"] == 0
    assert shares["other"] == pytest.approx(0.3)
