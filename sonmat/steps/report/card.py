"""The model card: Markdown with the metadata that the Hugging Face hub reads, evaluation results included.

In: a `Report` and a `Phrasing`. Out: the card as a string. It quotes no row of the user's data, only labels and counts.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from sonmat.core.text import Text
from sonmat.steps.report import labels
from sonmat.steps.report.contents import ArmLine, BaseModelLine, Report
from sonmat.steps.report.page import python_lines, shell_commands
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.quoting import printable

PIPELINES: Final = {"chat": "text-generation"}
"""Tasks whose name on the hub is another."""
LICENCES: Final = {
    "apache-2.0": "apache-2.0",
    "mit": "mit",
    "mit-style": "mit",
    "bsd": "bsd",
    "gemma terms": "gemma",
    "gemma": "gemma",
}
"""Licence identifiers of the hub; any other is 'other' with its name."""
METRIC_TYPES: Final = {"macro_f1": "f1", "rouge_l": "rouge", "token_f1": "f1"}
"""Metrics whose type on the hub has another name."""


def model_card(report: Report, phrasing: Phrasing) -> str:
    """The card of the chosen candidate."""
    header = yaml.safe_dump(_metadata(report, phrasing), sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{header}---\n\n{_body(report, phrasing)}"


def _metadata(report: Report, phrasing: Phrasing) -> dict[str, Any]:
    base = report.candidate(report.verdict.use).base
    pipeline = PIPELINES.get(report.task, report.task)
    metadata: dict[str, Any] = {}
    if base:
        if base.languages:
            metadata["language"] = list(base.languages)
        metadata |= _licence(base)
        hub = re.fullmatch(r"hub:([^@]+)(@.*)?", base.origin)
        metadata["base_model"] = hub[1] if hub else base.name
    metadata["library_name"] = "sonmat"
    metadata["pipeline_tag"] = pipeline
    metadata["tags"] = ["sonmat", report.chosen.arm.method]
    metadata["model-index"] = [{"name": report.name, "results": [_results(report, phrasing, pipeline)]}]
    return metadata


def _licence(base: BaseModelLine) -> dict[str, str]:
    known = LICENCES.get(base.licence.lower())
    return {"license": known} if known else {"license": "other", "license_name": base.licence}


def _results(report: Report, phrasing: Phrasing, pipeline: str) -> dict[str, Any]:
    metrics = [
        {
            "type": METRIC_TYPES.get(score.metric, score.metric),
            "value": round(score.value, 6),
            "name": phrasing.say(report.measure(score.metric).title),
            "verified": False,
        }
        for score in report.chosen.arm.scores
    ]
    dataset = {"name": report.data, "type": "private", "split": "test"}
    return {"task": {"type": pipeline, "name": phrasing.say(report.task_title)}, "dataset": dataset, "metrics": metrics}


def _body(report: Report, phrasing: Phrasing) -> str:
    say = phrasing.say
    base = report.candidate(report.verdict.use).base
    method = say(report.chosen.method_title)
    intro = say(labels.CARD_INTRO, method=method, base=base.name) if base else say(labels.CARD_NO_BASE, method=method)
    data = report.data_summary
    rows = say(
        labels.CARD_ROWS,
        train=phrasing.count(data.train),
        validation=phrasing.count(data.validation),
        test=phrasing.count(data.test),
        data=report.data,
    )
    parts = [
        f"# {_plain(report.name)}",
        _plain(intro),
        f"**{_plain(say(report.verdict.sentence))}**",
        _section(
            labels.CARD_RESULTS,
            phrasing,
            say(labels.SURE_ITEMS, items=phrasing.count(report.items)),
            _table(report, phrasing),
        ),
        _section(labels.CARD_DATA, phrasing, rows, *([_plain(say(data.how_split))] if data.how_split else [])),
        _section(labels.CARD_HOW, phrasing, *_how_made(report, phrasing)),
        _section(labels.CARD_LIMITS, phrasing, *_limits(report, phrasing)),
        _section(labels.CARD_LICENCE, phrasing, _licence_sentence(base, phrasing)),
        _section(
            labels.HOW_TO_USE,
            phrasing,
            _fenced("sh", shell_commands(report, phrasing)),
            _fenced("python", python_lines(report, phrasing)),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _section(heading: Text, phrasing: Phrasing, *paragraphs: str) -> str:
    return "\n\n".join((f"## {phrasing.say(heading)}", *paragraphs))


def _table(report: Report, phrasing: Phrasing) -> str:
    """Arms by measures, the chosen one in bold."""
    headings = [
        phrasing.say(labels.ARM),
        *(phrasing.say(measure.title) for measure in report.measures),
        phrasing.say(labels.ANSWER_TIME),
    ]
    lines = [_table_line(headings), _table_line(["---"] * len(headings))]
    return "\n".join(lines + [_table_line(_cells(line, report, phrasing)) for line in report.arms])


def _cells(line: ArmLine, report: Report, phrasing: Phrasing) -> list[str]:
    name = _plain(line.arm.candidate)
    scores = {score.metric: score for score in line.arm.scores}
    cells = [f"**{name}**" if line.chosen else name]
    for measure in report.measures:
        score = scores.get(measure.name)
        cells.append(f"{phrasing.amount(score.value, measure)} ({phrasing.interval(score, measure)})" if score else "–")
    return [*cells, phrasing.duration(line.arm.seconds_per_answer)]


def _table_line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _how_made(report: Report, phrasing: Phrasing) -> list[str]:
    candidate = report.candidate(report.verdict.use)
    settings = "\n".join(f"- `{setting.name}`: {_plain(setting.value)}" for setting in candidate.settings)
    seed = f"- {phrasing.say(labels.SEED)}: {report.environment.seed}"
    seal = f"- {phrasing.say(labels.SEAL)}: `{report.environment.seal}`"
    made = f"- {phrasing.say(labels.MADE_BY)}: {report.environment.made_by}"
    return ["\n".join(filter(None, (settings, seed, seal, made)))]


def _limits(report: Report, phrasing: Phrasing) -> list[str]:
    smallest = phrasing.difference(report.smallest_detectable, report.headline).lstrip("+")
    return [phrasing.say(labels.CARD_LIMITS_DOMAIN), phrasing.say(labels.CARD_DETECTABLE, difference=smallest)]


def _licence_sentence(base: BaseModelLine | None, phrasing: Phrasing) -> str:
    if base is None:
        return phrasing.say(labels.CARD_LICENCE_NONE)
    return _plain(phrasing.say(labels.CARD_LICENCE_BASE, base=base.name, origin=base.origin, licence=base.licence))


def _fenced(language: str, code: str) -> str:
    return f"```{language}\n{code}\n```"


def _plain(text: str) -> str:
    """`text` without a meaning in Markdown, HTML or a table, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(printable(text).split()))
