"""Media that cannot be used are found without decoding what is too large."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import ImageFile

from sonmat.checks.broken_audio import plugin as broken_audio
from sonmat.checks.broken_image import plugin as broken_image
from sonmat.conformance.check import check_check
from sonmat.core.values import Example, Source
from sonmat.kinds.audio_classification import plugin as audio_classification
from sonmat.reading.images import image_problem, image_size
from sonmat.reading.sounds import sound_problem
from sonmat.tasks.image_classification import plugin as image_classification
from tests.formats.made import picture, sound


def vast_picture(path: Path, side: int) -> Path:
    """A PNG whose header says side × side pixels, and whose data is a bomb of that many zero bytes at most."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1 << 20), 9)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


def test_a_picture_of_fifty_thousand_pixels_a_side_is_never_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = vast_picture(tmp_path / "vast.png", 50_000)
    decoded: list[str] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: decoded.append(image.filename))
    problem = image_problem(path)
    assert problem is not None
    assert "more pixels than can be decoded safely" in problem.en
    assert decoded == []
    assert image_size(vast_picture(tmp_path / "large.png", 12_000)) == (12_000, 12_000)


def example(number: int, path: Path, name: str) -> Example:
    source = Source(file=path.name, row=0)
    return Example(id=f"row{number}", input={name: str(path)}, target={"label": "x"}, source=source)


def test_the_audit_names_pictures_that_are_too_large(tmp_path: Path) -> None:
    clean = [example(number, picture(tmp_path / f"{number}.png"), "image") for number in range(4)]
    faulty = [*clean, example(4, vast_picture(tmp_path / "vast.png", 50_000), "image")]
    check_check(broken_image, image_classification, clean, faulty, rows=["row4"])


def test_sounds_that_do_not_decode_whole_are_found(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000).astype(np.float32)
    good = [sound(tmp_path / "good.wav")]
    for suffix in (".flac", ".ogg", ".mp3"):
        good.append(tmp_path / f"good{suffix}")
        soundfile.write(good[-1], noise, 16_000)
    bad = []
    for path in (good[0], good[1]):
        bad.append(path.with_name(f"cut{path.suffix}"))
        bad[-1].write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for name, content in (("text.wav", b"not a sound at all"), ("call.m4a", b"\0\0\0\x20ftypM4A "), ("nothing.mp3", b"")):
        bad.append(tmp_path / name)
        bad[-1].write_bytes(content)
    bad.append(sound(tmp_path / "silent.wav", frames=0))
    bad.append(tmp_path / "not there.wav")
    clean = [example(number, path, "audio") for number, path in enumerate(good)]
    faulty = [*clean, *(example(number, path, "audio") for number, path in enumerate(bad, start=len(clean)))]
    check_check(broken_audio, audio_classification, clean, faulty, rows=[each.id for each in faulty[len(clean) :]])
    said = sound_problem(bad[0])
    assert said is not None
    assert "cut off" in said.en
    assert "잘렸습니다" in said.ko
