"""What tasks, methods and metrics are called when people read about them.

In: the names that a run directory holds. Out: titles from the plug-ins, or the bare name where the run came from a machine
with a plug-in that this one lacks: a report must be writable all the same.
"""

from __future__ import annotations

from typing import Final

from sonmat.core.errors import SettingError
from sonmat.core.protocols import Metric
from sonmat.core.text import Text, verbatim
from sonmat.plugins import find, find_kind
from sonmat.probing.preference import PROBE, TITLE
from sonmat.steps.report.contents import Measure

REVIEW: Final = "review"
"""What stands in place of a check where a person decided about rows."""


def task_title(name: str) -> Text:
    try:
        return find("tasks", name).title
    except SettingError:
        return verbatim(name)


def kind_title(name: str) -> Text:
    """Of a task, or of rows that no task learns from yet."""
    try:
        return find_kind(name).title
    except SettingError:
        return verbatim(name)


def check_title(name: str) -> Text:
    if name == REVIEW:
        return Text(en="Decided by a person", ko="사람의 판단")
    try:
        return find("checks", name).title
    except SettingError:
        return verbatim(name)


def method_title(name: str) -> Text:
    try:
        return find("methods", name).title
    except SettingError:
        return verbatim(name)


def probe_title(name: str) -> Text:
    if name == PROBE:
        return TITLE
    try:
        return find("probes", name).title
    except SettingError:
        return verbatim(name)


def metric_named(name: str) -> Metric | None:
    try:
        return find("metrics", name)
    except SettingError:
        return None


def measure_named(name: str) -> Measure:
    metric = metric_named(name)
    if metric is None:
        return Measure(name=name, title=verbatim(name))
    return Measure(name=name, title=metric.title, percent=metric.percent, higher_is_better=metric.higher_is_better)
