"""The page as a PDF, printed by a browser that is at hand: Chromium, Chrome or Edge, without a window and without network.

In: a page that needs nothing else. Out: a PDF file. The browser is given an empty profile of its own, which is deleted, and
finds no host. Nothing is installed: where there is no browser, the error says what to install, and the page stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sonmat.core.errors import UserError
from sonmat.core.text import Text

BROWSER_VARIABLE: Final = "SONMAT_BROWSER"
"""Names the browser to print with, by its command or path."""
LONGEST_SECONDS: Final = 300.0
_COMMANDS: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
_PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"{ProgramFiles}\Google\Chrome\Application\chrome.exe",
    r"{ProgramFiles(x86)}\Google\Chrome\Application\chrome.exe",
    r"{LocalAppData}\Google\Chrome\Application\chrome.exe",
    r"{ProgramFiles(x86)}\Microsoft\Edge\Application\msedge.exe",
)
_FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
)
_PRINT_YOURSELF: Final = Text(
    en="Open {page} in any browser and print it to a file.", ko="{page} 파일을 브라우저에서 열어 PDF로 인쇄하세요."
)


def write_pdf(page: Path, seconds: float = LONGEST_SECONDS) -> Path:
    """Print `page` to a file of the same name with the ending .pdf, whole or not at all; returns its path.

    Raises:
        UserError: there is no browser, it has not printed anything within `seconds`, or the file cannot be written.
    """
    browser = find_browser(page.name)
    target = page.with_suffix(".pdf")
    try:
        return _printed(browser, page, target, seconds)
    except OSError as error:
        raise _failed(
            page.name,
            Text(
                en=f"{target.name} cannot be written into {target.parent}: {error.strerror}.",
                ko=f"{target.parent}에 {target.name}을(를) 쓸 수 없습니다: {error.strerror}.",
            ),
        ) from error


def _printed(browser: str, page: Path, target: Path, seconds: float) -> Path:
    # Beside the page, because browsers in a sandbox of their own (snap) may not see the system's temporary folder.
    with _scratch(page.parent) as scratch:
        printed = scratch / target.name
        url = page.resolve().as_uri()
        flags = [*_FLAGS, f"--user-data-dir={scratch / 'profile'}", f"--print-to-pdf={printed}"]
        _run([browser, *flags, *_unboxed(), url], page.name, seconds)
        if not printed.is_file() or printed.read_bytes()[:5] != b"%PDF-":
            raise _failed(
                page.name,
                Text(
                    en=f"{Path(browser).name} printed nothing.",
                    ko=f"{Path(browser).name}에서 아무것도 인쇄되지 않았습니다.",
                ),
            )
        printed.replace(target)
    return target


def find_browser(page: str = "report.html") -> str:
    """The command of a browser that prints: the one that `SONMAT_BROWSER` names, else the first that is found.

    Raises:
        UserError: there is none.
    """
    named = os.environ.get(BROWSER_VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise _failed(
                page,
                Text(
                    en=f"{BROWSER_VARIABLE} names '{Path(named).name}', which cannot be started.",
                    ko=f"{BROWSER_VARIABLE}에 적힌 '{Path(named).name}'을(를) 실행할 수 없습니다.",
                ),
            )
        return found
    places = (place.format_map({**dict.fromkeys(_FOLDERS, ""), **os.environ}) for place in _PLACES)
    for found in (*map(shutil.which, _COMMANDS), *map(shutil.which, places)):
        if found:
            return found
    raise _failed(
        page,
        Text(
            en="A PDF is printed by a browser, and none was found (Chromium, Chrome or Edge).",
            ko="PDF는 브라우저로 인쇄하는데, 브라우저(Chromium, Chrome, Edge)를 찾지 못했습니다.",
        ),
        Text(
            en=f"Install one, e.g. `apt-get install chromium fonts-noto-cjk` on Debian, or name it in {BROWSER_VARIABLE}.",
            ko=f"하나를 설치하거나(예: 데비안에서 `apt-get install chromium fonts-noto-cjk`) {BROWSER_VARIABLE}에 적어 주세요.",
        ),
    )


_FOLDERS: Final = ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")


def _unboxed() -> tuple[str, ...]:
    """Chromium refuses to start as root with its sandbox on, as in containers; the page is our own and loads nothing."""
    return ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()


def _run(command: list[str], page: str, seconds: float) -> None:
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True
        )
    except OSError:
        raise _failed(page, Text(en=f"{name} cannot be started.", ko=f"{name}을(를) 실행할 수 없습니다.")) from None
    try:
        code = process.wait(seconds)
    except BaseException as stopped:
        _end(process)
        if not isinstance(stopped, subprocess.TimeoutExpired):
            raise
        late = Text(
            en=f"{name} had not printed the page after {seconds:g} seconds.",
            ko=f"{name}에서 {seconds:g}초가 지나도 인쇄가 끝나지 않았습니다.",
        )
        raise _failed(page, late) from None
    if code:
        raise _failed(page, Text(en=f"{name} ended with code {code}.", ko=f"{name}이(가) 코드 {code}(으)로 끝났습니다."))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its whole group: a browser is many processes."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


@contextlib.contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="printing-", dir=beside))
    try:
        yield folder
    finally:
        # The browser's last processes may still write for a moment.
        shutil.rmtree(folder, ignore_errors=True)


def _failed(page: str, what: Text, fix: Text | None = None) -> UserError:
    yourself = Text(en=_PRINT_YOURSELF.en.format(page=page), ko=_PRINT_YOURSELF.ko.format(page=page))
    if fix is None:
        return UserError(what, yourself)
    return UserError(
        what, Text(en=f"{fix.en} Or {yourself.en[0].lower()}{yourself.en[1:]}", ko=f"{fix.ko} 또는 {yourself.ko}")
    )
