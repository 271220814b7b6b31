"""PDF files as text, page by page, by pypdf.

In: a path. Out: a section a page. Lines that the page broke are joined again; tables lose their columns. It recognises no letters
in pictures.
"""

from __future__ import annotations

import logging
import re
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.retrieval.sections import Section

if TYPE_CHECKING:
    from pypdf import PdfReader

_UNHEARD: Final = logging.NullHandler()
_HYPHENATED: Final = re.compile(r"(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])")
_ENDS: Final = re.compile(r"[.!?:;。…)\]”\"'」』]\s*$")
_SHORT_OF_THE_MARGIN: Final = 0.75
"""A line shorter than this share of the page's longest ends its paragraph, if it ends a sentence."""


def read_pdf(path: Path) -> tuple[Section, ...]:
    """Raises:
    DataError: it is encrypted or damaged.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

    # What is wrong with a file is said by the error; pypdf's own remarks would stand between lines of the display.
    logging.getLogger("pypdf").addHandler(_UNHEARD)
    try:
        with path.open("rb") as stream:
            reader = PdfReader(stream)
            _open_without_password(reader)
            pages = [page.extract_text() for page in reader.pages]
    except (DependencyError, FileNotDecryptedError) as error:
        raise _encrypted() from error
    # A damaged file shows in whatever pypdf trips over first.
    except (
        PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, AssertionError,
        NotImplementedError, EOFError, struct.error, zlib.error,
    ) as error:  # fmt: skip
        raise _damaged(error) from error
    sections = [Section(text=_paragraphs(text), page=number) for number, text in enumerate(pages, start=1)]
    return tuple(section for section in sections if section.text)


def _open_without_password(reader: PdfReader) -> None:
    from pypdf import PasswordType

    # Many files are locked against changes only, and open with an empty password.
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise _encrypted()


def _paragraphs(text: str) -> str:
    """The lines of a page as paragraphs."""
    clean = re.sub("[\ud800-\udfff]", "\ufffd", text).replace("\r", "\n")
    lines = [" ".join(line.split()) for line in _HYPHENATED.sub("", clean).split("\n")]
    longest = max((len(line) for line in lines), default=0)
    joined = ""
    for line in lines:
        if not line:
            joined = joined.rstrip() + "\n\n" if joined else ""
            continue
        last = len(line) < _SHORT_OF_THE_MARGIN * longest and bool(_ENDS.search(line))
        joined += line + ("\n\n" if last else " ")
    return re.sub(r"\n{3,}", "\n\n", joined).strip()


def _encrypted() -> DataError:
    return DataError(
        Text(en="It is locked with a password.", ko="암호가 걸려 있습니다."),
        Text(en="Save a copy without a password.", ko="암호 없는 사본을 저장해 주세요."),
    )


def _damaged(error: Exception) -> DataError:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(
        Text(en=f"It is no whole PDF file ({said}).", ko=f"온전한 PDF 파일이 아닙니다({said})."),
        Text(en="Save or download it again.", ko="다시 저장하거나 내려받아 주세요."),
    )
