"""Word's docx and Hangul's hwpx files as text: both are zip archives of XML.

In: a path. Out: sections under their headings. Tables come row by row, a bar between cells; deleted text, comments, headers and
footers are left out. The older binary formats (doc, hwp) are not read.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.retrieval.sections import Outline, Section

Element = ElementTree.Element

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_XML_BYTES: Final = 128 << 20
"""Of one part of the archive, unpacked: more is no document but an attack."""
_WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT_WORD: Final = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_SECTION: Final = re.compile(r"Contents/section(\d+)\.xml")
_HEADING_NAME: Final = re.compile(r"(?:heading|제목|outline|개요)\s*(\d+)", re.IGNORECASE)


def read_docx(path: Path) -> tuple[Section, ...]:
    """Raises:
    DataError: it is encrypted, damaged or something else.
    """
    with _archive(path) as archive:
        body = _xml(archive, "word/document.xml")
        levels = _word_levels(_xml(archive, "word/styles.xml")) if "word/styles.xml" in archive.namelist() else {}
    outline = Outline()
    _walk_word(body, levels, outline)
    return outline.sections()


def read_hwpx(path: Path) -> tuple[Section, ...]:
    """Raises:
    DataError: it is encrypted, damaged or something else.
    """
    with _archive(path) as archive:
        names = archive.namelist()
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise _encrypted()
        numbered = sorted((int(match.group(1)), name) for name in names if (match := _SECTION.fullmatch(name)))
        if not numbered:
            raise _something_else("hwpx")
        parts = [_xml(archive, name) for _, name in numbered]
        levels = _hwpx_levels(_xml(archive, "Contents/header.xml")) if "Contents/header.xml" in names else {}
    outline = Outline()
    for part in parts:
        for child in part:
            _walk_hwpx(child, levels, outline)
    return outline.sections()


# ── the archive ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _archive(path: Path) -> zipfile.ZipFile:
    with path.open("rb") as stream:
        head = stream.read(8)
    if head == _OLE:
        # A locked docx, or a doc or hwp that was given a new name.
        raise _encrypted_or_old(path.suffix.lower())
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise _damaged() from error


def _xml(archive: zipfile.ZipFile, name: str) -> Element:
    try:
        info = archive.getinfo(name)
        if info.flag_bits & 0x1:
            raise _encrypted()
        if info.file_size > _MOST_XML_BYTES:
            raise _damaged()
        content = archive.read(info)
        if b"<!DOCTYPE" in content[:1024]:
            # Office files have none; entities in one could grow without bounds.
            raise _damaged()
        return ElementTree.fromstring(content)
    except KeyError as error:
        raise _something_else(name.partition("/")[0]) from error
    except (ElementTree.ParseError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise _damaged() from error


# ── docx ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _word_levels(styles: Element) -> dict[str, int]:
    """The level of every style that is a heading, by its id: programs in Korean call it '1' or 'a3'."""
    levels = {}
    for style in styles:
        id = _attribute(style, "styleId")
        outline = next((each for each in style.iter() if _local(each) == "outlineLvl"), None)
        name = next((_attribute(each, "val") for each in style if _local(each) == "name"), "")
        match = _HEADING_NAME.fullmatch(name.strip())
        if match:
            levels[id] = int(match.group(1))
        elif name.strip().lower() == "title":
            levels[id] = 0
        elif outline is not None and _attribute(outline, "val").isdigit() and int(_attribute(outline, "val")) < 9:
            levels[id] = int(_attribute(outline, "val")) + 1
    return levels


def _walk_word(element: Element, levels: dict[str, int], outline: Outline) -> None:
    for child in element:
        kind = _local(child)
        if kind == "p":
            own = (each for properties in child if _local(properties) == "pPr" for each in properties)
            style = next((_attribute(each, "val") for each in own if _local(each) == "pStyle"), "")
            text = _word_text(child)
            if style in levels:
                outline.heading(levels[style], text)
            else:
                outline.paragraph(text)
        elif kind == "tbl":
            outline.paragraph("\n".join(_table_rows(child, "tr", "tc", _word_text)))
        elif kind not in ("sectPr", "pPr"):
            # Content controls and tracked insertions wrap paragraphs.
            _walk_word(child, levels, outline)


def _word_text(element: Element) -> str:
    pieces: list[str] = []
    for node in _without(element, ("del", "moveFrom", "Fallback")):
        kind = _local(node)
        if kind == "t":
            pieces.append(node.text or "")
        elif kind in ("tab", "br", "cr"):
            pieces.append("\t" if kind == "tab" else "\n")
        elif kind == "p" and pieces:
            pieces.append("\n")
    return _tidy("".join(pieces))


# ── hwpx ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _hwpx_levels(header: Element) -> dict[str, int]:
    """The level of every style that is an outline heading ('개요 1', 'Outline 1'), by its id."""
    levels = {}
    for style in header.iter():
        if _local(style) != "style":
            continue
        names = (style.get("name", ""), style.get("engName", ""))
        match = next((found for name in names if (found := _HEADING_NAME.fullmatch(name.strip()))), None)
        if match:
            levels[style.get("id", "")] = int(match.group(1))
    return levels


def _walk_hwpx(paragraph: Element, levels: dict[str, int], outline: Outline) -> None:
    """A paragraph, and what is anchored in it: tables, boxes, footnotes."""
    if _local(paragraph) != "p":
        for child in paragraph:
            _walk_hwpx(child, levels, outline)
        return
    text = _hwpx_text(paragraph)
    style = paragraph.get("styleIDRef", "")
    if style in levels:
        outline.heading(levels[style], text)
    else:
        outline.paragraph(text)
    for run in paragraph:
        for anchored in run:
            if _local(anchored) == "tbl":
                outline.paragraph("\n".join(_table_rows(anchored, "tr", "tc", _hwpx_whole)))
            elif _local(anchored) not in ("t", "secPr", "ctrl"):
                _walk_hwpx(anchored, levels, outline)
            elif _local(anchored) == "ctrl":
                for control in anchored:
                    if _local(control) in ("footNote", "endNote"):
                        _walk_hwpx(control, levels, outline)


def _hwpx_text(paragraph: Element) -> str:
    """What the paragraph itself says, without tables and boxes in it."""
    return _tidy("".join(_hwpx_run(piece) for run in paragraph for piece in run if _local(piece) == "t"))


def _hwpx_whole(element: Element) -> str:
    """All text below an element, a space between paragraphs."""
    return _tidy(" ".join(_hwpx_text(each) for each in element.iter() if _local(each) == "p"))


def _hwpx_run(piece: Element) -> str:
    said = piece.text or ""
    for child in piece:
        kind = _local(child)
        said += {"lineBreak": "\n", "tab": "\t", "nbSpace": " ", "fwSpace": " "}.get(kind, "")
        if kind not in ("deleteBegin", "deleteEnd"):
            said += child.text or ""
        said += child.tail or ""
    return said


# ── both ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table_rows(table: Element, row: str, cell: str, text_of: Callable[[Element], str]) -> Iterator[str]:
    for each in table:
        if _local(each) != row:
            continue
        cells = [" ".join(text_of(inner).split()) for inner in each if _local(inner) == cell]
        if any(cells):
            yield " | ".join(cells)


def _without(element: Element, left_out: tuple[str, ...]) -> Iterator[Element]:
    yield element
    for child in element:
        if _local(child) not in left_out:
            yield from _without(child, left_out)


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _attribute(element: Element, name: str) -> str:
    return element.get(f"{_WORD}{name}") or element.get(f"{_STRICT_WORD}{name}") or ""


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _encrypted() -> DataError:
    return DataError(
        Text(en="It is locked with a password.", ko="암호가 걸려 있습니다."),
        Text(en="Save a copy without a password.", ko="암호 없는 사본을 저장해 주세요."),
    )


def _encrypted_or_old(suffix: str) -> DataError:
    return DataError(
        Text(
            en=f"It is locked with a password, or an older format with the ending {suffix}.",
            ko=f"암호가 걸려 있거나, 확장자만 {suffix}인 옛 형식의 파일입니다.",
        ),
        Text(
            en=f"Open it in its program and save it as {suffix} without a password.",
            ko=f"원래 프로그램에서 열어 암호 없이 {suffix}로 저장해 주세요.",
        ),
    )


def _damaged() -> DataError:
    return DataError(
        Text(en="The file is damaged.", ko="파일이 손상되었습니다."),
        Text(en="Save or download it again.", ko="다시 저장하거나 내려받아 주세요."),
    )


def _something_else(kind: str) -> DataError:
    return DataError(
        Text(
            en=f"It is an archive, but no document ({kind} is missing).",
            ko=f"압축 파일이지만 문서가 아닙니다({kind} 없음).",
        ),
        Text(en="Check what the file is.", ko="어떤 파일인지 확인해 주세요."),
    )
