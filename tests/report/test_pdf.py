"""The PDF: printed whole by whatever browser is there, or a clear word on what is missing; the page is never harmed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from sonmat.core.errors import UserError
from sonmat.runs import EventLog
from sonmat.steps.report import pdf, write_pdf, write_report
from tests.report.conftest import MAKERS, Pages

posix = pytest.mark.skipif(sys.platform == "win32", reason="the made browser is a shell script")
PRINTS = 'for word in "$@"; do case "$word" in --print-to-pdf=*) printf "%s" "%PDF-1.4 $*" > "${word#--print-to-pdf=}";; esac; done'


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "a run" / "report.html"
    path.parent.mkdir()
    path.write_text("<p>page</p>", encoding="utf-8")
    return path


def made_browser(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    browser = folder / "made-browser"
    browser.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    browser.chmod(0o755)
    monkeypatch.setenv(pdf.BROWSER_VARIABLE, str(browser))


@posix
def test_the_page_is_printed_beside_itself_without_network(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_browser(tmp_path, monkeypatch, PRINTS)
    printed = write_pdf(page)
    assert printed == page.with_suffix(".pdf")
    asked = printed.read_text(encoding="utf-8")
    assert "--headless" in asked
    assert "MAP * ~NOTFOUND" in asked
    assert asked.endswith(page.resolve().as_uri())
    assert sorted(path.name for path in page.parent.iterdir()) == ["report.html", "report.pdf"]


@posix
@pytest.mark.parametrize(
    ("script", "told"), [("exit 3", "ended with code 3"), ("true", "printed nothing"), ("sleep 60", "after 0.2 seconds")]
)
def test_a_browser_that_does_not_print_is_told_and_leaves_nothing(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    made_browser(tmp_path, monkeypatch, script)
    page.with_suffix(".pdf").write_bytes(b"older")
    begun = time.monotonic()
    with pytest.raises(UserError, match=told) as caught:
        write_pdf(page, seconds=0.2 if "sleep" in script else 30)
    assert time.monotonic() - begun < 20, "the hanging browser was waited for"
    assert "Open report.html in any browser" in str(caught.value)
    assert page.with_suffix(".pdf").read_bytes() == b"older"
    assert sorted(path.name for path in page.parent.iterdir()) == ["report.html", "report.pdf"]


@posix
def test_a_place_that_cannot_be_written_is_told_and_no_fault_of_sonmat(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_browser(tmp_path, monkeypatch, PRINTS)
    page.with_suffix(".pdf").mkdir()
    with pytest.raises(UserError, match=r"report\.pdf cannot be written into") as caught:
        write_pdf(page)
    assert caught.value.fix is not None
    assert caught.value.fix.en.startswith("Open report.html")
    assert sorted(path.name for path in page.parent.iterdir()) == ["report.html", "report.pdf"]


def test_without_a_browser_the_error_says_what_to_install(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pdf.BROWSER_VARIABLE, raising=False)
    monkeypatch.setattr("shutil.which", lambda command: None)
    with pytest.raises(UserError, match="none was found") as caught:
        write_pdf(page)
    assert "apt-get install chromium" in caught.value.whole.en
    assert "설치" in caught.value.whole.ko
    assert caught.value.exit_code == 2


def test_a_named_browser_that_is_not_there_is_told_by_its_last_part(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pdf.BROWSER_VARIABLE, "/home/somebody/bin/lynx")
    with pytest.raises(UserError, match="names 'lynx'") as caught:
        write_pdf(page)
    assert "somebody" not in caught.value.whole.en + caught.value.whole.ko


def test_a_pdf_of_an_older_report_does_not_stay(tmp_path: Path) -> None:
    folder = MAKERS["few"](tmp_path / "few")
    folder.file("report.pdf").write_bytes(b"%PDF- of what the report said before")
    write_report(folder, "en", EventLog(None))
    assert not folder.file("report.pdf").exists()


@pytest.mark.real
def test_a_real_browser_prints_every_fold_in_korean(
    browser: str, pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pypdf = pytest.importorskip("pypdf")
    monkeypatch.setenv(pdf.BROWSER_VARIABLE, browser)
    path = tmp_path / "report.html"
    path.write_text(pages["faq", "ko"], encoding="utf-8")
    document = pypdf.PdfReader(write_pdf(path))
    text = "".join("".join(part.extract_text().split()) for part in document.pages)
    assert 4 <= len(document.pages) <= 60
    assert "답변나란히보기" in text
    assert text.count("잘모르겠습니다.") >= 60, "a long answer is printed whole, not folded"
    assert "전체보기" not in text
