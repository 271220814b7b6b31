"""Documents that are text files: plain text, Markdown and HTML, in whatever encoding they were saved.

In: a path. Out: its sections. Markup goes, the words and the order stay; of a web page, scripts, styles and navigation go too.
"""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from sonmat.reading.encoding import find_encoding, open_text
from sonmat.retrieval.sections import Outline, Section

_BLANK_LINES: Final = re.compile(r"\n[ \t]*\n\s*")
_ATX: Final = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_UNDERLINE: Final = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_EMPHASIS: Final = re.compile(r"(\*\*|__|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*]))")
_CHARSET: Final = re.compile(rb"<(?:meta|\?xml)[^>]+?(?:charset|encoding)\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_HEAD_BYTES: Final = 4096
_SILENT_TAGS: Final = "script style noscript template svg nav footer head iframe form button select"
_BLOCK_TAGS: Final = (
    "p div section article main header aside li ul ol dl dt dd table tr blockquote figure figcaption address details summary hr "
    "body html pre"
)
_SILENT: Final = frozenset(_SILENT_TAGS.split())
_BLOCKS: Final = frozenset(_BLOCK_TAGS.split())
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


def read_plain(path: Path) -> tuple[Section, ...]:
    """Raises:
    DataError: the file is empty or no text.
    """
    outline = Outline()
    for paragraph in _BLANK_LINES.split(_text(path)):
        outline.paragraph(paragraph)
    return outline.sections()


def read_markdown(path: Path) -> tuple[Section, ...]:
    """Raises:
    DataError: the file is empty or no text.
    """
    outline = Outline()
    block: list[str] = []
    fence = ""

    def close() -> None:
        outline.paragraph("\n".join(block))
        block.clear()

    for line in _without_front_matter(_text(path)).split("\n"):
        opening = _FENCE.match(line)
        if fence or opening:
            # Within a fence '#' is a comment and no heading.
            if opening and not fence:
                fence = opening.group(1)
            elif fence and line.strip().startswith(fence):
                fence = ""
                close()
            else:
                block.append(line)
            continue
        heading, underline = _ATX.match(line), _UNDERLINE.match(line)
        if heading:
            close()
            outline.heading(len(heading.group(1)), _bare(heading.group(2)))
        elif underline and len(block) == 1:
            title = block.pop()
            outline.heading(1 if underline.group(1)[0] == "=" else 2, title)
        elif not line.strip():
            close()
        else:
            block.append(_bare(line))
    close()
    return outline.sections()


def read_html(path: Path) -> tuple[Section, ...]:
    """Raises:
    DataError: the file is empty or no text.
    """
    page = _Page()
    page.feed(_html_text(path))
    page.close()
    return page.finish()


def _text(path: Path) -> str:
    with open_text(path, find_encoding(path)) as stream:
        text = stream.read()
    # A few damaged bytes do not make the rest of a document useless.
    clean = re.sub("[\ud800-\udfff]", "\ufffd", text)
    return clean.replace("\r\n", "\n").replace("\r", "\n")


def _html_text(path: Path) -> str:
    """By the encoding that the page says it has, if it is so."""
    with path.open("rb") as stream:
        declared = _CHARSET.search(stream.read(_HEAD_BYTES))
    if declared is not None:
        try:
            # Pages that say EUC-KR hold what only its extension CP949 has.
            name = codecs.lookup(declared.group(1).decode()).name
            return path.read_bytes().decode({"euc_kr": "cp949"}.get(name, name))
        except (LookupError, UnicodeDecodeError):
            pass
    return _text(path)


def _without_front_matter(text: str) -> str:
    if not text.startswith("---\n"):
        return text
    end = text.find("\n---\n", 3)
    return text[end + 5 :] if end != -1 else text


def _bare(line: str) -> str:
    return _EMPHASIS.sub("", _LINK.sub(r"\1", line))


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._outline = Outline()
        self._words: list[str] = []
        self._silent: list[str] = []
        self._heading = 0
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent == ["head"] and (tag == "body" or tag in _BLOCKS or tag in _HEADINGS):
            # Its end may be left out.
            self._silent.clear()
        if tag in _SILENT:
            self._silent.append(tag)
        if self._silent:
            return
        if tag in _BLOCKS or tag in _HEADINGS:
            self._close()
        if tag in _HEADINGS:
            self._heading = int(tag[1])
        elif tag == "br":
            self._words.append("\n")
        elif tag in ("td", "th"):
            self._words.append(" ")
        elif tag == "pre":
            self._verbatim += 1

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:
                # What was left open within it ends with it.
                del self._silent[self._silent.index(tag) :]
            return
        if tag in _HEADINGS:
            self._close()
            self._heading = 0
        elif tag in _BLOCKS:
            self._close()
        if tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words.append(data if self._verbatim else re.sub(r"\s+", " ", data))

    def finish(self) -> tuple[Section, ...]:
        self._close()
        return self._outline.sections()

    def _close(self) -> None:
        text = "".join(self._words)
        self._words.clear()
        if not self._verbatim:
            text = "\n".join(" ".join(line.split()) for line in text.split("\n"))
        if self._heading:
            self._outline.heading(self._heading, text)
        else:
            self._outline.paragraph(text)
