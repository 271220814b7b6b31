"""Files of a run: whole or not at all, versioned, read back exactly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sonmat.core.errors import RunError
from sonmat.core.text import Text
from sonmat.core.values import Example, LedgerLine, Source, Split
from sonmat.runs import atomic_write, read_rows, read_value, sha256_of, write_rows, write_value
from sonmat.runs.files import read_header

SPLIT = Split(train=("a", "나"), validation=("b",), test=("c",), seal="0" * 64, how=Text(en="so", ko="이렇게"))


def rows(count: int) -> list[LedgerLine]:
    return [LedgerLine(id=str(n), source=Source(file="가.csv", row=n), action="kept") for n in range(1, count + 1)]


def test_a_value_is_read_back_exactly(tmp_path: Path) -> None:
    write_value(tmp_path / "split.json", SPLIT, "fingerprint")
    assert read_value(tmp_path / "split.json", Split) == SPLIT
    header = read_header(tmp_path / "split.json")
    assert header is not None
    assert (header.inputs, header.version) == ("fingerprint", 1)


def test_rows_are_read_back_exactly_and_one_at_a_time(tmp_path: Path) -> None:
    assert write_rows(tmp_path / "ledger.jsonl", LedgerLine, rows(3), "x") == 3
    found = read_rows(tmp_path / "ledger.jsonl", LedgerLine)
    assert next(found) == rows(3)[0]
    assert list(found) == rows(3)[1:]


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    write_value(path, SPLIT)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "version": 2, "made_by": "sonmat 9.0"}))
    before = path.read_bytes()
    with pytest.raises(RunError, match=r"written by sonmat 9\.0 \(format 2\)") as caught:
        read_value(path, Split)
    assert caught.value.exit_code == 2
    assert "Update Sonmat" in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"value": {}}', '{"schema": "sonmat.Plan", "version": 1, "value": {}}']
)
def test_a_damaged_file_says_so_and_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(content)
    with pytest.raises(RunError, match="cannot be read") as caught:
        read_value(path, Split)
    assert "run again" in str(caught.value)


def test_a_damaged_row_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_rows(path, LedgerLine, rows(3))
    path.write_text(path.read_text().replace('"id": "2"', '"id": 2e'))
    with pytest.raises(RunError, match="line 3"):
        list(read_rows(path, LedgerLine))


def test_an_error_while_writing_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_rows(path, LedgerLine, rows(2))
    before = path.read_bytes()

    def breaks() -> object:
        yield rows(1)[0]
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_rows(path, LedgerLine, breaks())  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["ledger.jsonl"]


def test_a_kill_while_writing_leaves_the_old_or_the_new_state(tmp_path: Path) -> None:
    """A writer that dies at each of its system calls in turn never leaves a half file under the real name."""
    path = tmp_path / "split.json"
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from sonmat.runs import files\n"
        "die_at, path = int(sys.argv[1]), Path(sys.argv[2])\n"
        "calls = 0\n"
        "def dying(real):\n"
        "    def call(*a, **k):\n"
        "        global calls\n"
        "        calls += 1\n"
        "        if calls == die_at: os._exit(9)\n"
        "        return real(*a, **k)\n"
        "    return call\n"
        "os.fsync, os.replace, Path.replace = dying(os.fsync), dying(os.replace), dying(Path.replace)\n"
        "files.atomic_write(path, 'new' * 1000)\n"
    )
    seen = set()
    for die_at in range(1, 6):
        atomic_write(path, "old" * 1000)
        subprocess.run([sys.executable, "-c", script, str(die_at), str(path)], check=False, env={**os.environ})
        content = path.read_text()
        assert content in ("old" * 1000, "new" * 1000)
        seen.add(content[:3])
    assert seen == {"old", "new"}


def test_fingerprints_do_not_depend_on_the_order_of_keys() -> None:
    assert sha256_of({"a": 1, "b": [2]}) == sha256_of({"b": [2], "a": 1})
    assert sha256_of({"a": 1}) != sha256_of({"a": 2})
    example = Example(id="1", input={}, target={}, source=Source(file="", row=1))
    assert sha256_of(example) == sha256_of(example.model_copy())
