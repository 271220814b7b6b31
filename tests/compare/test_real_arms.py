"""A real run gets a further arm: nothing of the earlier ones is done again, and broken guards end the command with 3."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonmat.runs import RunFolder
from tests.whole.small_world import make_base, make_reviews, sonmat

pytestmark = pytest.mark.real


def test_an_added_arm_is_fitted_and_proven_and_the_others_are_left_as_they_are(tmp_path: Path) -> None:
    make_base(tmp_path / "base")
    make_reviews(tmp_path / "reviews.csv")
    quick = ("--folds", "0", "--set", "head-only.epochs=1", "--set", "full.epochs=1", "--probes", "speed,cost")
    sonmat("run", "reviews.csv", "--base", "base", "--method", "head-only", *quick, folder=tmp_path)
    folder = RunFolder(tmp_path / "runs" / "reviews")
    seal, before = folder.split().seal, folder.plan().candidates
    kept = [folder.candidate_folder("head-only-base") / "fitted.json", folder.predictions_file("head-only-base")]
    kept += [folder.file("predictions") / f"{arm}.speed.jsonl" for arm in ("majority", "label-names-base")]
    times = [path.stat().st_mtime_ns for path in kept]

    said = sonmat("prove", "reviews", "--add-arm", "full", "--guard", "speed.p95=0", folder=tmp_path, code=3)
    assert "No arm keeps the guards" in said.stdout
    # Those that have looked at the earlier arms have not looked at this one.
    assert "Probes that have yet to look: speed. About " in " ".join(said.stdout.split())
    (checksum,) = {each.base.checksum for each in before if each.base}
    assert folder.plan().mean_tokens[checksum] > 1
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert folder.plan().candidates[: len(before)] == before
    proof = folder.proof()
    assert proof.seal == seal
    assert [arm.candidate for arm in proof.arms] == [*(each.id for each in before), "full-base"]
    assert {measure.arm for measure in proof.measures} == {arm.candidate for arm in proof.arms}
    assert {guard.kept for guard in proof.guards} == {False}
    # Nothing is put into use that does not keep its guards.
    sonmat("run", "reviews", folder=tmp_path, code=3)
    assert not folder.file("release.json").exists()
