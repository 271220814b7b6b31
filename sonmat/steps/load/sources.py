"""Where rows come from: one path, several, or a manifest that lists them with weights and parts.

In: the recipe. Out: a `DataSource` a file or folder, in order. A manifest is YAML:

    sources:
      - path: faq.jsonl
        weight: 2
      - path: old/answers.csv
        part: train
        map: {question: 질문, answer: 답변}
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field, ValidationError

from sonmat.core.errors import DataError, SettingError
from sonmat.core.faults import fault_words
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Part, Value
from sonmat.reading.encoding import unreadable_file
from sonmat.runs.files import sha256_of
from sonmat.steps.load import container
from sonmat.steps.load.hub_data import local_path

_SUFFIXES = (".yaml", ".yml")
_HUB = "hub:"


@dataclass(frozen=True)
class DataSource:
    """One file or folder of rows."""

    given: str
    """As the user wrote it, from where the program runs."""
    path: Path
    label: str
    """Its name in messages; no two sources of a run have the same."""
    map: dict[str, str]
    template: str | None
    weight: float = 1.0
    part: Part | None = None


class _Entry(Value):
    path: str
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)
    part: Part | None = None
    map: dict[str, str] | None = None
    template: str | None = None


class _Manifest(Value):
    sources: tuple[_Entry, ...] = Field(min_length=1)


def find_sources(recipe: Recipe) -> list[DataSource]:
    """Every source of the recipe's data; what a manifest says of a source goes before what the recipe says of all.

    Raises:
        DataError: a path is not there.
        SettingError: a manifest cannot be understood.
    """
    entries = [entry for given in recipe.data for entry in _entries(given)]
    paths = [local_path(entry.path) for entry in entries]
    names = [entry.path if entry.path.startswith(_HUB) else str(Path(entry.path).resolve()) for entry in entries]
    return [
        DataSource(
            given=entry.path,
            path=path,
            label=label,
            map=recipe.map if entry.map is None else entry.map,
            template=recipe.template if entry.template is None else entry.template,
            weight=entry.weight,
            part=entry.part,
        )
        for entry, path, label in zip(entries, paths, _labels(names), strict=True)
    ]


def data_fingerprint(data: Sequence[str]) -> str:
    """SHA-256 of the content of every path, and of what a manifest says and the content that it lists.

    Raises:
        DataError: a path is not there.
        SettingError: a manifest cannot be understood.
    """
    if not any(map(is_manifest, data)):
        return container.data_fingerprint(data)
    entries = [entry for given in data for entry in _entries(given)]
    said = [entry.model_dump(mode="json", exclude={"path"}) for entry in entries]
    return sha256_of(said, [container.data_fingerprint([entry.path]) for entry in entries])


def is_manifest(given: str) -> bool:
    return not given.startswith(_HUB) and given.lower().endswith(_SUFFIXES)


def _entries(given: str) -> Iterator[_Entry]:
    if not is_manifest(given):
        yield _Entry(path=given)
        return
    path = Path(given)
    for entry in _read(path).sources:
        if entry.path.startswith(_HUB):
            yield entry
        elif is_manifest(entry.path):
            raise _not_understood(
                path, Text(en="a manifest cannot list a manifest", ko="목록 파일 안에 목록 파일을 넣을 수 없습니다")
            )
        else:
            yield entry.model_copy(update={"path": str(path.parent / entry.path)})


def _read(path: Path) -> _Manifest:
    import yaml

    if not path.exists():
        container.find_format(path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise unreadable_file(path, error) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise _not_understood(path, Text(en=f"no valid YAML: {first}", ko=f"올바른 YAML이 아닙니다: {first}")) from error
    try:
        return _Manifest.model_validate(values)
    except ValidationError as error:
        problems = [_problem(dict(fault)) for fault in error.errors()]
        said = Text(en="; ".join(problem.en for problem in problems), ko="; ".join(problem.ko for problem in problems))
        raise _not_understood(path, said) from error


def _problem(fault: dict[str, Any]) -> Text:
    place = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = _Entry.model_fields if len(fault["loc"]) > 1 else _Manifest.model_fields
        close = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
        en = f"there is no key '{place}'" + (f", did you mean '{close[0]}'?" if close else "")
        ko = f"'{place}'(이)라는 항목은 없습니다" + (f". '{close[0]}'을(를) 뜻하셨나요?" if close else "")
        return Text(en=en, ko=ko)
    if fault["type"] == "missing":
        return Text(en=f"'{place}' is missing", ko=f"'{place}' 항목이 없습니다")
    words = fault_words(fault)
    return Text(en=f"{place or 'file'}: {words.en}", ko=f"{place or '파일'}: {words.ko}")


def _not_understood(path: Path, why: Text) -> SettingError:
    example = "sources: [{path: faq.jsonl, weight: 2}, {path: more.csv, part: train}]"
    return SettingError(
        Text(en=f"The manifest {path} cannot be used: {why.en}.", ko=f"목록 파일 {path}을(를) 쓸 수 없습니다: {why.ko}."),
        Text(
            en=f"Write for example: {example}. Keys of a source: {', '.join(_Entry.model_fields)}.",
            ko=f"예: {example}. 쓸 수 있는 항목: {', '.join(_Entry.model_fields)}.",
        ),
    )


def _labels(names: Sequence[str]) -> list[str]:
    """The last part of each path, or as many as it takes to tell it from the others.

    Raises:
        DataError: a path is named twice.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            Text(en=f"{twice[0]} is named twice as data.", ko=f"{twice[0]}을(를) 데이터로 두 번 지정했습니다."),
            Text(
                en="Name it once; a manifest's `weight` makes its rows count more.",
                ko="한 번만 쓰세요. 행을 더 자주 쓰려면 목록 파일의 `weight`를 쓰세요.",
            ),
        )
    parts = [PurePosixPath(Path(name).as_posix()).parts for name in names]
    labels = []
    for own in parts:
        length = 1
        while length < len(own) and sum(other[-length:] == own[-length:] for other in parts) > 1:
            length += 1
        labels.append("/".join(own[-length:]))
    return labels
