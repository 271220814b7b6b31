"""Draws the HTML page of a report: one file with its style, script, plots and pictures inside.

In: a `Report` or `DataReport`, the folder that its pictures lie in, and a language. Out: the page as a string. Whatever comes
from the user's data is escaped by the template engine; the page forbids itself any network access by a content security policy.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sonmat.core.text import Language, Text
from sonmat.steps.report import data_plots, item_labels, labels, more_data, plots, probe_plots, proof_labels
from sonmat.steps.report.anchors import anchor_of
from sonmat.steps.report.contents import DataReport, DataSummary, Report
from sonmat.steps.report.item_view import ItemView, against_target
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.quantities import Quantities
from sonmat.steps.report.quoting import printable, quote
from sonmat.steps.report.thumbnails import thumbnail

SEVERITIES: Final[dict[str, Text]] = {"blocker": labels.BLOCKER, "warning": labels.WARNING, "note": labels.NOTE}
ORIGINS: Final[dict[str, Text]] = {
    "user": labels.ORIGIN_USER,
    "plan": labels.ORIGIN_PLAN,
    "default": labels.ORIGIN_DEFAULT,
}
PILLS: Final = {"blocker": "no", "warning": "warn", "note": ""}
"""Style classes of severities."""
ROLES: Final[dict[str, Text]] = {
    "system": labels.ROLE_SYSTEM,
    "user": labels.ROLE_USER,
    "assistant": labels.ROLE_ASSISTANT,
}
ACTIONS: Final[dict[str, Text]] = {"changed": labels.CHANGED, "dropped": labels.DROPPED}
MOST_CLASSES: Final = 60


def render_page(report: Report, folder: Path, language: Language) -> str:
    """The page of a whole run in `language`."""
    phrasing = Phrasing(language)
    return _rendered(
        report,
        folder,
        language,
        title=phrasing.say(labels.PAGE_TITLE, name=report.name),
        made_by=report.environment.made_by,
        sections=_sections(report),
        origins=ORIGINS,
        most_classes=MOST_CLASSES,
        plots=plots.Plots(report, phrasing),
        proven=report.proven,
        proof_labels=proof_labels,
        probe_plots=probe_plots.ProbePlots(report, phrasing),
        anchor_of=anchor_of,
        item_labels=item_labels,
        view=ItemView(report, report.side_by_side, phrasing) if report.side_by_side else None,
        against_target=against_target,
        more_data=more_data,
        more_title=more_data.learning_curve_title(report.more_data, phrasing) if report.more_data else "",
        more_plot=more_data.learning_curve_plot(report.more_data, phrasing) if report.more_data else None,
        commands=_commands(report, phrasing),
        verdict=first_sentence(phrasing.say(report.verdict.sentence)),
    )


def render_data_page(report: DataReport, folder: Path, language: Language) -> str:
    """The page of a run that has been audited only."""
    findings = report.data_summary.findings
    return _rendered(
        report,
        folder,
        language,
        title=Phrasing(language).say(labels.DATA_PAGE_TITLE, name=report.name),
        made_by=report.made_by,
        sections=[("overview", labels.OVERVIEW), *_data_sections(report.data_summary)],
        severity_counts=Counter(line.finding.severity for line in findings),
        train_command=f"sonmat run {_quoted_name(report.name)}",
    )


def _rendered(
    report: Report | DataReport, folder: Path, language: Language, sections: Sequence[tuple[str, Text]], **more: Any
) -> str:
    """What both pages have: frame, style, script, and the sections on the data."""
    script = _asset("page.js") + _asset("items.js")
    return (
        _environment(language)
        .get_template("page.html.j2")
        .render(
            report=report,
            data=report.data_summary,
            data_plots=data_plots.DataPlots(report.data_summary, Phrasing(language)),
            most_bars=data_plots.MOST_BARS,
            language=language,
            labels=labels,
            sections=sections,
            severities=SEVERITIES,
            pills=PILLS,
            roles=ROLES,
            actions=ACTIONS,
            style=Markup("\n".join(map(_asset, ("style.css", "proof.css", "items.css", "print.css")))),
            dark=Markup(_asset("dark.css")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            thumbnail=partial(thumbnail, folder),
            quote=quote,
            **more,
        )
    )


@dataclass(frozen=True)
class Sentences:
    first: str
    rest: str


def first_sentence(text: str) -> Sentences:
    """The first sentence, to be set large, and what follows it."""
    first, stop, rest = text.partition(". ")
    return Sentences(first + stop.rstrip(), rest)


def _sections(report: Report) -> list[tuple[str, Text]]:
    """Anchor and heading of each section that the run has something for, in order."""
    present: list[tuple[str, Text, bool]] = [
        ("verdict", labels.VERDICT, True),
        ("gain", proof_labels.GAIN, report.proven.plane is not None),
        ("arms", labels.ARMS, True),
        ("probes", proof_labels.PROBES, bool(report.proven.sections)),
        ("calibration", proof_labels.CALIBRATION, bool(report.proven.reliabilities)),
        ("speed", proof_labels.SPEED, bool(report.proven.latencies)),
        ("classes", labels.CLASSES, bool(report.classes or report.confusion)),
        ("curves", labels.CURVES, bool(report.curves)),
        ("more", more_data.MORE_DATA, report.more_data is not None),
        ("items", item_labels.ITEMS, report.side_by_side is not None),
        *((anchor, heading, True) for anchor, heading in _data_sections(report.data_summary)),
        ("plan", labels.PLAN, True),
        ("settings", labels.SETTINGS, any(candidate.settings for candidate in report.candidates)),
        ("environment", labels.ENVIRONMENT, True),
        ("use", labels.HOW_TO_USE, True),
    ]
    return [(anchor, heading) for anchor, heading, is_there in present if is_there]


def _data_sections(data: DataSummary) -> list[tuple[str, Text]]:
    present: list[tuple[str, Text, bool]] = [
        ("data", labels.DATA, True),
        ("findings", labels.FINDINGS, True),
        ("map", labels.MAP, data.map is not None),
        ("enough", labels.ENOUGH, data.enough is not None),
    ]
    return [(anchor, heading) for anchor, heading, is_there in present if is_there]


def _commands(report: Report, phrasing: Phrasing) -> dict[str, str]:
    """What to type to use the model, by where it is typed."""
    return {"shell": shell_commands(report, phrasing), "python": python_lines(report, phrasing)}


def shell_commands(report: Report, phrasing: Phrasing) -> str:
    """Command lines that answer a new input with the chosen candidate."""
    sample = f'"{phrasing.say(labels.SAMPLE_INPUT)}"' if _takes_text(report) else "photo.jpg"
    run = _quoted_name(report.name)
    lines = [f"sonmat predict {run} {sample}"]
    if report.modality == "text":
        lines.append(f"sonmat chat {run}")
    return "\n".join(lines)


def _quoted_name(run: str) -> str:
    """The name of a run as a shell takes it."""
    return run if run.replace("-", "").replace("_", "").isalnum() else shlex.quote(run)


def python_lines(report: Report, phrasing: Phrasing) -> str:
    """The same in Python."""
    sample = phrasing.say(labels.SAMPLE_INPUT) if _takes_text(report) else "photo.jpg"
    return "\n".join(
        (
            "import sonmat",
            "",
            f"run = sonmat.open_run({report.name!r})",
            "model = run.best.load()",
            f'print(model.predict("{sample}"))',
        )
    )


def _takes_text(report: Report) -> bool:
    return not report.task.startswith("image")


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("sonmat.steps.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    phrasing = Phrasing(language)
    filters: dict[str, Any] = {**phrasing.filters(), **Quantities(phrasing).filters(), "printable": printable}
    environment.filters.update(filters)
    return environment


@cache
def _asset(name: str) -> str:
    return resources.files("sonmat.steps.report").joinpath("templates", name).read_text(encoding="utf-8")
