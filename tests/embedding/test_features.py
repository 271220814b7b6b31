"""Features without a model: near rows get near vectors, everything has length 1, the same rows give the same numbers."""

from __future__ import annotations

import wave
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import sparse

from sonmat.core.values import Example, Source
from sonmat.embedding.letter_groups import group_counts, letter_group_features
from sonmat.embedding.pictures import picture_features
from sonmat.embedding.sample import DrawnSample, unwatched
from sonmat.embedding.sounds import sound_features
from sonmat.plugins import find_kind

DELIVERY = [f"배송이 {day}일째 오지 않아요, 언제 도착하나요" for day in range(2, 12)]
REFUND = [f"{price}원을 환불받고 싶어요, 취소해 주세요" for price in range(100, 110)]


def groups_by_hand(text: str) -> Counter[str]:
    """The groups that the features are counts of, spelt out for texts of plain Latin or Hangul words."""
    found: Counter[str] = Counter()
    for word in text.lower().split():
        dense = "가" <= word[0] <= "힣"
        marked = word if dense else f" {word} "
        for size in (1, 2, 3) if dense else (2, 3, 4, 5):
            found.update(marked[at : at + size] for at in range(len(marked) - size + 1))
    return found


def equal(first: sparse.csr_array, second: sparse.csr_array) -> bool:
    return bool(np.array_equal(first.toarray(), second.toarray()))


@pytest.mark.parametrize("text", ["refund", "a refund please", "배송 문의", "환불해 주세요 please", "a", "가", ""])
def test_groups_of_letters_are_those_counted_by_hand(text: str) -> None:
    counts = group_counts([text, "something else entirely"])
    assert sorted(counts[[0]].data.tolist()) == sorted(groups_by_hand(text).values())


def test_no_group_reaches_over_the_end_of_a_text() -> None:
    apart = group_counts(["refund", "please", "환불", "요청"])
    assert equal(apart, group_counts(["환불", "요청", "refund", "please"])[[2, 3, 0, 1]])
    assert equal(apart[[0]], group_counts(["refund"]))


def test_composed_and_decomposed_korean_and_case_are_the_same() -> None:
    composed, apart = group_counts(["환불 REFUND"]), group_counts(["\u1112\u116a\u11ab\u1107\u116e\u11af refund"])
    assert equal(composed, apart)


def test_texts_about_one_thing_are_nearer_than_texts_about_another() -> None:
    features = letter_group_features(DELIVERY + REFUND)
    assert np.allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    alike = features @ features.T
    assert alike[:10, :10].min() > alike[:10, 10:].max()
    assert np.array_equal(features, letter_group_features(DELIVERY + REFUND))


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["a", "a", "a"], ["\ud800", "b b"], ["!!", "??"]])
def test_texts_that_say_nothing_have_vectors_too(texts: list[str]) -> None:
    features = letter_group_features(texts)
    assert len(features) == len(texts)
    assert np.allclose(np.linalg.norm(features, axis=1), 1)


def test_a_long_text_costs_no_more_than_its_share() -> None:
    assert group_counts(["refund " * 100_000]).sum() == group_counts(["refund " * 1_000]).sum()


def test_pictures_of_one_kind_are_nearer_than_of_another_and_a_broken_one_is_no_obstacle(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    paths = []
    for number in range(12):
        pixels = chance.integers(0, 60, (40, 50, 3), dtype=np.uint8)
        pixels[:, :25, 0 if number < 6 else 2] += 150
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels).save(paths[-1])
    (tmp_path / "broken.png").write_bytes(paths[0].read_bytes()[:200])
    features = picture_features([*paths, tmp_path / "broken.png", tmp_path / "missing.png"], unwatched)
    assert np.allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    alike = features @ features.T
    assert alike[:6, :6].min() > alike[:6, 6:12].max()
    assert picture_features([], unwatched).shape[0] == 0


def tone(path: Path, hertz: float, noise: float, seed: int, rate: int = 16_000) -> Path:
    times = np.arange(rate // 2) / rate
    signal = np.sin(2 * np.pi * hertz * times) * 0.3 + np.random.default_rng(seed).normal(0, noise, len(times))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(signal, -1, 1) * 32_000).astype("<i2").tobytes())
    return path


def test_sounds_of_one_kind_are_nearer_than_of_another_whatever_their_rate(tmp_path: Path) -> None:
    low = [tone(tmp_path / f"low{n}.wav", 200 + 5 * n, 0.001, n, 16_000 if n % 2 else 22_050) for n in range(5)]
    high = [tone(tmp_path / f"high{n}.wav", 3000 + 50 * n, 0.1, n) for n in range(5)]
    (tmp_path / "broken.wav").write_bytes(b"RIFF nothing")
    features = sound_features([*low, *high, tmp_path / "broken.wav"], unwatched)
    assert np.allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    alike = features @ features.T
    assert alike[:5, :5].min() > alike[:5, 5:10].max()


def test_the_sample_of_sound_and_pictures_says_what_its_features_rest_on(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 300, 0.01, 0)
    sample = DrawnSample(find_kind("audio-classification"), 0)
    sample.see(
        [
            Example(id=str(n), input={"audio": str(path)}, target={"label": "a"}, source=Source(file="", row=n))
            for n in range(3)
        ]
    )
    assert sample.features.shape[0] == 3
    assert sample.features_from.en == "loudness of bands of pitch"
