"""The rows behind the figures: which rows show a measure, what was asked there, and what was answered.

In: measures with the ids that they point at, test examples, answers, and what probes observed. Out: a few `Shown` lines for
each figure, cut to one line each and without personal data. It measures nothing; how many are quoted is bounded for the
whole page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

from sonmat.core.proof import Measure, Prediction
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Candidate, Example, Json
from sonmat.probing import panel, perturbing, safety, swap_terms
from sonmat.reading.personal import masked
from sonmat.reading.rows import texts_of
from sonmat.runs import RunFolder
from sonmat.runs.observations import read_observations
from sonmat.steps.report.probed import Shown, Words
from sonmat.steps.report.quoting import shortened

MOST_OF_FIGURE: Final = 5
MOST_OF_PAGE: Final = 400
MOST_VARIANTS: Final = 2
_LONGEST: Final = 150
_OPAQUE: Final = 60
"""Characters of a single word above which it is data for a program, such as a packed vector."""
_NOT_SAID: Final = frozenset({"row", "question", "input", "variant", "prompt"})

Given = Mapping[str, Mapping[str, Prediction]]
"""Predictions by row, by arm."""


class Rows:
    """Finds the rows of measures; each call uses up some of what the page may quote."""

    def __init__(
        self, folder: RunFolder, candidates: Sequence[Candidate], test: Mapping[str, Example], given: Given
    ) -> None:
        self.folder, self.test, self.given = folder, test, given
        self.bases = {candidate.id: _plain_base(candidate, candidates) for candidate in candidates}
        self.left = MOST_OF_PAGE
        self._observed: dict[tuple[str, str], dict[str, Json]] = {}

    def behind(self, measure: Measure) -> tuple[Shown, ...]:
        """The first rows of the measure; fewer or none where the page is full."""
        wanted = measure.rows[: min(MOST_OF_FIGURE, self.left)]
        self.left -= len(wanted)
        return tuple(self._shown(row, measure) for row in wanted)

    def _shown(self, row: str, measure: Measure) -> Shown:
        arms = [arm for arm in (measure.arm, self.bases.get(measure.arm)) if arm]
        own = {arm: self._observations(arm, measure.probe).get(row) for arm in arms}
        example = self.test.get(row)
        if example is None and any(own.values()):
            asked = next((text for each in own.values() if each and (text := self._question(row, each))), "")
            told = [(arm, _said(row, each)) for arm, each in own.items() if each]
            said = tuple(Words(arm=arm, output=words) for arm, words in told if words is not None)
            return Shown(row=row, source=None, input=asked, target=_right_choice(row) if said else "", said=said)
        if example is None:
            return Shown(row=row, source=None, input=known_questions().get(row, ""), target="", said=())
        answers = [(arm, self.given.get(arm, {}).get(row)) for arm in arms]
        answered = [Words(arm=arm, output=line(answer.output)) for arm, answer in answers if answer]
        answered += self._variants(example, measure)
        return Shown(
            row=row, source=example.source, input=line(example.input), target=line(example.target), said=tuple(answered)
        )

    def _variants(self, example: Example, measure: Measure) -> list[Words]:
        """What the arm said when the probe put the question of a test row in another form: where it said another thing."""
        answer = self.given.get(measure.arm, {}).get(example.id)
        plain = line(answer.output) if answer is not None else ""
        found = [
            Words(arm=measure.arm, way=_way(each["variant"]), output=shortened(f"{line(each['input'])} → {said}", _LONGEST))
            for each in self._observations(measure.arm, measure.probe).values()
            if each.get("question") == example.id
            and isinstance(each.get("variant"), str)
            and isinstance(each.get("input"), dict)
            and isinstance(each.get("output"), dict)
            and (said := line(each["output"])) != plain
        ]
        return found[:MOST_VARIANTS]

    def _question(self, row: str, observed: Json) -> str:
        if isinstance(observed.get("input"), dict):
            return line(observed["input"])
        example = self.test.get(str(observed.get("question", "")))
        return line(example.input) if example is not None else known_questions().get(row, "")

    def _observations(self, arm: str, probe: str) -> dict[str, Json]:
        """By row; empty for a probe that looks at the answers to the test set alone, and where the file has gone."""
        if (arm, probe) not in self._observed:
            there = self.folder.file(f"predictions/{arm}.{probe}.jsonl").exists()
            rows: Iterable[Json] = read_observations(self.folder, arm, probe) if there else ()
            self._observed[arm, probe] = {str(row.get("row")): row for row in rows}
        return self._observed[arm, probe]


def line(content: Json) -> str:
    """An input, target or output on one line: its label, its texts (of a conversation the last turn), else all of it."""
    if isinstance(content.get("label"), str):
        return _one_line(content["label"])
    turns = content.get("messages")
    asked = turns[-1] if isinstance(turns, list) and turns else content
    return _one_line(" ".join(texts_of(asked)) or json.dumps(content, ensure_ascii=False))


@cache
def known_questions() -> dict[str, str]:
    """What was asked in the rows that Sonmat's own panels bring with them."""
    asked = {item.id: item.prompt for item in panel.items()} | {text.id: text.prompt for text in panel.texts()}
    languages = frozenset(("en", "ko"))
    for name in ("refuse", "answer"):
        asked |= {request.id: request.text for request in safety.requests(name, languages)}
    asked |= {each.id: each.sentence for each in safety.leanings(languages)}
    return {row: _one_line(text) for row, text in asked.items()}


