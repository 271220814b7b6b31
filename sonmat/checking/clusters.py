"""What follows from rows being nearly the same: which stay together in the split, which go if they are dropped, and the finding.

In: pairs of rows that are alike. Out: clusters of rows, and a finding. How alike rows are is found out elsewhere.

If a is like b and b like c, all three stay together, although c may be unlike a. Such chains can run through thousands of
sentences of one pattern and would leave nothing to split; a chain longer than `_LONGEST_CHAIN` or two hundredths of the rows is
therefore cut: every row stays with the first row that it is itself like. Dropping never follows chains.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.minhash import Pairs
from sonmat.checking.repeats import mixed
from sonmat.core.text import Text
from sonmat.core.values import Finding, Repair
from sonmat.core.watching import Surroundings

_LONGEST_CHAIN, _LONGEST_CHAIN_SHARE = 20, 0.02
_WARNING_SHARE = 0.1
"""Of all rows. Above it, a test set is much smaller than it looks."""
_PAIRS_SHOWN = 20


class Copies:
    """Rows with the same input and target stand for one another: the first of them is compared, all of them are concerned."""

    def __init__(self, inputs: NDArray[np.uint64], targets: NDArray[np.uint64]) -> None:
        self._keys = mixed(inputs, targets)
        self._order = np.argsort(self._keys, kind="stable")
        self._ordered = self._keys[self._order]
        begins = np.concatenate(([True], self._ordered[1:] != self._ordered[:-1])) if len(inputs) else np.empty(0, np.bool_)
        self.firsts: NDArray[np.int64] = np.sort(self._order[begins])
        """Positions of the rows that are no copies of an earlier one, rising."""

    def of(self, first: int) -> list[int]:
        """Positions of the row and its copies, rising."""
        key = self._keys[first]
        begin, end = np.searchsorted(self._ordered, key), np.searchsorted(self._ordered, key, side="right")
        return [int(row) for row in self._order[begin:end]]


@dataclass(frozen=True)
class Clusters:
    members: list[list[int]]
    """Places of each cluster in rising order, clusters in the order of their first."""
    cut: int
    """Chains that were too long to stay whole."""


def clusters_of(pairs: Pairs, rows: int) -> Clusters:
    """Places that stay together because pair after pair connects them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    places, ends = np.unique(np.concatenate((pairs.first, pairs.second)), return_inverse=True)
    first, second = ends[: len(pairs.first)], ends[len(pairs.first) :]
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(len(places), len(places)))
    _, chains = connected_components(graph, directed=False)
    limit = max(_LONGEST_CHAIN, int(_LONGEST_CHAIN_SHARE * rows))
    too_long = np.bincount(chains, minlength=1) > limit
    centres = _nearest_centres(first, second, chains, too_long)
    members: dict[tuple[int, int], list[int]] = {}
    for place, chain, centre in zip(places.tolist(), chains.tolist(), centres, strict=True):
        members.setdefault((chain, centre), []).append(place)
    return Clusters([cluster for cluster in members.values() if len(cluster) > 1], int(too_long.sum()))


def _nearest_centres(
    first: NDArray[np.int64], second: NDArray[np.int64], chains: NDArray[np.int32], too_long: NDArray[np.bool_]
) -> list[int]:
    """In chains that are too long, the earliest row that each is like and that is like no earlier one itself; else -1."""
    centres = [-1] * len(chains)
    for place in np.flatnonzero(too_long[chains]).tolist():
        centres[place] = place
    inside = np.flatnonzero(too_long[chains[first]]) if len(first) else np.empty(0, np.int64)
    for pair in inside[np.lexsort((first[inside], second[inside]))].tolist():
        earlier, later = int(first[pair]), int(second[pair])
        if centres[earlier] == earlier and centres[later] == later:
            centres[later] = earlier
    return centres


def to_drop(pairs: Pairs, agree: NDArray[np.bool_]) -> set[int]:
    """Places that are like an earlier one which stays, with the same target; those that stay are not like one another."""
    dropped: set[int] = set()
    order = np.lexsort((pairs.first, pairs.second))
    for earlier, later, same in zip(
        pairs.first[order].tolist(), pairs.second[order].tolist(), agree[order].tolist(), strict=True
    ):
        if same and earlier not in dropped:
            dropped.add(later)
    return dropped


def near_duplicates_finding(
    check: str, data: Surroundings, pairs: Pairs, agree: NDArray[np.bool_], copies: Copies, threshold: float
) -> Finding | None:
    """The finding for rows whose inputs are alike; `agree` says of which pairs the targets are, too. None if no rows are."""
    if not len(pairs.first):
        return None
    ids = data.ids
    found = clusters_of(pairs, data.rows)
    clusters = [[row for place in cluster for row in copies.of(place)] for cluster in found.members]
    later = [row for place in np.unique(pairs.second).tolist() for row in copies.of(place)]
    dropped = [row for place in to_drop(pairs, agree) for row in copies.of(place)]
    share = len(later) / data.rows
    best = np.argsort(-pairs.similarity, kind="stable")[:_PAIRS_SHOWN].tolist()
    return Finding(
        check=check,
        severity="warning" if share > _WARNING_SHARE else "note",
        what=_what(len(later), share, len(clusters), int((~agree).sum()), found.cut),
        fix=Text(
            en="The split keeps each cluster together, so that the test asks nothing that was nearly learnt by heart. "
            "Leave out all but one of the rows with --near-duplicates drop.",
            ko="거의 같은 행의 묶음은 분할할 때 한쪽에만 두므로 외운 것을 테스트하지 않습니다. "
            "하나만 남기고 빼려면 --near-duplicates drop을 쓰세요.",
        ),
        rows=tuple(ids[row] for row in sorted(later)),
        clusters=tuple(tuple(ids[row] for row in sorted(cluster)) for cluster in clusters),
        decided_by="near_duplicates",
        data={
            "threshold": threshold,
            "share": round(share, 4),
            "sizes": {str(size): times for size, times in sorted(Counter(map(len, clusters)).items())},
            "cut_chains": found.cut,
            "pairs": [
                {
                    "rows": [ids[int(pairs.first[pair])], ids[int(pairs.second[pair])]],
                    "similarity": round(float(pairs.similarity[pair]), 3),
                }
                for pair in best
            ],
        },
        repairs=tuple(Repair(row=ids[row], drop=True) for row in sorted(dropped)),
    )


def _what(rows: int, share: float, clusters: int, disagreeing: int, cut: int) -> Text:
    english = [f"Rows that nearly repeat another row: {rows:,} ({share:.1%}), in clusters: {clusters:,}."]
    korean = [f"다른 행과 거의 같은 행이 {rows:,}개({share:.1%}) 있고, 모두 {clusters:,}묶음입니다."]
    if disagreeing:
        english.append(f"In {disagreeing:,} pairs the targets differ; these rows are never dropped as repetitions.")
        korean.append(f"그중 {disagreeing:,}쌍은 정답이 서로 달라, 되풀이로 보고 빼지 않습니다.")
    if cut:
        english.append(
            f"Rows made to one pattern form {cut:,} long chains; they were cut, so rows that are alike can still be in two parts."
        )
        korean.append(
            f"한 틀로 만든 행들이 긴 사슬 {cut:,}개로 이어져 끊었습니다. 비슷한 행이 서로 다른 쪽에 있을 수 있습니다."
        )
    return Text(en=" ".join(english), ko=" ".join(korean))
