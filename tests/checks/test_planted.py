"""Precision and recall of every check on texts, on faults planted into real clean text, as docs/audit.md says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.checks.planted import CHECKS, score

LEAST_RECALL, LEAST_PRECISION = 0.95, 0.95
MOST_ALARMS = {"parroting": 1}
"""On clean rows. One question of the example data is indeed answered by itself."""
PAGE = Path(__file__).parents[2] / "docs" / "audit.md"


@pytest.mark.parametrize("check", CHECKS)
def test_planted_faults_are_found_and_clean_rows_are_not(check: str) -> None:
    made = score(check)
    assert made.planted > 10
    assert made.recall >= LEAST_RECALL
    assert made.precision >= LEAST_PRECISION
    assert made.false_alarms <= MOST_ALARMS.get(check, 0)
    shown = rf"\| `{check}` \| {made.planted:,} \| {made.precision:.3f} \| {made.recall:.3f} \| {made.false_alarms} of"
    assert re.search(shown, PAGE.read_text(encoding="utf-8")), f"docs/audit.md has other figures for {check}"
