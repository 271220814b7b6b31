"""How far an encoder's view of general sentences has moved from that of its base.

In: rows with vectors (of length 1) of the base, of the tuned encoder, and of the base for the same sentences without their last
mark. Out: linear CKA and shared nearest neighbours, of all sentences and by language, each beside its noise floor.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.probing import Seen
from sonmat.core.proof import Measure
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.probing.panel import LANGUAGES
from sonmat.probing.tallies import Tally, measures_of
from sonmat.statistics.resampling import Floats
from sonmat.statistics.similarity import NEIGHBOURS, linear_cka, shared_neighbours


def packed(vector: NDArray[np.float32]) -> str:
    """A vector in half precision as text; scaled to length 1, so that none is out of range."""
    unit = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return base64.b64encode(unit.astype("<f2").tobytes()).decode()


def unpacked(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), dtype="<f2").astype(np.float64)


def bare(sentence: str) -> str:
    """The sentence without its last mark: it means the same."""
    return sentence.rstrip("?.! ")


def view_measures(probe: str, own: Seen, seed: int) -> list[Measure]:
    """Of all sentences, then of each language."""
    found = list(_of_part(probe, own, own.rows, {}, seed))
    for language in LANGUAGES:
        rows = [row for row in own.rows if f"-{language}-" in row["row"]]
        if rows:
            found += _of_part(probe, own, rows, {"language": language}, seed)
    return found


def _of_part(probe: str, own: Seen, rows: Sequence[Json], part: dict[str, str], seed: int) -> Iterator[Measure]:
    base, tuned, reworded = (np.stack([unpacked(row[of]) for row in rows]) for of in ("base", "own", "reworded"))
    arm = own.candidate.id
    for name, title, other in (("cka", _CKA, tuned), ("wording_cka", _WORDING_CKA, reworded)):
        alike = linear_cka(base, other)
        yield Measure(
            probe=probe,
            name=name,
            title=title,
            arm=arm,
            value=alike.value,
            low=alike.interval.low,
            high=alike.interval.high,
            items=len(rows),
            unit="score",
            slice=part,
        )
    ids = [str(row["row"]) for row in rows]
    tallies = [
        Tally(
            name=name,
            title=title,
            outcomes=dict(zip(ids, shared_neighbours(base, other).tolist(), strict=True)),
            higher_is_better=True,
            share=False,
            slice=part,
        )
        for name, title, other in (
            ("neighbours", _NEIGHBOURS, tuned),
            ("wording_neighbours", _WORDING_NEIGHBOURS, reworded),
        )
    ]
    yield from measures_of(tallies, probe=probe, arm=arm, seed=seed)


_CKA = Text(
    en="likeness to the base's view of general sentences (CKA)", ko="일반 문장을 보는 눈이 기본 모델과 닮은 정도(CKA)"
)
_WORDING_CKA = Text(
    en="the same of the base itself, without the last mark (noise floor)",
    ko="기본 모델 자신의 같은 값, 문장 끝 부호만 뺐을 때(잡음 바닥)",
)
_NEIGHBOURS = Text(
    en=f"of {NEIGHBOURS} nearest sentences, the same as the base's",
    ko=f"가장 가까운 문장 {NEIGHBOURS}개 가운데 기본 모델과 같은 비율",
)
_WORDING_NEIGHBOURS = Text(
    en="the same of the base itself, without the last mark (noise floor)",
    ko="기본 모델 자신의 같은 비율, 문장 끝 부호만 뺐을 때(잡음 바닥)",
)
