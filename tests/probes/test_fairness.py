"""The fairness probe: planted unfairness is found and named, a fair arm is not accused, few rows are not judged."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from sonmat import plugins
from sonmat.conformance import check_probe
from sonmat.conformance.probe import Reciter, made_setting, reciter
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure, Prediction
from sonmat.core.protocols import No, Yes
from sonmat.core.values import Example, Source, Spec
from sonmat.probes.fairness import plugin
from sonmat.probing.fairness import Outcomes, p_values_against_the_rest, rate_of, widest_gap, worst_interval
from tests.probes import arms
from tests.probes.arms import candidate

Answer = Callable[[Example], str]
LABELS = ("no", "yes")


def world(
    count: int, slices: Callable[[int], Mapping[str, str]], group: Callable[[int], str | None] | None = None
) -> Setting:
    """Rows whose label goes round independently of slices that go by `place % 4` and the like."""
    chance = random.Random(7)
    test = [
        Example(
            id=f"row-{place}",
            input={"text": f"question {place:04}"},
            target={"label": chance.choice(LABELS)},
            source=Source(file="made.csv", row=place),
            slices=dict(slices(place)),
            group=group(place) if group else None,
        )
        for place in range(count)
    ]
    return replace(made_setting(), spec=Spec(labels=LABELS), train=(), test=test)


def by_gender(place: int) -> Mapping[str, str]:
    return {"gender": "mf"[place % 2]}


def other(label: str) -> str:
    return "no" if label == "yes" else "yes"


def right(example: Example) -> str:
    return str(example.target["label"])


def right_on_men(example: Example) -> str:
    return right(example) if example.slices["gender"] == "m" else other(right(example))


def often_right(share: float, seed: int = 0) -> Answer:
    """Right by chance, whatever the slice."""
    chance = random.Random(seed)
    return lambda example: right(example) if chance.random() < share else other(right(example))


def seen(setting: Setting, answer: Answer, id: str = "tuned") -> Seen:
    answers = {row.id: Prediction(row=row.id, output={"label": answer(row)}, seconds=0.0) for row in setting.test}
    return Seen(candidate(id), answers, ())


def measures(setting: Setting, answer: Answer, base: Answer | None = None) -> list[Measure]:
    return list(plugin.measure(setting, seen(setting, answer), seen(setting, base, "base") if base else None))


def named(found: Sequence[Measure], name: str, **slice: str) -> Measure:
    (one,) = [each for each in found if each.name == name and (not slice or each.slice == slice)]
    return one


def english(measure: Measure) -> str:
    assert measure.note is not None
    return measure.note.en


# ── planted unfairness ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_arm_that_is_right_on_men_only_is_found_out() -> None:
    found = measures(world(80, by_gender), right_on_men)
    worst, gap = named(found, "worst_gender"), named(found, "gap_gender")
    assert (worst.value, worst.items, worst.slice) == (0.0, 40, {})
    assert "(f)" in worst.title.en
    assert worst.high is not None
    assert worst.high < 0.2
    assert len(worst.rows) == 20
    assert all(int(row.removeprefix("row-")) % 2 for row in worst.rows)
    assert gap.value == 1.0
    assert gap.low is not None
    assert gap.low > 0.8
    assert "Unlike the rest beyond noise: 'f', 'm'" in english(gap)
    assert "Below the rest" in english(named(found, "score", gender="f"))
    assert "Above the rest" in english(named(found, "score", gender="m"))
    assert named(found, "equalised_odds_gender").value == 1.0
    assert named(found, "equal_opportunity_gender").low > 0.5  # type: ignore[operator]


def test_tuning_that_hurts_the_worst_slice_is_a_change_beyond_noise_that_guards_see() -> None:
    change = named(measures(world(80, by_gender), right_on_men, right), "worst_gender").change
    assert change is not None
    assert change.difference == -1
    assert change.beyond_noise
    assert change.high < 0


def test_unfairness_that_tuning_did_not_make_is_no_change() -> None:
    change = named(measures(world(80, by_gender), right_on_men, right_on_men), "worst_gender").change
    assert change is not None
    assert (change.difference, change.beyond_noise) == (0, False)


def test_a_fault_that_only_two_columns_together_show_is_found() -> None:
    crossed = world(240, lambda place: {"gender": "mf"[place % 2], "age": ("old", "young")[place // 2 % 2]})

    def answer(example: Example) -> str:
        unlike = (example.slices["gender"] == "f") == (example.slices["age"] == "old")
        return other(right(example)) if unlike else right(example)

    found = measures(crossed, answer)
    assert named(found, "gap_gender").low == 0
    assert named(found, "worst_age_x_gender").value == 0
    assert named(found, "gap_age_x_gender").low > 0.8  # type: ignore[operator]
    assert named(found, "score", age="old", gender="f").items == 60


# ── a fair arm ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fair_arm_is_not_accused_although_its_slices_differ_by_chance() -> None:
    found = measures(world(200, lambda place: {"region": "abcde"[place % 5]}), often_right(0.7))
    gap = named(found, "gap_region")
    assert gap.value > 0
    assert gap.low == 0
    assert "No slice differs" in english(gap)
    assert all(each.note is None for each in found if each.name == "score")


def test_of_many_fair_arms_hardly_any_has_a_slice_unlike_the_rest() -> None:
    """One column of six slices and one of two; Holm keeps the chance of any false accusation at 5 %."""
    rows = [f"row-{place}" for place in range(240)]
    parts = [rows[start::6] for start in range(6)]
    accused = 0
    for seed in range(200):
        chance = random.Random(seed)
        outcomes = Outcomes({row: float(chance.random() < 0.7) for row in rows}, True, {})
        accused += min(p_values_against_the_rest(parts, outcomes, seed)) * 6 <= 0.05
    assert accused <= 16  # 99 % quantile of 200 trials at 5 %


def test_intervals_of_worst_and_gap_hold_the_truth_of_a_fair_arm() -> None:
    held_worst = held_gap = 0
    for seed in range(200):
        chance = random.Random(seed)
        slices = [rate_of([chance.random() < 0.7 for _ in range(40)], [None] * 40) for _ in range(6)]
        interval, spread = worst_interval(slices), widest_gap([slices])
        assert spread is not None
        held_worst += interval.holds(0.7)
        held_gap += spread.low == 0
    assert held_worst >= 184
    assert held_gap >= 184


def test_rows_of_one_person_are_one_piece_of_evidence() -> None:
    """Two persons with 40 rows each: one is served, one is not, and that says nothing of men and women."""
    alone = measures(world(80, by_gender), right_on_men)
    together = measures(world(80, by_gender, group=lambda place: f"person {place % 2}"), right_on_men)
    assert named(alone, "gap_gender").low > 0.8  # type: ignore[operator]
    assert named(together, "gap_gender").low == 0
    assert "No slice differs" in english(named(together, "gap_gender"))
    assert named(together, "equalised_odds_gender").low == 0


# ── few rows, no slices ─────────────────────────────────────────────────────────────────────────────────────────────


def test_small_slices_are_named_and_not_judged() -> None:
    small = world(69, lambda place: {"dialect": "jeju" if place >= 60 else ("seoul", "busan")[place % 2]})
    found = measures(
        small, lambda example: other(right(example)) if example.slices["dialect"] == "jeju" else right(example)
    )
    assert named(found, "too_small_dialect").value == 1
    assert "'jeju' (9)" in english(named(found, "too_small_dialect"))
    assert not [each for each in found if each.slice.get("dialect") == "jeju"]
    assert named(found, "worst_dialect").value == 1.0


def test_one_large_slice_beside_small_ones_is_compared_with_nothing() -> None:
    lone = world(66, lambda place: {"dialect": "jeju" if place >= 60 else "seoul"})
    found = measures(lone, lambda example: other(right(example)) if example.slices["dialect"] == "jeju" else right(example))
    assert sorted({each.name for each in found}) == ["score", "too_small_dialect"]
    assert named(found, "score", dialect="seoul").note is None


def test_without_slices_it_says_no() -> None:
    said = plugin.supports(world(40, lambda place: {}), candidate())
    assert isinstance(said, No)
    assert "--slices" in said.reason.en


@pytest.mark.parametrize("values", [1, 51])
def test_a_column_of_one_value_or_of_names_makes_no_slices(values: int) -> None:
    assert isinstance(plugin.supports(world(153, lambda place: {"name": f"value {place % values}"}), candidate()), No)


def test_questions_in_two_languages_are_slices_of_their_own() -> None:
    plain = world(40, lambda place: {})
    korean, latin = {"text": "배송이 언제 되는지 알고 싶어요"}, {"text": "please tell me when the parcel will come"}
    test = [row.model_copy(update={"input": (korean, latin)[place % 2]}) for place, row in enumerate(plain.test)]
    mixed = replace(plain, test=test)
    assert isinstance(plugin.supports(mixed, candidate()), Yes)
    found = measures(mixed, lambda row: right(row) if row.input == korean else other(right(row)))
    assert "(Latin script)" in named(found, "worst_text_language").title.en


def test_personal_data_in_a_column_is_masked_and_korean_columns_have_names_that_guards_can_write() -> None:
    mailed = world(80, lambda place: {"성별": "남여"[place % 2], "who": ("kim@example.com", "staff")[place % 2]})
    found = measures(mailed, right)
    assert "kim@example.com" not in str(found)
    assert "'성별'" in named(found, "worst_column2").title.en


# ── written answers ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_written_answers_are_judged_by_the_words_they_share_with_the_reference() -> None:
    test = [
        arms.example(f"row-{n}", f"Question {n:03}?", f"amber birch cedar {n}", slices={"gender": "mf"[n % 2]})
        for n in range(60)
    ]
    answers = {row.input["messages"][0]["content"]: row for row in test}

    def say(question: str) -> str:
        row = answers[question]
        return str(row.target["text"]) if row.slices["gender"] == "m" else "amber birch nothing else"

    chat = arms.setting([], test)
    found = list(plugin.measure(chat, arms.seen(plugin, chat, arms.Arm(say)), None))
    worst, gap = named(found, "worst_gender"), named(found, "gap_gender")
    assert worst.value == pytest.approx(0.5)
    assert gap.low > 0  # type: ignore[operator]
    perfect = named(found, "score", gender="m")
    assert perfect.low is not None
    assert perfect.low < perfect.value == 1.0
    assert not [each for each in found if "odds" in each.name]


# ── oracles and contract ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_differences_equal_those_of_fairlearn(seed: int) -> None:
    fairlearn = pytest.importorskip("fairlearn.metrics")
    setting = world(400, lambda place: {"region": "abc"[place % 3]})
    answer = often_right(0.7, seed)
    said = {row.id: answer(row) for row in setting.test}
    found = measures(setting, lambda row: said[row.id])
    rows = setting.test
    features = [row.slices["region"] for row in rows]

    def oracle(name: str) -> float:
        """Of the worst class."""
        values = [
            getattr(fairlearn, name)(
                [right(row) == label for row in rows], [said[row.id] == label for row in rows], sensitive_features=features
            )
            for label in LABELS
        ]
        return max(map(float, values))

    parity = named(found, "demographic_parity_region").value
    assert parity == pytest.approx(oracle("demographic_parity_difference"))
    assert named(found, "equal_opportunity_region").value == pytest.approx(oracle("equal_opportunity_difference"))
    assert named(found, "equalised_odds_region").value == pytest.approx(oracle("equalized_odds_difference"))


def test_the_permutation_test_agrees_with_the_exact_one() -> None:
    chance = random.Random(3)
    rows = [f"row-{place}" for place in range(120)]
    parts = [rows[:40], rows[40:80], rows[80:]]
    of_row = {row: float(chance.random() < (0.55 if row in parts[0] else 0.75)) for row in rows}
    exact = p_values_against_the_rest(parts, Outcomes(of_row, True, {}), 0)
    permuted = p_values_against_the_rest(parts, Outcomes(of_row, False, {}), 0)
    assert permuted == pytest.approx(exact, abs=0.02)


def test_it_keeps_the_contract_of_probes_on_slices() -> None:
    setting = world(80, by_gender)
    turned = {row.input["text"]: {"label": right_on_men(row)} for row in setting.test}
    sound = reciter(setting)
    worse = Reciter({key: turned[text] for key in sound.known if (text := key.split('"')[3])})
    found = check_probe(plugins.find("probes", "fairness"), setting, worse=worse, worse_in="worst_gender")
    assert {"score", "worst_gender", "gap_gender"} <= {each.name for each in found}
