"""The page in a real browser: nothing sticks out on a phone, and every element is laid out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.report.conftest import Pages

WIDTHS = (375, 800, 1280)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom",
)  # fmt: skip
FRAME = """<!doctype html><meta charset="utf-8"><body><iframe src="page.html" width="{width}" height="900"></iframe><script>
onload = function () {{
  var inside = document.querySelector("iframe").contentDocument, root = inside.documentElement;
  var hidden = [].filter.call(inside.querySelectorAll("section"), function (part) {{ return part.offsetHeight < 60; }});
  document.body.dataset.result = [root.scrollWidth, root.clientWidth, hidden.length].join(" ");
}};
</script>"""


@pytest.mark.real
@pytest.mark.parametrize("name", ["support", "faq", "shapes", "few", "proven", "calibrated"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_at_any_width(browser: str, pages: Pages, tmp_path: Path, name: str, width: int) -> None:
    shown, room, hidden = laid_out(browser, tmp_path, pages[name, "ko"], width)
    assert shown <= room
    assert hidden == 0


@pytest.mark.real
def test_something_too_wide_would_be_noticed(browser: str, pages: Pages, tmp_path: Path) -> None:
    spoilt = pages["few", "en"].replace("<footer>", '<div style="width:2000px">x</div><footer>')
    shown, room, _ = laid_out(browser, tmp_path, spoilt, 375)
    assert shown > room


def laid_out(browser: str, folder: Path, page: str, width: int) -> tuple[int, int, int]:
    """Width of the page's content, width that it has, and how many sections are not seen."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    (folder / "frame.html").write_text(FRAME.format(width=width), encoding="utf-8")
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", (folder / "frame.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'data-result="(\d+) (\d+) (\d+)"', done.stdout)
    assert found is not None, done.stderr[-2000:]
    return int(found[1]), int(found[2]), int(found[3])
