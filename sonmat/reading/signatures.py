"""What a file really is, told by its first bytes and not by its name.

In: a path. Out: a `Content`, or None for text and anything unknown. It says what to do with files that Sonmat cannot read.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.text import Text

_HEAD_BYTES = 512
_OLE_BYTES = 1 << 22
"""The part of an old Office file in which its streams' names are looked for."""


@dataclass(frozen=True)
class Content:
    """A kind of file. `suffixes` are the endings that it may have; none where Sonmat cannot read it."""

    title: Text
    suffixes: tuple[str, ...] = ()
    advice: Text | None = None


_TO_TABLE = Text(
    en="Put the examples into a table first: CSV, Excel (.xlsx) or JSON lines.",
    ko="예시를 먼저 CSV, Excel(.xlsx), JSON Lines 같은 표로 옮기세요.",
)
_UNPACK = Text(
    en="Unpack it and name what came out, or pack it as .zip, .gz or .zst.",
    ko="직접 푼 뒤 나온 것을 지정하거나 .zip, .gz, .zst로 압축하세요.",
)
_SAVE_AS_XLSX = Text(
    en="Open it and save it as an Excel workbook (.xlsx) or CSV in UTF-8.",
    ko="파일을 열어 Excel 통합 문서(.xlsx)나 UTF-8 CSV로 저장하세요.",
)
_ONE_MEDIUM = Text(
    en="Name the folder that holds your pictures or sounds, a folder a class.",
    ko="그림이나 소리를 클래스별로 담은 폴더를 지정하세요.",
)
_PARQUET = Content(Text(en="a Parquet file", ko="Parquet 파일"), (".parquet",))
_ARROW = Content(Text(en="an Arrow file", ko="Arrow 파일"), (".arrow", ".feather", ".arrows"))
_SQLITE = Content(Text(en="an SQLite database", ko="SQLite 데이터베이스"), (".sqlite", ".db", ".sqlite3"))
_GZIP = Content(Text(en="a gzip file", ko="gzip 압축 파일"), (".gz", ".tgz"))
_ZSTD = Content(Text(en="a zstd file", ko="zstd 압축 파일"), (".zst",))
_ZIP = Content(Text(en="a ZIP archive", ko="ZIP 압축 파일"), (".zip",))
_BROKEN_ZIP = Content(_ZIP.title, (".zip", ".xlsx", ".xlsm"))
_TAR = Content(Text(en="a TAR archive", ko="TAR 파일"), (".tar",))
_EXCEL = Content(Text(en="an Excel workbook", ko="Excel 통합 문서"), (".xlsx", ".xlsm"))
_PICTURE = Content(Text(en="a picture", ko="그림 파일"), advice=_ONE_MEDIUM)
_SOUND = Content(Text(en="a sound", ko="소리 파일"), advice=_ONE_MEDIUM)
_LOCKED_OFFICE = Content(
    Text(en="an Office file protected by a password", ko="암호가 걸린 Office 파일"),
    advice=Text(en="Open it, remove the password and save it again.", ko="파일을 열어 암호를 없앤 뒤 다시 저장하세요."),
)
_OLD_EXCEL = Content(
    Text(en="an Excel file of before 2007 (.xls)", ko="2007 이전 형식의 Excel 파일(.xls)"), advice=_SAVE_AS_XLSX
)
_OLD_OFFICE = Content(Text(en="an old Office document", ko="옛 형식의 Office 문서"), advice=_TO_TABLE)
_HANGUL = Content(Text(en="a Hangul document (.hwp)", ko="한글 문서(.hwp)"), advice=_TO_TABLE)

