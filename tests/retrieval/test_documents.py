"""Documents of every format are read into text with headings and pages; what cannot be read is named and loses nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sonmat.core.errors import DataError
from sonmat.retrieval import documents as module
from sonmat.retrieval.documents import documents_fingerprint, read_documents
from sonmat.retrieval.sections import Section
from tests.retrieval.made import docx, hangul, hwpx, pdf, word


def read(path: Path) -> tuple[Section, ...]:
    (document,) = read_documents([path]).documents
    return document.sections


def said(path: Path) -> str:
    return "\n\n".join(section.text for section in read(path))


def test_plain_text_is_cut_at_empty_lines_whatever_its_encoding(tmp_path: Path) -> None:
    for codec in ("utf-8", "cp949", "utf-16"):
        path = tmp_path / f"{codec}.txt"
        path.write_bytes("환불 규정\r\n\r\n영수증이 있어야 합니다.".encode(codec))
        assert said(path) == "환불 규정\n\n영수증이 있어야 합니다."


def test_markdown_headings_are_the_outline_and_marks_go(tmp_path: Path) -> None:
    path = tmp_path / "guide.md"
    path.write_text(
        "---\ntitle: x\n---\n# Guide\nIntro with a [link](http://a.b) and **bold** snake_case.\n\n"
        "## Install\n```sh\n# no heading\napt install it\n```\nSetup\n-----\nDone.\n# Other\nLast."
    )
    assert [(section.heading, section.text) for section in read(path)] == [
        ("Guide", "Intro with a link and bold snake_case."),
        ("Guide › Install", "# no heading\napt install it"),
        ("Guide › Setup", "Done."),
        ("Other", "Last."),
    ]


def test_a_web_page_loses_scripts_and_navigation_and_keeps_words_apart(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<html><head><title>t</title><style>p {}</style><body><nav>Menu <a>Home</a></nav><h1>배송</h1><p>이틀 <b>안</b>에"
        "<br>옵니다 &amp; 무료.<ul><li>서울<li>부산</ul><script>var x = '<p>no</p>';</script>"
        "<table><tr><td>가</td><td>나</td></tr></table><h2>반품</h2><p>됩니다.</html>"
    )
    assert [(section.heading, section.text) for section in read(path)] == [
        ("배송", "이틀 안에\n옵니다 & 무료.\n\n서울\n\n부산\n\n가 나"),
        ("배송 › 반품", "됩니다."),
    ]


def test_a_web_page_is_read_in_the_encoding_that_it_says(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes('<meta charset="euc-kr"><p>펭귄과 똠방각하</p>'.encode("cp949"))
    assert said(path) == "펭귄과 똠방각하"
    path.write_bytes('<meta charset="shift_jis"><p>これは本です</p>'.encode("shift_jis"))
    assert said(path) == "これは本です"


def test_a_pdf_has_a_section_a_page_and_broken_lines_are_joined(tmp_path: Path) -> None:
    path = pdf(
        tmp_path / "a.pdf",
        [["The warranty covers every re-", "pair within two years of the day.", "It ends."], ["Page two."]],
    )
    assert [(section.page, section.text) for section in read(path)] == [
        (1, "The warranty covers every repair within two years of the day. It ends."),
        (2, "Page two."),
    ]


def test_a_pdf_that_is_locked_against_changes_only_is_read(tmp_path: Path) -> None:
    assert said(pdf(tmp_path / "a.pdf", [["Free to read."]], password="")) == "Free to read."


def test_word_headings_tables_and_deleted_words(tmp_path: Path) -> None:
    styles = (
        '<w:style w:styleId="1"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:styleId="a3"><w:name w:val="부제"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    )
    table = (
        f"<w:tbl><w:tr><w:tc>{word('요일')}</w:tc><w:tc>{word('시간')}</w:tc></w:tr>"
        f"<w:tr><w:tc>{word('월')}</w:tc><w:tc>{word('9시')}</w:tc></w:tr></w:tbl>"
    )
    changed = "<w:p><w:r><w:t>남은 말</w:t></w:r><w:del><w:r><w:delText>지운 말</w:delText></w:r></w:del></w:p>"
    wrapped = f"<w:sdt><w:sdtContent>{word('상자 안')}</w:sdtContent></w:sdt>"
    path = docx(tmp_path / "a.docx", word("영업", "1") + changed + word("시간표", "a3") + table + wrapped, styles)
    assert [(section.heading, section.text) for section in read(path)] == [
        ("영업", "남은 말"),
        ("영업 › 시간표", "요일 | 시간\n월 | 9시\n\n상자 안"),
    ]


def test_hangul_files_with_outline_tables_and_several_sections(tmp_path: Path) -> None:
    cell = "<hp:tc><hp:subList>{}</hp:subList></hp:tc>"
    table = (
        '<hp:p styleIDRef="0"><hp:run><hp:tbl><hp:tr>'
        f"{cell.format(hangul('항목'))}{cell.format(hangul('값'))}</hp:tr></hp:tbl><hp:t>표 아래</hp:t></hp:run></hp:p>"
    )
    broken = '<hp:p styleIDRef="0"><hp:run><hp:t>첫 줄<hp:lineBreak/>둘째<hp:tab/>줄</hp:t></hp:run></hp:p>'
    path = hwpx(
        tmp_path / "a.hwpx",
        [hangul("총칙", "3") + broken + table, *[hangul(f"{number}번 글") for number in range(1, 11)]],
        '<hh:style id="3" name="개요 1" engName="Outline 1"/>',
    )
    (section,) = read(path)
    assert section.heading == "총칙"
    # Section 10 comes behind section 9, not behind section 1.
    texts = ["첫 줄\n둘째 줄", "표 아래", "항목 | 값", *[f"{number}번 글" for number in range(1, 11)]]
    assert section.text == "\n\n".join(texts)


def faulty(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files that cannot be read, each with a word of what is said about it."""
    damaged = folder / "cut.docx"
    docx(damaged, word("a"))
    damaged.write_bytes(damaged.read_bytes()[:60])
    with zipfile.ZipFile(folder / "bomb.docx", "w") as archive:
        archive.writestr("word/document.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    (folder / "old.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    (folder / "old.hwp").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing")
    (folder / "picture.txt").write_bytes(bytes(range(256)) * 40)
    with zipfile.ZipFile(folder / "other.hwpx", "w") as archive:
        archive.writestr("x", "y")
    return {
        "cut.docx": (damaged, "damaged"),
        "bomb.docx": (folder / "bomb.docx", "damaged"),
        "old.docx": (folder / "old.docx", "password"),
        "old.hwp": (folder / "old.hwp", "save it as .hwpx"),
        "empty.txt": (folder / "empty.txt", "empty"),
        "broken.pdf": (folder / "broken.pdf", "no whole PDF"),
        "picture.txt": (folder / "picture.txt", "not a text file"),
        "locked.pdf": (pdf(folder / "locked.pdf", [["secret"]], password="key"), "password"),
        "scanned.pdf": (pdf(folder / "scanned.pdf", [[], []]), "scanned"),
        "locked.hwpx": (hwpx(folder / "locked.hwpx", ["x"], manifest="<a><encryption-data/></a>"), "password"),
        "other.hwpx": (folder / "other.hwpx", "no document"),
    }


def test_files_that_cannot_be_read_are_named_and_the_others_go_on(tmp_path: Path) -> None:
    expected = faulty(tmp_path)
    (tmp_path / "good.md").write_text("# Good\nText.")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / ".hidden.txt").write_text("x")
    shelf = read_documents([tmp_path])
    assert [document.name for document in shelf.documents] == ["good.md"]
    assert shelf.passed_over == 1
    problems = {problem.name: problem.why for problem in shelf.problems}
    assert set(problems) == set(expected)
    for name, (_, word_of_it) in expected.items():
        assert word_of_it in problems[name].en
        assert any("가" <= sign <= "힣" for sign in problems[name].ko)


