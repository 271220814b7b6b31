"""Votes on pairs of answers: what is shown, what is kept, what it comes to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy.stats import binomtest

import sonmat
from sonmat.blinding import BlindComparison
from sonmat.core.errors import RunError, SettingError
from sonmat.core.proof import Preference
from sonmat.probing.blind_pairs import Pair, read_pairs
from sonmat.probing.preference import preference_measures, preferences
from sonmat.runs import RunFolder
from sonmat.runs.votes import VOTES_FILE, Choice
from tests.blind.made import BASE, OTHER, TUNED, answer, chat_run

ARMS = (TUNED, BASE)


def side_of(pair: Pair, arm: str) -> Choice:
    return "left" if pair.left == arm else "right"


def voted(folder: RunFolder, said: Callable[[int, Pair], Choice], items: int | None = None, who: str = "") -> Preference:
    comparison = BlindComparison(folder, ARMS, items, who)
    for number, pair in enumerate(comparison.pairs):
        comparison.vote(pair, said(number, pair))
    return comparison.reveal()


def test_only_items_with_two_different_answers_are_shown_and_the_others_are_ties(faq: RunFolder) -> None:
    comparison = BlindComparison(faq)
    assert comparison.arms == (TUNED, "head-multilingual-e5-small")
    comparison = BlindComparison(faq, ARMS)
    assert (len(comparison.pairs), comparison.all.identical, comparison.all.items) == (30, 10, 40)
    assert {pair.row for pair in comparison.pairs} == set(faq.split().test[:30])
    assert not any("same" in output["text"] for pair in comparison.pairs for output in pair.outputs.values())
    found = voted(faq, lambda number, pair: "both_good")
    assert (found.identical, found.both_good, found.share) == (10, 30, None)
    assert any("10 have the same answer" in detail.en for detail in found.details)


def test_order_and_sides_are_random_and_the_same_every_time(faq: RunFolder) -> None:
    pairs = read_pairs(faq, ARMS).differing
    assert pairs == read_pairs(faq, (BASE, TUNED)).differing
    assert [pair.row for pair in pairs] != [row for row in faq.split().test if row in {pair.row for pair in pairs}]
    lefts = sum(pair.left == TUNED for pair in pairs)
    assert 8 <= lefts <= 22
    others = read_pairs(faq, (TUNED, OTHER)).differing
    assert [pair.row for pair in others] != [pair.row for pair in pairs]


def test_the_default_is_the_arm_in_use_and_its_untuned_base_else_the_runner_up(faq: RunFolder) -> None:
    assert BlindComparison(faq).arms == (TUNED, OTHER)
    plan = faq.plan()
    used = next(each for each in plan.candidates if each.id == TUNED)
    same_base = [
        each.model_copy(update={"base": used.base}) if each.id == BASE else each for each in plan.candidates
    ]  # fmt: skip
    from sonmat.runs import write_value

    write_value(faq.file("plan.json"), plan.model_copy(update={"candidates": tuple(same_base)}))
    assert BlindComparison(faq).arms == ARMS


@pytest.mark.parametrize(("wins", "ties"), [(24, 0), (18, 4), (15, 0), (3, 20)])
def test_share_interval_and_p_value_are_exact(faq: RunFolder, wins: int, ties: int) -> None:
    def said(number: int, pair: Pair) -> Choice:
        if number < ties:
            return "both_bad"
        return side_of(pair, TUNED if number < ties + wins else BASE)

    found = voted(faq, said)
    decided = 30 - ties
    oracle = binomtest(wins, decided)
    ends = oracle.proportion_ci(0.95, method="exact")
    assert found.share == wins / decided
    assert found.p_value == pytest.approx(oracle.pvalue)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    assert (found.a_better, found.b_better, found.both_bad) == (wins, decided - wins, ties)
    assert (found.better == "neither") == (oracle.pvalue > 0.05)
    if found.better == "neither":
        assert "no proof that they are equally good" in found.sentence.en
        assert found.needed != 0
    else:
        assert found.sentence.en.startswith(f"Asked blind, people prefer the answers of {TUNED}")
        assert found.needed == 0


def test_the_other_order_of_arms_says_the_same_from_the_other_side(faq: RunFolder) -> None:
    found = voted(faq, lambda number, pair: side_of(pair, TUNED if number < 24 else BASE))
    turned = BlindComparison(faq, (BASE, TUNED)).reveal()
    assert turned.share == pytest.approx(1 - (found.share or 0))
    assert (turned.better, found.better) == ("b", "a")
    assert turned.sentence == found.sentence


def test_a_person_who_always_takes_the_left_is_told_and_favours_nobody(faq: RunFolder) -> None:
    found = voted(faq, lambda number, pair: "left")
    assert (found.left, found.right) == (30, 0)
    assert found.left_p_value == pytest.approx(binomtest(30, 30).pvalue)
    assert found.better == "neither"
    assert any("the side mattered" in detail.en for detail in found.details)
    fair = voted(faq, lambda number, pair: side_of(pair, TUNED))
    assert any("no sign that the side mattered" in detail.en for detail in fair.details)


def test_the_latest_word_counts_and_a_skipped_item_does_not(faq: RunFolder) -> None:
    voted(faq, lambda number, pair: side_of(pair, BASE))
    found = voted(faq, lambda number, pair: "skip" if number < 5 else side_of(pair, TUNED))
    assert (found.a_better, found.b_better, found.judged, found.skipped) == (25, 0, 25, 5)


def test_votes_on_answers_that_have_changed_are_dropped_and_told_and_all_others_stay(faq: RunFolder) -> None:
    voted(faq, lambda number, pair: side_of(pair, TUNED))
    words = ["fine"] * 30 + ["same"] * 10
    words[:4] = ["finer", "finer", "finer", "plain"]
    answer(faq, TUNED, words)
    comparison = BlindComparison(faq, ARMS)
    assert len(comparison.choices) == 26
    (found,) = preferences(faq)
    # One of the four is now the same as the base's answer.
    assert (found.dropped, found.judged, found.identical) == (4, 26, 11)
    assert any("4 earlier votes no longer count" in detail.en for detail in found.details)
    # A proof that was written again with the same answers keeps every vote.
    answer(faq, TUNED, ["fine"] * 30 + ["same"] * 10)
    assert preferences(faq)[0].dropped == 0


def test_nothing_is_said_of_votes_that_were_not_revealed(faq: RunFolder) -> None:
    comparison = BlindComparison(faq, ARMS)
    for pair in comparison.pairs[:8]:
        comparison.vote(pair, "left")
    assert preferences(faq) == []
    assert comparison.reveal().judged == 8
    for pair in comparison.pairs[8:12]:
        comparison.vote(pair, "left")
    (told,) = preferences(faq)
    assert (told.judged, told.looked_after) == (8, ())
    now = comparison.reveal()
    assert (now.judged, now.looked_after) == (12, (8,))
    assert any("looked at after 8 items" in detail.en for detail in now.details)
    # Looking twice at the same votes is one look.
    assert comparison.reveal().looked_after == (8,)


def test_a_second_person_who_judges_the_same_items_after_a_look_is_told_too(faq: RunFolder) -> None:
    first, second = BlindComparison(faq, ARMS, 8, "one"), BlindComparison(faq, ARMS, 8, "two")
    for pair in first.pairs:
        first.vote(pair, side_of(pair, TUNED))
    assert first.reveal().looked_after == ()
    for pair in second.pairs:
        second.vote(pair, side_of(pair, TUNED))
    now = second.reveal()
    assert (now.judged, now.looked_after) == (8, (8,))
    assert any("looked at after 8 items" in detail.en for detail in now.details)


def test_several_people_count_once_an_item_as_what_most_say(faq: RunFolder) -> None:
    voted(faq, lambda number, pair: side_of(pair, TUNED), who="A")
    voted(faq, lambda number, pair: side_of(pair, TUNED if number < 20 else BASE), who="B")
    found = voted(faq, lambda number, pair: side_of(pair, TUNED) if number < 24 else "both_bad", who="C")
    assert (found.people, found.a_better, found.split, found.judged) == (3, 24, 6, 30)
    assert (found.shared, found.agreed) == (30, 20)
    assert found.left + found.right == 84


def test_items_that_belong_together_are_one_where_chance_is_concerned(tmp_path: Path) -> None:
    folder = chat_run(tmp_path / "grouped", groups=4)
    found = voted(folder, lambda number, pair: side_of(pair, TUNED))
    # All four groups prefer it: by swaps of groups that happens by chance in 2 of 16 cases.
    assert found.p_value == pytest.approx(2 / 16)
    assert found.better == "neither"
    assert found.low is not None
    assert found.low <= 0.5
    # Four groups could not show even that all agree.
    assert found.smallest_detectable is None
    assert BlindComparison(folder, ARMS).expectation.en.startswith("30 items can show no preference")
    assert any("belong together" in detail.en for detail in found.details)


def test_labels_are_compared_where_they_differ(mails: RunFolder) -> None:
    comparison = BlindComparison(mails, (TUNED, BASE))
    answers = {arm: {each.row: each.output["label"] for each in mails.predictions(arm)} for arm in ARMS}
    differing = [row for row in mails.split().test if answers[TUNED][row] != answers[BASE][row]]
    assert {pair.row for pair in comparison.all.differing} == set(differing)


def test_measures_carry_the_figures_and_the_rows_that_speak_against_it(faq: RunFolder) -> None:
    found = voted(faq, lambda number, pair: side_of(pair, TUNED if number < 24 else BASE))
    (measure,) = preference_measures([found])
    assert (measure.probe, measure.name, measure.arm) == ("blind", f"preferred_to_{BASE}", TUNED)
    assert (measure.value, measure.low, measure.high, measure.items) == (0.8, found.low, found.high, 30)
    assert set(measure.rows) == {pair.row for pair in BlindComparison(faq, ARMS).pairs[24:]}
    assert measure.note is not None
    assert found.sentence.en in measure.note.en
    assert found.sentence.ko in measure.note.ko


def test_fewer_items_are_the_first_of_the_same_order(faq: RunFolder) -> None:
    assert BlindComparison(faq, ARMS, 7).pairs == BlindComparison(faq, ARMS).pairs[:7]
    found = voted(faq, lambda number, pair: side_of(pair, TUNED if number < 5 else BASE), items=7)
    assert found.judged == 7
    needed = next(detail.en for detail in found.details if "more items with a winner" in detail.en)
    assert "too few" in needed


def test_five_votes_are_said_to_show_nothing(faq: RunFolder) -> None:
    found = voted(faq, lambda number, pair: side_of(pair, TUNED), items=5)
    assert found.better == "neither"
    assert found.smallest_detectable is None
    assert any("six at least" in detail.en for detail in found.details)


def test_a_vote_is_on_the_disk_at_once_and_a_torn_line_is_passed_over(faq: RunFolder) -> None:
    comparison = BlindComparison(faq, ARMS)
    comparison.vote(comparison.pairs[0], "left")
    path = faq.file(VOTES_FILE)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["version"] == 1
    assert json.loads(lines[1])["choice"] == "left"
    path.write_bytes(path.read_bytes() + b'{"kind": "vote", "row')
    comparison.vote(comparison.pairs[1], "right")
    assert list(comparison.choices.values()) == ["left", "right"]
    path.write_text(lines[0].replace('"version": 1', '"version": 9') + "\n" + lines[1] + "\n", encoding="utf-8")
    with pytest.raises(RunError, match="format 9"):
        _ = comparison.choices


def test_a_test_set_that_was_changed_is_refused(faq: RunFolder) -> None:
    split = faq.split()
    from sonmat.runs import write_value

    write_value(faq.file("split.json"), split.model_copy(update={"test": split.test[1:]}))
    with pytest.raises(RunError, match="not the one that was sealed"):
        BlindComparison(faq, ARMS)


@pytest.mark.parametrize(
    ("arms", "items", "who", "message"),
    [
        ([TUNED], None, "", "one of two arms, not of 1"),
        ([TUNED, TUNED], None, "", "one of two arms, not of 1"),
        ([TUNED, "zero-shot"], None, "", "Did you mean"),
        (ARMS, 0, "", "0 items cannot be judged"),
        (ARMS, None, "x" * 41, "has 41 letters"),
    ],
    ids=["one", "twice", "unknown", "none", "long"],
)
def test_what_cannot_be_asked_for_is_refused(
    faq: RunFolder, arms: list[str], items: int | None, who: str, message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        BlindComparison(faq, arms, items, who)


def test_a_run_gives_it_in_python(runs: Path, faq: RunFolder) -> None:
    run = sonmat.open_run("faq")
    comparison = run.blind(ARMS, items=3, who=" an  owl ")
    for pair in comparison.pairs:
        comparison.vote(pair, "right")
    with pytest.raises(SettingError, match="choice"):
        comparison.vote(comparison.pairs[0], "rihgt")  # type: ignore[arg-type]
    assert comparison.who == "an owl"
    assert comparison.reveal().judged == 3
    assert [each.judged for each in run.preferences] == [3]
