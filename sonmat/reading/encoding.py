"""Bytes to text: finds out the encoding of a text file and opens it, so that nobody has to say it.

In: a path. Out: an `Encoding`, or a text stream. UTF-8 with and without byte-order mark, UTF-16 and UTF-32, CP949 (the
Korean Windows encoding, EUC-KR included) and Windows-1252 are told apart; a UTF-8 file with a few damaged bytes stays
UTF-8, and the damaged bytes are seen by `is_damaged`, so that only their rows are refused. Reads a file
of any size, and lines of any length, with flat memory. It does not guess other encodings: a wrong guess would train on garbage.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sonmat.core.errors import DataError
from sonmat.core.text import Text

LONGEST_LINE = 1 << 26
"""Characters. A longer line is no row of anybody's examples, and reading it whole could take all memory."""
_CHUNK_BYTES = 1 << 20
_BYTE_ORDER_MARKS = (
    # UTF-32 first: its little-endian mark begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
_HANGUL = re.compile("[가-힣ㄱ-ㆎ]")
_HAN_OR_KANA = re.compile("[\u3041-\u30ff\u4e00-\u9fff\uf900-\ufaff]")
_LATIN = re.compile("[À-ÖØ-öø-ÿŒœŠšŽžŸ‘’“”–—…€°·«»©®£§¿¡ªº\u00a0]")


@dataclass(frozen=True)
class Encoding:
    """`codec` is Python's name, `title` the one that people know."""

    codec: str
    title: str


def find_encoding(path: Path) -> Encoding:
    """The encoding of a text file.

    Raises:
        DataError: the file cannot be opened, is empty, is no text, or is in an encoding that is not known for sure.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_CHUNK_BYTES)
        if not head.strip(b" \t\r\n\0\xff\xfe\xef\xbb\xbf"):
            raise empty_file(path)
        for mark, codec, title in _BYTE_ORDER_MARKS:
            if head.startswith(mark):
                return Encoding(codec, title)
        if b"\0" in head:
            encoding = _wide_without_mark(path, head)
            if encoding is not None:
                return encoding
        doubtful = _first_doubt(path)
    except OSError as error:
        raise unreadable_file(path, error) from error
    return Encoding("utf-8", "UTF-8") if doubtful is None else _judge(path, doubtful)


def open_text(path: Path, encoding: Encoding) -> TextIO:
    """The file as text with its line ends as they are; bytes that do not fit are marked for `is_damaged`."""
    errors = "replace" if encoding.codec.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return path.open(encoding=encoding.codec, errors=errors, newline="")


class TooLong(str):
    """Stands for a line that is longer than can be read, and was passed over."""

    __slots__ = ()


def bounded_lines(stream: TextIO, longest: int | None = None) -> Iterator[str]:
    """Every line with its end; one of more than `longest` characters is passed over, and an empty `TooLong` stands for it."""
    limit = LONGEST_LINE if longest is None else longest
    while line := stream.readline(limit):
        if len(line) < limit or line.endswith(("\n", "\r")):
            yield line
            continue
        while rest := stream.readline(_CHUNK_BYTES):
            if rest.endswith(("\n", "\r")):
                break
        yield TooLong()


def too_long_line(longest: int | None = None) -> Text:
    """Why a row whose line is `TooLong` cannot be used."""
    limit = LONGEST_LINE if longest is None else longest
    return Text(
        en=f"is a line of more than {limit:,} characters, which is no single example",
        ko=f"한 줄이 {limit:,}자를 넘습니다. 예시 하나로 볼 수 없습니다",
    )


def is_damaged(text: str, encoding: Encoding) -> bool:
    """Whether `text`, read by `open_text`, holds characters that stand for bytes that are not in the encoding."""
    if encoding.title in ("UTF-16", "UTF-32"):
        return "\ufffd" in text
    return has_lone_surrogate(text)


def has_lone_surrogate(text: str) -> bool:
    """Whether `text` holds half a character, so that it cannot be written as UTF-8."""
    if text.isascii():
        return False
    try:
        # Quicker than looking for them.
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def damaged_text(encoding: Encoding) -> Text:
    """Why a row with `is_damaged` text cannot be used."""
    return Text(
        en=f"has characters that are broken in {encoding.title}: the file was damaged or mixed from two encodings",
        ko=f"{encoding.title}로 읽을 수 없는 깨진 글자가 있습니다. 파일이 손상되었거나 두 가지 인코딩이 섞였습니다",
    )


def has_zero_byte() -> Text:
    """Why a row with a zero byte cannot be used."""
    return Text(
        en="holds a zero byte, which is no text: the file was damaged or cut",
        ko="글자가 아닌 0 바이트가 들어 있습니다. 파일이 손상되었거나 잘렸습니다",
    )


def empty_file(path: Path) -> DataError:
    """The error for a file without content."""
    return DataError(
        Text(en=f"{path} is empty.", ko=f"{path}은(는) 빈 파일입니다."),
        Text(
            en="Put one example a row into it, or name another file.",
            ko="한 행에 예시 하나씩 넣거나 다른 파일을 지정하세요.",
        ),
    )


def unreadable_file(path: Path, error: OSError) -> DataError:
    """The error for a file that the system will not open."""
    reason = error.strerror or type(error).__name__
    return DataError(
        Text(en=f"{path} cannot be opened: {reason}.", ko=f"{path}을(를) 열 수 없습니다: {reason}."),
        Text(en="Check that the file exists and that you may read it.", ko="파일이 있는지, 읽기 권한이 있는지 확인하세요."),
    )


@dataclass(frozen=True)
class _Doubt:
    """Where UTF-8 ends to fit: non-ASCII characters that fitted before it, and the bytes from the line's start on."""

    fitted: int
    sample: bytes


def _wide_without_mark(path: Path, head: bytes) -> Encoding | None:
    """UTF-16 without a mark; None where zero bytes are damage to a text in another encoding."""
    zeros = head.count(0)
    if 4 * zeros < len(head) and not _CONTROL.search(head) and _is_utf8(head):
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    codec, title = ("utf-16-le", "UTF-16") if odd > even else ("utf-16-be", "UTF-16")
    whole = head[: len(head) // 2 * 2]
    if zeros >= len(head) / 100:
        try:
            text = codecs.getincrementaldecoder(codec)().decode(whole)
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text:
            return Encoding(codec, title)
    raise DataError(
        Text(
            en=f"{path} is not a text file: it holds zero bytes.",
            ko=f"{path}은(는) 텍스트 파일이 아닙니다. 0 바이트가 들어 있습니다.",
        ),
        Text(en="Save the table as CSV in UTF-8 and try again.", ko="표를 UTF-8 CSV로 저장한 뒤 다시 시도하세요."),
    )


def _is_utf8(head: bytes) -> bool:
    """Whether `head`, which may break off within a character, is UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _first_doubt(path: Path) -> _Doubt | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    fitted = 0
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(_CHUNK_BYTES)
            pending = decoder.getstate()[0]
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                whole = pending + chunk
                good = whole[: error.start]
                fitted += _characters_beyond_ascii(good.decode())
                return _Doubt(fitted, whole[good.rfind(b"\n") + 1 :] + stream.read(_CHUNK_BYTES))
            fitted += _characters_beyond_ascii(text)
            if not chunk:
                return None


def _judge(path: Path, doubt: _Doubt) -> Encoding:
    as_utf8 = doubt.sample.decode("utf-8", "surrogateescape")
    broken = len(_SURROGATE.findall(as_utf8))
    # Text in another encoding hardly ever holds whole UTF-8 characters by chance.
    if doubt.fitted + _characters_beyond_ascii(as_utf8) - broken > broken:
        return Encoding("utf-8", "UTF-8")
    as_korean = doubt.sample.decode("cp949", "surrogateescape")
    beyond, broken = _characters_beyond_ascii(as_korean), len(_SURROGATE.findall(as_korean))
    if 20 * broken <= beyond and _is_korean(as_korean):
        return Encoding("cp949", "CP949")
    as_western = doubt.sample.decode("cp1252", "surrogateescape")
    beyond = _characters_beyond_ascii(as_western)
    if 10 * len(_LATIN.findall(as_western)) >= 9 * beyond and 2 * beyond <= len(as_western):
        return Encoding("cp1252", "Windows-1252")
    raise DataError(
        Text(
            en=f"The encoding of {path} could not be found out: it is not UTF-8, UTF-16, CP949 or Windows-1252.",
            ko=f"{path}의 인코딩을 알 수 없습니다. UTF-8, UTF-16, CP949, Windows-1252 중 어느 것도 아닙니다.",
        ),
        Text(en="Save the file as UTF-8 and try again.", ko="파일을 UTF-8로 저장한 뒤 다시 시도하세요."),
    )


def _is_korean(text: str) -> bool:
    """Whether half of what is beyond ASCII is everyday Hangul, and little is what Chinese or Japanese bytes would give."""
    beyond = _characters_beyond_ascii(text)
    hangul = _HANGUL.findall(text)
    # KS X 1001 gives the syllables in use two bytes; the rest of Unicode's take more.
    usual = sum(len(sign.encode("euc-kr", "ignore")) == 2 for sign in hangul)
    foreign = len(hangul) - usual + len(_HAN_OR_KANA.findall(text))
    return 2 * usual >= beyond and 5 * foreign <= beyond


def _characters_beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))
