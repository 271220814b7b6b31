"""What the model card tells people: what it is for, the verdict, scores and guards, what else was measured, limits, licence.

In: a `Report` and a `Phrasing`. Out: Markdown without the metadata. Names and values of the run mean nothing in Markdown or HTML.
"""

from __future__ import annotations

import re
from typing import Final

from sonmat.core.proof import Measure
from sonmat.core.text import Text
from sonmat.reading.personal import masked
from sonmat.steps.report import card_labels, labels
from sonmat.steps.report.contents import ArmLine, BaseModelLine, Report
from sonmat.steps.report.page import python_lines, shell_commands
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.quoting import printable

MOST_MEASURES: Final = 40
FEW_ROWS: Final = 100
"""Below which the card warns; the interval of a share is then wider than 20 points at its widest."""
_FIRST: Final = ("forgetting", "safety", "fairness", "leakage", "calibration", "stability")
"""Probes that a reader asks for first."""


def card_text(report: Report, phrasing: Phrasing) -> str:
    """The card below its metadata."""
    say = phrasing.say
    base = report.candidate(report.verdict.use).base
    parts = [
        f"# {_plain(report.name)}",
        *_opening(report, base, phrasing),
        f"**{_plain(say(report.verdict.sentence))}**",
        _section(card_labels.USE, phrasing, *_use(report, phrasing)),
        _section(
            labels.CARD_RESULTS,
            phrasing,
            say(labels.SURE_FOLDS if report.data_summary.folds else labels.SURE_ITEMS, items=phrasing.count(report.items)),
            _table(report, phrasing),
            *_against(report, phrasing),
        ),
        _section(card_labels.GUARDS, phrasing, *_guards(report, phrasing)),
        _section(card_labels.BESIDES, phrasing, *_besides(report, phrasing)),
        _section(labels.CARD_DATA, phrasing, *_data(report, phrasing)),
        _section(labels.CARD_HOW, phrasing, *_how_made(report, phrasing)),
        _section(labels.CARD_LIMITS, phrasing, *_limits(report, phrasing)),
        _section(labels.CARD_LICENCE, phrasing, *_licence(report, base, phrasing)),
        _section(
            labels.HOW_TO_USE,
            phrasing,
            _fenced("sh", shell_commands(report, phrasing)),
            _fenced("python", python_lines(report, phrasing)),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _opening(report: Report, base: BaseModelLine | None, phrasing: Phrasing) -> list[str]:
    method = phrasing.say(report.chosen.method_title)
    if report.chosen.arm.role == "tuned" and base:
        return [_plain(phrasing.say(labels.CARD_INTRO, method=method, base=base.name))]
    method = phrasing.capital(report.chosen.method_title)
    return [_plain(phrasing.say(labels.CARD_NO_BASE, method=method)), phrasing.say(_without_training(report))]


def _without_training(report: Report) -> Text:
    if report.chosen.arm.elsewhere:
        return card_labels.ELSEWHERE
    return card_labels.NO_BASE if report.chosen.arm.role == "floor" else card_labels.NO_TUNING


def _use(report: Report, phrasing: Phrasing) -> list[str]:
    names = [phrasing.say(card_labels.LANGUAGES[language]) for language in report.card.languages]
    task = phrasing.capital(report.task_title)
    what = (
        phrasing.say(card_labels.USE_TASK, task=task, languages=", ".join(names))
        if names
        else phrasing.say(card_labels.USE_TASK_PLAIN, task=task)
    )
    return [_plain(what), phrasing.say(card_labels.USE_NOT)]


def _against(report: Report, phrasing: Phrasing) -> list[str]:
    compared = report.chosen.against
    if compared is None:
        return []
    return [
        _plain(
            phrasing.say(
                card_labels.AGAINST,
                name=compared.b,
                measure=phrasing.say(report.headline.title),
                difference=phrasing.difference(compared.difference, report.headline),
                level=phrasing.level(compared.level),
                low=phrasing.difference(compared.low, report.headline),
                high=phrasing.difference(compared.high, report.headline),
            )
        )
    ]


def _guards(report: Report, phrasing: Phrasing) -> list[str]:
    guards = report.card.guards
    if not guards:
        return [phrasing.say(card_labels.GUARDS_NONE)]
    lines = [
        f"- `{guard.measure}`: {phrasing.say(card_labels.KEPT if guard.kept else card_labels.BROKEN)}. "
        f"{_plain(phrasing.say(guard.reason))}"
        for guard in sorted(guards, key=lambda guard: guard.kept)
    ]
    return [phrasing.say(card_labels.GUARDS_INTRO), "\n".join(lines)]


def _besides(report: Report, phrasing: Phrasing) -> list[str]:
    def order(measure: Measure) -> int:
        return _FIRST.index(measure.probe) if measure.probe in _FIRST else len(_FIRST)

    measures = sorted(report.card.measures, key=order)
    if not measures:
        return [phrasing.say(card_labels.BESIDES_NONE)]
    headings = (card_labels.MEASURE, card_labels.VALUE, card_labels.ITEMS, card_labels.CHANGE)
    lines = [_table_line([phrasing.say(heading) for heading in headings]), _table_line(["---"] * len(headings))]
    lines += [_table_line(_measure_cells(measure, phrasing)) for measure in measures[:MOST_MEASURES]]
    more = len(measures) - MOST_MEASURES
    left_out = [phrasing.say(card_labels.LEFT_OUT, count=phrasing.count(more))] if more > 0 else []
    return [phrasing.say(card_labels.BESIDES_INTRO), "\n".join(lines), *left_out]


def _measure_cells(measure: Measure, phrasing: Phrasing) -> list[str]:
    value = _amount(measure.value, measure, phrasing)
    if measure.low is not None and measure.high is not None:
        value += f" ({_amount(measure.low, measure, phrasing)} – {_amount(measure.high, measure, phrasing)})"
    name = f"{_plain(phrasing.say(measure.title))} `{measure.probe}.{measure.name}`"
    return [name, value, phrasing.count(measure.items), _change(measure, phrasing)]


def _change(measure: Measure, phrasing: Phrasing) -> str:
    change = measure.change
    if change is None:
        return "–"
    plus = "+" if change.difference > 0 else ""
    told = plus + _amount(change.difference, measure, phrasing)
    if measure.unit == "share":
        told = f"{plus}{phrasing.number(round(100 * change.difference, 1))}{phrasing.say(labels.POINTS)}"
    if not change.beyond_noise:
        return told
    if measure.higher_is_better is None:
        return f"**{told}**"
    better = (change.difference > 0) == measure.higher_is_better
    return f"**{told}, {phrasing.say(card_labels.BETTER if better else card_labels.WORSE)}**"


def _amount(value: float, measure: Measure, phrasing: Phrasing) -> str:
    if measure.unit == "share":
        return phrasing.share(value)
    if measure.unit == "seconds" and value >= 0:
        return phrasing.duration(value)
    if measure.unit == "bytes" and value >= 0:
        return phrasing.size(value)
    return phrasing.number(value)


def _data(report: Report, phrasing: Phrasing) -> list[str]:
    data = report.data_summary
    rows = phrasing.say(
        labels.CARD_ROWS_FOLDS if data.folds else labels.CARD_ROWS,
        train=phrasing.count(data.train),
        validation=phrasing.count(data.validation),
        test=phrasing.count(data.test),
        data=_code(masked(report.data)),
    )
    return [rows, *([_plain(phrasing.say(data.how_split))] if data.how_split else [])]


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
    limits = [phrasing.say(labels.CARD_LIMITS_DOMAIN), phrasing.say(labels.CARD_DETECTABLE, difference=smallest)]
    if report.items < FEW_ROWS:
        limits.append(phrasing.say(card_labels.LIMITS_SMALL, items=phrasing.count(report.items)))
    return limits


def _licence(report: Report, base: BaseModelLine | None, phrasing: Phrasing) -> list[str]:
    if report.chosen.arm.elsewhere:
        return [phrasing.say(card_labels.LICENCE_ELSEWHERE)]
    if base is None:
        return [phrasing.say(labels.CARD_LICENCE_NONE)]
    if base.licence.lower() in ("", "unknown"):
        return [_plain(phrasing.say(card_labels.LICENCE_UNKNOWN, base=base.name, origin=base.origin))]
    sentence = phrasing.say(labels.CARD_LICENCE_BASE, base=base.name, origin=base.origin, licence=base.licence)
    url = report.card.licence_url
    return [_plain(sentence), *([phrasing.say(card_labels.LICENCE_LINK, url=url)] if url else [])]


def _fenced(language: str, code: str) -> str:
    return f"```{language}\n{code}\n```"


def _code(text: str) -> str:
    """`text` as it may stand between backticks, on one line."""
    return " ".join(printable(text).split()).replace("`", "'")


def _plain(text: str) -> str:
    """`text` without a meaning in Markdown, HTML or a table, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(printable(text).split()))