def test_a_damaged_pdf_writes_nothing_between_the_lines_of_the_display(tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing")
    (tmp_path / "good.md").write_text("# Good\nText.")
    # In a process of its own, because pytest listens to all logs.
    program = (
        "import sys; from pathlib import Path; from sonmat.retrieval.documents import read_documents; "
        "read_documents([Path(sys.argv[1])])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_if_nothing_can_be_read_the_error_names_every_file(tmp_path: Path) -> None:
    expected = faulty(tmp_path)
    with pytest.raises(DataError) as caught:
        read_documents([tmp_path])
    assert all(name in str(caught.value) for name in expected)


def test_a_path_that_is_not_there_and_a_folder_without_documents_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file or folder"):
        read_documents([tmp_path / "nowhere"])
    with pytest.raises(DataError, match="no document to search"):
        read_documents([tmp_path])


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("0123456789" * 10)
    (tmp_path / "b.txt").write_text("short")
    monkeypatch.setattr(module, "MOST_BYTES", 50)
    shelf = read_documents([tmp_path])
    assert [document.name for document in shelf.documents] == ["b.txt"]
    assert "up to" in shelf.problems[0].why.en


def test_what_was_read_is_kept_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, kept = tmp_path / "documents", tmp_path / "kept"
    folder.mkdir()
    (folder / "a.md").write_text("# A\nText.")
    first = read_documents([folder], kept)

    def forbidden(path: Path) -> tuple[Section, ...]:
        raise AssertionError("read again")

    monkeypatch.setitem(module._READERS, ".md", forbidden)
    assert read_documents([folder], kept) == first
    (folder / "a.md").write_text("# A\nOther text.")
    with pytest.raises(AssertionError, match="read again"):
        read_documents([folder], kept)


def test_the_fingerprint_changes_with_names_and_contents_of_documents_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    before = documents_fingerprint([tmp_path])
    (tmp_path / "photo.jpg").write_bytes(b"x")
    assert documents_fingerprint([tmp_path]) == before
    (tmp_path / "a.txt").write_text("two")
    changed = documents_fingerprint([tmp_path])
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert len({before, changed, documents_fingerprint([tmp_path]), documents_fingerprint([])}) == 4
    with pytest.raises(DataError, match="no file or folder"):
        documents_fingerprint([tmp_path / "nowhere"])


def test_a_folder_without_documents_is_an_error_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no document to search"):
        documents_fingerprint([tmp_path])
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match="no document to search"):
        documents_fingerprint([tmp_path])


def test_documents_of_several_folders_are_told_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    found = read_documents([tmp_path / "one", tmp_path / "two"]).documents
    assert [document.name for document in found] == ["one/a.txt", "two/a.txt"]
