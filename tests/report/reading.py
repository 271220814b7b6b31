"""Reads a page as a browser would see it, without one: elements, texts, what would be loaded from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_LOADING = {"src", "srcset", "data", "poster", "action", "background", "href"}


class Page(HTMLParser):
    """Collects what tests ask about."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        """Text that a person sees, one entry a node, white space joined."""
        self.words_in_attributes: list[str] = []
        self.styles: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        self._inside = tag if tag in ("style", "script") else ""
        read = ("aria-label", "title", "alt", "data-label", "data-done")
        self.words_in_attributes += [attributes[name] for name in read if name in attributes]

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.styles.append(data)
        elif self._inside == "script":
            self.scripts.append(data)
        elif data.strip():
            self.texts.append(" ".join(data.split()))

    def ids(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.elements if "id" in attributes}

    def tags(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    def loads(self) -> list[str]:
        """Addresses that opening the page would fetch, or that lead away from it."""
        found = [
            value
            for _, attributes in self.elements
            for name, value in attributes.items()
            if name in _LOADING and not value.startswith(("data:", "#"))
        ]
        styles = "".join(self.styles) + "".join(attributes.get("style", "") for _, attributes in self.elements)
        found += re.findall(r"url\(|@import|@font-face", styles)
        return found + [tag for tag, _ in self.elements if tag in ("link", "base", "iframe", "object", "embed")]
