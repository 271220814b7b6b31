"""Near-duplicate texts: groups of letters, candidates by MinHash, verdict by the sets themselves."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import numpy as np
import pytest

from sonmat.checking.minhash import MOST_GROUPS, Pairs, TextSets, similar_pairs, similarities
from sonmat.checking.shingles import shingle_sets


def test_spacing_case_and_signs_at_the_edges_of_words_do_not_count() -> None:
    for one, other in (
        ("거실 불 켜 줘", "거실 불켜줘!"),
        ("Hello, World... ok", "hello world OK"),
        ("Ａ회사 ３.5 kg", "a회사 3.5kg"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("진짜\u200b 좋아요?!", "진짜 좋아요"),
    ):
        first, second = _sets([one, other])
        assert first == second, (one, other)


def test_signs_inside_a_word_and_numbers_at_its_end_count() -> None:
    for one, other in (("1+1", "1-1"), ("3.5", "35"), ("채널은 MBC2", "채널은 MBC4"), ("don't", "dont"), ("😀", "😡")):
        first, second = _sets([one, other])
        assert first != second, (one, other)


def test_the_sets_of_a_text_do_not_depend_on_its_neighbours() -> None:
    texts = ["거실 불 켜 줘", "", "a", "😀 emoji", "a\uffffb", " ", "\ud800 half a pair", "Straße", "거실 불 켜 줘"]
    together = _sets(texts)
    assert together == [_sets([text])[0] for text in texts]
    assert together[0] == together[-1]
    assert together[1] == together[5] == set()


def test_groups_are_three_hangul_letters_or_six_of_others() -> None:
    assert len(_sets(["가나다라마바"])[0]) == 4
    # The groups cut off at the end count down to three letters.
    assert len(_sets(["abcdefgh"])[0]) == 6
    assert len(_sets(["ab"])[0]) == 1


def test_similarity_is_the_jaccard_similarity_of_the_sets() -> None:
    texts = _sentences(60, random.Random(1))
    texts += [_changed(text, random.Random(2)) for text in texts]
    sets = _sets(texts)
    first, second = np.triu_indices(len(texts), 1)
    found = similarities(_stored(texts).read(), first, second)
    exact = [len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in zip(first, second, strict=True)]
    assert found == pytest.approx(exact)


def test_the_similarity_of_long_texts_is_estimated_within_three_standard_errors() -> None:
    chance = random.Random(3)
    words = ["".join(chance.choices("가나다라마바사아자차카타파하", k=3)) for _ in range(5000)]
    long = [" ".join(chance.choices(words, k=600)) for _ in range(20)]
    texts = [*long, *(" ".join(_replaced(text.split(), 40, words, chance)) for text in long)]
    sets = _sets(texts)
    assert min(map(len, sets)) > MOST_GROUPS
    found = similarities(_stored(texts).read(), np.arange(20), np.arange(20, 40))
    exact = [len(sets[a] & sets[a + 20]) / len(sets[a] | sets[a + 20]) for a in range(20)]
    assert np.abs(found - exact).max() < 3 * 0.025


@pytest.mark.parametrize("seed", range(3))
def test_pairs_at_the_threshold_and_above_are_found_and_no_others(seed: int) -> None:
    chance = random.Random(seed)
    texts = _sentences(1500, chance)
    texts += [_changed(text, chance) for text in texts]
    sets = _sets(texts)
    true = {
        (place, place + 1500)
        for place in range(1500)
        if len(sets[place] & sets[place + 1500]) >= 0.8 * len(sets[place] | sets[place + 1500])
    }
    found = _found(similar_pairs(_stored(texts).read(), np.arange(len(texts)), 0.8))
    assert len(true) > 300
    assert len(found & true) >= 0.98 * len(true)
    for first, second in found - true:
        assert len(sets[first] & sets[second]) >= 0.8 * len(sets[first] | sets[second])


def test_only_the_places_that_were_asked_for_are_paired() -> None:
    texts = ["오늘 날씨가 아주 좋습니다"] * 4
    assert _found(similar_pairs(_stored(texts).read(), np.array([0, 3]), 0.8)) == {(0, 3)}


def test_an_instruction_before_every_question_makes_no_two_of_them_alike() -> None:
    instruction = " ".join(_sentences(12, random.Random(9)))
    questions = _sentences(400, random.Random(5))
    texts = [f"{instruction} {question}" for question in questions] + [f"{instruction} {questions[7]}!"]
    first, second = np.triu_indices(10, 1)
    assert similarities(_stored(texts).read(), first, second).min() > 0.8
    assert _found(similar_pairs(_stored(texts).read(), np.arange(len(texts)), 0.8)) == {(7, 400)}


def test_crowds_of_nearly_equal_texts_are_found_whole_without_comparing_all_pairs() -> None:
    patterns = _sentences(12, random.Random(8))
    texts = [f"{pattern} 환불해 주시기 바랍니다 {number}" for number in range(100) for pattern in patterns]
    pairs = similar_pairs(_stored(texts).read(), np.arange(1200), 0.8)
    assert len(np.unique(np.concatenate((pairs.first, pairs.second)))) == 1200
    assert len(pairs.first) < 12 * 100 * 99 / 2
    assert {first % 12 == second % 12 for first, second in _found(pairs)} == {True}


def test_texts_that_differ_only_within_a_pattern_of_a_tenth_of_all_are_not_alike() -> None:
    texts = [f"배송이 너무 늦어서 화가 많이 났습니다 환불해 주시기 바랍니다 {number}" for number in range(1000, 2000)]
    assert len(_found(similar_pairs(_stored(texts).read(), np.arange(1000), 0.8))) < 10


def test_no_texts_and_empty_texts_have_no_pairs() -> None:
    for texts in ([], ["", " "], [""]):
        assert not _found(similar_pairs(_stored(texts).read(), np.arange(len(texts)), 0.8))


def test_pairs_are_the_same_however_texts_were_batched() -> None:
    texts = _sentences(300, random.Random(6))
    texts += [_changed(text, random.Random(7)) for text in texts]
    whole, pieces = _stored(texts), TextSets()
    for start in range(0, len(texts), 7):
        pieces.extend(shingle_sets(texts[start : start + 7]))
    assert len(pieces) == len(whole) == 600
    first = similar_pairs(whole.read(), np.arange(600), 0.8)
    assert _found(similar_pairs(pieces.read(), np.arange(600), 0.8)) == _found(first)
    assert all(before <= after for before, after in pairwise(first.first.tolist()))


def _sets(texts: list[str]) -> list[set[int]]:
    found = shingle_sets(texts)
    ends = [0, *found.ends.tolist()]
    return [set(found.hashes[begin:end].tolist()) for begin, end in pairwise(ends)]


def _stored(texts: list[str]) -> TextSets:
    stored = TextSets()
    stored.extend(shingle_sets(texts))
    return stored


def _found(pairs: Pairs) -> set[tuple[int, int]]:
    found = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(found) == len(set(found))
    return set(found)


def _words() -> list[str]:
    syllables = [one + other for one, other in combinations("가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허", 2)]
    return syllables + ["".join(letters) for letters in combinations("aeioustr", 4)]


def _sentences(count: int, chance: random.Random) -> list[str]:
    return [" ".join(chance.choices(_words(), k=chance.randint(8, 20))) for _ in range(count)]


def _changed(text: str, chance: random.Random) -> str:
    return " ".join(_replaced(text.split(), 1, _words(), chance))


def _replaced(words: list[str], times: int, others: list[str], chance: random.Random) -> list[str]:
    for _ in range(times):
        words[chance.randrange(len(words))] = chance.choice(others)
    return words
