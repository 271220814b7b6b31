"""Takes the machine's own paths out of what a report says: messages of a run name the folder or file, not where it lies.

In: a report. Out: the same report. Rows of the user's data and the data's path as the user wrote it stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath, PureWindowsPath
from typing import Any, Final, TypeVar

from sonmat.steps.report.contents import DataReport, Report

AnyReport = TypeVar("AnyReport", Report, DataReport)

_ABSOLUTE: Final = re.compile(r"(?<![\w/.:~-])(?:/[^\s/\"'<>|:;,()\[\]]+){2,}/?|(?<!\w)[A-Za-z]:\\[^\s\"'<>|;,()\[\]]+")
_USER_DATA: Final = frozenset({"input", "target", "output", "other", "words"})
_SENTENCE: Final = frozenset({"en", "ko"})


def without_paths(report: AnyReport, known: Mapping[str, str]) -> AnyReport:
    """`report` with every absolute path in its sentences cut to the last part.

    Args:
        known: paths that are replaced wherever they stand, and what to call them.
    """
    longest_first = sorted(known.items(), key=lambda entry: -len(entry[0]))
    return type(report).model_validate(_walk(report.model_dump(), longest_first))


def nameless(sentence: str, known: list[tuple[str, str]]) -> str:
    """`sentence` with known paths named and every other absolute one, inside them or elsewhere, cut to its last part."""
    for path, name in known:
        # A known path may hold spaces; what follows it is then no longer absolute and would be kept.
        inside = re.compile(re.escape(path) + r"((?:[/\\\\][^\s/\"'<>|:;,()\[\]]+)*)")
        sentence = inside.sub(lambda match, name=name: _last_part(match[1]) if match[1] else name, sentence)  # type: ignore[misc]
    return _ABSOLUTE.sub(lambda match: _last_part(match[0]), sentence)


def _walk(content: Any, known: list[tuple[str, str]]) -> Any:
    if isinstance(content, dict):
        if content.keys() == _SENTENCE:
            return {language: nameless(sentence, known) for language, sentence in content.items()}
        return {key: value if key in _USER_DATA else _walk(value, known) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_walk(entry, known) for entry in content]
    return content


def _last_part(path: str) -> str:
    # A full stop at the end closes the sentence.
    stop = "." if path.endswith(".") else ""
    bare = path.rstrip("./\\")
    return (PureWindowsPath(bare) if "\\" in bare else PurePath(bare)).name + stop
