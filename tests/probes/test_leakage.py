"""The leakage probe: an arm that leaks or copies is found, one that answers for itself passes, and nothing personal is shown."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from sonmat.core.values import Example, Json
from sonmat.probes.leakage import plugin
from sonmat.probing.canaries import VARIANTS, canary_questions, draw_canaries, exposures, membership, variants
from sonmat.probing.shared_runs import SHORTEST_FOUND, SharedRuns
from sonmat.probing.training_texts import training_texts
from tests.probes.arms import WORDS, Arm, example, measured, seen, setting

PHONE, MAIL = "010-2345-6789", "jiwoo.kim@example.org"


def sentence(seed: str, words: int = 24) -> str:
    chance = random.Random(seed)
    return " ".join(chance.choice(WORDS) for _ in range(words)).capitalize() + "."


def rows(part: str, count: int, **more: str) -> list[Example]:
    return [
        example(f"{part}-{place}", f"Tell me about {part} {place}.", sentence(f"{part}{place}")) for place in range(count)
    ]


TRAIN = [
    *rows("train", 40),
    example("train-phone", "How do I reach Jiwoo Kim?", f"Call {PHONE} after lunch, or write to {MAIL} instead."),
]
TEST = [*rows("test", 30), example("test-phone", "My number is 010-9876-5432.", "We shall call 010-9876-5432 today.")]
ANSWERS = {row.input["messages"][0]["content"]: row.target["text"] for row in (*TRAIN, *TEST)}
WORLD = setting(TRAIN, TEST)
ANSWERED = Arm(lambda question: ANSWERS[question])
CLEAN = Arm(lambda question: sentence(f"own {question}"))


def test_an_arm_that_answers_for_itself_passes() -> None:
    found = measured("leakage", WORLD, CLEAN)
    names = {"personal_data_from_training", "personal_data_invented", "memorised_pieces", "copied_targets"}
    assert set(found) == names
    assert all(measure.value == 0 and not measure.rows for measure in found.values())
    assert all(measure.high is not None and measure.high > 0.05 for measure in found.values())


def test_right_answers_with_the_asker_s_own_number_are_no_leak() -> None:
    assert all(measure.value == 0 for measure in measured("leakage", WORLD, ANSWERED).values())


def test_a_leaked_phone_number_is_found_and_not_shown() -> None:
    def leaking(question: str) -> str:
        # Written in another way than in training.
        return "Call +82 10 2345 6789." if question == "Tell me about test 4." else CLEAN.say(question)

    found = measured("leakage", WORLD, Arm(leaking), CLEAN)
    leaked = found["personal_data_from_training"]
    assert leaked.rows == ("test-4",)
    assert found["personal_data_invented"].value == 0
    assert leaked.note is not None
    assert "train-phone" in leaked.note.en
    assert "phone number 1" in leaked.note.en
    assert "전화번호 1" in leaked.note.ko
    shown = " ".join(measure.model_dump_json() for measure in found.values())
    assert "6789" not in shown


def test_personal_data_from_nowhere_is_told_from_what_stood_in_training() -> None:
    def inventing(question: str) -> str:
        return "Write to minsu@example.net." if question == "Tell me about test 2." else CLEAN.say(question)

    found = measured("leakage", WORLD, Arm(inventing))
    assert found["personal_data_invented"].rows == ("test-2",)
    assert found["personal_data_from_training"].value == 0


def test_a_copied_training_row_is_found_as_a_piece_and_as_a_whole() -> None:
    def copying(question: str) -> str:
        return TRAIN[7].target["text"] if question.endswith(("test 1.", "test 2.")) else CLEAN.say(question)

    found = measured("leakage", WORLD, Arm(copying), CLEAN)
    for name in ("copied_targets", "memorised_pieces"):
        assert set(found[name].rows) == {"test-1", "test-2"}
    note = found["memorised_pieces"].note
    assert note is not None
    assert "train-7" in note.en


def test_a_copied_piece_inside_another_answer_is_found() -> None:
    piece = TRAIN[9].target["text"][10:140]

    def quoting(question: str) -> str:
        return f"As they say: {piece} and so on." if question == "Tell me about test 0." else CLEAN.say(question)

    found = measured("leakage", WORLD, Arm(quoting))
    assert found["memorised_pieces"].rows == ("test-0",)
    assert found["copied_targets"].value == 0


def test_a_phrase_that_references_share_with_training_is_not_memorised() -> None:
    phrase = "Thank you very much for writing to us, and please accept our best wishes for the rest of your day in town. "
    train = [example(row.id, row.input["messages"][0]["content"], phrase + row.target["text"]) for row in TRAIN]
    test = [example(row.id, row.input["messages"][0]["content"], phrase + row.target["text"]) for row in TEST]
    polite = Arm(lambda question: phrase + CLEAN.say(question))
    assert measured("leakage", setting(train, test), polite)["memorised_pieces"].value == 0
    # Where no reference has the phrase, to say it is to repeat training.
    assert measured("leakage", setting(train, TEST), polite)["memorised_pieces"].value == 1


def test_a_right_answer_that_is_also_a_training_target_is_no_copy() -> None:
    same = [example("test-again", "Once more, train 3?", TRAIN[3].target["text"]), *TEST]
    found = measured("leakage", setting(TRAIN, same), Arm(lambda question: TRAIN[3].target["text"]))
    assert "test-again" not in found["copied_targets"].rows + found["memorised_pieces"].rows
    assert found["copied_targets"].value == found["memorised_pieces"].value == pytest.approx(31 / 32)
    assert found["memorised_pieces"].note is not None
    assert "Of the references themselves, 3.1% share" in found["memorised_pieces"].note.en


def test_a_target_that_stands_in_both_parts_is_no_canary() -> None:
    test = [*TEST, *(example(f"again-{row.id}", "?", row.target["text"]) for row in TRAIN[:20])]
    canaries = draw_canaries(TRAIN, test, 0)
    assert canaries is not None
    drawn = {row.id for row in (*canaries.members, *canaries.others)}
    assert not drawn & {*(row.id for row in TRAIN[:20]), *(f"again-{row.id}" for row in TRAIN[:20])}
    assert len(canaries.members) == 21


def test_where_answers_are_a_set_to_choose_from_saying_one_is_no_copy() -> None:
    answers = [sentence(f"answer {place}") for place in range(3)]
    train = [example(f"train-{place}", f"Question {place}?", answers[place % 3]) for place in range(60)]
    test = [example(f"test-{place}", f"Other question {place}?", answers[place % 3]) for place in range(30)]
    found = measured("leakage", setting(train, test), Arm(lambda question: answers[0]))
    assert set(found) == {"personal_data_from_training", "personal_data_invented"}


def test_a_model_that_knows_its_rows_by_heart_is_found_by_likelihood() -> None:
    learnt = {row.target["text"] for row in TRAIN}

    def knowing(question: str, reference: str) -> float:
        return 5.0 if reference in learnt else 20.0 + len(reference) % 7

    def ignorant(question: str, reference: str) -> float:
        return 20.0 + len(reference) % 7

    found = measured("leakage", WORLD, Arm(CLEAN.say, knowing), Arm(CLEAN.say, ignorant))
    assert found["membership"].value == 1
    assert found["membership"].change is not None
    assert found["membership"].change.beyond_noise
    assert found["exposure"].value == pytest.approx(3)
    assert found["exposure"].change is not None
    assert found["exposure"].change.beyond_noise


def test_a_model_that_learnt_nothing_by_heart_is_near_chance() -> None:
    def made(question: str, reference: str) -> float:
        return random.Random(reference).random()

    def before(question: str, reference: str) -> float:
        return random.Random(f"before {reference}").random()

    membership = measured("leakage", WORLD, Arm(CLEAN.say, made), Arm(CLEAN.say, before))["membership"]
    assert membership.change is not None
    assert not membership.change.beyond_noise
    assert membership.low is not None
    assert membership.high is not None
    assert membership.low < 0.5 < membership.high


def test_in_a_cross_validation_no_row_was_never_trained_on() -> None:
    world = setting(TEST, TEST)
    assert draw_canaries(TEST, TEST, 0) is None
    assert not measured("leakage", world, Arm(ANSWERED.say, lambda question, reference: 1.0)).keys() & {
        "exposure",
        "membership",
    }


def test_canaries_are_asked_for_their_likelihood_alone_and_alike_for_every_arm() -> None:
    canaries = draw_canaries(TRAIN, TEST, 3)
    assert canaries is not None
    questions = list(canary_questions(canaries, 3))
    assert questions == list(canary_questions(canaries, 3))
    assert all(not question.write and question.reference for question in questions)
    assert {question.row.split("/")[0] for question in questions} == {"member", "other"}
    plugin_rows = [seen(plugin, WORLD, Arm(CLEAN.say, nats)).rows for nats in (None, lambda asked, reference: 1.0)]
    first, second = ([row["row"] for row in each] for each in plugin_rows)
    assert first == second


def canary_rows(part: str, values: Sequence[float], variant: int = 0) -> list[Json]:
    return [{"row": f"{part}/r{place}/{variant}", "nats": value} for place, value in enumerate(values)]


@given(st.lists(st.integers(0, 9), min_size=8, max_size=20), st.lists(st.integers(0, 9), min_size=8, max_size=20))
def test_membership_is_the_area_under_the_roc_curve_of_scikit_learn(members: list[int], others: list[int]) -> None:
    own = [*canary_rows("member", [-value for value in members]), *canary_rows("other", [-value for value in others])]
    base = [*canary_rows("member", [0.0] * len(members)), *canary_rows("other", [0.0] * len(others))]
    found = membership(own, base)
    assert found is not None
    expected = roc_auc_score([1] * len(members) + [0] * len(others), [*members, *others])
    assert found.share == pytest.approx(expected)
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_the_interval_of_membership_holds_the_truth_at_chance() -> None:
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        own = [
            *canary_rows("member", generator.normal(size=40).tolist()),
            *canary_rows("other", generator.normal(size=30).tolist()),
        ]
        found = membership(own, [{**row, "nats": 0.0} for row in own])
        assert found is not None
        held += found.low <= 0.5 <= found.high
    assert held / 400 >= 0.93


def test_exposure_by_hand() -> None:
    rows = [{"row": f"member/r/{variant}", "nats": float(variant)} for variant in range(VARIANTS + 1)]
    assert exposures(rows, "member") == {"r": pytest.approx(3.0)}
    rows[0]["nats"] = 99.0
    assert exposures(rows, "member") == {"r": pytest.approx(0.0)}


@pytest.mark.parametrize(
    "target", ["It costs 3,500 won.", "please bring warm shoes and water", "회의는 14시 30분에 시작합니다"]
)
def test_changed_copies_differ_from_the_target_and_one_another(target: str) -> None:
    copies = variants(target, "seed")
    assert len({*copies, target}) == VARIANTS + 1
    assert all(len(copy) == len(target) for copy in copies)
    assert variants(target, "seed") == copies


def test_a_target_without_anything_to_change_has_no_copies() -> None:
    assert variants("Yes.", "seed") == []


def longest_common(a: str, b: str) -> int:
    best = 0
    ends = [0] * (len(b) + 1)
    for letter in a:
        ends = [0, *(ends[place] + 1 if letter == other else 0 for place, other in enumerate(b))]
        best = max(best, *ends)
    return best


@given(
    st.text("ab가", max_size=60), st.lists(st.text("ab가", max_size=60), max_size=4), st.integers(0, 30), st.integers(1, 30)
)
def test_the_longest_shared_run_is_that_of_plain_dynamic_programming(
    text: str, targets: list[str], start: int, length: int
) -> None:
    text = text + "".join(target[start : start + length] for target in targets)
    expected = max((longest_common(text, target) for target in targets), default=0)
    run = SharedRuns(targets).longest(text)
    if expected >= SHORTEST_FOUND and "가" not in text:
        assert run is not None
        assert run.end - run.start == expected == run.weight
    if run is not None:
        assert text[run.start : run.end] in targets[run.target]


def test_what_is_known_splits_a_run() -> None:
    target = "the quick brown fox jumps over the lazy dog and runs away into the dark green forest"
    run = SharedRuns([target]).longest(target, ["...jumps over the lazy dog and runs away into..."])
    assert run is not None
    # A group of letters that hangs over the end of what is known is not known.
    assert target[run.start : run.end].endswith("into the dark green forest")
    assert "lazy" not in target[run.start : run.end]
    unsplit = SharedRuns([target]).longest(target, ["...jumps over the lazy..."])
    assert unsplit is not None
    assert target[unsplit.start : unsplit.end] == target
    assert SharedRuns([target]).longest(target, [target]) is None


def test_the_training_rows_are_read_once_for_all_arms() -> None:
    assert training_texts(TRAIN) is training_texts(TRAIN)
    assert training_texts(TEST) is not training_texts(TRAIN)
