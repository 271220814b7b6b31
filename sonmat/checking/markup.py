"""HTML and Markdown pictures that were left in texts, and the text without them.

In: a text. Out: the first such mark, and the text as a reader of the page would have seen it. Code in Markdown fences or
back-ticks is left alone, and so is everything in angle brackets that is no HTML element, such as 'a < b', '<name>' or '<s>'.
"""

from __future__ import annotations

import html
import re
from html.entities import html5

_SURE = (
    "br|p|div|span|em|strong|ul|ol|li|table|tr|td|th|thead|tbody|tfoot|h[1-6]|img|font|script|style|center|hr|pre|"
    "blockquote|iframe|html|head|meta|sup|sub|strike|big|tt|dl|dt|dd|noscript|svg|figure|figcaption|colgroup|col|nobr|wbr"
)
"""Elements whose bare tag is nothing else; '<image>' or '<title>' may be somebody's placeholder, '<s>' a model's token."""
_OTHER = (
    "a|abbr|address|area|article|aside|audio|b|base|body|button|canvas|caption|cite|code|data|del|details|footer|form|header|"
    "i|input|ins|kbd|label|link|main|map|mark|menu|nav|object|option|output|q|samp|section|select|small|source|summary|"
    "textarea|time|title|u|var|video"
)
_ATTRIBUTE = r"""\s+[a-zA-Z_:@][\w:.-]*\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+)"""
_BARE = (
    r"\s+(?:allowfullscreen|async|autofocus|autoplay|checked|compact|controls|default|defer|disabled|hidden|loop|multiple|muted|"
    r"nohref|noshade|nowrap|open|readonly|required|reversed|selected)"
)
_CLOSED = r"(?:\s*/)?>"
_TAG = (
    rf"</?(?P<sure>{_SURE})(?:{_ATTRIBUTE}|{_BARE})*{_CLOSED}"
    rf"|<(?:{_OTHER})(?:{_BARE})*(?:{_ATTRIBUTE})(?:{_ATTRIBUTE}|{_BARE})*{_CLOSED}"
    rf"|<(?P<pair>{_OTHER})>(?=.{{0,2000}}</(?P=pair)>)"
    rf"|</(?:{_OTHER})>"
)
_COMMENT = r"<!--.{0,5000}?-->|<!doctype html[^>]{0,200}>"
_ENTITY = r"&(?:amp;)*(?P<entity>[a-zA-Z][a-zA-Z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});"
_PICTURE = r"!\[(?P<alt>[^\]\n]{0,300})\]\((?:https?:|data:image|/|\./)[^)\s]{0,5000}\)"

SUSPECT = re.compile(r"</?[a-zA-Z!]|&(?:[a-zA-Z]|#)|!\[")
"""Few texts without markup have one of these."""
_MARK = re.compile(f"{_COMMENT}|{_TAG}|{_PICTURE}|{_ENTITY}", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`", re.DOTALL)
_ABOUT_MARKUP = re.compile(
    r"\b(?:html5?|xhtml|xml|svg|css|jsx|vue|react|javascript|dom|markdown|tags?|mark-?up|web ?page|website|selenium|beautifulsoup)\b|"
    "태그|마크업|웹 ?페이지|마크다운|자바스크립트|홈페이지 (?:코드|소스)",
    re.IGNORECASE,
)
_UNSEEN = re.compile(r"<(script|style|noscript)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_LINE_ENDS = re.compile(
    r"<br\b[^<>]*>|</(?:p|div|li|tr|h[1-6]|blockquote|table|ul|ol|dt|dd|pre)\s*>|<hr\b[^<>]*>|<(?:p|div|li|tr)\b[^<>]*>",
    re.IGNORECASE,
)
_CELL_ENDS = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_MOST_ROUNDS = 5


_CODE_STOOD_HERE = "\x00"


def markup_in(text: str) -> str:
    """The first mark of HTML that is not meant to be read, as its bare name ('<br>', '&nbsp;'); '' where there is none."""
    # No mark goes on behind code, also for `readable`.
    prose = _CODE.sub(_CODE_STOOD_HERE, text)
    found = next((mark for part in prose.split(_CODE_STOOD_HERE) for mark in _MARK.finditer(part) if _is_mark(mark)), None)
    if found is None or _ABOUT_MARKUP.search(_MARK.sub(" ", prose)):
        return ""
    return _bare(found.group())


def readable(text: str) -> str:
    """`text` as the page showed it: tags and comments out, line ends where the page had them, entities as their characters."""
    parts: list[str] = []
    at = 0
    for code in _CODE.finditer(text):
        parts += [_readable(text[at : code.start()]), code.group()]
        at = code.end()
    shown = "".join([*parts, _readable(text[at:])])
    return text if shown == text else shown.strip()


def _readable(prose: str) -> str:
    for _ in range(_MOST_ROUNDS):  # entities may hide further marks: '&amp;lt;br&amp;gt;'
        if not any(_is_mark(mark) for mark in _MARK.finditer(prose)):
            return prose
        seen = _CELL_ENDS.sub(" ", _LINE_ENDS.sub("\n", _UNSEEN.sub("", prose)))
        shown = _MARK.sub(_shown, seen)
        prose = re.sub(r"[ \t]*\n[ \t\n]*\n[ \t]*", "\n\n", re.sub(r" *\n *", "\n", shown))
    return prose


def _shown(mark: re.Match[str]) -> str:
    if mark["entity"]:
        return html.unescape(mark.group()).replace("\xa0", " ") if _is_mark(mark) else mark.group()
    return mark["alt"] or ""


def _is_mark(mark: re.Match[str]) -> bool:
    entity = mark["entity"]
    return not entity or entity.startswith("#") or f"{entity};" in html5


def _bare(mark: str) -> str:
    """The mark without attributes, addresses and content, which may be personal."""
    if mark.startswith("!["):
        return "![…](…)"
    name = re.match(r"</?[a-zA-Z0-9]+|<!--|&[^;]{1,12};?", mark)
    start = name.group() if name else mark[:4]
    return start if start.startswith("&") else f"{start}…-->" if start == "<!--" else f"{start}>"
