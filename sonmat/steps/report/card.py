"""The model card: Markdown with the metadata that the Hugging Face hub reads, evaluation results included.

In: a `Report` and a `Phrasing`. Out: the card as a string. It quotes no row of the user's data, only labels and counts. The
metadata is the hub's `model-index` (huggingface_hub, `EvalResult`), each metric with its interval among its arguments.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from sonmat.core.proof import Measure
from sonmat.reading.personal import masked
from sonmat.steps.report.card_facts import CardFacts
from sonmat.steps.report.card_text import card_text
from sonmat.steps.report.contents import BaseModelLine, Report
from sonmat.steps.report.phrasing import Phrasing

PIPELINES: Final = {"chat": "text-generation"}
"""Tasks whose name on the hub is another."""
LICENCES: Final = {
    "apache-2.0": "apache-2.0",
    "mit": "mit",
    "mit-style": "mit",
    "bsd": "bsd",
    "gemma terms": "gemma",
    "gemma": "gemma",
    "unknown": "unknown",
    "": "unknown",
}
"""Licence identifiers of the hub; any other is 'other' with its name."""
METRIC_TYPES: Final = {
    "macro_f1": "f1",
    "token_f1": "f1",
    "rouge_2": "rouge",
    "rouge_l": "rouge",
}
"""Metrics whose type on the hub has another name."""
OWN_ITEMS: Final = ("forgetting", "safety")
"""Probes that ask questions of their own; their shares are results on a data set other than the user's."""


def model_card(report: Report, phrasing: Phrasing) -> str:
    """The card of the chosen candidate."""
    header = yaml.safe_dump(_metadata(report, phrasing), sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{header}---\n\n{card_text(report, phrasing)}"


def _metadata(report: Report, phrasing: Phrasing) -> dict[str, Any]:
    base, facts = report.candidate(report.verdict.use).base, report.card
    pipeline = PIPELINES.get(report.task, report.task)
    metadata: dict[str, Any] = {}
    languages = _languages(base, facts)
    if languages:
        metadata["language"] = languages
    if base:
        metadata |= _licence(base, facts)
        metadata["base_model"] = facts.base_id or base.name
        if report.chosen.arm.role == "tuned":
            metadata["base_model_relation"] = "adapter" if facts.library == "peft" else "finetune"
    if facts.datasets:
        metadata["datasets"] = list(facts.datasets)
    metadata["library_name"] = facts.library
    metadata["pipeline_tag"] = pipeline
    metadata["tags"] = list(dict.fromkeys(("sonmat", report.chosen.arm.method)))
    metadata["model-index"] = [{"name": report.name, "results": _results(report, phrasing, pipeline)}]
    return metadata


def _languages(base: BaseModelLine | None, facts: CardFacts) -> list[str]:
    """Of the data where the base knows them, too: scripts alone do not tell English from German."""
    if base is None or not base.languages:
        return [language for language in facts.languages if language != "en"]
    return [language for language in facts.languages if language in base.languages] or list(base.languages)


def _licence(base: BaseModelLine, facts: CardFacts) -> dict[str, str]:
    known = LICENCES.get(base.licence.lower())
    if known:
        return {"license": known}
    named = {"license": "other", "license_name": re.sub(r"[^a-z0-9.]+", "-", base.licence.lower()).strip("-") or "other"}
    return named | ({"license_link": facts.licence_url} if facts.licence_url else {})


def _results(report: Report, phrasing: Phrasing, pipeline: str) -> list[dict[str, Any]]:
    task = {"type": pipeline, "name": phrasing.say(report.task_title)}
    metrics = [
        {
            "type": METRIC_TYPES.get(score.metric, score.metric),
            "value": round(score.value, 6),
            "name": phrasing.say(report.measure(score.metric).title),
            "args": _interval(score.low, score.high, score.items),
            "verified": False,
        }
        for score in report.chosen.arm.scores
    ]
    seal = {"rows": report.items, "seal": report.environment.seal}
    dataset = {"name": masked(report.data), "type": _dataset_type(report.card), "split": "test", "args": seal}
    own = (_of_probe(probe, report.card.measures, phrasing) for probe in OWN_ITEMS)
    # A copy each: YAML would write the same one as a reference, which few readers of metadata follow.
    return [{"task": task, "dataset": dataset, "metrics": metrics}, *({"task": {**task}, **each} for each in own if each)]


def _dataset_type(facts: CardFacts) -> str:
    return facts.datasets[0] if len(facts.datasets) == 1 else "private"


def _of_probe(probe: str, measures: tuple[Measure, ...], phrasing: Phrasing) -> dict[str, Any] | None:
    """Shares of questions that come with Sonmat; None where the probe measured none."""
    shares = [measure for measure in measures if measure.probe == probe and measure.unit == "share"]
    if not shares:
        return None
    metrics = [
        {
            "type": f"{probe}.{measure.name}",
            "value": round(measure.value, 6),
            "name": phrasing.say(measure.title),
            "args": _interval(measure.low, measure.high, measure.items),
            "verified": False,
        }
        for measure in shares
    ]
    return {"dataset": {"name": f"Sonmat {probe}", "type": f"sonmat-{probe}"}, "metrics": metrics}


def _interval(low: float | None, high: float | None, items: int) -> dict[str, float | int]:
    ends = {name: round(end, 6) for name, end in (("low", low), ("high", high)) if end is not None}
    return {**ends, **({"confidence": 0.95} if ends else {}), "items": items}
