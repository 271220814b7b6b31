"""A user's own documents as text with headings and pages: txt, md, html, pdf, docx and hwpx files, and folders of them.

In: paths. Out: a `Shelf`: the documents that could be read, and a problem for each that could not, which names the file and says
what to do. One bad file never stops the others. What a file says is kept by its content, so that it is read once a run however
many models search it. It cuts no passages, and reads no pictures: a scanned page has no text.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Value
from sonmat.reading.encoding import unreadable_file
from sonmat.retrieval.office_documents import read_docx, read_hwpx
from sonmat.retrieval.pdf_documents import read_pdf
from sonmat.retrieval.sections import Section
from sonmat.retrieval.text_documents import read_html, read_markdown, read_plain
from sonmat.runs.files import read_value, sha256_of, sha256_of_file, write_value

MOST_BYTES: Final = 256 << 20
"""Of one document. What is larger is no text to look something up in."""
READING: Final = "1"
"""Raise it when files are read in another way, so that texts which were kept are not taken for the new ones."""

_READERS: Final[dict[str, Callable[[Path], tuple[Section, ...]]]] = {
    ".txt": read_plain,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".hwpx": read_hwpx,
}
SUFFIXES: Final = tuple(_READERS)
_OLD_FORMATS: Final = {".hwp": ".hwpx", ".doc": ".docx", ".rtf": ".docx", ".odt": ".docx"}


class Document(Value):
    """One file. `name` is its path within what the user named, as messages and passages call it."""

    name: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Problem:
    """A file that cannot be searched, and why."""

    name: str
    why: Text


@dataclass(frozen=True)
class Shelf:
    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    passed_over: int = 0
    """Files of other kinds in the folders."""


class _Kept(Value):
    sections: tuple[Section, ...]


def read_documents(paths: Sequence[Path], kept: Path | None = None) -> Shelf:
    """Everything that can be read of `paths`, in the order of names.

    Args:
        kept: folder for texts of files that were read before.
    Raises:
        DataError: a path is not there, or no file at all could be read.
    """
    documents, problems, passed_over = [], [], 0
    for name, path in _files(paths):
        suffix = path.suffix.lower()
        if suffix not in _READERS and suffix not in _OLD_FORMATS and path not in paths:
            passed_over += 1
            continue
        try:
            documents.append(Document(name=name, sections=_sections(path, kept)))
        except DataError as error:
            problems.append(Problem(name, error.whole))
    if not documents:
        raise _nothing_readable(paths, problems)
    return Shelf(tuple(documents), tuple(problems), passed_over)


def documents_fingerprint(paths: Sequence[Path]) -> str:
    """SHA-256 over the names and contents of the files that would be read; '' for no paths.

    Raises:
        DataError: a path is not there or cannot be opened, or there is no file that could be a document.
    """
    if not paths:
        return ""
    files = list(_files(paths))
    if not any(path.suffix.lower() in {*_READERS, *_OLD_FORMATS} or path in paths for _, path in files):
        raise _nothing_readable(paths, ())
    try:
        return sha256_of(READING, [(name, sha256_of_file(path)) for name, path in files if path.suffix.lower() in _READERS])
    except OSError as error:
        raise unreadable_file(Path(error.filename or paths[0]), error) from error


def _files(paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Every file with its name, hidden ones left out; the folder's own name goes before where there are several paths."""
    for path in paths:
        if path.is_dir():
            prefix = f"{path.name}/" if len(paths) > 1 else ""
            for found in sorted(_visible(path)):
                yield f"{prefix}{found.relative_to(path).as_posix()}", found
        elif path.is_file():
            yield path.name, path
        else:
            raise _missing(path)


def _visible(folder: Path) -> Iterator[Path]:
    # A link to a folder above would never end.
    for where, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # "~$report.docx" is what an office program locks an open file with.
        yield from (Path(where, name) for name in files if not name.startswith((".", "~$")))


