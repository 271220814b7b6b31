"""The report step: what a run proved, for people to read and machines to keep.

In: a run directory whose proof is written. Out: `report.html` (one file that needs nothing else), `model_card.md` (Hugging
Face) and `report.json` (every figure; written last). It is a pure function of the run directory: the same folder gives the
same bytes. It measures nothing and decides nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sonmat.core.protocols import Emit
from sonmat.core.text import Language
from sonmat.runs import RunFolder, atomic_write, write_value
from sonmat.steps.report import labels
from sonmat.steps.report.card import model_card
from sonmat.steps.report.collect import collect, collect_data
from sonmat.steps.report.page import render_data_page, render_page
from sonmat.steps.report.pdf import write_pdf
from sonmat.steps.report.phrasing import Phrasing

__all__ = ["AUDIT_PAGE", "write_data_page", "write_pdf", "write_report"]

AUDIT_PAGE: Final = "audit.html"


def write_report(folder: RunFolder, language: Language, emit: Emit, inputs: str = "") -> Path:
    """Write the report of `folder` in `language`; returns the path of the page.

    Args:
        inputs: fingerprint of what the report is made from, kept in `report.json`.

    Raises:
        RunError: a file that every finished run holds is missing, damaged or too new.
    """
    report = collect(folder)
    page = folder.file("report.html")
    # A PDF of what the page said before would pass for one of what it says now.
    page.with_suffix(".pdf").unlink(missing_ok=True)
    atomic_write(page, render_page(report, folder.path, language))
    atomic_write(folder.file("model_card.md"), model_card(report, Phrasing(language)))
    write_value(folder.file("report.json"), report, inputs)
    emit("report", labels.WRITTEN, file=page.name)
    return page


def write_data_page(folder: RunFolder, language: Language) -> Path:
    """Write `audit.html`, the report of a run that has been audited only; returns its path.

    Raises:
        RunError: a file that every audited run holds is missing, damaged or too new.
    """
    page = folder.file(AUDIT_PAGE)
    atomic_write(page, render_data_page(collect_data(folder), folder.path, language))
    return page
