"""Labels that are probably wrong, the most suspicious first.

Each row is judged by a simple model that learnt from the other rows; rows with the same input never judge one another.
`checking.label_quality` says how. Looked at are the rows of the sample; a row whose class has fewer than five is left alone.

`Finding.rows` are in the order of suspicion. `Finding.data`:
    rows: [{id, given: [label, ...], suggested: [label, ...], probability, wrong}] in the same order; `probability` is the
        suggestion's, `wrong` the chance that the given label is wrong, both 0 to 1
    judged: rows that were looked at
    share: estimated share of wrong labels among all, those included that cannot be pointed at
    expected: how many of the rows reported are wrong, if the chances are right
    features: what the rows were compared by
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sonmat.checking.label_quality import (
    FEWEST_OF_A_CLASS,
    FOLDS,
    judged_choices,
    judged_labels,
    numbered,
    out_of_fold,
)
from sonmat.checking.progress import Progress
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Json
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.personal import masked
from sonmat.reading.rows import ExampleRows, has_classes, has_labels, labels_of

_SHOWN = 5
_SHOWN_LETTERS = 60
FEWEST_ROWS = 50
"""Below, a model learns from 40 rows what it then judges 10 by; nothing that it says would be sure."""


@dataclass(frozen=True)
class _Suspicion:
    at: int
    """Place in the sample."""
    given: tuple[str, ...]
    suggested: tuple[str, ...]
    probability: float
    wrong: float


@dataclass(frozen=True)
class _Verdict:
    suspicions: tuple[_Suspicion, ...]
    judged: int
    share: float


class LabelErrors:
    name = "label_errors"
    title = Text(en="Probably wrong labels", ko="잘못 붙은 듯한 라벨")
    only_tells = True

    def watch(self, data: Surroundings) -> Watch | None:
        return _Doubts(data) if has_classes(data.kind) else None


class _Doubts:
    def __init__(self, data: Surroundings) -> None:
        self.data = data

    def see(self, rows: Rows) -> None:
        """The sample holds what is looked at."""

    def findings(self) -> Iterator[Finding]:
        examples = self.data.sample.examples
        if len(examples) < FEWEST_ROWS:
            return
        verdict = _single(self.data, examples) if has_labels(self.data.kind) else _several(self.data, examples)
        if verdict is not None and verdict.suspicions:
            yield self._finding(verdict, examples)

    def _finding(self, verdict: _Verdict, examples: Sequence[Example]) -> Finding:
        found = verdict.suspicions
        expected = round(sum(suspicion.wrong for suspicion in found))
        sampled = verdict.judged < self.data.rows
        features = self.data.sample.features_from
        looked_en = f" Looked at: {verdict.judged:,} of {self.data.rows:,} rows." if sampled else ""
        looked_ko = f" {self.data.rows:,}행 가운데 {verdict.judged:,}행을 살펴봤습니다." if sampled else ""
        return Finding(
            check=plugin.name,
            severity="warning",
            what=Text(
                en=f"Labels that contradict what similar rows have: {len(found):,} rows, of which about {expected:,} are wrong; "
                f"in all, about {verdict.share:.1%} of the labels seem wrong (compared by {features.en}).{looked_en}",
                ko=f"비슷한 행들과 라벨이 어긋나는 행이 {len(found):,}개 있고, 그중 {expected:,}개쯤은 잘못된 것으로 보입니다. "
                f"전체로는 라벨의 {verdict.share:.1%}가량이 틀린 듯합니다({features.ko} 기준).{looked_ko}",
            ),
            fix=Text(
                en="Go through them with `sonmat audit --review`, the most suspicious first: keep the label, take the one suggested, "
                "or drop the row.",
                ko="`sonmat audit --review`로 의심스러운 행부터 살펴보고, 라벨을 그대로 두거나 제안된 라벨로 바꾸거나 행을 빼세요.",
            ),
            rows=tuple(examples[suspicion.at].id for suspicion in found),
            evidence=tuple(_shown(suspicion, examples[suspicion.at]) for suspicion in found[:_SHOWN]),
            data={
                "rows": [_as_json(suspicion, examples[suspicion.at]) for suspicion in found],
                "judged": verdict.judged,
                "share": round(verdict.share, 4),
                "expected": expected,
                "features": features.model_dump(),
            },
        )


def _single(data: Surroundings, examples: Sequence[Example]) -> _Verdict | None:
    """Doubts where every row has one label."""
    counts = Counter(labels_of(example)[0] for example in examples)
    at = [place for place, example in enumerate(examples) if counts[labels_of(example)[0]] >= FEWEST_OF_A_CLASS]
    names, labels = numbered([labels_of(examples[place])[0] for place in at])
    if len(names) < 2:
        return None
    progress = Progress(data.emit, plugin.title, FOLDS)
    same = _keys(examples)[at]
    judged = judged_labels(labels, out_of_fold(data.sample.features[at], labels, same, data.seed, progress.step))
    suspicions = tuple(
        _Suspicion(
            at[row],
            (names[labels[row]],),
            (names[judged.suggested[row]],),
            float(judged.probability[row]),
            float(judged.wrong[row]),
        )
        for row in judged.ranking.tolist()
        if judged.reported[row]
    )
    return _Verdict(suspicions, len(at), judged.noise.share)


def _several(data: Surroundings, examples: Sequence[Example]) -> _Verdict | None:
    """Doubts where rows have any number of labels: one label after the other, against all rows without it."""
    counts = Counter(label for example in examples for label in set(labels_of(example)))
    known = [
        label for label, count in sorted(counts.items()) if FEWEST_OF_A_CLASS <= count <= len(examples) - FEWEST_OF_A_CLASS
    ]
    if not known:
        return None
    given = np.array([[label in labels_of(example) for label in known] for example in examples])
    progress = Progress(data.emit, plugin.title, FOLDS * len(known))
    same = _keys(examples)
    columns = [
        out_of_fold(data.sample.features, given[:, label].astype(np.int64), same, data.seed, progress.step)[:, 1]
        for label in range(len(known))
    ]
    judged = judged_choices(given, np.stack(columns, axis=1))
    worst: dict[int, _Suspicion] = {}
    for place in judged.ranking.tolist():
        row, label = divmod(place, len(known))
        if judged.reported[place]:
            before = labels_of(examples[row])
            now = worst[row].suggested if row in worst else before
            suggested = (
                (*now, known[label]) if judged.suggested[place] else tuple(each for each in now if each != known[label])
            )
            first = worst.get(row)
            probability = float(judged.probability[place]) if first is None else first.probability
            wrong = float(judged.wrong[place]) if first is None else first.wrong
            worst[row] = _Suspicion(row, before, suggested, probability, wrong)
    return _Verdict(tuple(worst.values()), len(examples), judged.noise.share)


def _keys(examples: Sequence[Example]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(ExampleRows(examples).input_keys, dtype=np.uint64)


def _as_json(suspicion: _Suspicion, example: Example) -> Json:
    return {
        "id": example.id,
        "given": list(suspicion.given),
        "suggested": list(suspicion.suggested),
        "probability": round(suspicion.probability, 4),
        "wrong": round(suspicion.wrong, 4),
    }


def _shown(suspicion: _Suspicion, example: Example) -> str:
    text = " ".join(masked(ExampleRows([example]).inputs[0]).split())
    short = text if len(text) <= _SHOWN_LETTERS else f"{text[:_SHOWN_LETTERS]}…"
    change = f"'{', '.join(suspicion.given)}' → '{', '.join(suspicion.suggested)}' ({suspicion.probability:.0%})"
    return f"{change}: {short}" if short else change


plugin = LabelErrors()