def _sections(path: Path, kept: Path | None) -> tuple[Section, ...]:
    """The text of one file.

    Raises:
        DataError: it cannot be read, or there is no text in it.
    """
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise _unsupported(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise _too_large(path, size)
        content = sha256_of_file(path) if kept is not None else ""
        file = (
            kept / f"{hashlib.sha256(f'{READING} {suffix} {content}'.encode()).hexdigest()}.json"
            if kept is not None
            else None
        )
        if file is not None and file.is_file():
            return read_value(file, _Kept).sections
        sections = tuple(section for section in _READERS[suffix](path) if section.text.strip())
    except OSError as error:
        raise unreadable_file(path, error) from error
    if not sections:
        raise _no_text(path)
    if file is not None:
        write_value(file, _Kept(sections=sections))
    return sections


def _missing(path: Path) -> DataError:
    return DataError(
        Text(en=f"There is no file or folder {path} of documents.", ko=f"{path}(이)라는 문서 파일이나 폴더가 없습니다."),
        Text(en="Check the name after --documents.", ko="--documents 뒤의 이름을 확인하세요."),
    )


def _nothing_readable(paths: Sequence[Path], problems: Sequence[Problem]) -> DataError:
    listed = ", ".join(map(str, paths))
    supported = ", ".join(suffix.lstrip(".") for suffix in SUFFIXES)
    if not problems:
        return DataError(
            Text(en=f"There is no document to search in {listed}.", ko=f"{listed}에 찾아볼 문서가 없습니다."),
            Text(en=f"Put files of these kinds there: {supported}.", ko=f"다음 종류의 파일을 넣으세요: {supported}."),
        )
    return DataError(
        Text(
            en=f"None of the documents in {listed} can be read:\n"
            + "\n".join(f"  {each.name}: {each.why.en}" for each in problems),
            ko=f"{listed}의 문서를 하나도 읽을 수 없습니다:\n"
            + "\n".join(f"  {each.name}: {each.why.ko}" for each in problems),
        ),
        Text(en="Mend these files, or leave --documents out.", ko="이 파일들을 고치거나 --documents를 빼세요."),
    )


def _unsupported(path: Path) -> DataError:
    suffix = path.suffix.lower()
    better = _OLD_FORMATS.get(suffix)
    if better is not None:
        return DataError(
            Text(
                en=f"'{suffix}' files cannot be read.",
                ko=f"'{suffix}' 파일은 읽을 수 없습니다.",
            ),
            Text(
                en=f"Open it in its program and save it as {better}.",
                ko=f"원래 프로그램에서 열어 {better}로 저장해 주세요.",
            ),
        )
    supported = ", ".join(known.lstrip(".") for known in SUFFIXES)
    return DataError(
        Text(
            en=f"'{suffix or path.name}' is no kind of document.",
            ko=f"'{suffix or path.name}'은(는) 지원하는 문서가 아닙니다.",
        ),
        Text(en=f"Supported: {supported}.", ko=f"지원하는 종류: {supported}."),
    )


def _too_large(path: Path, size: int) -> DataError:
    return DataError(
        Text(
            en=f"It has {size / 1e6:,.0f} MB; documents of up to {MOST_BYTES >> 20} MiB are read.",
            ko=f"크기가 {size / 1e6:,.0f} MB입니다. 문서는 {MOST_BYTES >> 20} MiB까지 읽습니다.",
        ),
        Text(en="Divide it into several files.", ko="파일을 여러 개로 나눠 주세요."),
    )


def _no_text(path: Path) -> DataError:
    if path.suffix.lower() == ".pdf":
        return DataError(
            Text(
                en="There is no text in it: its pages are probably scanned pictures.",
                ko="글자가 들어 있지 않습니다. 스캔한 그림으로 된 문서로 보입니다.",
            ),
            Text(
                en="Run a program for text recognition (OCR) on it first.",
                ko="먼저 문자 인식(OCR) 프로그램으로 글자를 넣어 주세요.",
            ),
        )
    return DataError(
        Text(en="There is no text in it.", ko="내용이 비어 있습니다."),
        Text(en="Take it away, or put its text in.", ko="파일을 빼거나 내용을 채워 주세요."),
    )
