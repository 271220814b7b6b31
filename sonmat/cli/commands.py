"""What commands are made of: the options of recipe keys by the group, `--lang` for all, help under headings.

In: a function with typer's annotations. Out: the same as a command, with options added. What options there are says `options`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from sonmat.cli.options import words

_LangOfMessages = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar="en|ko",
        help=words(
            en="Language of messages; the locale's if left out.", ko="메시지의 언어. 생략하면 시스템 언어를 따릅니다."
        ),
    ),
]


def asking(*groups: Mapping[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of `groups`; what the user gave of them arrives in its argument `asked`."""

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        options = {name: option for group in groups for name, option in group.items()}
        own = [each for each in inspect.signature(command, eval_str=True).parameters.values() if each.name != "asked"]

        def called(**given: Any) -> None:
            from sonmat.cli.asked import as_recipe

            command(asked=as_recipe({name: given.pop(name) for name in options}), **given)

        named = inspect.Parameter.KEYWORD_ONLY
        added = [inspect.Parameter(name, named, default=_nothing(kind), annotation=kind) for name, kind in options.items()]
        return _signed(called, command, [*own, *added])

    return with_options


def speaking(command: Callable[..., None]) -> Callable[..., None]:
    """The command with `--lang`, for those that keep no language in a recipe: `entry` has heeded it by then."""
    own = inspect.signature(command, eval_str=True).parameters
    if "lang" in own:
        return command

    def called(lang: str | None, **given: Any) -> None:
        command(**given)

    added = inspect.Parameter("lang", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_LangOfMessages)
    return _signed(called, command, [*own.values(), added])


def _signed(
    called: Callable[..., None], command: Callable[..., None], parameters: Sequence[inspect.Parameter]
) -> Callable[..., None]:
    """`called` under the name of `command`, with parameters that typer makes options of."""
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    # Typer reads a command's options from these two.
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in parameters}
    called.__name__, called.__doc__ = command.__name__, command.__doc__
    return called


def _nothing(option: Any) -> bool | None:
    return False if option.__origin__ is bool else None


class PanelledCommand(TyperCommand):
    """A command whose plain help lists options under the same headings as the decorated one."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            heading = getattr(param, "rich_help_panel", None)
            if heading is None:
                argument = param.param_type_name == "argument"
                heading = words("Arguments", "인자") if argument else words("Options", "옵션")
            panels.setdefault(heading, []).append(record)
        for heading, records in panels.items():
            with formatter.section(heading):
                formatter.write_dl(records)
