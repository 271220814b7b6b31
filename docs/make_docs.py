"""Writes `docs/cli.md` and `docs/settings.md` from the program itself: `python docs/make_docs.py`.

In: the command tree and the settings of every method and of the recipe. Out: the two pages. A test asserts that they are up
to date, so that the pages cannot say what the program does not do.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sonmat import plugins
from sonmat.cli.app import build
from sonmat.core.recipe import Recipe
from sonmat.core.text import set_language

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/make_docs.py; do not edit. -->\n"


def pages() -> dict[str, str]:
    """The pages by file name, as they should be."""
    set_language("en")
    try:
        return {"cli.md": cli_page(), "settings.md": settings_page()}
    finally:
        set_language(None)


def cli_page() -> str:
    """Every command with its arguments and options."""
    root = build()
    lines = [NOTE, "# Command line\n"]
    lines.append(
        "Every command has `--help`, and every one that prints a result has `--json`: one JSON document on stdout, errors as\n"
        '`{"error": {"type", "message", "fix"}}`. Exit codes: 0 done, 1 failed or blocked by the audit, 2 something that you can\n'
        "mend, 3 the guards leave nothing to go on with ([proof.md](proof.md)), 130 paused (the same command continues).\n"
        "`NO_COLOR` and `COLUMNS` are heeded; without a terminal there are no control characters.\n"
    )
    lines += _command("sonmat", root)
    for path, command in _commands("sonmat", root):
        lines += [f"## {path}\n", *_command(path, command)]
    return "\n".join(lines)


def settings_page() -> str:
    """The recipe's keys and every method's settings with default, range and effect."""
    lines = [NOTE, "# Settings\n", "## Recipe\n"]
    lines.append(
        "The same names on the command line (`--bad-rows`), in a recipe file (`bad_rows:`) and in Python (`bad_rows=`).\n"
    )
    lines += [*_settings_table(Recipe), ""]
    lines.append("## Methods\n")
    lines.append(
        "Set with `--set METHOD.NAME=VALUE`, under `settings:` in a recipe, or `settings={METHOD: {NAME: VALUE}}` in Python. The\n"
        "plan may choose other values than these defaults for a base model and data; the report says what was used, and whether\n"
        "you, the plan or the default decided.\n"
    )
    for method in plugins.every("methods"):
        lines.append(f"### {method.name}\n")
        lines.append(f"{method.title.en[:1].upper()}{method.title.en[1:]}.\n")
        if method.Settings.model_fields:
            lines += [*_settings_table(method.Settings), ""]
        else:
            lines.append("Nothing to set.\n")
    return "\n".join(lines)


def _commands(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from _commands(f"{path} {name}", command)


def _command(path: str, command: Any) -> list[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    words = " ".join(_argument(each) for each in arguments)
    usage = f"{path} {'COMMAND ' if hasattr(command, 'commands') else ''}[OPTIONS] {words}".rstrip()
    lines = [f"{command.help}\n", f"```\n{usage}\n```\n"]
    rows = [(f"`{_cell(each.metavar or each.name)}`", each.help or "") for each in arguments]
    rows += [(f"`{_cell(_spelt(each))}`", each.help or "") for each in options]
    if rows:
        lines += ["| | |", "|---|---|"]
        lines += [f"| {name} | {_cell(effect)} |" for name, effect in rows]
        lines.append("")
    return lines


def _argument(argument: Any) -> str:
    """'RUN' if it must be given, else '[DATA]'."""
    name = str(argument.metavar or argument.name) + ("..." if argument.nargs == -1 else "")
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _spelt(option: Any) -> str:
    """'--minutes MINUTES'; an option without a metavar is a switch."""
    return " ".join(part for part in (", ".join(option.opts), option.metavar) if part)


def _settings_table(settings: type[BaseModel]) -> list[str]:
    lines = ["| name | default | range | effect |", "|---|---|---|---|"]
    for name, field in settings.model_fields.items():
        default, allowed = _default(field), _range(field)
        lines.append(f"| `{name}` | {default} | {_cell(allowed)} | {_cell(field.description or '')} |")
    return lines


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True) if field.default_factory is None else {}
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ((), {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _range(field: FieldInfo) -> str:
    """'> 0, ≤ 1', 'linear, cosine or constant', or the kind of value."""
    signs = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt"), MinLen: ("length ≥", "min_length")}
    limits = [
        f"{sign} {getattr(limit, attribute):,}"
        for limit in field.metadata
        for kind, (sign, attribute) in signs.items()
        if isinstance(limit, kind)
    ]
    return ", ".join([_kind(field.annotation), *limits])


def _kind(annotation: Any) -> str:
    names = {str: "text", int: "whole number", float: "number", bool: "yes or no", tuple: "list", dict: "mapping"}
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(part) for part in get_args(annotation) if part is not type(None))
    return names.get(origin or annotation, str(annotation))


def _cell(words: str) -> str:
    return words.replace("\n", " ").replace("|", "\\|")


def main() -> None:
    for name, content in pages().items():
        (DOCS / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
