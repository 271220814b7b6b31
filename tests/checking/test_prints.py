"""Fingerprints of pictures and sounds: alike for the same, unlike for others, and found among many."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.signal import resample_poly

from sonmat.checking.hamming import near_prints
from sonmat.checking.picture_hash import LEAST_CORRELATION, MOST_BITS, PicturePrint, alike_pictures, picture_print
from sonmat.checking.sound_print import MOST_BITS as MOST_SOUND_BITS
from sonmat.checking.sound_print import SoundPrint, alike_sounds, sound_print

RATE = 16_000


@pytest.mark.parametrize("count", [300, 5000])
def test_prints_that_differ_in_few_bits_are_found_few_or_many(count: int) -> None:
    chance = np.random.default_rng(count)
    prints = chance.integers(0, 2**64, (count, 2), np.uint64)
    for place in range(0, count, 100):
        prints[place + 1] = prints[place]
        for bit in chance.choice(128, 12, replace=False):
            prints[place + 1, bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    planted = {(place << 32) | (place + 1) for place in range(0, count, 100)}
    found = set(near_prints(prints, 18).tolist())
    assert found <= planted
    assert len(found) >= 0.95 * len(planted)


@pytest.mark.parametrize(
    "change", ["scaled", "recompressed", "cropped", "brighter", "squared", "png"], ids=lambda name: str(name)
)
def test_a_picture_keeps_its_print_through(change: str, tmp_path: Path) -> None:
    for seed in range(5):
        picture = scene(seed)
        width, height = picture.size
        other = {
            "scaled": picture.resize((width // 2, height // 2)),
            "recompressed": _recompressed(picture, 40),
            "cropped": picture.crop((width // 50, height // 50, width - width // 50, height - height // 50)),
            "brighter": picture.point(lambda value: min(255, int(value * 1.1 + 5))),
            "squared": picture.resize((224, 224)),
            "png": picture,
        }[change]
        first, second = _print_of(picture, tmp_path / "a.jpg"), _print_of(other, tmp_path / "b.png")
        assert first is not None
        assert second is not None
        codes, similarity = _compared(first, second)
        assert len(codes) == 1, f"{change} {seed}"
        assert similarity[0] >= LEAST_CORRELATION


def test_other_pictures_have_other_prints(tmp_path: Path) -> None:
    prints = [_print_of(scene(seed), tmp_path / f"{seed}.png") for seed in range(30)]
    bits = np.stack([found.bits for found in prints if found is not None])
    assert len(bits) == 30
    assert not len(near_prints(bits, MOST_BITS))


def test_the_same_shape_in_another_colour_is_another_picture(tmp_path: Path) -> None:
    prints = []
    for colour in ("red", "green"):
        picture = Image.new("RGB", (100, 100), "white")
        ImageDraw.Draw(picture).ellipse((20, 30, 70, 90), colour)
        prints.append(_print_of(picture, tmp_path / f"{colour}.png"))
    first, second = prints
    assert first is not None
    assert second is not None
    assert not len(_compared(first, second)[0])


def test_flat_and_broken_pictures_have_no_print(tmp_path: Path) -> None:
    assert _print_of(Image.new("RGB", (50, 50), "white"), tmp_path / "white.png") is None
    (tmp_path / "broken.png").write_bytes(b"\x89PNG not really")
    assert picture_print(tmp_path / "broken.png") is None
    assert picture_print(tmp_path / "missing.png") is None


def test_a_sound_keeps_its_print_through_volume_rate_and_format(tmp_path: Path) -> None:
    for seed in range(3):
        sound = voice(seed)
        first = _print(sound, RATE, tmp_path / "a.wav")
        for other in (
            _print(sound * 0.2, RATE, tmp_path / "b.wav"),
            _print(resample_poly(sound, 1, 2), RATE // 2, tmp_path / "c.wav"),
            _print(sound, RATE, tmp_path / "d.ogg"),
            _print(sound, RATE, tmp_path / "e.flac"),
        ):
            assert _differing(first, other) <= MOST_SOUND_BITS
            assert other.seconds == pytest.approx(first.seconds, rel=0.03)


def test_other_sounds_have_other_prints(tmp_path: Path) -> None:
    prints = [_print(voice(seed), RATE, tmp_path / f"{seed}.wav") for seed in range(8)]
    apart = [_differing(prints[one], prints[other]) for one in range(8) for other in range(one)]
    assert min(apart) > 1.5 * MOST_SOUND_BITS


def test_a_sound_twice_as_long_is_another_sound() -> None:
    bits = np.random.default_rng(0).integers(0, 2**64, (1, 16), np.uint64).repeat(3, axis=0)
    codes, similarity = alike_sounds(bits, np.array([1.0, 2.0, 1.02]))
    assert codes.tolist() == [2]
    assert similarity.tolist() == [1.0]


def test_silent_short_and_broken_sounds_have_no_print(tmp_path: Path) -> None:
    for name, samples in (("silent", np.zeros(RATE)), ("short", np.ones(10)), ("none", np.empty(0))):
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE)
        assert sound_print(tmp_path / f"{name}.wav") is None
    (tmp_path / "broken.wav").write_bytes(b"RIFF nothing")
    assert sound_print(tmp_path / "broken.wav") is None


def scene(seed: int) -> Image.Image:
    """A picture with large and small shapes of many colours."""
    chance = np.random.default_rng(seed)
    picture = Image.fromarray(chance.integers(0, 255, (4, 5, 3), np.uint8)).resize((320, 240), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(25):
        x, y, size = (int(chance.integers(0, most)) for most in (320, 240, 70))
        draw.ellipse((x, y, x + size, y + size), tuple(chance.integers(0, 255, 3).tolist()))
    return picture


def voice(seed: int) -> NDArray[np.float64]:
    """A gliding tone with overtones that come and go, about as syllables do."""
    chance = np.random.default_rng(seed)
    count = int(chance.uniform(1, 2) * RATE)
    places, knots = np.arange(count), np.linspace(0, count, 8)
    pitch = np.interp(places, knots, chance.uniform(90, 250, 8))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = [
        np.interp(places, knots, chance.uniform(low, high, 8)) for low, high in ((250, 900), (900, 2400), (2200, 3300))
    ]
    sound = np.zeros(count)
    for harmonic in range(1, 30):
        strength = sum(np.exp(-(((harmonic * pitch - formant) / 150) ** 2)) for formant in formants)
        sound += strength * np.sin(harmonic * phase)
    loudness = np.interp(places, np.linspace(0, count, 16), chance.uniform(0.05, 1, 16))
    sound = 0.2 * loudness * sound / np.abs(sound).max()
    return np.asarray(sound + chance.normal(0, 0.001, count))


def _print_of(picture: Image.Image, path: Path) -> PicturePrint | None:
    picture.save(path)
    return picture_print(path)


def _recompressed(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


def _compared(first: PicturePrint, second: PicturePrint) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    return alike_pictures(np.stack((first.bits, second.bits)), np.stack((first.colours, second.colours)))


def _print(samples: NDArray[np.float64], rate: int, path: Path) -> SoundPrint:
    soundfile.write(path, samples, rate)
    found = sound_print(path)
    assert found is not None
    return found


def _differing(first: SoundPrint, second: SoundPrint) -> int:
    return int(np.bitwise_count(first.bits ^ second.bits).sum())