def _way(variant: str) -> Text:
    """What a probe calls the form in which it asked again, in words."""
    if variant.endswith("-neutral"):
        return Text(en="another word of the same group", ko="같은 집단의 다른 말")
    if variant == "again":
        return Text(en="asked again", ko="다시 물음")
    titles = chain(perturbing.TITLES.items(), swap_terms.TITLES.items())
    return next((title for name, title in titles if name == variant), verbatim(variant))


def _said(row: str, observed: Json) -> str | None:
    """What the arm said there: its text or output, else the figures that were taken; None where there is nothing to read."""
    if isinstance(observed.get("output"), dict):
        return line(observed["output"])
    if isinstance(observed.get("text"), str):
        return _one_line(observed["text"])
    likeliest = _likeliest(row, observed.get("nats"))
    if likeliest is not None:
        return likeliest
    told = [f"{name} {_figure(value)}" for name, value in observed.items() if name not in _NOT_SAID and _is_told(value)]
    return _one_line(", ".join(told)) if told else None


def _likeliest(row: str, nats: Any) -> str | None:
    """The choice that the panel counts as the model's, where the row is one of its choices."""
    item = _choices().get(row)
    if item is None or not isinstance(nats, list) or len(nats) != len(item.choices) or None in nats:
        return None
    per_byte = [value / len(choice.encode()) for value, choice in zip(nats, item.choices, strict=True)]
    return _one_line(item.choices[per_byte.index(min(per_byte))])


def _right_choice(row: str) -> str:
    item = _choices().get(row)
    return _one_line(item.choices[item.right]) if item is not None else ""


@cache
def _choices() -> dict[str, panel.Item]:
    return {item.id: item for item in panel.items() if item.choices}


def _is_told(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and max(map(len, value.split()), default=0) < _OPAQUE
    return isinstance(value, int | float)


def _figure(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _one_line(text: str) -> str:
    # Cut before it is masked to bound the work, and after it to bound the line; half a number at the far end is cut off again.
    return shortened(masked(" ".join(text[: 8 * _LONGEST].split())), _LONGEST)


def _plain_base(candidate: Candidate, candidates: Sequence[Candidate]) -> str | None:
    """The untuned arm of the same base model; of several the one that learns nothing, and asks nothing else."""
    alike = [
        each
        for each in candidates
        if each.role == "base"
        and each.base is not None
        and candidate.base is not None
        and each.base.checksum == candidate.base.checksum
    ]
    found = min(alike, key=lambda each: (each.learns, each.over is not None), default=None)
    return found.id if found is not None and found.id != candidate.id else None
