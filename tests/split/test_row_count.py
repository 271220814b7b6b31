"""What the audit says about the number of rows is what the split then does."""

from __future__ import annotations

from pathlib import Path

from sonmat.core.values import Example, Finding
from sonmat.core.watching import Surroundings
from sonmat.embedding.sample import DrawnSample
from sonmat.plugins import find, find_kind
from sonmat.reading.rows import in_batches
from sonmat.steps.split.folding import FEWEST_TEST_ROWS
from tests.data.made import job, table
from tests.split.rows_made import labelled


def findings_of(examples: list[Example]) -> list[Finding]:
    kind = find_kind("text-classification")
    ids = [example.id for example in examples]
    data = Surroundings(kind, len(examples), ids, ("en",), 0, DrawnSample(kind, 0), lambda *_, **__: None)
    watch = find("checks", "row_count").watch(data)
    assert watch is not None
    for rows in in_batches(examples):
        watch.see(rows)
    return list(watch.findings())


def test_below_twenty_rows_nothing_can_be_told() -> None:
    (found,) = findings_of([labelled(n) for n in range(19)])
    assert found.severity == "blocker"
    assert "at least 20 are needed" in found.what.en


def test_few_rows_are_said_to_be_cross_validated() -> None:
    (found,) = findings_of([labelled(n) for n in range(199)])
    assert (found.severity, "cross-validated" in found.what.en, "교차 검증" in found.what.ko) == ("warning", True, True)
    assert "--folds 0" in found.fix.en
    # The audit does not know what the split was asked for.
    assert "unless a small one is asked for" in found.what.en
    assert not findings_of([labelled(n) for n in range(200)])


def test_rows_that_are_divided_already_are_not_promised_folds() -> None:
    for examples in (
        [labelled(n, time="2024-01-01") for n in range(60)],
        [labelled(n, part="test" if n > 40 else "train") for n in range(60)],
    ):
        (found,) = findings_of(examples)
        assert "cross-validated" not in found.what.en
        assert "only very large differences" in found.what.en


def test_the_check_and_the_split_agree_where_folds_begin(tmp_path: Path) -> None:
    assert round(0.15 * 200) == FEWEST_TEST_ROWS
    few = job(tmp_path, "t.csv", table(60))
    assert few.split().folds
    assert "Cross-validated" in few.told.message("split").en
