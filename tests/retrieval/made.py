"""Small documents of every format, made by hand."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from sonmat.core.proof import Passage
from sonmat.core.text import Text

_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_HANGUL = (
    'xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph" xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section" '
    'xmlns:hh="http://www.hancom.co.kr/hwpml/2011/head"'
)


def passages(*texts: str, rows: Sequence[str] = ()) -> list[Passage]:
    own = rows or [""] * len(texts)
    return [
        Passage(id=f"p{number}", place=Text(en=f"place {number}", ko=f"곳 {number}"), text=text, row=row)
        for number, (text, row) in enumerate(zip(texts, own, strict=True))
    ]


def pdf(path: Path, pages: Sequence[Sequence[str]], password: str | None = None) -> Path:
    """A PDF with the given lines on each page."""
    from pypdf import PdfReader, PdfWriter

    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        shown = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
        content = f"BT /F1 12 Tf 72 700 Td {shown} ET".encode() if lines else b""
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    body = b"%PDF-1.4\n"
    offsets = []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    body += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    if password is not None:
        writer = PdfWriter(clone_from=PdfReader(BytesIO(body)))
        writer.encrypt(password, algorithm="RC4-128")
        locked = BytesIO()
        writer.write(locked)
        body = locked.getvalue()
    path.write_bytes(body)
    return path


def docx(path: Path, body: str, styles: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", f"<w:document {_WORD}><w:body>{body}</w:body></w:document>")
        if styles:
            archive.writestr("word/styles.xml", f"<w:styles {_WORD}>{styles}</w:styles>")
    return path


def word(text: str, style: str = "") -> str:
    """A paragraph of Word's."""
    kind = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{kind}<w:r><w:t>{text}</w:t></w:r></w:p>"


def hwpx(path: Path, sections: Sequence[str], styles: str = "", manifest: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, section in enumerate(sections):
            archive.writestr(f"Contents/section{number}.xml", f"<hs:sec {_HANGUL}>{section}</hs:sec>")
        archive.writestr("Contents/header.xml", f"<hh:head {_HANGUL}>{styles}</hh:head>")
        if manifest:
            archive.writestr("META-INF/manifest.xml", manifest)
    return path


def hangul(text: str, style: str = "0") -> str:
    """A paragraph of Hangul's."""
    return f'<hp:p styleIDRef="{style}"><hp:run><hp:t>{text}</hp:t></hp:run></hp:p>'
