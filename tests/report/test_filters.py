"""Choosing rows in a real browser: rows and counts follow, and the counts are those that Python gives for the same choice."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sonmat.runs import RunFolder
from sonmat.statistics import wilson_interval
from sonmat.steps.report.collect import collect
from tests.report.conftest import Pages
from tests.report.test_browser import FLAGS

FRAME = """<!doctype html><meta charset="utf-8"><body><iframe src="page.html" width="1000" height="900"></iframe><script>
onload = function () {{
  var inside = document.querySelector("iframe").contentDocument;
  var form = inside.querySelector(".filters");
  var choice = {choice};
  Object.keys(choice).forEach(function (selector) {{ form.querySelector(selector).value = choice[selector]; }});
  form.dispatchEvent(new Event("change"));
  setTimeout(function () {{
    document.body.dataset.result = JSON.stringify({{
      hidden: form.hidden,
      items: [].map.call(inside.querySelectorAll(".item:not([hidden])"), function (item) {{ return item.id; }}),
      told: form.querySelector("output").textContent,
      selection: [].map.call(inside.querySelectorAll("td.selection:not([hidden])"), function (cell) {{ return cell.textContent; }}),
      empty: [].filter.call(inside.querySelectorAll(".group:not([hidden])"), function (group) {{
        return !group.querySelector(".item:not([hidden])"); }}).length
    }});
  }}, 50);
}};
</script>"""


def after(browser: str, folder: Path, page: str, choice: dict[str, str]) -> dict[str, Any]:
    """What the page shows once `choice` (values by selector) is made."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    (folder / "frame.html").write_text(FRAME.format(choice=json.dumps(choice)), encoding="utf-8")
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", (folder / "frame.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'data-result="([^"]*)"', done.stdout)
    assert found is not None, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(html.unescape(found[1]))
    return result


@pytest.mark.real
def test_rows_and_counts_follow_the_choice(browser: str, pages: Pages, runs: dict[str, RunFolder], tmp_path: Path) -> None:
    report = collect(runs["support"])
    shown = report.side_by_side
    assert shown is not None
    web = [value.en for value in shown.columns[0].values].index("web")
    choice = {'[data-column="0"]': str(web), ".of": "1", ".fared": "1"}
    seen = after(browser, tmp_path, pages["support", "en"], choice)

    inside = [cell for cell in shown.cells if cell.slices[0] == web and cell.outcomes[1] == "1"]
    rows = sum(cell.rows for cell in inside)
    right = sum(cell.rows for cell in inside if cell.outcomes[0] == "1")
    ends = wilson_interval(right, rows)
    assert not seen["hidden"]
    assert seen["empty"] == 0
    assert seen["selection"][0] == (
        f"{100 * right / rows:.1f}\u00a0%{right} of {rows} · {100 * ends.low:.1f}\u00a0% – {100 * ends.high:.1f}\u00a0%"
    )
    fitting = [item.anchor for item in shown.shown if item.slices[0] == web and item.answers[1].outcome == "right"]
    assert seen["items"] == fitting != []
    assert seen["told"] == f"{len(fitting)} of {len(shown.shown)} rows shown; {rows} of {shown.rows} test rows counted."


@pytest.mark.real
def test_a_choice_that_no_quoted_row_fits_says_so(browser: str, pages: Pages, tmp_path: Path) -> None:
    seen = after(browser, tmp_path, pages["faq", "ko"], {".fared": "="})
    assert seen["items"] == []
    assert "여기 실린 행 중에는 맞는 것이 없습니다" in seen["told"]
    assert seen["selection"] != []
