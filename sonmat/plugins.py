"""Finds every plug-in by its name: built-in files in the plug-in rooms, and third-party packages through entry points.

A built-in is a module of `sonmat.<room>` with an instance named `plugin`; a third-party package declares
`[project.entry-points."sonmat.<room>"] name = "package.module:plugin"`. Both are held to the same contract here: a missing
attribute or method is a `PluginError` that names the file. It does not import torch.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal, cast, overload

from sonmat.core.errors import PluginError, unknown_name
from sonmat.core.probing import Probe
from sonmat.core.protocols import ROOMS, Family, Format, Kind, Method, Metric, PluginRoom, Shape, Task
from sonmat.core.text import Text, verbatim
from sonmat.core.watching import Check

_KINDS: dict[PluginRoom, Text] = {
    "formats": Text(en="format", ko="파일 형식"),
    "shapes": Text(en="shape", ko="행 모양"),
    "checks": Text(en="check", ko="점검"),
    "kinds": Text(en="kind of rows", ko="행 종류"),
    "tasks": Text(en="task", ko="과제"),
    "families": Text(en="model family", ko="모델 계열"),
    "methods": Text(en="method", ko="방법"),
    "metrics": Text(en="metric", ko="지표"),
    "probes": Text(en="probe", ko="탐침"),
}


@overload
def find(room: Literal["tasks"], name: str) -> Task: ...
@overload
def find(room: Literal["methods"], name: str) -> Method: ...
@overload
def find(room: Literal["metrics"], name: str) -> Metric: ...
@overload
def find(room: Literal["formats"], name: str) -> Format: ...
@overload
def find(room: Literal["shapes"], name: str) -> Shape: ...
@overload
def find(room: Literal["families"], name: str) -> Family: ...
@overload
def find(room: Literal["checks"], name: str) -> Check: ...
@overload
def find(room: Literal["kinds"], name: str) -> Kind: ...
@overload
def find(room: Literal["probes"], name: str) -> Probe: ...
def find(room: PluginRoom, name: str) -> Any:
    """The plug-in called `name`.

    Raises:
        SettingError: there is none; the nearest name is proposed.
        PluginError: a plug-in of the room has a wrong shape.
    """
    found = _all(room)
    if name not in found:
        raise unknown_name(_KINDS[room], name, found)
    return found[name]


@overload
def every(room: Literal["tasks"]) -> tuple[Task, ...]: ...
@overload
def every(room: Literal["methods"]) -> tuple[Method, ...]: ...
@overload
def every(room: Literal["metrics"]) -> tuple[Metric, ...]: ...
@overload
def every(room: Literal["formats"]) -> tuple[Format, ...]: ...
@overload
def every(room: Literal["shapes"]) -> tuple[Shape, ...]: ...
@overload
def every(room: Literal["families"]) -> tuple[Family, ...]: ...
@overload
def every(room: Literal["checks"]) -> tuple[Check, ...]: ...
@overload
def every(room: Literal["kinds"]) -> tuple[Kind, ...]: ...
@overload
def every(room: Literal["probes"]) -> tuple[Probe, ...]: ...
def every(room: PluginRoom) -> tuple[Any, ...]:
    """All plug-ins of a room in the order of their names."""
    found = _all(room)
    return tuple(found[name] for name in sorted(found))


def kinds_of_rows() -> tuple[Kind, ...]:
    """Every task, and every kind of rows that no task learns from yet, in the order of their names."""
    found: dict[str, Kind] = {**_all("kinds"), **_all("tasks")}
    return tuple(found[name] for name in sorted(found))


def find_kind(name: str) -> Kind:
    """The task or kind of rows called `name`.

    Raises:
        SettingError: there is none; the nearest name is proposed.
    """
    found = {kind.name: kind for kind in kinds_of_rows()}
    if name not in found:
        raise unknown_name(_KINDS["tasks"], name, found)
    return found[name]


def family_of(name: str, config: dict[str, Any]) -> Family:
    """The most specific family that a model called `name` with this config.json belongs to."""
    for family in sorted(every("families"), key=lambda family: -family.precedence):
        if family.matches(name, config):
            return family
    raise PluginError(verbatim("sonmat/families: no family matches; the generic one is missing"))


@cache
def _all(room: PluginRoom) -> dict[str, Any]:
    found: dict[str, Any] = {}
    package = importlib.import_module(f"sonmat.{room}")
    for module_info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module_name = f"sonmat.{room}.{module_info.name}"
        _add(found, room, module_name, lambda name=module_name: importlib.import_module(name).plugin)  # type: ignore[misc]
    for entry in sorted(entry_points(group=f"sonmat.{room}"), key=lambda entry: entry.name):
        _add(found, room, entry.value, entry.load)
    return found


def _add(found: dict[str, Any], room: PluginRoom, where: str, load: Callable[[], Any]) -> None:
    try:
        plugin = load()
    except Exception as error:
        raise PluginError(
            Text(
                en=f"The plug-in {where} could not be loaded: {type(error).__name__}: {error}.",
                ko=f"플러그인 {where}을(를) 불러올 수 없습니다: {type(error).__name__}: {error}.",
            )
        ) from error
    lacking = missing_members(plugin, room)
    if lacking:
        raise PluginError(
            Text(
                en=f"The plug-in {where} is not a {_KINDS[room].en}: it lacks {', '.join(lacking)}.",
                ko=f"플러그인 {where}은(는) {_KINDS[room].ko}이(가) 아닙니다: {', '.join(lacking)}이(가) 없습니다.",
            )
        )
    name = cast(str, plugin.name)
    if name in found:
        raise PluginError(
            Text(
                en=f"Two plug-ins in '{room}' are called '{name}'; the second is {where}.",
                ko=f"'{room}'에 '{name}'(이)라는 플러그인이 둘입니다. 둘째: {where}.",
            )
        )
    found[name] = plugin


def missing_members(plugin: object, room: PluginRoom) -> list[str]:
    """Names that the room's contract asks for and `plugin` does not have, or has with other parameters."""
    contract = ROOMS[room]
    attributes = [name for base in contract.__mro__ for name in inspect.get_annotations(base) if not name.startswith("_")]
    lacking = [name for name in attributes if not hasattr(plugin, name)]
    for name, wanted in inspect.getmembers(contract, inspect.isfunction):
        if name.startswith("_"):
            continue
        offered = getattr(plugin, name, None)
        if not callable(offered):
            lacking.append(f"{name}()")
            continue
        asked = [parameter for parameter in inspect.signature(wanted).parameters if parameter != "self"]
        given = list(inspect.signature(offered).parameters)
        if given != asked:
            lacking.append(f"{name}({', '.join(asked)})")
    return lacking
