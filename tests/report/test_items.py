"""Single rows side by side: why they are shown, what every candidate said, counts that add up, nothing hostile or personal."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from sonmat.core.proof import Measure, Passage, Prediction
from sonmat.core.text import Text
from sonmat.core.values import Example, Source
from sonmat.runs import EventLog, RunFolder, write_rows
from sonmat.statistics import wilson_interval
from sonmat.steps.report import item_labels, items, write_report
from sonmat.steps.report.collect import collect
from sonmat.steps.report.contents import Report
from sonmat.steps.report.item_contents import Items
from sonmat.steps.report.item_view import ItemView
from sonmat.steps.report.items import MOST_CELLS, QUOTAS, Told, side_by_side
from sonmat.steps.report.phrasing import Phrasing
from tests.report.conftest import MAKERS, Pages
from tests.report.made_run import classification_run
from tests.report.reading import Page

LABELS = ("tea", "coffee")
HOSTILE = "<script>alert('source')</script><b-is-no-tag>"


def examples(count: int, **slices: Sequence[str]) -> list[Example]:
    return [
        Example(
            id=f"r{number}",
            input={"text": f"question {number}"},
            target={"label": LABELS[number % 2]},
            source=Source(file="drinks.csv", row=number + 2),
            slices={name: values[number % len(values)] for name, values in slices.items()},
        )
        for number in range(count)
    ]


def answers(test: Sequence[Example], wrong: Sequence[int] = (), sure: float = 0.8) -> dict[str, Prediction]:
    return {
        example.id: Prediction(
            row=example.id,
            output={"label": LABELS[(number + (number in wrong)) % 2]},
            confidence=sure - number / 10_000,
            seconds=0.1,
        )
        for number, example in enumerate(test)
    }


def told(chosen: str = "a", reference: str | None = None, measures: tuple[Measure, ...] = ()) -> Told:
    return Told(chosen, reference, None, None, measures, ())


def found(test: Sequence[Example], measures: tuple[Measure, ...] = (), **arms: dict[str, Prediction]) -> Items:
    shown = side_by_side(test, arms, "label", ("accuracy",), told(measures=measures), seed=3)
    assert shown is not None
    return shown


def of_run(folder: RunFolder) -> tuple[Report, Items]:
    report = collect(folder)
    assert report.side_by_side is not None
    return report, report.side_by_side


@pytest.mark.parametrize("name", MAKERS)
def test_every_shown_row_has_a_reason_a_number_and_a_place_of_its_own(runs: dict[str, RunFolder], name: str) -> None:
    _, shown = of_run(runs[name])
    assert [item.number for item in shown.shown] == list(range(1, len(shown.shown) + 1))
    assert len({item.anchor for item in shown.shown}) == len(shown.shown)
    counts = Counter(why for item in shown.shown for why in item.why)
    assert all(item.why for item in shown.shown)
    assert all(counts[why] <= quota for why, quota in QUOTAS.items())
    order = [list(QUOTAS).index(item.why[0]) for item in shown.shown]
    assert order == sorted(order)


def test_the_random_rows_are_the_draw_that_the_seed_names(runs: dict[str, RunFolder]) -> None:
    folder = runs["support"]
    _, shown = of_run(folder)
    test = list(folder.split().test)
    drawn = random.Random(folder.recipe().seed).sample(test, QUOTAS["random"])
    assert {item.row for item in shown.shown if "random" in item.why} == set(drawn)


def test_every_arm_answers_every_row_the_recommended_one_first(runs: dict[str, RunFolder]) -> None:
    report, shown = of_run(runs["support"])
    assert shown.arms[0] == report.verdict.use
    assert set(shown.arms) == {line.arm.candidate for line in report.arms}
    given = {arm: {p.row: p for p in runs["support"].predictions(arm)} for arm in shown.arms}
    for item in shown.shown:
        assert [answer.candidate for answer in item.answers] == list(shown.arms)
        for answer in item.answers:
            assert answer.output == given[answer.candidate][item.row].output
            assert (answer.outcome == "right") == (answer.output["label"] == item.target["label"])


@pytest.mark.parametrize("name", MAKERS)
def test_cells_count_every_test_row_once(runs: dict[str, RunFolder], name: str) -> None:
    report, shown = of_run(runs[name])
    assert sum(cell.rows for cell in shown.cells) == shown.rows == report.items
    assert all(len(cell.outcomes) == len(shown.arms) for cell in shown.cells)


def test_counts_equal_the_accuracy_of_the_proof(runs: dict[str, RunFolder]) -> None:
    report, shown = of_run(runs["support"])
    view = ItemView(report, shown, Phrasing("en"))
    values = {line.arm.candidate: line.arm.headline.value for line in report.arms}
    for arm, tally in zip(shown.arms, view.all_rows(), strict=True):
        assert tally.right / tally.rows == pytest.approx(values[arm])
        interval = wilson_interval(tally.right, tally.rows)
        assert view.detail(tally).endswith(f"{100 * interval.low:.1f}\u00a0% – {100 * interval.high:.1f}\u00a0%")
    lines = view.by_group()
    assert sum(line.rows for line in lines if line.column.en == "channel") == shown.rows


def test_written_answers_are_compared_row_by_row_with_the_reference_arm(runs: dict[str, RunFolder]) -> None:
    report, shown = of_run(runs["faq"])
    assert report.contrast is not None
    assert shown.reference == "zero-shot-gemma3-270m"
    tally = ItemView(report, shown, Phrasing("en")).all_rows()[0]
    assert (tally.right, tally.equal, tally.wrong) == (
        report.contrast.better_count,
        report.contrast.equal_count,
        report.contrast.worse_count,
    )


def test_rows_of_measures_are_shown_those_of_broken_and_clear_ones_first() -> None:
    test = examples(40)
    one = Measure(
        probe="safety", name="toxic", title=Text(en="t", ko="t"), arm="a", value=1, items=1, rows=("r7", "r8", "r9")
    )
    probes_own = one.model_copy(update={"name": "refusals", "rows": ("panel-3",)})
    shown = found(test, measures=(probes_own, one), a=answers(test), b=answers(test))
    assert {item.row for item in shown.shown if "measure" in item.why} == {"r7", "r8"}
    assert shown.anchor("r7") == "item-r7"
    assert shown.anchor("panel-3") is None


def test_of_a_mix_up_the_surest_row_is_shown() -> None:
    test = examples(60)
    shown = found(test, a=answers(test, wrong=(11, 31, 51)))
    assert [item.row for item in shown.shown if "mixed_up" in item.why] == ["r11"]


def test_rows_on_which_arms_are_evenly_split_come_first() -> None:
    test = examples(50)
    shown = found(test, a=answers(test, wrong=(5,)), b=answers(test, wrong=(5, 9)), c=answers(test), d=answers(test))
    assert [item.row for item in shown.shown if "differ" in item.why] == ["r5", "r9"]


def test_too_many_cells_drop_the_last_column_and_say_so() -> None:
    names = [f"value {number}" for number in range(40)]
    chance = random.Random(0)
    test = [
        example.model_copy(update={"slices": {key: chance.choice(names) for key in ("a", "b", "c")}})
        for example in examples(6000)
    ]
    shown = found(test, a=answers(test))
    assert len(shown.cells) <= MOST_CELLS
    assert [column.title.en for column in shown.columns] == ["a", "b"]
    assert shown.left_out[0].en == "c"
    assert sum(cell.rows for cell in shown.cells) == len(test)


def test_rows_that_belong_together_get_no_interval_that_counts_each_as_one(runs: dict[str, RunFolder]) -> None:
    test = [example.model_copy(update={"group": f"g{number // 2}"}) for number, example in enumerate(examples(20))]
    alone = [example.model_copy(update={"group": f"g{number}"}) for number, example in enumerate(examples(20))]
    assert found(test, a=answers(test)).grouped
    assert not found(alone, a=answers(alone)).grouped
    report, shown = of_run(runs["support"])
    view = ItemView(report, shown.model_copy(update={"grouped": True}), Phrasing("en"))
    assert next(view.detail(tally) for tally in view.all_rows()) == "225 of 239"


def test_an_arm_that_left_rows_out_is_unknown_there() -> None:
    test = examples(20)
    some = {row: answer for row, answer in answers(test).items() if row != "r3"}
    shown = found(test, a=answers(test), b=some)
    assert {cell.outcomes for cell in shown.cells} == {"11", "1-"}


def test_texts_are_bounded_and_random_rows_are_kept_before_picked_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    test = [example.model_copy(update={"input": {"text": "long " * 3000}}) for example in examples(60)]
    monkeypatch.setattr(items, "MOST_CHARACTERS", 30_000)
    shown = found(test, a=answers(test, wrong=range(0, 60, 3)), b=answers(test), c=answers(test))
    assert sum(len(item.model_dump_json()) for item in shown.shown) <= 30_000
    assert all("random" in item.why for item in shown.shown)
    assert shown.shown


def test_nothing_is_shown_where_nobody_answered() -> None:
    assert side_by_side(examples(5), {"a": {}}, "label", (), told(), 0) is None


def hostile_run(path: Path) -> RunFolder:
    """Passages, a slice value and an answer that would be markup, and personal data in a passage."""
    folder = classification_run(path, rows=400)
    rows = [
        example.model_copy(update={"slices": {"<i>kind</i>": f"{number % 2}{HOSTILE}"}})
        for number, example in enumerate(folder.examples())
    ]
    write_rows(folder.file("examples.jsonl"), Example, rows)
    use = folder.proof().verdict.use
    passage = Passage(
        id="p", place=Text(en=f"{HOSTILE}, page 1", ko=f"{HOSTILE} 1쪽"), text=f"{HOSTILE} call kim@example.com"
    )
    given = [
        answer.model_copy(update={"sources": (passage,), "output": {"label": HOSTILE}})
        for answer in folder.predictions(use)
    ]
    write_rows(folder.predictions_file(use), Prediction, given)
    return folder


def test_what_is_planted_in_answers_sources_and_slices_stays_text(tmp_path: Path) -> None:
    page = Page(write_report(hostile_run(tmp_path / "hostile"), "en", EventLog(None)).read_text(encoding="utf-8"))
    assert len(page.tags("script")) == 1
    assert not page.tags("b-is-no-tag")
    assert any(HOSTILE in text for text in page.texts)
    assert not any("kim@example.com" in text for text in page.texts)
    assert any("<i>kind</i>" in text for text in page.texts)


def test_differences_are_marked_by_elements_and_not_by_colour_alone(pages: Pages) -> None:
    page = Page(pages["faq", "en"])
    assert page.tags("ins")
    assert page.tags("del")
    style = "".join(page.styles)
    assert re.search(r"\bins \{[^}]*underline", style)
    assert re.search(r"\bdel \{[^}]*line-through", style)


def test_right_and_wrong_are_said_in_words(pages: Pages) -> None:
    texts = Page(pages["support", "ko"]).texts
    assert item_labels.OUTCOMES["right"].ko in texts
    assert item_labels.OUTCOMES["wrong"].ko in texts


def test_filters_can_be_used_by_keyboard_and_ear_and_are_hidden_without_a_script(pages: Pages) -> None:
    page = Page(pages["support", "en"])
    (form,) = page.tags("form")
    assert "hidden" in form
    assert form["aria-label"]
    (told_aloud,) = page.tags("output")
    assert told_aloud["aria-live"] == "polite"
    selects = page.tags("select")
    assert len(page.tags("label")) == len(selects) == 4
    hidden = [attributes for tag, attributes in page.elements if tag == "article" and "hidden" in attributes]
    assert hidden == [], "without a script every row is there"


def test_links_to_rows_lead_somewhere(pages: Pages) -> None:
    for page in map(Page, pages.values()):
        links = {tag["href"][1:] for tag in page.tags("a") if tag["href"].startswith("#item-")}
        assert links <= page.ids()


@pytest.mark.parametrize("name", MAKERS)
def test_no_english_word_of_the_section_is_left_in_the_korean_page(pages: Pages, name: str) -> None:
    own = {key: text for key, text in vars(item_labels).items() if isinstance(text, Text)}
    seen = set(Page(pages[name, "ko"]).texts) | set(Page(pages[name, "ko"]).words_in_attributes)
    assert [key for key, text in own.items() if text.en in seen and text.en != text.ko] == []
    for text in own.values():
        assert set(re.findall(r"{(\w+)}", text.en)) == set(re.findall(r"{(\w+)}", text.ko))


def test_cells_of_the_confusion_matrix_lead_to_a_row_that_shows_them(runs: dict[str, RunFolder], pages: Pages) -> None:
    report, shown = of_run(runs["support"])
    pair = next(pair for pair in ItemView(report, shown, Phrasing("en")).mix_ups)
    item = next(item for item in shown.shown if item.anchor == pair.anchor)
    assert (item.target["label"], item.answers[0].output["label"]) == (pair.target, pair.answer)
    links = Counter(tag["href"] for tag in Page(pages["support", "en"]).tags("a"))
    assert links[f"#{pair.anchor}"] >= 3, "the row itself, the cell, and the list for keyboards"
    assert shown.mixed_up(pair.target, pair.target) is None


def test_the_same_row_ids_make_the_same_anchors_again(tmp_path: Path) -> None:
    first, second = (of_run(MAKERS["mails"](tmp_path / name))[1] for name in ("one", "two"))
    assert [item.anchor for item in first.shown] == [item.anchor for item in second.shown]
