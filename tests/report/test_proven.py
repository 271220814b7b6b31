"""What the page says of probes, guards, forgetting, calibration and latency: all of it, of any probe, and no more than it can hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sonmat.core.proof import Change, Measure
from sonmat.core.text import LANGUAGES, Text, verbatim
from sonmat.core.values import Event
from sonmat.runs import EventLog, RunFolder, write_value
from sonmat.steps.report import proof_labels, write_report
from sonmat.steps.report.collect import collect
from sonmat.steps.report.evidence import MOST_OF_FIGURE, MOST_OF_PAGE
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.probe_lines import MOST_SETS, MOST_SLICES
from sonmat.steps.report.probed import PlanePoint
from sonmat.steps.report.quantities import Quantities
from sonmat.steps.report.training_told import training_told
from tests.report.conftest import Pages
from tests.report.made_measures import BASE, CHANGED, HOSTILE_NAME, TUNED, UNKNOWN, proven_run
from tests.report.made_rows import HOSTILE
from tests.report.reading import Page


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return proven_run(tmp_path / "proven")


def page_of(folder: RunFolder) -> Page:
    return Page(write_report(folder, "en", EventLog(None)).read_text(encoding="utf-8"))


def with_measures(folder: RunFolder, *measures: Measure) -> RunFolder:
    proof = folder.proof()
    write_value(folder.file("proof.json"), proof.model_copy(update={"measures": (*proof.measures, *measures)}))
    return folder


def a_measure(**changed: object) -> Measure:
    told = {
        "probe": UNKNOWN,
        "name": "legs",
        "title": verbatim("legs"),
        "arm": TUNED,
        "value": 4.0,
        "items": 3,
        "unit": "count",
    }
    return Measure.model_validate({**told, **changed})


# ── any probe appears ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plot_of_slices_is_not_called_by_the_title_of_one_of_them(folder: RunFolder) -> None:
    of_one = [a_measure(slice={"coat": coat}, title=verbatim(f"legs of {coat}")) for coat in ("red", "blue")]
    with_measures(folder, a_measure(title=verbatim("legs of all")), *of_one)
    (section,) = [each for each in collect(folder).proven.sections if each.probe == UNKNOWN]
    (line,) = [each for each in section.lines if each.name == "legs"]
    assert [found.title.en for found in line.slices if found.columns == ("coat",)] == ["legs of all"]


def test_every_measure_of_every_probe_has_its_place_on_the_page(runs: dict[str, RunFolder], pages: Pages) -> None:
    for name in ("proven", "calibrated"):
        page, measures = Page(pages[name, "en"]), runs[name].proof().measures
        whole = {f"measure-{each.probe}-{each.name}" for each in measures if not each.slice}
        assert whole <= page.ids()
        assert {f"probe-{each.probe}" for each in measures} <= page.ids()


def test_a_probe_that_nobody_has_heard_of_appears_with_its_figures(pages: Pages) -> None:
    page = Page(pages["proven", "en"])
    assert f"measure-{UNKNOWN}-stripes" in page.ids()
    said = " ".join(page.texts)
    assert "−1.5" in said
    assert "−2.25 – −0.5" in said
    assert "+0.75" in said


def test_a_slice_of_any_column_is_drawn_with_its_number_of_items(folder: RunFolder) -> None:
    sliced = [
        a_measure(name="spots", value=value, slice={"coat": coat}, items=17) for coat, value in (("a b", 1), ("c", 2))
    ]
    said = " ".join(page_of(with_measures(folder, *sliced)).texts)
    assert "a b (n = 17)" in said
    assert "c (n = 17)" in said


def test_nothing_of_a_probe_can_become_markup(pages: Pages) -> None:
    for language in LANGUAGES:
        page = Page(pages["proven", language])
        assert len(page.tags("script")) == 1
        assert "alert" not in page.scripts[0]
        assert not page.tags("b-is-no-tag")
        said = " ".join(page.texts)
        assert HOSTILE_NAME in said
        assert "<b>강원</b>" in said
        assert "49" not in said.replace(HOSTILE, ""), "a template in a row was evaluated"
        assert "\u202e" not in said


def test_a_title_that_is_markup_would_be_seen_if_it_were_not_escaped(pages: Pages) -> None:
    spoilt = pages["proven", "en"].replace("&lt;script&gt;", "<script>").replace("&lt;/script&gt;", "</script>")
    assert len(Page(spoilt).tags("script")) > 1


# ── what stands first ───────────────────────────────────────────────────────────────────────────────────────────────


def test_broken_guards_are_told_with_bound_value_interval_and_reason(pages: Pages) -> None:
    page = Page(pages["proven", "en"])
    said = " ".join(page.texts)
    assert "5.0 points of harm" in said
    assert "9.4 %" in said
    assert "4.1 % – 14.6 %" in said
    assert "worse beyond noise than before tuning" in said
    assert proof_labels.UNKNOWN.en in page.texts
    assert page.texts.index(proof_labels.BROKEN.en) < page.texts.index(proof_labels.GAIN_SHORT.en)


def test_what_could_not_be_measured_is_said(pages: Pages) -> None:
    page = Page(pages["proven", "ko"])
    assert proof_labels.UNMEASURED.ko in page.texts
    assert any("메모리가 부족했습니다." in text for text in page.texts)


def test_what_would_change_the_verdict_and_broken_guards_are_told_once(runs: dict[str, RunFolder], pages: Pages) -> None:
    said = " ".join(Page(pages["proven", "en"]).texts)
    assert said.count(CHANGED.en) == 1
    report = collect(runs["proven"])
    assert len(report.proven.remarks) == len(report.verdict.details) - 2


def test_every_arm_says_how_many_guards_it_keeps(pages: Pages) -> None:
    texts = Page(pages["proven", "en"]).texts
    assert "✕ 0 of 2 kept" in texts
    assert "✓ 1 of 1 kept" in texts


def test_no_arm_is_called_recommended_where_none_keeps_its_guards(folder: RunFolder) -> None:
    proof = folder.proof()
    verdict = proof.verdict.model_copy(update={"stopped": "no_arm"})
    write_value(folder.file("proof.json"), proof.model_copy(update={"verdict": verdict}))
    texts = page_of(folder).texts
    assert proof_labels.NONE_RECOMMENDED.en in texts
    assert not {"use this", "Use", "Fine-tuning pays off"} & set(texts)


# ── changes and what lies behind them ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("higher", "difference", "beyond", "sign"),
    [
        (True, 0.1, True, "▲"),
        (True, -0.1, True, "▼"),
        (False, 0.1, True, "▼"),
        (None, 0.1, True, "◆"),
        (True, 0.1, False, ""),
    ],
)
def test_a_change_is_told_by_sign_and_words(higher: bool | None, difference: float, beyond: bool, sign: str) -> None:
    change = Change(difference=difference, low=0.0, high=0.2, beyond_noise=beyond)
    mark = Quantities(Phrasing("en")).mark(a_measure(higher_is_better=higher, change=change))
    assert mark is not None
    assert mark.sign == sign
    assert mark.words == {"▲": "better", "▼": "worse", "◆": "changed", "": "within noise"}[sign]


def test_changes_are_counted_by_what_they_mean(runs: dict[str, RunFolder]) -> None:
    sections = {section.probe: section for section in collect(runs["proven"]).proven.sections}
    (safety,) = sections["safety"].changes
    assert (safety.arm, safety.better, safety.worse, safety.other, safety.within) == (TUNED, 1, 1, 0, 1)


def test_each_figure_leads_to_its_rows(runs: dict[str, RunFolder]) -> None:
    sections = {section.probe: section for section in collect(runs["proven"]).proven.sections}
    lost = next(line for line in sections["forgetting"].lines if line.name == "all")
    first = lost.figures[0].shown[0]
    assert first.input
    assert first.target
    assert [words.arm for words in first.said] == [TUNED, BASE]
    own, test_row, _, gone = next(iter(sections[UNKNOWN].lines)).figures[0].shown
    assert "my refund?" in own.input
    assert own.said[0].output.startswith(TUNED)
    assert test_row.source is not None
    assert test_row.target
    assert (gone.row, gone.said) == ("gone", ())


def test_a_row_that_was_asked_in_another_form_shows_what_was_said_then(runs: dict[str, RunFolder]) -> None:
    sections = {section.probe: section for section in collect(runs["proven"]).proven.sections}
    (shown,) = sections["stability"].lines[0].figures[0].shown
    assert [(words.arm, words.way.ko if words.way else None) for words in shown.said] == [
        (TUNED, None), (BASE, None), (TUNED, "오타가 하나 있으면"),
    ]  # fmt: skip
    assert shown.said[-1].output == "배솜은 어떻게 하나요? → 배솜은 없습니다."


def test_a_remark_on_all_arms_is_told_once(runs: dict[str, RunFolder], pages: Pages) -> None:
    sections = {section.probe: section for section in collect(runs["proven"]).proven.sections}
    guessing = [line.note for line in sections["forgetting"].lines if line.name == "reading"]
    assert guessing == [Text(en="Guessing gets 25%.", ko="찍어서 맞힐 확률은 25%입니다.")]
    assert Page(pages["proven", "en"]).texts.count("Guessing gets 25%.") == 6


def test_what_nobody_can_read_is_not_called_an_empty_answer(folder: RunFolder) -> None:
    unread = a_measure(probe="views", rows=("knowledge-en-01",))
    sections = {section.probe: section for section in collect(with_measures(folder, unread)).proven.sections}
    (shown,) = sections["views"].lines[0].figures[0].shown
    assert shown.input
    assert (shown.said, shown.target) == ((), "")


def test_a_test_row_that_is_shown_in_full_is_one_click_away(runs: dict[str, RunFolder], pages: Pages) -> None:
    report, page = collect(runs["proven"]), Page(pages["proven", "en"])
    assert report.side_by_side is not None
    rows = {row for each in runs["proven"].proof().measures for row in each.rows[:MOST_OF_FIGURE]}
    anchors = {anchor for row in rows if (anchor := report.side_by_side.anchor(row))}
    assert anchors
    assert anchors & {link["href"].removeprefix("#") for link in page.tags("a")}


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_stays_small_whatever_the_proof_holds(folder: RunFolder) -> None:
    before = len(write_report(folder, "en", EventLog(None)).read_bytes())
    rows = tuple(folder.split().test[:20])
    many = [a_measure(name=f"m{number}", rows=rows) for number in range(120)]
    slices = [
        a_measure(name=f"s{of}", value=number, slice={"zoo": str(number)}, rows=rows)
        for of in range(MOST_SETS + 2)
        for number in range(MOST_SLICES + 6)
    ]
    report = collect(with_measures(folder, *many, *slices))
    shown = [figure.shown for section in report.proven.sections for line in section.lines for figure in line.figures]
    assert sum(map(len, shown)) == MOST_OF_PAGE
    zebra = next(section for section in report.proven.sections if section.probe == UNKNOWN)
    assert (len(zebra.slices), zebra.slices_in_all) == (MOST_SETS, MOST_SETS + 2)
    assert {len(each.figures) for each in zebra.slices} == {MOST_SLICES}
    page = page_of(folder)
    assert folder.file("report.html").stat().st_size < before + 1_000_000
    said = " ".join(page.texts)
    assert f"{MOST_SETS} of {MOST_SETS + 2} plots of slices are drawn" in said
    assert f"{MOST_SLICES} of {MOST_SLICES + 6} slices are drawn" in said
    assert "20 rows show it; they are named in proof.json." in said


def test_the_worst_slice_is_drawn_first_and_named(runs: dict[str, RunFolder], pages: Pages) -> None:
    sections = {section.probe: section for section in collect(runs["proven"]).proven.sections}
    (by_region,) = sections["fairness"].slices
    assert by_region.figures[-1].slice == {"region": "서울"}
    assert by_region.figures[0].slice == {"region": "<b>강원</b>"}
    assert any(text.startswith(f"Worst of {TUNED}: <b>강원</b>, 55.0") for text in Page(pages["proven", "en"]).texts)


# ── the plane, confidences, times, training ─────────────────────────────────────────────────────────────────────────


def test_the_plane_sets_gain_against_forgetting(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["proven"])
    plane = report.proven.plane
    assert plane is not None
    origin, tuned = plane.points
    assert origin == PlanePoint(
        arm=BASE, forgetting=0, forgetting_low=None, forgetting_high=None, gain=0, gain_low=None, gain_high=None
    )
    compared = report.told.against
    assert compared is not None
    assert (tuned.arm, tuned.forgetting, tuned.gain) == (TUNED, 0.094, compared.difference)
    assert (plane.bound, plane.floor) == (0.05, None)


def test_there_is_no_plane_where_no_forgetting_was_measured(runs: dict[str, RunFolder]) -> None:
    assert collect(runs["calibrated"]).proven.plane is None


def test_an_encoder_is_placed_by_how_far_its_view_moved(folder: RunFolder) -> None:
    proof = folder.proof()
    likeness = {"probe": "forgetting", "items": 148, "unit": "share", "arm": TUNED}
    measures = (
        a_measure(**{**likeness, "name": "cka", "value": 0.7, "low": 0.6, "high": 0.8}),
        a_measure(**{**likeness, "name": "wording_cka", "value": 0.98}),
    )
    write_value(folder.file("proof.json"), proof.model_copy(update={"measures": measures, "guards": ()}))
    plane = collect(folder).proven.plane
    assert plane is not None
    point = plane.points[1]
    assert (point.forgetting, point.forgetting_low, point.forgetting_high) == pytest.approx((0.3, 0.2, 0.4))
    assert plane.floor == pytest.approx(0.02)


def test_every_kind_of_confidence_that_was_binned_has_its_plot(runs: dict[str, RunFolder], pages: Pages) -> None:
    found = collect(runs["calibrated"]).proven.reliabilities
    assert len(found) == 4
    assert {len(each.bins) for each in found} == {4}
    assert "corrected confidence" in pages["calibrated", "en"]


def test_without_a_probe_answers_are_binned_with_equal_mass_and_wilson_intervals(runs: dict[str, RunFolder]) -> None:
    folder = runs["support"]
    found = {each.arm: each for each in collect(folder).proven.reliabilities}
    own = found["full-multilingual-e5-small"]
    answers = list(folder.predictions("full-multilingual-e5-small"))
    assert sum(each.items for each in own.bins) == len(answers)
    assert max(each.items for each in own.bins) - min(each.items for each in own.bins) <= 1
    assert all(each.low < each.right <= each.high or each.low <= each.right < each.high for each in own.bins)
    assert [each.confidence for each in own.bins] == sorted(each.confidence for each in own.bins)


def test_an_unknown_end_of_a_quantile_is_an_arrow(pages: Pages) -> None:
    assert 'class="arrow"' in pages["proven", "en"]
    assert 'class="arrow"' not in pages["calibrated", "en"]


def test_training_tells_its_last_budget_and_its_kernels_in_words(pages: Pages) -> None:
    page = Page(pages["proven", "en"])
    assert "Passes of up to 4,096 tokens, 3.1% of it padding." in page.texts
    assert not any("12.0% of it padding" in text for text in page.texts)
    assert "Computed by Sonmat's fused forms for adapters, attention; PyTorch as it is for norms." in page.texts


def test_steps_and_what_other_steps_of_a_run_told_are_not_training() -> None:
    said = Text(en="measuring", ko="재는 중")
    events = [
        Event(at=0, kind="probing", step="answer", message=said),
        Event(at=0, kind="stopped", step="fit", message=said),
        Event(at=0, kind="step", step="fit", data={"step": 1}),
    ]
    assert training_told("lora", events) is None


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "unit", "en", "ko"),
    [
        (0.1234, "share", "12.3\u00a0%", "12.3%"),
        (0.35, "seconds", "350\u00a0ms", "350\u00a0ms"),
        (-2.0, "seconds", "−2\u00a0s", "−2초"),
        (1.2e9, "bytes", "1.2\u00a0GB", "1.2\u00a0GB"),
        (0.214, "nats", "0.214\u00a0nats", "0.214나트"),
        (31.0, "tokens per second", "31\u00a0tokens/s", "초당 31토큰"),
        (3.0, "count", "3", "3"),
        (0.17, "money", "0.17", "0.17"),
        (-1.5, "score", "−1.5", "−1.5"),
    ],
)
def test_a_figure_is_told_in_its_unit(value: float, unit: str, en: str, ko: str) -> None:
    measure = a_measure(value=value, unit=unit)
    assert Quantities(Phrasing("en")).quantity(value, measure.unit) == en
    assert Quantities(Phrasing("ko")).quantity(value, measure.unit) == ko


def test_an_interval_is_told_as_far_as_it_is_known() -> None:
    quantities = Quantities(Phrasing("en"))
    assert quantities.span(a_measure(low=1, high=2)) == "1 – 2"
    assert quantities.span(a_measure(low=1, high=None)) == "1 or more"
    assert quantities.span(a_measure(low=None, high=2)) == "up to 2"
    assert quantities.span(a_measure()) == ""


def test_a_difference_of_shares_is_in_points_and_never_minus_nothing() -> None:
    quantities = Quantities(Phrasing("en"))
    assert quantities.difference(0.131, "share") == "+13.1\u00a0points"
    assert quantities.difference(-0.0001, "share") == "0.0\u00a0points"
    assert quantities.difference(-0.131, "share") == "−13.1\u00a0points"


def test_every_sign_beside_a_figure_also_has_words(pages: Pages) -> None:
    """Colours and signs alone tell nothing to who cannot see them."""
    found = re.findall(r'<span class="change (\w+)">(.*?)</span><small>', pages["proven", "en"], flags=re.DOTALL)
    assert found
    assert all(re.search(r"<b>(better|worse|changed|within noise)</b>", inside) for _, inside in found)