_FIRST_BYTES = (
    (0, b"PAR1", _PARQUET),
    (0, b"PARE", Content(Text(en="an encrypted Parquet file", ko="암호화된 Parquet 파일"), (".parquet",))),
    (0, b"ARROW1", _ARROW),
    (0, b"FEA1", _ARROW),
    (0, b"SQLite format 3\0", _SQLITE),
    (0, b"\x1f\x8b", _GZIP),
    (0, b"\x28\xb5\x2f\xfd", _ZSTD),
    (257, b"ustar", _TAR),
    (0, b"%PDF-", Content(Text(en="a PDF", ko="PDF 문서"), advice=_TO_TABLE)),
    (0, b"BZh", Content(Text(en="a bzip2 file", ko="bzip2 압축 파일"), advice=_UNPACK)),
    (0, b"\xfd7zXZ\0", Content(Text(en="an xz file", ko="xz 압축 파일"), advice=_UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", Content(Text(en="a 7z archive", ko="7z 압축 파일"), advice=_UNPACK)),
    (0, b"Rar!\x1a\x07", Content(Text(en="a RAR archive", ko="RAR 압축 파일"), advice=_UNPACK)),
    (0, b"\x89PNG\r\n\x1a\n", _PICTURE),
    (0, b"\xff\xd8\xff", _PICTURE),
    (8, b"WEBP", _PICTURE),
    (0, b"GIF8", _PICTURE),
    (8, b"WAVE", _SOUND),
    (0, b"fLaC", _SOUND),
    (0, b"OggS", _SOUND),
    (0, b"ID3", _SOUND),
)
_OFFICE_MEMBERS = (
    ("xl/workbook.xml", _EXCEL),
    (
        "xl/workbook.bin",
        Content(Text(en="a binary Excel workbook (.xlsb)", ko="바이너리 Excel 파일(.xlsb)"), advice=_SAVE_AS_XLSX),
    ),
    ("word/document.xml", Content(Text(en="a Word document", ko="Word 문서"), advice=_TO_TABLE)),
    ("ppt/presentation.xml", Content(Text(en="a PowerPoint presentation", ko="PowerPoint 문서"), advice=_TO_TABLE)),
    ("Contents/content.hpf", Content(Text(en="a Hangul document (.hwpx)", ko="한글 문서(.hwpx)"), advice=_TO_TABLE)),
    ("content.xml", Content(Text(en="an OpenDocument file", ko="OpenDocument 파일"), advice=_SAVE_AS_XLSX)),
)
_OLE_STREAMS = (
    ("EncryptedPackage", _LOCKED_OFFICE),
    ("HwpSummaryInformation", _HANGUL),
    ("Workbook", _OLD_EXCEL),
    ("Book", _OLD_EXCEL),
)


def content_of(path: Path) -> Content | None:
    """What the file is, None for text and what is not known.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
            return _ole(head + stream.read(_OLE_BYTES))
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(path)
    return next((content for at, magic, content in _FIRST_BYTES if head.startswith(magic, at)), None)


def refuse_wrong_name(path: Path) -> None:
    """Raise where the file is something else than its name says, or something that cannot be read.

    Raises:
        DataError: the message says what it is and how to go on.
        OSError: the file cannot be opened.
    """
    content = content_of(path)
    if content is None or path.name.lower().endswith(content.suffixes):
        return
    title = content.title
    if content.advice is not None:
        raise DataError(
            Text(en=f"{path} is {title.en}, which is not read.", ko=f"{path}은(는) {title.ko}이라서 읽지 않습니다."),
            content.advice,
        )
    # What is only compressed keeps the ending of what it holds.
    stem = path.name if content in (_GZIP, _ZSTD) else path.stem
    better = f"{stem}{content.suffixes[0]}"
    raise DataError(
        Text(
            en=f"{path} is {title.en}, although its name ends in '{path.suffix or path.name}'.",
            ko=f"{path}은(는) 이름이 '{path.suffix or path.name}'(으)로 끝나지만 실제로는 {title.ko}입니다.",
        ),
        Text(en=f"Rename it to {better} and try again.", ko=f"이름을 {better}(으)로 바꾼 뒤 다시 시도하세요."),
    )


def _zip(path: Path) -> Content:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return _BROKEN_ZIP
    return next((content for member, content in _OFFICE_MEMBERS if member in names), _ZIP)


def _ole(content: bytes) -> Content:
    return next((found for name, found in _OLE_STREAMS if name.encode("utf-16-le") in content), _OLD_OFFICE)
