"""Versioned files that are either the old or the new state, never something between.

Every JSON file is `{"schema", "version", "made_by", "inputs", "value"}`; every JSONL file opens with such a header line
without a value. `inputs` is the fingerprint of what the file was made from, so that a stale file is recognised.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from sonmat import __version__
from sonmat.core.errors import RunError
from sonmat.core.text import Text
from sonmat.core.values import Value

VERSION = 1
"""Of every file format in a run directory. Raise it when an older Sonmat could not read what is written now."""

ValueType = TypeVar("ValueType", bound=BaseModel)


class Header(Value):
    """What stands at the top of every file."""

    schema_name: str
    version: int
    made_by: str
    inputs: str


def write_value(path: Path, value: BaseModel, inputs: str = "") -> None:
    """Write `value` with its header; `inputs` is the fingerprint of what it was made from."""
    document = {**_header(type(value).__name__, inputs), "value": value.model_dump(mode="json")}
    atomic_write(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def read_value(path: Path, kind: type[ValueType]) -> ValueType:
    """The value that `write_value` wrote.

    Raises:
        RunError: the file is missing, damaged, or of a newer version.
    """
    document = _document(path)
    _checked_header(path, document, kind.__name__)
    try:
        return kind.model_validate(document["value"])
    except (ValidationError, KeyError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error


def read_header(path: Path) -> Header | None:
    """The header of a JSON or JSONL file; None if there is no such file."""
    if not path.exists():
        return None
    if path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            first = lines.readline()
        try:
            document = json.loads(first)
        except ValueError as error:
            raise _damaged(path, str(error)) from error
    else:
        document = _document(path)
    return _checked_header(path, document, None)


def write_rows(path: Path, kind: type[BaseModel], rows: Iterable[BaseModel | str], inputs: str = "") -> int:
    """Write `rows` as JSON lines below a header; the file appears only when all are written. Returns their number.

    A row that is a string is such a line already, as `json_line` gives it.
    """
    count = 0
    with replacing(path) as stream:
        stream.write(json_line(_header(kind.__name__, inputs)) + "\n")
        for row in rows:
            stream.write((row if isinstance(row, str) else json_line(row.model_dump(mode="json"))) + "\n")
            count += 1
    return count


json_line: Final = json.JSONEncoder(ensure_ascii=False).encode
"""A JSON value as it stands in the files; one encoder for all of them, because making one takes as long as its work."""


def read_rows(path: Path, kind: type[ValueType]) -> Iterator[ValueType]:
    """The rows that `write_rows` wrote, one at a time.

    Raises:
        RunError: the file is missing, damaged, or of a newer version.
    """
    if not path.exists():
        raise _missing(path)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                if number == 1:
                    _checked_header(path, json.loads(line), kind.__name__)
                else:
                    yield kind.model_validate_json(line)
            except (ValidationError, ValueError) as error:
                raise _damaged(path, f"line {number}: {str(error).splitlines()[0]}") from error


def atomic_write(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content`: temporary name, fsync, rename, fsync of the folder."""
    with replacing(path, binary=isinstance(content, bytes)) as stream:
        stream.write(content)


def sha256_of(*parts: Any) -> str:
    """SHA-256 of JSON-able values, independent of the order of object keys."""
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=_jsonable)
    return hashlib.sha256(canonical.encode()).hexdigest()


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def replacing(path: Path, binary: bool = False) -> Iterator[IO[Any]]:
    """A stream whose content takes the place of `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    temporary = Path(name)
    stream: IO[Any] = os.fdopen(descriptor, "wb") if binary else os.fdopen(descriptor, "w", encoding="utf-8", newline="")
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _jsonable(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no fingerprint")


def _header(schema: str, inputs: str) -> dict[str, Any]:
    return {"schema": f"sonmat.{schema}", "version": VERSION, "made_by": f"sonmat {__version__}", "inputs": inputs}


def _checked_header(path: Path, document: Any, schema: str | None) -> Header:
    if not isinstance(document, dict) or "schema" not in document or "version" not in document:
        raise _damaged(path, "no header")
    if document["version"] > VERSION:
        raise RunError(
            Text(
                en=f"{path} was written by {document.get('made_by', 'a newer Sonmat')} (format {document['version']}); "
                f"this is sonmat {__version__} (format {VERSION}).",
                ko=f"{path}은(는) {document.get('made_by', '더 새로운 Sonmat')}(형식 {document['version']})이 썼고, "
                f"지금 것은 sonmat {__version__}(형식 {VERSION})입니다.",
            ),
            Text(
                en="Update Sonmat (pip install -U sonmat), or choose another run directory. Nothing was changed.",
                ko="Sonmat을 업데이트하거나(pip install -U sonmat) 다른 실행 폴더를 쓰세요. 바뀐 것은 없습니다.",
            ),
        )
    if schema is not None and document["schema"] != f"sonmat.{schema}":
        raise _damaged(path, f"holds {document['schema']}, expected sonmat.{schema}")
    return Header(
        schema_name=document["schema"],
        version=document["version"],
        made_by=document.get("made_by", ""),
        inputs=document.get("inputs", ""),
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _missing(path) from None
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(document, dict):
        raise _damaged(path, "no JSON object")
    return document


def _missing(path: Path) -> RunError:
    return RunError(
        Text(en=f"{path} is not there.", ko=f"{path}이(가) 없습니다."),
        Text(
            en="The step that writes it has not run yet: `sonmat run` continues where the run stopped.",
            ko="이 파일을 쓰는 단계가 아직 실행되지 않았습니다. `sonmat run`은 멈춘 곳부터 이어서 합니다.",
        ),
    )


def _damaged(path: Path, detail: str) -> RunError:
    return RunError(
        Text(en=f"{path} cannot be read: {detail}.", ko=f"{path}을(를) 읽을 수 없습니다: {detail}."),
        Text(
            en="Move it away and run again: the step that writes it will be repeated.",
            ko="이 파일을 다른 곳으로 옮기고 다시 실행하면 해당 단계를 다시 합니다.",
        ),
    )
