"""One word an idea, on the screen as in docs/words.md: what English sentences call a fold is a 폴드 in Korean, and so on."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "sonmat"
SPOKEN = ("probing/panel", "prompting/wordings.py")
"""What models are asked, in words of their own."""


@functools.cache
def sentences() -> tuple[tuple[str, str, str], ...]:
    return tuple(_sentences())


def _sentences() -> Iterator[tuple[str, str, str]]:
    """Place, English and Korean of every `Text(en=..., ko=...)` and `words(en, ko)` whose words stand in the source."""
    for file in sorted(SOURCES.rglob("*.py")):
        place = file.relative_to(SOURCES).as_posix()
        if place.startswith(SPOKEN):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Text", "words"):
                given = dict(zip(("en", "ko"), node.args, strict=False)) | {each.arg: each.value for each in node.keywords}
                if "en" in given and "ko" in given:
                    yield f"{place}:{node.lineno}", said(given["en"]), said(given["ko"])


def said(node: ast.expr) -> str:
    """The words of a literal; what is put into an f-string counts as a blank."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(said(part) if isinstance(part, ast.Constant) else " " for part in node.values)
    return ""


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        (r"(?<!--)\bfolds?\b(?!:)", "폴드"),
        (r"\bclass(?:es)?\b", "클래스"),
        (r"(?<!noise )\bfloors?\b", "기준선"),
        (r"\bclusters?\b", "묶음"),
        (r"\bslices?\b", "집단"),
    ],
)
def test_a_word_of_the_list_has_one_korean_word(english: str, korean: str) -> None:
    wrong = [
        f"{place}: {en!r} / {ko!r}" for place, en, ko in sentences() if re.search(english, en) and ko and korean not in ko
    ]
    assert wrong == []


def test_there_are_sentences_to_look_at() -> None:
    assert len(sentences()) > 1000
