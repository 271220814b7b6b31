"""Holds a data format to its contract: `check_format(format, folder)` passes silently or says which promise is broken.

In: a `Format` plug-in and an empty folder to write in. Out: nothing, or an AssertionError. The samples hold what breaks
formats: quotes, line breaks, delimiters, Korean, emoji, white space at the ends, and empty texts.
"""

from __future__ import annotations

import shutil
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

from sonmat import plugins
from sonmat.core.errors import DataError
from sonmat.core.protocols import Format, Holds
from sonmat.core.values import Json, Record, Source

_TEXTS = (
    *("plain", 'say "hi"', "it's", "two\nlines", "carriage\r\nreturn", "a, b; c\td|e", "안녕하세요 😀", "  ends  ", ""),
    *("=1+1", "back\\slash", 'back\\"quote', "\u2028 separator", "null", "0012", "12.50", "#", "{}", "é"),
)


def check_format(format: Format, folder: Path) -> None:
    """Assert that `format` keeps its contract.

    Raises:
        AssertionError: the message names the format and the broken promise.
    """
    lacking = plugins.missing_members(format, "formats")
    assert not lacking, f"{format.name}: lacks {', '.join(lacking)}"
    samples = _samples(format, folder / "made")
    for ending in format.suffixes or ("",):
        path = folder / f"sample{ending}"
        if _only_reads(format, samples, path):
            _check_empty(format, folder / f"empty{ending}")
            continue
        format.write(iter(samples), path)
        _check_reading(format, path, samples)
        if path.is_file():
            _check_faults(format, path, len(samples))
            _check_unfinished_write(format, folder / f"unfinished{ending}", samples)
        _check_empty(format, folder / f"empty{ending}")


def _only_reads(format: Format, samples: list[Record], path: Path) -> bool:
    """Whether the format says that it never writes."""
    refusal: DataError | None = None
    try:
        format.write(iter(samples[:1]), path)
    except DataError as error:
        refusal = error
    if refusal is not None:
        assert all((refusal.what.en, refusal.what.ko)), f"{format.name}: the error of write() lacks a language"
        assert refusal.fix is not None, f"{format.name}: write() does not say what to do"
        assert not path.exists(), f"{format.name}: write() refuses and leaves a file"
        return True
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return False


def _samples(format: Format, folder: Path) -> list[Record]:
    made: dict[Holds, Callable[[], Iterator[Json]]] = {
        "image": lambda: _media(folder, ".png"),
        "audio": lambda: _media(folder, ".wav"),
        "boxes": lambda: _boxes(folder),
        "text": _texts,
        "json": _values,
    }
    rows = made[format.holds]()
    return [Record(source=Source(file="sample", row=number), fields=row) for number, row in enumerate(rows, start=1)]


def _texts() -> Iterator[Json]:
    for number, text in enumerate(_TEXTS):
        yield {"text": text, "label": f"kind {number % 3}"}


def _values() -> Iterator[Json]:
    """Every kind of JSON value, each kind in a column of its own, as typed containers need it."""
    for number, text in enumerate(_TEXTS):
        turn = {"role": "user", "content": text}
        yield {
            "text": text,
            "count": number - 3,
            "share": number / 7,
            "right": number % 2 == 0,
            "perhaps": None if number % 3 else text,
            "labels": [f"kind {each}" for each in range(number % 3)],
            "messages": [turn] * (1 + number % 2),
            "about": {"라벨": text, "nested": {"place": [number]}},
        }


def _media(folder: Path, suffix: str) -> Iterator[Json]:
    for label in ("cat", "고양이", "two words"):
        for number in range(2):
            path = folder / f"{label}-{number}{suffix}"
            _write_medium(path, 40 * number)
            yield {"image" if suffix == ".png" else "audio": str(path), "label": label}


