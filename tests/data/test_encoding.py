"""Encodings are found out, and a file that is none of the known ones is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonmat.core.errors import DataError
from sonmat.reading.encoding import find_encoding, is_damaged, open_text

KOREAN = "안녕하세요. 배송이 언제 되나요?\n환불해 주세요. ‘빠르게’ 부탁드려요.\n"


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "text.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("codec", "title"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("cp949", "CP949"),
        ("euc-kr", "CP949"),
    ],
)
def test_korean_is_read_in_every_encoding_that_it_comes_in(codec: str, title: str, tmp_path: Path) -> None:
    path = written(tmp_path, KOREAN.encode(codec))
    encoding = find_encoding(path)
    assert encoding.title == title
    with open_text(path, encoding) as stream:
        assert stream.read() == KOREAN


def test_western_text_of_windows_is_told_from_korean(tmp_path: Path) -> None:
    path = written(tmp_path, "Café crème, naïve façade – “très bien” für Müller\n".encode("cp1252"))
    assert find_encoding(path).title == "Windows-1252"


@pytest.mark.parametrize("codec", ["shift-jis", "gb18030", "koi8-r"])
def test_an_encoding_that_is_not_known_is_refused_and_not_guessed(codec: str, tmp_path: Path) -> None:
    text = {
        "shift-jis": "こんにちは、元気ですか。東京です。",
        "gb18030": "你好，世界。发货时间是什么？",
        "koi8-r": "Привет, мир",
    }
    with pytest.raises(DataError) as caught:
        find_encoding(written(tmp_path, (text[codec] * 5).encode(codec)))
    assert "not UTF-8, UTF-16, CP949 or Windows-1252" in caught.value.what.en
    assert "인코딩을 알 수 없습니다" in caught.value.what.ko


def test_a_character_that_lies_across_two_chunks_is_no_damage(tmp_path: Path) -> None:
    path = written(tmp_path, b"a" * ((1 << 20) - 1) + "한글".encode())
    assert find_encoding(path).title == "UTF-8"


def test_korean_that_begins_after_a_megabyte_of_english_is_found(tmp_path: Path) -> None:
    path = written(tmp_path, b"plain english words\n" * 60_000 + (KOREAN * 3).encode("cp949"))
    assert find_encoding(path).title == "CP949"


def test_utf8_with_damaged_bytes_stays_utf8_and_shows_the_damage(tmp_path: Path) -> None:
    path = written(tmp_path, KOREAN.encode() + b"broken \xff\xfe here\n" + KOREAN.encode())
    encoding = find_encoding(path)
    assert encoding.title == "UTF-8"
    with open_text(path, encoding) as stream:
        assert [is_damaged(line, encoding) for line in stream] == [False, False, True, False, False]


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_encoding(written(tmp_path, bytes(range(256)) * 8))
    assert "not a text file" in caught.value.what.en
    assert "텍스트 파일이 아닙니다" in caught.value.what.ko


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"  \n\n"])
def test_a_file_without_content_is_empty(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is empty|빈 파일"):
        find_encoding(written(tmp_path, content))


@settings(max_examples=60)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(str.strip))
def test_any_utf8_text_is_read_as_it_was_written(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "any.txt"
    path.write_bytes(("x" + text).encode())
    with open_text(path, find_encoding(path)) as stream:
        assert stream.read() == "x" + text
