"""Compressed files and archives: unpacked once, under hard limits, and never outside of their folder."""

from __future__ import annotations

import gc
import gzip
import io
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
import zstandard

from sonmat.core.errors import DataError, ResourceError
from sonmat.core.protocols import Format
from sonmat.steps.load.container import find_format, writing_format
from tests.formats.made import as_records, fields_of, picture

TABLE = b"text,label\ngood,pos\nbad,neg\n"
ROWS = [{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}]


@pytest.fixture(autouse=True)
def _temporary_files_go_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def left_over(tmp_path: Path) -> list[Path]:
    gc.collect()
    return list((tmp_path / "temporary").iterdir())


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        find_format(path)
    assert caught.value.fix is not None
    assert caught.value.what.ko != caught.value.what.en
    assert str(path) in caught.value.what.en
    return caught.value.what.en


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def rows_of(path: Path) -> list[dict[str, object]]:
    return fields_of(find_format(path), path)


def test_compressed_files_are_read_as_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TABLE[:12]) + gzip.compress(TABLE[12:]))
    (tmp_path / "t.csv.zst").write_bytes(zstandard.compress(TABLE[:12]) + zstandard.compress(TABLE[12:]))
    for name in ("t.csv.gz", "t.csv.zst"):
        format = find_format(tmp_path / name)
        assert format.name == "csv"
        assert fields_of(format, tmp_path / name) == ROWS
        assert format.describe(tmp_path / name).en == "unpacked t.csv: table separated by commas, UTF-8"
        del format
    assert left_over(tmp_path) == []


def test_what_is_unpacked_stays_while_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TABLE))
    rows = find_format(tmp_path / "t.csv.gz").read(tmp_path / "t.csv.gz")
    gc.collect()
    assert [row.fields for row in rows] == ROWS
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl.zst", "t.parquet.gz", "t.xlsx.gz", "t.db.zst", "t.json.gz"])
def test_compressed_files_round_trip(name: str, tmp_path: Path) -> None:
    format = writing_format(tmp_path / name)
    format.write(as_records(ROWS), tmp_path / name)
    assert rows_of(tmp_path / name) == ROWS
    assert fields_of(format, tmp_path / name) == ROWS
    first = (tmp_path / name).read_bytes()
    if ".xlsx" not in name:
        format.write(as_records(ROWS), tmp_path / name)
        assert (tmp_path / name).read_bytes() == first


def test_archives_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="archives are not written"):
        writing_format(tmp_path / "t.zip")


@pytest.mark.parametrize("name", ["t.zip", "t.tar", "t.tgz", "t.tar.gz"])
def test_an_archive_of_one_file_is_read_as_that_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "t.zip":
        zipped(path, {"export/faq.csv": TABLE, "__MACOSX/export/._faq.csv": b"\0", "export/.DS_Store": b"\0"})
    else:
        tarred(path, (tarfile.TarInfo("./export/faq.csv"), TABLE))
    assert rows_of(path) == ROWS
    assert find_format(path).name == "csv"
    assert left_over(tmp_path) == []


def test_an_archive_of_a_folder_is_read_as_that_folder(tmp_path: Path) -> None:
    content = picture(tmp_path / "1.png").read_bytes()
    path = zipped(tmp_path / "t.zip", {f"photos/{label}/{n}.png": content for label in ("cat", "고양이") for n in range(2)})
    format = find_format(path)
    assert format.name == "image_folder"
    rows = list(format.read(path))
    assert [row.fields["label"] for row in rows] == ["cat", "cat", "고양이", "고양이"]
    assert Path(rows[0].fields["image"]).read_bytes() == content


def test_a_table_in_an_archive_names_pictures_beside_it(tmp_path: Path) -> None:
    content = picture(tmp_path / "1.png").read_bytes()
    table = b"image,label\npictures/1.png,cat\n../1.png,dog\n"
    path = zipped(tmp_path / "t.zip", {"list.csv": table, "pictures/1.png": content})
    format = find_format(path)
    found = [row.fields["image"] for row in format.read(path)]
    assert Path(found[0]).read_bytes() == content
    assert found[1] == "../1.png"


