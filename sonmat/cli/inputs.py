"""What a user gives `predict` to answer, as inputs of the model's task.

In: words of the command line, or a file (JSON lines, JSON, CSV, plain text, `-` for standard input). Out: inputs one after
the other, each with its place for messages. It reads on only as it is asked to, so that a stream is answered as it comes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonmat.core.errors import DataError
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Json

if TYPE_CHECKING:
    from sonmat.core.protocols import Task

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Given:
    """One input as the user gave it."""

    value: str | Json
    place: Text | None = None
    """Where it stands in a file."""


def given_inputs(words: Sequence[str], file: str | None, task: Task) -> Iterator[Given]:
    """The inputs on the command line, then those of `file`.

    Raises:
        DataError: the file is missing, or a row of it is no input of `task`.
    """
    for word in words:
        yield _checked(Given(word), task)
    if file is not None:
        for given in _read(file, task):
            yield _checked(given, task)


def _read(file: str, task: Task) -> Iterator[Given]:
    if file == STANDARD_INPUT:
        yield from _lines("stdin", sys.stdin)
        return
    path = Path(file)
    if not path.is_file():
        raise DataError(
            Text(en=f"There is no file {path}.", ko=f"{path} 파일이 없습니다."),
            Text(
                en="Name a .jsonl, .json, .csv or .txt file, or - for standard input.",
                ko=".jsonl, .json, .csv, .txt 파일이나 표준 입력(-)을 지정하세요.",
            ),
        )
    if path.suffix.lower() in (".txt", ""):
        with path.open(encoding="utf-8-sig") as lines:
            yield from _lines(path.name, lines)
        return
    yield from _records(path, task)


def _lines(name: str, lines: Iterable[str]) -> Iterator[Given]:
    """A text or a JSON object a line."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        place = verbatim(f"{name}:{number}")
        yield Given(_object(text) or text, place)


def _object(text: str) -> Json | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _records(path: Path, task: Task) -> Iterator[Given]:
    """Rows of a file in one of the formats that load reads too."""
    from sonmat import plugins

    for format in plugins.every("formats"):
        if format.matches(path):
            break
    else:
        raise DataError(
            Text(en=f"{path} is no known kind of file.", ko=f"{path}은(는) 지원하지 않는 종류의 파일입니다."),
            Text(en="Give inputs as .jsonl, .json, .csv or .txt.", ko="입력을 .jsonl, .json, .csv, .txt로 주세요."),
        )
    for record in format.read(path):
        place = Text(en=f"{path.name}, {record.source.place.en}", ko=f"{path.name} {record.source.place.ko}")
        if record.problem is not None:
            raise DataError(
                Text(en=f"{place.en}: {record.problem.en}", ko=f"{place.ko}: {record.problem.ko}"),
                Text(en="Mend this row and try again.", ko="이 행을 고친 뒤 다시 시도하세요."),
            )
        yield Given(record.fields, place)


def _checked(given: Given, task: Task) -> Given:
    """The input with only the task's own fields; a row with more columns, such as the answer, will do."""
    if isinstance(given.value, str):
        _check_picture(given.value, task)
        return given
    fields = list(task.Input.model_fields)
    lacking = [name for name in fields if name not in given.value and task.Input.model_fields[name].is_required()]
    if not lacking:
        kept: dict[str, Any] = {name: given.value[name] for name in fields if name in given.value}
        return Given(kept, given.place)
    place = Text(en=f"{given.place.en}: ", ko=f"{given.place.ko}: ") if given.place else verbatim("")
    raise DataError(
        Text(
            en=f"{place.en}no field '{lacking[0]}'; found {', '.join(given.value) or 'nothing'}.",
            ko=f"{place.ko}'{lacking[0]}' 항목이 없습니다. 있는 항목: {', '.join(given.value) or '없음'}.",
        ),
        Text(
            en=f"An input for {task.title.en} has: {', '.join(fields)}.",
            ko=f"{task.title.ko}의 입력 항목: {', '.join(fields)}.",
        ),
    )


def _check_picture(words: str, task: Task) -> None:
    if task.modality == "image" and not Path(words).is_file():
        raise DataError(
            Text(en=f"There is no picture {words}.", ko=f"{words} 그림이 없습니다."),
            Text(en="Give the path of an image file.", ko="그림 파일의 경로를 주세요."),
        )
