"""`--set lora.rank=8` as settings by method. Whether a method has the setting is for the plan to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sonmat.core.errors import SettingError
from sonmat.core.text import Text


def settings_of(assignments: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`["lora.rank=8"]` as `{"lora": {"rank": 8}}`; values are read as YAML does.

    Raises:
        SettingError: an assignment is not METHOD.NAME=VALUE.
    """
    import yaml

    found: dict[str, dict[str, Any]] = {}
    for assignment in assignments:
        place, equals, value = assignment.partition("=")
        method, dot, name = place.partition(".")
        if not (equals and dot and method.strip() and name.strip()):
            raise _unreadable(assignment)
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise _unreadable(assignment) from error
        found.setdefault(method.strip(), {})[name.strip()] = read
    return found


def _unreadable(assignment: str) -> SettingError:
    return SettingError(
        Text(en=f"--set {assignment} cannot be read.", ko=f"--set {assignment}을(를) 읽을 수 없습니다."),
        Text(
            en="Write METHOD.NAME=VALUE, for example --set lora.rank=8.",
            ko="방법.이름=값으로 쓰세요. 예: --set lora.rank=8.",
        ),
    )
