"""The verdict table: what it holds, how wide it is, and which arm the others are measured against."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from sonmat.cli.verdict import broken_name, difference_to, print_verdict, reference_arm
from sonmat.core.proof import Proof
from sonmat.core.text import Language, set_language
from tests.cli.conftest import widest
from tests.report.made_run import bare_run, chat_run, classification_run, image_run, no_gain_run

BASE = "zero-shot-smollm2-135m"


def printed(proof: Proof, width: int = 80) -> str:
    stream = io.StringIO()
    print_verdict(Console(file=stream, width=width, markup=False, highlight=False), proof)
    return stream.getvalue()


@pytest.mark.parametrize("make", [classification_run, chat_run, image_run, no_gain_run, bare_run])
def test_the_table_fits_80_columns_and_names_every_arm(make: object, tmp_path: Path) -> None:
    assert callable(make)
    proof = make(tmp_path / "run").proof()
    text = printed(proof)
    assert widest(text) <= 80
    for arm in proof.arms:
        assert broken_name(arm.candidate).splitlines()[0] in text


def test_it_holds_metric_interval_seconds_memory_and_the_paired_difference(tmp_path: Path) -> None:
    proof = classification_run(tmp_path / "run", rows=300).proof()
    text = printed(proof).replace("\u00a0", " ")
    chosen = next(line for line in text.splitlines() if "✓" in line)
    arm = next(arm for arm in proof.arms if arm.candidate == proof.verdict.use)
    assert f"{100 * arm.headline.value:.1f}" in chosen
    assert "12.3 ms" in chosen
    assert f"{arm.peak_bytes / 1e6:.0f} MB" in chosen
    comparison = difference_to(proof, arm.candidate, BASE)
    assert comparison is not None
    assert f"+{100 * comparison.difference:.1f}" in chosen
    assert f"{100 * comparison.low:.1f}" in text
    assert f"{100 * arm.headline.low:.1f}" in text


def test_the_base_is_the_reference_and_without_one_the_floor_is(tmp_path: Path) -> None:
    assert reference_arm(classification_run(tmp_path / "a", rows=200).proof()).candidate == BASE
    proof = image_run(tmp_path / "b").proof()
    assert reference_arm(proof).candidate == "majority"
    assert "no base model" in printed(proof)


def test_a_comparison_made_the_other_way_is_turned_round(tmp_path: Path) -> None:
    proof = classification_run(tmp_path / "run", rows=200).proof()
    straight = difference_to(proof, "majority", BASE)
    turned = difference_to(proof, BASE, "majority")
    assert straight is not None
    assert turned is not None
    assert (turned.low, turned.high) == (-straight.high, -straight.low)
    assert turned.difference == -straight.difference
    assert {straight.better, turned.better} in ({"a", "b"}, {"neither"})


def test_failed_arms_stand_in_the_table_with_their_reason(tmp_path: Path) -> None:
    text = printed(bare_run(tmp_path / "run").proof()).replace("\n", " ")
    assert "lora-smollm2-135m:" in text
    assert "infinite" in text


def test_long_names_are_broken_behind_hyphens() -> None:
    assert broken_name("head-only-multilingual-e5-small") == "head-only-\nmultilingual-e5-small"
    assert broken_name("majority") == "majority"
    assert broken_name("averyveryverylongnamewithouthyphens") == "averyveryverylongnamewithouthyphens"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_names_are_broken_behind_hyphens_however_narrow_the_screen(tmp_path: Path, language: Language) -> None:
    proof = classification_run(tmp_path / "run", rows=200).proof()
    set_language(language)
    for width in (74, 80):
        words = set(re.findall(r"[\w-]+", printed(proof, width)))
        parts = {
            part for arm in proof.arms for line in broken_name(arm.candidate, 12).splitlines() for part in line.split("-")
        }
        assert all(any(part in word for word in words) for part in parts), width


def test_where_no_arm_keeps_its_guards_none_is_marked(tmp_path: Path) -> None:
    proof = classification_run(tmp_path / "run", rows=200).proof()
    assert "✓" in printed(proof)
    none = proof.model_copy(update={"verdict": proof.verdict.model_copy(update={"stopped": "no_arm"})})
    assert "✓" not in printed(none)
