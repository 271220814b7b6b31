"""Measures are known by name before a proof: each probe declares what it may give, and the documents list exactly that."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path

import pytest

from sonmat import plugins
from sonmat.conformance import check_probe
from sonmat.conformance.probe import made_setting
from sonmat.core.probing import declares
from tests.declared import watched_measures

ROOT = Path(__file__).parents[2]
PROBES = {probe.name: probe for probe in plugins.every("probes")}
GIVING = [
    ("calibration", "text-classification"),
    ("cost", "chat"),
    ("counterfactual", "chat"),
    ("leakage", "chat"),
    ("repetition", "chat"),
    ("safety", "chat"),
    ("speed", "chat"),
    ("stability", "chat"),
]
"""Probes that measure something of a tiny run."""


@pytest.mark.parametrize(("name", "task"), GIVING, ids=[name for name, _ in GIVING])
def test_a_measure_that_a_built_in_probe_does_not_declare_is_noticed(
    name: str, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe, setting = PROBES[name], made_setting(task)
    with watched_measures() as undeclared:
        given = check_probe(probe, setting)
        assert given
        assert not undeclared
        left_out = given[-1].name
        fewer = tuple(each for each in probe.measures if not fnmatchcase(left_out, each))
        monkeypatch.setattr(type(probe), "measures", fewer)
        with pytest.raises(AssertionError, match=f"gives a measure '{left_out}' that is none of those that it declares"):
            check_probe(probe, setting)
    assert undeclared == {f"{name}.{left_out}"}


def test_a_probe_that_declares_no_measures_is_none() -> None:
    class Silent(type(PROBES["cost"])):  # type: ignore[misc]
        @property
        def measures(self) -> tuple[str, ...]:
            raise AttributeError

    assert plugins.missing_members(Silent(), "probes") == ["measures"]


@pytest.mark.parametrize("name", PROBES)
def test_no_probe_declares_more_than_it_must(name: str) -> None:
    """A star only where the data gives names, and no name twice."""
    declared = PROBES[name].measures
    starred = {each for each in declared if "*" in each}
    assert len(set(declared)) == len(declared)
    assert name in ("attributes", "fairness") or not starred
    assert not [each for each, other in product(declared, declared) if each != other and fnmatchcase(each, other)]


def test_the_table_of_the_page_on_proofs_lists_exactly_what_is_declared() -> None:
    listed = {name: set(measures) for name, measures in table_of((ROOT / "docs/proof.md").read_text(encoding="utf-8"))}
    assert listed == {name: set(probe.measures) for name, probe in PROBES.items()}


PAGES = sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md"])


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_measure_that_a_page_names_is_declared(page: Path) -> None:
    named = re.findall(r"(?:`|--guard |\{)([a-z]+)\.([a-z0-9_*]+)(?=`|=|: )", page.read_text(encoding="utf-8"))
    of_probes = [(probe, measure) for probe, measure in named if probe in PROBES]
    assert [".".join(each) for each in of_probes if not declares(PROBES[each[0]], each[1])] == []


def table_of(page: str) -> list[tuple[str, list[str]]]:
    """Probes with what stands in backticks beside them, braces written out; options aside."""
    rows = re.findall(r"^\| `([a-z]+)` \| (.*) \|$", page.partition("## Probes")[2].partition("## Guards")[0], re.MULTILINE)
    return [
        (
            name,
            [
                each
                for told in re.findall(r"`([^`]*)`", measures)
                if not told.startswith("--")
                for each in written_out(told)
            ],
        )
        for name, measures in rows
    ]


def written_out(told: str) -> list[str]:
    """'a_{b,c}' is 'a_b' and 'a_c', as in a shell."""
    parts = [part.split(",") for part in re.split(r"[{}]", told)]
    return ["".join(each) for each in product(*parts)]


def test_braces_are_written_out() -> None:
    assert written_out("{a,b}_{c,d}") == ["a_c", "a_d", "b_c", "b_d"]
    assert table_of("## Probes\n\n| `x` | `p{50,95}` with `--price`, `load` |\n") == [("x", ["p50", "p95", "load"])]
