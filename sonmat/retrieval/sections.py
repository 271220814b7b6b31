"""What a document is made of, whatever its format: stretches of text under one heading, on one page."""

from __future__ import annotations

from sonmat.core.values import Value


class Section(Value):
    text: str
    """Paragraphs with an empty line between them."""
    heading: str = ""
    """The headings that it stands under, the outermost first, as 'Network › Wireless'; '' where there are none."""
    page: int = 0
    """Counted from 1; 0 where the format knows no pages."""


class Outline:
    """Collects paragraphs and headings in the order of reading, and makes sections of them."""

    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []
        self._paragraphs: list[str] = []
        self._sections: list[Section] = []

    def heading(self, level: int, title: str) -> None:
        """A heading begins; those of its own level and below it end."""
        title = " ".join(title.split())
        if not title:
            return
        self._close()
        self._headings = [(each, said) for each, said in self._headings if each < level]
        self._headings.append((level, title))

    def paragraph(self, text: str) -> None:
        if text.strip():
            self._paragraphs.append(text.strip())

    def sections(self) -> tuple[Section, ...]:
        """All of it; a heading with nothing below it is text itself, where it is the last."""
        self._close()
        if not self._sections and self._headings:
            return (Section(text=" › ".join(title for _, title in self._headings)),)
        return tuple(self._sections)

    def _close(self) -> None:
        if self._paragraphs:
            heading = " › ".join(title for _, title in self._headings)
            self._sections.append(Section(text="\n\n".join(self._paragraphs), heading=heading))
        self._paragraphs = []
