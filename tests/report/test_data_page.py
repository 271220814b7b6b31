"""The page on data that was audited: what it draws, quotes and leaves out, in both languages and in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sonmat import plugins
from sonmat.conformance import findings_of
from sonmat.core.text import LANGUAGES, Language, Text
from sonmat.core.values import Audit, Example, Source
from sonmat.plugins import find_kind
from sonmat.runs import EventLog, RunFolder, read_value, write_value
from sonmat.steps.report import labels, write_data_page, write_report
from sonmat.steps.report.collect import collect, collect_data
from sonmat.steps.report.contents import Report
from sonmat.steps.report.data import MOST_QUOTED
from sonmat.steps.report.data_charts import Bounds, Dot, banded_curve, scatter
from sonmat.steps.report.enough import enough_curve
from sonmat.steps.report.map import data_map, mapped_rows
from tests.report.made_audit import CLASSES, SECRET, audited_run, diversity, divided, enough
from tests.report.made_run import classification_run
from tests.report.reading import Page
from tests.report.test_browser import WIDTHS, laid_out


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return audited_run(tmp_path_factory.mktemp("runs") / "mails")


@pytest.fixture(scope="module")
def written(audited: RunFolder) -> dict[Language, str]:
    return {language: write_data_page(audited, language).read_text(encoding="utf-8") for language in LANGUAGES}


def test_the_page_has_every_section_on_data_and_none_on_training(written: dict[Language, str]) -> None:
    for language in LANGUAGES:
        page = Page(written[language])
        assert [part["id"] for part in page.tags("section")] == ["overview", "data", "findings", "map", "enough"]
        assert page.loads() == []


def test_the_page_needs_neither_split_nor_plan_nor_proof(audited: RunFolder) -> None:
    assert not audited.exists("split")
    summary = collect_data(audited).data_summary
    assert summary.how_split is None
    assert (summary.rows_in, summary.kept, summary.dropped) == (240, 238, 2)
    assert sum(count.undivided for count in summary.classes) == 238


def test_no_personal_data_of_a_row_is_on_the_page(audited: RunFolder, written: dict[Language, str]) -> None:
    assert any(SECRET in example.input["text"] for example in audited.examples())
    (line,) = [each for each in collect_data(audited).data_summary.findings if each.finding.check == "label_errors"]
    assert line.shown[0].row == "row0005", "the row with the address is among the examples"
    for language in LANGUAGES:
        assert SECRET not in written[language]
        assert "kim.chulsoo" not in written[language]


def test_markup_in_labels_slices_and_words_stays_text(written: dict[Language, str]) -> None:
    page = Page(written["en"])
    for name in ("b-is-no-tag", "i", "u"):
        assert not [each for each in page.tags(name) if "class" not in each]
    assert any("<b-is-no-tag>" in text for text in page.texts)
    assert any("<i>chat</i>" in text for text in page.texts)
    assert any("<u>word</u>" in text for text in page.texts)


def test_every_finding_has_examples_also_of_rows_that_were_dropped(audited: RunFolder) -> None:
    lines = {line.finding.check: line for line in collect_data(audited).data_summary.findings}
    assert [quoted.row for quoted in lines["label_errors"].shown] == ["row0005", "row0006", "row0007"]
    assert [quoted.row for quoted in lines["duplicates"].shown] == ["row0000", "row0001"]
    assert max(len(line.shown) for line in lines.values()) <= MOST_QUOTED
    assert lines["label_errors"].title.ko != "label_errors"


def test_rows_are_counted_by_class_slice_and_file(audited: RunFolder) -> None:
    summary = collect_data(audited).data_summary
    kept = list(audited.kept_examples())
    assert {count.label: count.rows for count in summary.classes} == {
        label: sum(example.target["label"] == label for example in kept) for label in CLASSES
    }
    (channel,) = summary.slices
    assert (channel.column, sum(count.rows for count in channel.counts)) == ("channel", 238)
    assert {count.label: count.rows for count in summary.files} == {
        file: sum(example.source.file == file for example in kept) for file in ("one.csv", "two.csv")
    }


def test_a_split_is_drawn_by_part_and_cross_validation_is_said(tmp_path: Path) -> None:
    folder = divided(audited_run(tmp_path / "mails"))
    summary = collect_data(folder).data_summary
    assert sum(count.train for count in summary.classes) == summary.train > 0
    assert sum(count.undivided for count in summary.classes) == 0
    divided(folder, folds=5, repeats=3)
    summary = collect_data(folder).data_summary
    assert (summary.folds, summary.repeats) == (5, 3)
    assert sum(count.undivided for count in summary.classes) == 238
    page = write_data_page(folder, "ko").read_text(encoding="utf-8")
    assert "5-폴드 교차 검증을 3번 반복" in page


def test_a_blocker_is_said_at_the_top(tmp_path: Path) -> None:
    folder = audited_run(tmp_path / "mails", blocked=True)
    texts = Page(write_data_page(folder, "en").read_text(encoding="utf-8")).texts
    assert labels.DATA_BLOCKED.en in texts
    assert "sonmat run" not in " ".join(texts)
    assert labels.DATA_USABLE.en in Page(write_data_page(audited_run(tmp_path / "b"), "en").read_text()).texts


def test_the_map_shows_every_suspicious_row_with_a_ring(audited: RunFolder, written: dict[Language, str]) -> None:
    drawn = re.findall(r"<svg[^>]*class=\"chart map\".*?</svg>", written["en"], re.DOTALL)
    (plot,) = drawn
    dots = ElementTree.fromstring(plot).findall("{http://www.w3.org/2000/svg}circle")
    assert len(dots) == 238
    ringed = [dot for dot in dots if "marked" in dot.get("class", "")]
    assert len(ringed) == 3
    assert dots[-3:] == ringed, "they lie above the others"
    assert "label_errors" in "".join(ringed[0].itertext())
    assert all(0 <= float(dot.get("cx", "").rstrip("%")) <= 100 and 0 <= float(dot.get("cy", "")) <= 420 for dot in dots)


def test_the_figures_are_those_that_the_checks_give() -> None:
    examples = [
        Example(
            id=f"row{number}",
            input={
                "text": f"{('the parcel came late', 'the bill was too high')[number % 2]} {number} {'ab'[number % 2] * 5}"
            },
            target={"label": ("delivery", "payment")[number % 2]},
            source=Source(file="f.csv", row=number + 2),
        )
        for number in range(160)
    ]
    kind = find_kind("text-classification")
    found = [
        *findings_of(plugins.find("checks", "diversity"), examples, kind),
        *findings_of(plugins.find("checks", "enough"), examples, kind),
    ]
    drawn = data_map(found, {example.id: example for example in examples})
    assert drawn is not None
    assert mapped_rows(found) == {point.row for point in drawn.points}
    assert {point.label for point in drawn.points} == {"delivery", "payment"}
    assert len(drawn.clusters) == 1 + max(point.cluster for point in drawn.points)
    assert enough_curve(found) is not None


def test_the_curve_tells_what_was_got_right() -> None:
    curve = enough_curve([enough(240)])
    assert curve is not None
    assert all(point.low <= point.value <= point.high <= 1 for point in (*curve.measured, *curve.fitted))
    assert [point.value for point in curve.measured] == sorted(point.value for point in curve.measured)
    assert enough_curve([]) is None
    assert enough_curve([enough(240).model_copy(update={"data": {"rows_now": 9, "usual": 100}})]) is None


def test_a_curve_and_a_map_are_well_formed_whatever_the_numbers() -> None:
    one = Bounds(10.0, 0.5, 0.5, 0.5)
    for plot in (
        banded_curve("a & b", [one], [one], (10.0, "now"), (str, str, str)),
        banded_curve("a", [one], [], (500.0, "now <b>"), (str, str, str)),
        scatter("a", [Dot(0.0, 0.0, "c0", "<script>")]),
    ):
        assert ElementTree.fromstring(plot).get("role") == "img"


def test_data_without_findings_has_a_page(tmp_path: Path) -> None:
    folder = audited_run(tmp_path / "mails")
    audit = folder.audit()
    write_value(folder.file("audit.json"), Audit(findings=(), rows_in=240, kept=238, changed=0, dropped=2))
    page = Page(write_data_page(folder, "ko").read_text(encoding="utf-8"))
    assert [part["id"] for part in page.tags("section")] == ["overview", "data", "findings"]
    assert labels.NO_FINDINGS.ko in page.texts
    assert audit.findings


def test_the_report_of_a_whole_run_has_the_map_and_the_curve_too(tmp_path: Path) -> None:
    folder = classification_run(tmp_path / "support", rows=300)
    audit = folder.audit()
    found = (*audit.findings, diversity(list(folder.kept_examples())), enough(300))
    write_value(folder.file("audit.json"), audit.model_copy(update={"findings": found}))
    page = Page(write_report(folder, "en", EventLog(None)).read_text(encoding="utf-8"))
    sections = [part["id"] for part in page.tags("section")]
    assert sections[sections.index("data") : sections.index("plan")] == ["data", "findings", "map", "enough"]
    assert read_value(folder.file("report.json"), Report) == collect(folder)


def test_paths_of_the_machine_are_not_on_the_page(tmp_path: Path) -> None:
    folder = audited_run(tmp_path / "mails")
    audit = folder.audit()
    what = Text(en=f"See {tmp_path}/mails/x.log.", ko=f"{tmp_path}/mails/x.log를 보세요.")
    spoilt = audit.findings[0].model_copy(update={"what": what})
    write_value(folder.file("audit.json"), audit.model_copy(update={"findings": (spoilt,)}))
    assert str(tmp_path) not in write_data_page(folder, "en").read_text(encoding="utf-8")


@pytest.mark.real
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_of_the_data_page_sticks_out(
    browser: str, written: dict[Language, str], tmp_path: Path, width: int
) -> None:
    shown, room, hidden = laid_out(browser, tmp_path, written["ko"], width)
    assert shown <= room
    assert hidden == 0