def test_names_in_the_encoding_of_korean_windows_are_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "t.zip", {"aaaaaaaaaa.csv": TABLE})
    written = "문의 목록".encode("cp949") + b"a.csv"
    path.write_bytes(path.read_bytes().replace(b"aaaaaaaaaa.csv", written))
    assert next(find_format(path).read(path)).source.file == "문의 목록a.csv"


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "..\\evil.csv", "C:\\evil.csv"])
def test_a_member_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    said = refused(zipped(tmp_path / "t.zip", {"fine.csv": TABLE, name: TABLE}))
    assert "would be written outside" in said
    assert "evil.csv" in said
    said = refused(tarred(tmp_path / "t.tar", (tarfile.TarInfo(name), TABLE)))
    assert "would be written outside" in said
    assert not [found for found in tmp_path.rglob("*evil*") if found.is_file()]
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("train.csv")
    info.type, info.linkname = kind, "/etc/passwd"
    assert "is a link or a device" in refused(tarred(tmp_path / "t.tar", (info, b"")))
    link = zipfile.ZipInfo("train.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "is a link or a device" in refused(tmp_path / "t.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("t.csv", TABLE)
        archive.writestr("t.csv", b"other")
    assert "same name as another" in refused(tmp_path / "t.zip")


def test_an_archive_with_a_password_is_said(tmp_path: Path) -> None:
    path = zipped(tmp_path / "t.zip", {"t.csv": TABLE})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "protected by a password" in refused(path)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.zst", "t.zip", "t.tar.gz", "t.tar"])
def test_a_bomb_is_refused_and_leaves_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.reading.room.ALWAYS_ALLOWED", 1 << 20)
    path, bomb = tmp_path / name, b"text,label\n" + b"a,b\n" * (4 << 20)
    if name == "t.csv.gz":
        path.write_bytes(gzip.compress(bomb))
    elif name == "t.csv.zst":
        path.write_bytes(zstandard.compress(bomb, 19))
    elif name == "t.zip":
        zipped(path, {"t.csv": bomb})
    elif name == "t.tar.gz":
        tarred(path, (tarfile.TarInfo("t.csv"), bomb))
    else:
        monkeypatch.setattr("sonmat.reading.room.MOST_TIMES", 0)
        tarred(path, (tarfile.TarInfo("t.csv"), bomb))
    assert "was not unpacked" in refused(path)
    assert left_over(tmp_path) == []


def test_an_honest_file_that_the_disk_has_no_room_for_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TABLE))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10})())
    with pytest.raises(ResourceError, match="TMPDIR"):
        find_format(tmp_path / "t.csv.gz")
    assert left_over(tmp_path) == []


def test_a_header_that_lies_about_the_size_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.reading.room.ALWAYS_ALLOWED", 1 << 20)
    path = zipped(tmp_path / "t.zip", {"t.csv": bytes(8 << 20)})
    content = path.read_bytes().replace((8 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    path.write_bytes(content)
    assert "cannot be unpacked" in refused(path)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.zst", "t.zip", "t.tar", "t.tar.gz"])
def test_a_packed_file_that_is_cut_off_is_never_taken_for_the_whole(name: str, tmp_path: Path) -> None:
    table = b"text,label\n" + b"".join(b"row %d,x\n" % number for number in range(3000))
    path = tmp_path / name
    if name == "t.csv.gz":
        path.write_bytes(gzip.compress(table))
    elif name == "t.csv.zst":
        path.write_bytes(zstandard.compress(table))
    elif name == "t.zip":
        zipped(path, {"t.csv": table})
    else:
        tarred(path, (tarfile.TarInfo("t.csv"), table), (tarfile.TarInfo("u.csv"), table))
    whole = path.read_bytes()
    # A TAR ends in 10 kB of nothing, of which one block is enough.
    ends = [len(whole) // 3, len(whole) - 3] if name != "t.tar" else [len(whole) // 3, 512 + len(table) // 512 * 512 + 512]
    for end in ends:
        path.write_bytes(whole[:end])
        assert "cannot be unpacked" in refused(path)
    assert left_over(tmp_path) == []


def test_packed_files_within_packed_files_are_refused(tmp_path: Path) -> None:
    inner = gzip.compress(gzip.compress(TABLE))
    (tmp_path / "t.csv.gz.gz").write_bytes(inner)
    assert rows_of(tmp_path / "t.csv.gz.gz") == ROWS
    (tmp_path / "t.csv.gz.gz.gz").write_bytes(gzip.compress(inner))
    assert "packed files within packed files" in refused(tmp_path / "t.csv.gz.gz.gz")


def test_a_message_names_what_the_user_knows_and_not_a_temporary_folder(tmp_path: Path) -> None:
    path = zipped(tmp_path / "t.zip", {"faq.csv": b"text,text,label\na,b,c\nd,e,f\n"})
    format: Format = find_format(path)
    with pytest.raises(DataError) as caught:
        list(format.read(path))
    assert caught.value.what.en == f"{path}/faq.csv has several columns named 'text'."
