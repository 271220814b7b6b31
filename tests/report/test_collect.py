"""What the report says is what the run holds: figures, references, rows as the audit left them, caps on quoted rows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.proof import Prediction
from sonmat.core.text import Language, Text, verbatim
from sonmat.core.values import Example, LedgerLine, Source, Split
from sonmat.runs import EventLog, RunFolder, read_value, write_rows, write_value
from sonmat.steps.report import write_report
from sonmat.steps.report.answers import (
    MOST_CONTRASTS,
    MOST_MISTAKES,
    MOST_SLICES,
    confident_mistakes,
    confusion,
    contrast,
)
from sonmat.steps.report.collect import collect
from sonmat.steps.report.contents import Report, best_of
from sonmat.steps.report.data import data_summary
from sonmat.steps.report.paths import nameless
from tests.report.conftest import MAKERS


def labelled(number: int, text: str = "text", label: str = "a") -> Example:
    return Example(
        id=str(number), input={"text": text}, target={"label": label}, source=Source(file="f.csv", row=number + 2)
    )


def answer(number: int, label: str, confidence: float | None = None) -> Prediction:
    return Prediction(row=str(number), output={"label": label}, confidence=confidence, seconds=0.1)


@pytest.mark.parametrize("name", MAKERS)
def test_report_json_reads_back_as_what_was_collected(runs: dict[str, RunFolder], name: str) -> None:
    write_report(runs[name], "en", EventLog(None))
    assert read_value(runs[name].file("report.json"), Report) == collect(runs[name])


def test_arms_are_compared_with_the_base_model_whichever_way_the_proof_did(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["support"])
    assert report.reference is not None
    assert report.reference.arm.candidate == "zero-shot-smollm2-135m"
    by_name = {line.arm.candidate: line for line in report.arms}
    floor, tuned = by_name["majority"].against, by_name["full-multilingual-e5-small"].against
    assert floor is not None
    assert tuned is not None
    assert (floor.a, floor.b, floor.better) == ("majority", "zero-shot-smollm2-135m", "b")
    assert floor.low < floor.difference < floor.high < 0 < tuned.low < tuned.difference < tuned.high
    made = [c for c in runs["support"].proof().comparisons if {c.a, c.b} == {floor.a, floor.b}]
    assert made[0].a == "zero-shot-smollm2-135m", "the comparison had to be turned round"
    assert (made[0].low, made[0].a_only_right) == (-floor.high, floor.b_only_right)


def test_without_a_base_model_the_floor_is_the_reference(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["shapes"])
    assert report.reference is not None
    assert report.reference.arm.role == "floor"


def test_where_nothing_was_gained_the_best_trained_arm_is_told_against_the_chosen(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["mails"])
    assert report.chosen.reference
    assert report.told.arm.candidate == "lora-smollm2-135m"
    assert report.contrast is not None
    assert (report.contrast.a, report.contrast.b) == ("lora-smollm2-135m", "zero-shot-smollm2-135m")


def test_of_equally_good_arms_the_fastest_is_told(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["support"])
    slow = report.arms[2].arm
    quick = slow.model_copy(update={"candidate": "quick", "seconds_per_answer": slow.seconds_per_answer / 10})
    assert best_of([slow, quick], report.headline) is quick
    worse = quick.model_copy(update={"scores": (slow.headline.model_copy(update={"value": 0.1}),)})
    assert best_of([slow, worse], report.headline) is slow
    assert best_of([slow, worse], report.headline.model_copy(update={"higher_is_better": False})) is worse


def test_confusion_counts_every_answer_and_unknown_ones_too() -> None:
    examples = [labelled(0, label="a"), labelled(1, label="a"), labelled(2, label="b"), labelled(3, label="b")]
    found = confusion("c", examples, {"0": answer(0, "a"), "1": answer(1, "b"), "2": answer(2, "b"), "3": answer(3, "??")})
    assert found is not None
    assert (found.targets, found.answers) == (("a", "b"), ("a", "b", "??"))
    assert found.counts == ((1, 1, 0), (0, 1, 1))
    assert [(pair.target, pair.answer, pair.count) for pair in found.pairs] == [("a", "b", 1), ("b", "??", 1)]


def test_more_than_twenty_five_classes_give_the_commonest_mix_ups_alone() -> None:
    examples = [labelled(number, label=f"class {number % 40}") for number in range(400)]
    given = {example.id: answer(int(example.id), f"class {int(example.id) % 39}") for example in examples}
    found = confusion("c", examples, given)
    assert found is not None
    assert found.counts == ()
    assert 0 < len(found.pairs) <= 15


def test_ten_thousand_wrong_answers_are_counted_and_the_surest_are_named() -> None:
    examples = [labelled(number) for number in range(10_000)]
    given = {example.id: answer(int(example.id), "b", confidence=int(example.id) / 10_000) for example in examples}
    found = confident_mistakes("c", examples, given)
    assert found is not None
    assert (found.count, len(found.rows)) == (10_000, MOST_MISTAKES)
    assert found.rows[:3] == ("9999", "9998", "9997")


def test_gains_and_losses_against_the_base_are_counted_and_ordered() -> None:
    examples = [labelled(number) for number in range(40)]
    tuned = {str(n): answer(n, "a" if n < 30 else "b", confidence=n / 40) for n in range(40)}
    base = {str(n): answer(n, "a" if n >= 10 else "b") for n in range(40)}
    found = contrast("t", "b", examples, tuned, base, ("accuracy",))
    assert found is not None
    assert (found.better_count, found.worse_count, found.equal_count) == (10, 10, 20)
    assert found.better == tuple(str(n) for n in range(9, 9 - MOST_CONTRASTS, -1))
    assert found.worse == tuple(str(n) for n in range(39, 39 - MOST_CONTRASTS, -1))


def test_written_answers_are_contrasted_by_a_graded_metric(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["faq"])
    found, shown = report.contrast, report.side_by_side
    assert found is not None
    assert shown is not None
    assert found.measure.name == "chrf"
    values = {item.row: {answer.candidate: answer.value for answer in item.answers} for item in shown.shown}
    pairs = [(values[row][found.a], values[row][found.b]) for row in found.better if row in values]
    assert pairs
    assert all(value is not None and other is not None and value > other for value, other in pairs)


def test_rows_are_quoted_as_the_audit_left_them(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "support")
    shutil.copytree(runs["support"].path, folder.path)
    before = collect(folder)
    assert before.side_by_side is not None
    row = before.side_by_side.shown[0].row
    ledger = [
        LedgerLine(
            id=line.id, source=line.source, action="changed", reason=verbatim("mended"), input={"text": "mended text"}
        )
        if line.id == row
        else line
        for line in folder.ledger()
    ]
    write_rows(folder.file("ledger.jsonl"), LedgerLine, ledger)
    after = collect(folder)
    assert after.side_by_side is not None
    assert after.side_by_side.shown[0].input == {"text": "mended text"}


def test_slices_are_measured_by_the_headline_metric(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["support"])
    assert {(line.column, line.value) for line in report.slices} == {("channel", "phone"), ("channel", "web")}
    assert sum(line.items for line in report.slices) == report.items
    mean = sum(line.items * line.chosen for line in report.slices) / report.items
    assert mean == pytest.approx(report.chosen.arm.headline.value)
    assert report.slices_in_all == len(report.slices)


def with_a_shop_each(runs: dict[str, RunFolder], tmp_path: Path, shops: int) -> RunFolder:
    """Test rows that come from a few channels, and before that from many shops with a row or two each."""
    folder = RunFolder(Path(shutil.copytree(runs["support"].path, tmp_path / "shops")))
    tested = {row: place for place, row in enumerate(folder.split().test)}
    examples = [
        each.model_copy(update={"slices": {"shop": f"shop {tested[each.id] % shops}", **each.slices}})
        if each.id in tested
        else each
        for each in folder.examples()
    ]
    write_rows(folder.file("examples.jsonl"), Example, examples)
    return folder


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "40 of 92 groups are shown, those with the most rows; 52 smaller ones are left out."),
        ("ko", "집단 92개 가운데 행이 많은 40개만 보여 드립니다. 더 작은 52개는 뺐습니다."),
    ],
)
def test_groups_that_a_page_has_no_room_for_are_the_smallest_and_it_says_how_many(
    runs: dict[str, RunFolder], tmp_path: Path, language: Language, told: str
) -> None:
    folder = with_a_shop_each(runs, tmp_path, shops=90)
    report = collect(folder)
    assert (len(report.slices), report.slices_in_all) == (MOST_SLICES, 92)
    assert [line.column for line in report.slices[-2:]] == ["channel", "channel"]
    shown = [line.items for line in report.slices if line.column == "shop"]
    assert shown == sorted(shown, reverse=True)
    assert told in write_report(folder, language, EventLog(None)).read_text(encoding="utf-8")


def test_where_all_groups_are_shown_none_is_said_to_be_left_out(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    folder = with_a_shop_each(runs, tmp_path, shops=38)
    assert collect(folder).slices_in_all == MOST_SLICES
    assert "smaller ones are left out" not in write_report(folder, "en", EventLog(None)).read_text(encoding="utf-8")


def test_rows_of_the_data_summary_add_up(runs: dict[str, RunFolder]) -> None:
    summary = collect(runs["support"]).data_summary
    assert summary.rows_in == summary.kept + summary.changed + summary.dropped
    assert sum(reason.rows for reason in summary.reasons) == summary.changed + summary.dropped
    assert summary.train + summary.validation + summary.test == summary.kept + summary.changed
    assert sum(c.train + c.validation + c.test for c in summary.classes) == summary.kept + summary.changed
    assert summary.lengths is not None
    assert sum(summary.lengths.counts) == summary.kept + summary.changed
    assert [source.row for source in summary.findings[0].sources] == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("longest", [0, 1, 23, 24, 25, 999, 100_000])
def test_a_histogram_holds_every_row_whatever_the_lengths(tmp_path: Path, longest: int) -> None:
    examples = {str(n): labelled(n, text="x" * (longest * n // 50)) for n in range(51)}
    split = Split(train=tuple(examples), validation=(), test=(), seal="", how=verbatim(""))
    lengths = data_summary(RunFolder(tmp_path), examples.values(), split).lengths
    assert lengths is not None
    assert sum(lengths.counts) == 51
    assert len(lengths.counts) <= 25
    assert lengths.longest == longest


def test_one_giant_row_does_not_flatten_the_histogram(tmp_path: Path) -> None:
    examples = {str(n): labelled(n, text="x" * (100_000 if n == 0 else n)) for n in range(301)}
    split = Split(train=tuple(examples), validation=(), test=(), seal="", how=verbatim(""))
    lengths = data_summary(RunFolder(tmp_path), examples.values(), split).lengths
    assert lengths is not None
    assert sum(lengths.counts) == 301
    assert lengths.edges[-1] < 400


def test_what_is_missing_is_left_out_and_what_failed_is_told(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["few"])
    assert set(report.failed) == {"full-multilingual-e5-small", "lora-smollm2-135m"}
    assert report.curves == ()
    assert report.contrast is None
    assert report.environment.date == ""
    assert [line.failed is not None for line in report.candidates] == [False, True, True]
    assert report.data_summary.findings == ()


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("Out of memory; see /home/kim/runs/a/worker.log.", "Out of memory; see worker.log."),
        ("in /runs/here/candidates/full: nothing", "in full: nothing"),
        ("in /runs/here.", "in here."),
        (r"see C:\Users\kim\runs\log.txt now", "see log.txt now"),
        ("https://example.org/a/b and 3/4 and and/or", "https://example.org/a/b and 3/4 and and/or"),
    ],
)
def test_a_path_in_a_message_is_cut_to_its_last_part(sentence: str, told: str) -> None:
    assert nameless(sentence, [("/runs/here", "here")]) == told


def test_rows_of_the_user_keep_their_paths(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "support")
    shutil.copytree(runs["support"].path, folder.path)
    examples = [example.model_copy(update={"input": pair(example)}) for example in folder.examples()]
    write_rows(folder.file("examples.jsonl"), Example, examples)
    found = collect(folder).side_by_side
    assert found is not None
    assert found.shown[0].input == {"en": "cd /usr/local/bin", "ko": "/usr/local/bin으로 이동"}


def pair(_: Example) -> dict[str, Any]:
    return {"en": "cd /usr/local/bin", "ko": "/usr/local/bin으로 이동"}


def test_a_metric_or_method_that_is_not_installed_is_called_by_its_name(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "support")
    shutil.copytree(runs["support"].path, folder.path)
    plan, proof = folder.plan(), folder.proof()
    write_value(folder.file("plan.json"), plan.model_copy(update={"task": "tea-leaves"}))
    arms = [
        arm.model_copy(
            update={
                "method": "magic",
                "scores": tuple(score.model_copy(update={"metric": f"own_{score.metric}"}) for score in arm.scores),
            }
        )
        for arm in proof.arms
    ]
    write_value(folder.file("proof.json"), proof.model_copy(update={"arms": tuple(arms), "headline": "own_accuracy"}))
    report = collect(folder)
    assert report.task_title == Text(en="tea-leaves", ko="tea-leaves")
    assert report.headline.name == "own_accuracy"
    assert report.slices == ()
    assert write_report(folder, "ko", EventLog(None)).exists()
