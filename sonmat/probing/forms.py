"""The form that all training targets share, so that answers can be held to it without the user having to say it.

In: training targets. Out: named forms, each with the rule that tells whether an answer has it. Only what *every* target keeps is a
form: of n targets without an exception, at most about 3 / n of all such texts break it (the rule of three, 95 %).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sonmat.core.text import Text
from sonmat.probing.expectations import Rule, as_json
from sonmat.reading.language import language_of

FEWEST_TARGETS: Final = 20
"""Different ones; fewer may share a form by chance."""
_TOLD: Final = 0.8
"""Share of targets whose language can be told."""
_LONGEST_SHOWN: Final = 30
_SENTENCE_ENDS: Final = (".", "!", "?", "。", "…", "！", "？")


@dataclass(frozen=True)
class Form:
    name: str
    title: Text
    rule: Rule


def shared_forms(targets: Sequence[str]) -> list[Form]:
    """Every form that all `targets` have; none where there are too few different ones to tell."""
    different = list(dict.fromkeys(target.strip() for target in targets))
    if len(different) < FEWEST_TARGETS:
        return []
    kinds: tuple[Callable[[Sequence[str]], Form | None], ...] = (_json, _one_line, _beginning, _ending, _language)
    return [form for kind in kinds if (form := kind(different)) is not None]


def _json(targets: Sequence[str]) -> Form | None:
    keys = _keys(targets[0])
    if keys is None or any(_keys(target) != keys for target in targets):
        return None
    named = _shown(", ".join(sorted(keys)))
    return Form(
        "form_json",
        Text(en=f"JSON with the keys that your examples have ({named})", ko=f"예시와 같은 키를 가진 JSON({named})"),
        lambda answer: _keys(answer) == keys,
    )


def _keys(text: str) -> frozenset[str] | None:
    """Of a text that is one JSON object."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value: Any = as_json(text)
    except (ValueError, RecursionError):
        return None
    return frozenset(value) if isinstance(value, dict) else None


def _one_line(targets: Sequence[str]) -> Form | None:
    if any("\n" in target for target in targets):
        return None
    return Form(
        "form_one_line",
        Text(en="one line, as your examples", ko="예시처럼 한 줄"),
        lambda answer: "\n" not in answer.strip(),
    )


def _beginning(targets: Sequence[str]) -> Form | None:
    start = _common_start(targets)
    # One letter is shared by chance; one sign is not.
    if len(start) < 2 and (not start or start.isalnum()):
        return None
    return Form(
        "form_beginning",
        Text(en=f"begins as your examples do ('{_shown(start)}')", ko=f"예시와 같은 시작('{_shown(start)}')"),
        lambda answer: answer.strip().startswith(start),
    )


def _ending(targets: Sequence[str]) -> Form | None:
    end = _common_start([target[::-1] for target in targets])[::-1]
    if len(end) >= 2 or (end and not end.isalnum()):
        return Form(
            "form_ending",
            Text(en=f"ends as your examples do ('{_shown(end)}')", ko=f"예시와 같은 끝맺음('{_shown(end)}')"),
            lambda answer: answer.strip().endswith(end),
        )
    if all(target.endswith(_SENTENCE_ENDS) for target in targets):
        return Form(
            "form_ending",
            Text(en="ends with a full stop or the like, as your examples", ko="예시처럼 문장 부호로 끝맺음"),
            lambda answer: answer.strip().endswith(_SENTENCE_ENDS),
        )
    return None


def _language(targets: Sequence[str]) -> Form | None:
    told = [language for target in targets if (language := language_of(target)) is not None]
    if len(told) < max(FEWEST_TARGETS, _TOLD * len(targets)) or len(set(told)) > 1:
        return None
    language = told[0]
    name = Text(
        en={"ko": "Korean", "latin": "Latin script"}.get(language, language),
        ko={"ko": "한국어", "latin": "로마자"}.get(language, language),
    )
    return Form(
        "form_language",
        Text(en=f"in the language of your examples ({name.en})", ko=f"예시와 같은 언어({name.ko})"),
        lambda answer: language_of(answer) in (None, language),
    )


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    shared = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:shared]


def _shown(piece: str) -> str:
    return piece if len(piece) <= _LONGEST_SHOWN else f"{piece[:_LONGEST_SHOWN]}…"
