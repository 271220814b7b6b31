"""A recipe from a YAML file and what was said on top of it, every problem reported at once."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from sonmat.core.errors import SettingError
from sonmat.core.faults import fault_words
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text


def make_recipe(file: Path | None, given: dict[str, Any]) -> Recipe:
    """The recipe of `file` (may be None) with the values of `given` that are not None on top.

    Raises:
        SettingError: the file is missing or no YAML mapping, a key is unknown, or a value does not fit.
    """
    values = _read(file) if file is not None else {}
    settings = merged_settings(values.get("settings"), given.get("settings"))
    values.update({name: value for name, value in given.items() if value is not None})
    if settings:
        values["settings"] = settings
    for name in ("method", "accept_licence", "slices", "skip", "arm", "probes"):
        if isinstance(values.get(name), str):
            values[name] = [part.strip() for part in values[name].split(",") if part.strip()]
    for name in ("data", "documents"):
        if file is not None and name in values and given.get(name) is None:
            # A path in a recipe is meant from where the recipe lies.
            paths = values[name] if isinstance(values[name], list) else [values[name]]
            values[name] = [str(file.parent / str(each)) for each in paths]
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        problems = [_problem(dict(fault)) for fault in error.errors()]
        where = Text(en=f"{file}: " if file else "", ko=f"{file}: " if file else "")
        raise SettingError(
            Text(
                en=where.en + "; ".join(problem.en for problem in problems) + ".",
                ko=where.ko + "; ".join(problem.ko for problem in problems) + ".",
            ),
            _fix(any(fault["type"] == "extra_forbidden" for fault in error.errors())),
        ) from error


def is_recipe(file: Path) -> bool:
    """Whether `file` is YAML and no list of sources; what cannot be read counts as a recipe, so that somebody says so."""
    if file.suffix.lower() not in (".yaml", ".yml") or not file.is_file():
        return False
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return True
    return not (isinstance(values, dict) and "sources" in values)


def merged_settings(below: Any, above: Any) -> dict[str, Any]:
    """Settings by method, those of `above` on top of those of `below`, setting by setting."""
    found = dict(below or {})
    for method, values in (above or {}).items():
        known = found.get(method)
        found[method] = {**known, **values} if isinstance(known, dict) and isinstance(values, dict) else values
    return found


def _read(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingError(
            Text(en=f"There is no recipe {file}.", ko=f"레시피 {file}이(가) 없습니다."),
            Text(en="Check its path.", ko="경로를 확인하세요."),
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingError(
            Text(en=f"{file} is not readable YAML: {error}", ko=f"{file}은(는) 읽을 수 있는 YAML이 아닙니다: {error}"),
            Text(en="Mend the line that it names.", ko="표시된 줄을 고치세요."),
        ) from error
    if not isinstance(values, dict):
        raise SettingError(
            Text(en=f"{file} holds no recipe.", ko=f"{file}에 레시피가 없습니다."),
            Text(
                en="Write one `key: value` a line, for example `data: reviews.csv`.",
                ko="한 줄에 `항목: 값`을 쓰세요. 예: `data: reviews.csv`.",
            ),
        )
    return values


def _fix(names_are_wrong: bool) -> Text:
    if names_are_wrong:
        known = ", ".join(Recipe.model_fields)
        return Text(en=f"Known keys: {known}.", ko=f"가능한 항목: {known}.")
    return Text(
        en="Mend these values; nothing has been started.", ko="값을 고쳐 다시 실행하세요. 아직 아무것도 하지 않았습니다."
    )


def _problem(fault: dict[str, Any]) -> Text:
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, Recipe.model_fields, n=1)
        en = f"there is no recipe key '{name}'" + (f" (did you mean '{close[0]}'?)" if close else "")
        ko = f"'{name}'(이)라는 항목은 없습니다" + (f"('{close[0]}'을(를) 뜻하셨나요?)" if close else "")
        return Text(en=en, ko=ko)
    if fault["type"] == "missing":
        return Text(en=f"'{name}' is missing", ko=f"'{name}'이(가) 없습니다")
    shown, words = repr(fault.get("input"))[:60], fault_words(fault)
    return Text(en=f"{name} is {shown}: {words.en}", ko=f"{name} 값이 {shown}입니다: {words.ko}")
