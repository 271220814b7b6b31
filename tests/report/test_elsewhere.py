"""What the report says of an arm that another machine answers for, of its reference, and of names that hold markup."""

from __future__ import annotations

from pathlib import Path

import pytest
from markupsafe import Markup

from sonmat.cli.verdict import reference_arm
from sonmat.core.proof import Proof
from sonmat.core.text import Text
from sonmat.runs import RunFolder, write_value
from sonmat.steps.report import card_labels, labels, proof_labels
from sonmat.steps.report.card import model_card
from sonmat.steps.report.collect import collect
from sonmat.steps.report.contents import Report
from sonmat.steps.report.page import render_page, shell_commands
from sonmat.steps.report.phrasing import Phrasing
from tests.report.conftest import MAKERS
from tests.report.reading import Page

OUR_MEMORY = 123_456_789_000


@pytest.fixture
def asked_elsewhere(tmp_path: Path) -> RunFolder:
    """The recommended arm of a run, said to be an endpoint."""
    folder = MAKERS["faq"](tmp_path / "faq")
    proof, plan = folder.proof(), folder.plan()
    use = proof.verdict.use
    there = {"elsewhere": True, "base": None, "role": "base", "peak_bytes": OUR_MEMORY}
    arms = tuple(arm.model_copy(update=there) if arm.candidate == use else arm for arm in proof.arms)
    candidates = tuple(
        each.model_copy(
            update={
                "elsewhere": True,
                "base": None,
                "role": "base",
                "estimate": each.estimate.model_copy(update={"peak_bytes": OUR_MEMORY}),
            }
        )
        if each.id == use
        else each
        for each in plan.candidates
    )
    write_value(folder.file("proof.json"), proof.model_copy(update={"arms": arms}))
    write_value(folder.file("plan.json"), plan.model_copy(update={"candidates": candidates}))
    return folder


def test_memory_of_our_own_process_is_not_told_for_an_arm_that_is_asked_elsewhere(asked_elsewhere: RunFolder) -> None:
    report = collect(asked_elsewhere)
    size = " ".join(Phrasing("en").size(OUR_MEMORY).split())
    assert report.chosen.arm.elsewhere
    assert size not in told_by(report, asked_elsewhere)
    assert proof_labels.ELSEWHERE.en in told_by(report, asked_elsewhere)
    here = tuple(line.model_copy(update={"arm": line.arm.model_copy(update={"elsewhere": False})}) for line in report.arms)
    ours = report.model_copy(update={"arms": here})
    assert size in told_by(ours, asked_elsewhere), "the same figure of an arm of this machine is told"


def told_by(report: Report, folder: RunFolder) -> str:
    return " ".join(Page(render_page(report, folder.path, "en")).texts)


def test_the_card_of_an_endpoint_claims_no_base_model_and_no_training(asked_elsewhere: RunFolder) -> None:
    card = model_card(collect(asked_elsewhere), Phrasing("en"))
    assert card_labels.ELSEWHERE.en in card
    assert card_labels.LICENCE_ELSEWHERE.en in card
    assert card_labels.NO_TUNING.en.split("(")[0] not in card
    assert labels.CARD_LICENCE_NONE.en not in card


def test_the_table_and_the_page_have_the_same_reference(runs: dict[str, RunFolder]) -> None:
    for folder in runs.values():
        reference = collect(folder).reference
        assert reference is not None
        assert reference_arm(folder.proof()).candidate == reference.arm.candidate


def test_of_two_equal_bases_the_table_names_the_faster_as_the_page_does(runs: dict[str, RunFolder]) -> None:
    proof: Proof = runs["faq"].proof()
    base = next(arm for arm in proof.arms if arm.role == "base")
    faster = base.model_copy(update={"candidate": "faster", "seconds_per_answer": base.seconds_per_answer / 2})
    both = proof.model_copy(update={"arms": (*proof.arms, faster)})
    assert reference_arm(both).candidate == "faster"


def test_a_file_name_with_markup_stays_a_name_in_the_card(asked_elsewhere: RunFolder) -> None:
    report = collect(asked_elsewhere).model_copy(update={"data": "a`<img src=x>`\nb.csv"})
    assert "from `a'<img src=x>' b.csv`." in model_card(report, Phrasing("en"))


def test_rows_of_a_cross_validation_are_not_said_to_have_been_sealed_before_training(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["faq"])
    folded = report.model_copy(update={"data_summary": report.data_summary.model_copy(update={"folds": 5})})
    for each, there, gone in ((report, "sealed before", "had not seen it"), (folded, "had not seen it", "sealed before")):
        for text in (told_by(each, runs["faq"]), model_card(each, Phrasing("en"))):
            assert there in text
            assert gone not in text


def test_a_name_that_the_shell_would_read_is_quoted(asked_elsewhere: RunFolder) -> None:
    report = collect(asked_elsewhere).model_copy(update={"name": "it's; rm"})
    assert shell_commands(report, Phrasing("en")).startswith("""sonmat predict 'it'"'"'s; rm' """)


def test_names_are_escaped_once() -> None:
    said = Phrasing("en").say(Text(en="<first>: {sources}", ko="{sources}"), sources=Markup.escape("a&b.csv"))
    assert said == Markup("&lt;first&gt;: a&amp;b.csv")
    assert hasattr(said, "__html__")
