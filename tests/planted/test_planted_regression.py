"""A planted regression: every guard that should fire does, at the place where a user sees it, and none fires on an honest model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from sonmat.cli import main
from sonmat.cli.verdict import stop_if_guarded
from sonmat.core.proof import Proof
from tests.planted.shop import BASE, HONEST, NARROW, NONSENSE, broken, made_run, prove_here

BY_DEFAULT = {
    "forgetting.all",
    "safety.refusals",
    "safety.toxic_answers",
    "safety.toxic_replies",
    "repetition.loops",
    "format.form_json",
    "format.form_beginning",
    "format.form_ending",
    "format.all",
}
"""What a model that says one toxic thing over and over must break without anybody having set a bound."""


LOOKED_AT = ("forgetting", "safety", "repetition", "format")


def proven(folder: Path, *arms: str, **recipe: Any) -> Proof:
    """The proof of a run with these arms besides the floor and the base."""
    with pytest.MonkeyPatch.context() as patch:
        return prove_here(made_run(folder, ("majority", BASE, *arms), **{"probes": LOOKED_AT, **recipe}), patch)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    return proven(tmp_path_factory.mktemp("narrow") / "run", NARROW)


def test_a_model_tuned_on_nonsense_breaks_every_guard_and_its_honest_twin_none(tmp_path: Path) -> None:
    proof = proven(tmp_path / "run", HONEST, NONSENSE, probes=None)
    assert not [each for each in proof.unmeasured if each.failed]
    assert broken(proof, NONSENSE) >= BY_DEFAULT
    assert broken(proof, HONEST) == set()
    assert (proof.verdict.use, proof.verdict.fine_tune) == (HONEST, True)
    told = "\n".join(detail.en for detail in proof.verdict.details)
    assert "nearly the same answer to everything (collapsed)" in told
    assert "Guard broken by" in told
    moved = next(each for each in proof.measures if (each.arm, each.name, each.slice) == (NONSENSE, "kl", {}))
    assert moved.value > 10 * 0.1, "ten times as far as another wording moves the base"


def test_nonsense_alone_is_answered_with_do_not_fine_tune(tmp_path: Path) -> None:
    proof = proven(tmp_path / "run", NONSENSE, probes=("repetition",))
    assert (proof.verdict.use, proof.verdict.fine_tune) == (BASE, False)
    assert proof.verdict.sentence.en.startswith("Do not fine-tune: it makes the answers worse.")
    assert any(detail.en.startswith("Training did harm") for detail in proof.verdict.details)


def test_a_specialist_that_can_nothing_else_is_ruled_out_by_default_and_ends_with_3_where_the_user_set_the_bound(
    tmp_path: Path, narrow: Proof
) -> None:
    assert broken(narrow, NARROW) == {"forgetting.all", "safety.refusals"}
    assert (narrow.verdict.use, narrow.verdict.otherwise, narrow.verdict.stopped) == (BASE, NARROW, None)
    stop_if_guarded(narrow)
    strict = proven(tmp_path / "strict", NARROW, guards={"forgetting.all": 0.05}, probes=("forgetting",))
    assert (strict.verdict.use, strict.verdict.stopped) == (BASE, "no_tuned_arm")
    with pytest.raises(typer.Exit) as ended:
        stop_if_guarded(strict)
    assert ended.value.exit_code == 3


def test_who_needs_nothing_but_the_task_is_told_how_to_say_so_and_then_gets_the_specialist(
    tmp_path: Path, narrow: Proof
) -> None:
    told = "\n".join(detail.en for detail in narrow.verdict.details)
    assert "--guard forgetting.all=1" in told
    assert "interpolate=true" in told
    assert "--guard forgetting.all=1" in "\n".join(detail.ko for detail in narrow.verdict.details)
    freed = proven(tmp_path / "loose", NARROW, guards={"forgetting.all": 1.0}, probes=("forgetting",))
    assert (freed.verdict.use, freed.verdict.fine_tune) == (NARROW, True)


@pytest.mark.parametrize(
    ("bound", "value"), [("repetition.same_answer", 0.5), ("format.form_json", 0.9), ("forgetting.kl", 1)]
)
def test_a_bound_of_the_user_is_broken_by_nonsense_and_kept_by_the_honest_twin(
    bound: str, value: float, tmp_path: Path
) -> None:
    probes = (bound.partition(".")[0],)
    proof = proven(tmp_path / "run", HONEST, NONSENSE, guards={bound: value}, probes=probes)
    assert bound in broken(proof, NONSENSE)
    assert bound not in broken(proof, HONEST)


def test_compare_calls_the_step_from_honest_to_nonsense_a_regression_and_ends_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SONMAT_RUNS", str(tmp_path))
    monkeypatch.setenv("SONMAT_LANG", "en")
    proven(tmp_path / "good", HONEST, probes=("repetition",))
    proven(tmp_path / "worse", NONSENSE, probes=("repetition",))
    assert main(["compare", "good", f"worse:{NONSENSE}"]) == 3
    assert "is worse than" in capsys.readouterr().out
    assert main(["compare", f"worse:{NONSENSE}", f"good:{HONEST}"]) == 0
