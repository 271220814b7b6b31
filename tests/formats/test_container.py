"""Which format reads a path: told by content, said when the name is wrong, and never by chance."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

from sonmat import plugins
from sonmat.core.errors import DataError, PluginError, ResourceError
from sonmat.core.protocols import Format
from sonmat.formats.csv import DelimitedText
from sonmat.steps.load.container import data_fingerprint, find_format, writing_format
from sonmat.steps.load.hub_data import local_path
from tests.formats.made import as_records, fields_of
from tests.formats.test_excel import LOCKED


def parquet_bytes() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": ["a"]}), stream)
    return stream.getvalue()


def zip_bytes(member: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(member, "x")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said", "advice"),
    [
        ("t.csv", parquet_bytes(), "is a Parquet file, although its name ends in '.csv'", "t.parquet"),
        ("t.csv", zip_bytes("xl/workbook.xml"), "is an Excel workbook, although its name ends in '.csv'", "t.xlsx"),
        ("t.csv", gzip.compress(b"text\n", mtime=0), "is a gzip file, although its name ends in '.csv'", "t.csv.gz"),
        ("t.xlsx", zip_bytes("a.csv"), "is a ZIP archive, although its name ends in '.xlsx'", "t.zip"),
        ("t", parquet_bytes(), "is a Parquet file, although its name ends in 't'", "t.parquet"),
        ("t.json", b"SQLite format 3\0" + bytes(90), "is an SQLite database", "t.sqlite"),
        ("t.zip", zip_bytes("xl/workbook.xml"), "is an Excel workbook", "t.xlsx"),
        ("t.xlsx", LOCKED, "is an Office file protected by a password", "remove the password"),
        ("t.xls", LOCKED.replace(b"E\0n\0c", b"X\0n\0c"), "is an old Office document", "CSV"),
        ("t.hwp", LOCKED[:600] + "HwpSummaryInformation".encode("utf-16-le"), "is a Hangul document", "CSV"),
        ("t.docx", zip_bytes("word/document.xml"), "is a Word document", "CSV"),
        ("t.csv", b"%PDF-1.7 ...", "is a PDF", "CSV"),
        ("t.7z", b"7z\xbc\xaf\x27\x1c" + bytes(30), "is a 7z archive", "Unpack it"),
        ("t.png", b"\x89PNG\r\n\x1a\n" + bytes(30), "is a picture", "folder"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named(
    name: str, content: bytes, said: str, advice: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        find_format(tmp_path / name)
    assert said in caught.value.what.en
    assert caught.value.fix is not None
    assert advice in caught.value.fix.en
    assert caught.value.what.ko != caught.value.what.en


class Claiming(DelimitedText):
    name = "claiming"

    def __init__(self, precedence: int) -> None:
        self.precedence = precedence


def _among(formats: tuple[Format, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    every = plugins.every("formats")
    monkeypatch.setattr(plugins, "every", lambda room: (*every, *formats))


def test_the_higher_precedence_reads_and_a_tie_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("text,label\na,b\n")
    _among((Claiming(5),), monkeypatch)
    assert find_format(tmp_path / "t.csv").name == "claiming"
    monkeypatch.undo()
    _among((Claiming(0),), monkeypatch)
    with pytest.raises(PluginError, match="csv, claiming"):
        find_format(tmp_path / "t.csv")


def test_only_formats_of_layouts_made_by_others_are_not_written(tmp_path: Path) -> None:
    reading = []
    for format in plugins.every("formats"):
        try:
            format.write(iter(as_records([])), tmp_path / f"t{format.name}{next(iter(format.suffixes), '')}")
        except DataError as error:
            if "not written as a" in error.what.en:
                reading.append(format.name)
    assert reading == ["dataset_folder", "saved_dataset"]


def test_every_ending_has_one_format_that_writes_it(tmp_path: Path) -> None:
    for format in plugins.every("formats"):
        for suffix in format.suffixes:
            expected = "json" if suffix == ".json" else format.name
            assert writing_format(tmp_path / f"t{suffix}").name == expected
    with pytest.raises(DataError, match=r"\.docx"):
        writing_format(tmp_path / "t.docx")


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("text,label\na,b\n")

    def denied(self: Path, *positional: Any, **named: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    for look in (find_format, lambda path: data_fingerprint([str(path)])):
        with pytest.raises(DataError) as caught:
            look(tmp_path / "t.csv")
        assert "cannot be opened: Permission denied" in caught.value.what.en
        assert "열 수 없습니다" in caught.value.what.ko


def test_a_folder_that_may_not_be_looked_into_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(DataError, match="Permission denied"):
        find_format(tmp_path)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """A hub of one data set; remembers what it was asked."""
    asked: list[dict[str, Any]] = []
    snapshot = tmp_path / "snapshot"
    (snapshot / "nli").mkdir(parents=True)
    (snapshot / "nli" / "train.csv").write_text("text,label\na,b\n")

    def download(repo_id: str, **named: Any) -> str:
        asked.append({"repo_id": repo_id, **named})
        if repo_id == "nobody/offline":
            raise LocalEntryNotFoundError("not in the cache")
        if repo_id == "nobody/forbidden":
            raise OfflineModeIsEnabled("HF_HUB_OFFLINE")
        if repo_id == "nobody/huge":
            raise OSError(28, "No space left on device")
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    local_path.cache_clear()
    yield asked
    local_path.cache_clear()


def test_a_hub_name_becomes_a_folder_that_is_read_like_any_other(hub: list[dict[str, Any]]) -> None:
    path = local_path("hub:klue/klue/nli@v1.0")
    assert fields_of(find_format(path), path) == [{"text": "a", "label": "b"}]
    assert local_path("hub:klue/klue/nli@v1.0") == path
    assert len(hub) == 1
    assert (hub[0]["repo_id"], hub[0]["repo_type"], hub[0]["revision"]) == ("klue/klue", "dataset", "v1.0")
    assert hub[0]["allow_patterns"] == ["nli/**"]
    assert "*.py" in hub[0]["ignore_patterns"]
    assert data_fingerprint(["hub:klue/klue/nli@v1.0"]) == data_fingerprint([str(path)])
    assert local_path("faq.csv") == Path("faq.csv")


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("hub:nobody/offline", "hub cannot be reached", DataError),
        ("hub:nobody/forbidden", "hub cannot be reached", DataError),
        ("hub:nobody/huge", "disk ran full", ResourceError),
        ("hub:klue/klue/none", "has no folder none", DataError),
        ("hub:klue", "names no data set", DataError),
        ("hub:klue/klue/../../etc", "names no data set", DataError),
        ("hub:", "names no data set", DataError),
    ],
)
def test_a_hub_name_that_cannot_be_had_is_said(
    name: str, said: str, kind: type[DataError], hub: list[dict[str, Any]]
) -> None:
    with pytest.raises(kind) as caught:
        local_path(name)
    assert said in caught.value.what.en
    assert caught.value.fix is not None
    assert caught.value.what.ko != caught.value.what.en