def _boxes(folder: Path) -> Iterator[Json]:
    for number in range(4):
        path = folder / f"street-{number}.png"
        _write_medium(path, 40 * number)
        boxes: list[Json] = [{"box": [1, 2.5, 10, 8], "label": "고양이"}, {"box": [0, 0, 32, 24], "label": "two words"}]
        yield {"image": str(path), "objects": boxes[: number % 3]}


def _write_medium(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        from PIL import Image

        Image.new("RGB", (32, 24), (shade, 80, 120)).save(path)
        return
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes([shade, 1]) * 400)


def _check_reading(format: Format, path: Path, samples: list[Record]) -> None:
    assert format.matches(path), f"{format.name}: does not match what it wrote, {path.name}"
    others = [
        other.name
        for other in plugins.every("formats")
        if other.name != format.name and other.precedence >= format.precedence and other.matches(path)
    ]
    assert not others, f"{format.name}: {path.name} is read by {', '.join(others)} first, or by chance"
    said = format.describe(path)
    assert all((said.en, said.ko)), f"{format.name}: describe() lacks a language"
    found = list(format.read(path))
    broken = [record for record in found if record.problem is not None]
    assert not broken, f"{format.name}: cannot read its own row {broken[0].source}: {broken[0].problem}"
    wanted = sorted(_comparable(format, record.fields) for record in samples)
    given = sorted(_comparable(format, record.fields) for record in found)
    assert given == wanted, f"{format.name}: rows changed between write and read"
    if not _holds_media(format):
        kept = [record.fields for record in found] == [record.fields for record in samples]
        assert kept, f"{format.name}: rows changed their order or types between write and read"
    places = [(record.source.file, record.source.row) for record in found]
    assert len(set(places)) == len(places), f"{format.name}: two rows say that they are in the same place"
    assert all(record.source.file for record in found), f"{format.name}: a row does not say which file it is from"
    assert list(format.read(path)) == found, f"{format.name}: reading twice gives different rows"


def _comparable(format: Format, fields: Json) -> str:
    """The row as a text; media by their content, because writing may copy them elsewhere."""
    if not _holds_media(format):
        return repr(sorted(fields.items()))
    name = "audio" if format.holds == "audio" else "image"
    medium = Path(fields[name])
    assert medium.is_absolute(), f"{format.name}: the path of a picture or sound must be absolute"
    rest = {other: value for other, value in fields.items() if other != name}
    return f"{sorted(rest.items())} {medium.read_bytes().hex()}"


def _holds_media(format: Format) -> bool:
    return format.holds in ("image", "audio", "boxes")


def _check_faults(format: Format, path: Path, rows: int) -> None:
    whole = path.read_bytes()
    faults = {"cut in half": whole[: len(whole) // 2], "garbage": bytes(range(256)) * 4, "damaged": _damaged(whole)}
    for name, content in faults.items():
        broken = path.with_name(f"broken{path.suffix}")
        broken.write_bytes(content)
        try:
            found = list(format.read(broken)) if format.matches(broken) else []
        except DataError:
            continue
        good = [record for record in found if record.problem is None]
        assert len(good) <= rows or name == "garbage", f"{format.name}: a file that is {name} gives more rows than before"


def _damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + b"\xff\xfe\xff" + content[middle:]


def _check_unfinished_write(format: Format, path: Path, samples: list[Record]) -> None:
    def breaks_off() -> Iterator[Record]:
        yield samples[0]
        raise KeyboardInterrupt

    try:
        format.write(breaks_off(), path)
    except KeyboardInterrupt:
        assert not path.exists(), f"{format.name}: a write that broke off left a file"
        return
    raise AssertionError(f"{format.name}: write() swallowed an interruption")


def _check_empty(format: Format, path: Path) -> None:
    if format.suffixes:
        path.write_bytes(b"")
    else:
        path.mkdir()
    try:
        rows = list(format.read(path))
    except DataError as error:
        if error.what.en and error.what.ko:
            return
        raise AssertionError(f"{format.name}: the error for an empty source lacks a language") from error
    raise AssertionError(f"{format.name}: an empty source gives {len(rows)} rows where a DataError is due")
