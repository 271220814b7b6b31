"""Rows of a given test or validation part that also stand in a part that is learnt from: then the test asks what was learnt by
heart, and every figure flatters.

It looks only where the data itself says which part a row belongs to. Three things leak: an input that says the same, an input
that says nearly the same, and a group (a customer, a patient) that the recipe wants in one part. What goes, if the recipe says
so, is the copy: training gives way to validation and both to the test.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.likeness import Likeness, likeness_of
from sonmat.checking.repeats import Keys, repeated
from sonmat.core.text import Text
from sonmat.core.values import Finding, Repair
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.sameness import same_hash

_RANKS: Final[dict[str, int]] = {"train": 1, "validation": 2, "test": 3}
"""Of two rows that must not be in two parts, the one in the higher part stays."""
_PAIRS_SHOWN = 20


class Leakage:
    name = "leakage"
    title = Text(en="Test rows in training", ko="학습에 섞인 테스트 행")

    def watch(self, data: Surroundings) -> Watch:
        return _Leaks(data)


class _Leaks:
    def __init__(self, data: Surroundings) -> None:
        self.data = data
        self.likeness: Likeness | None = None
        self.inputs = Keys()
        self.groups: dict[int, int] = {}
        """The parts that rows of a group are in, one bit each, by the key of the group."""
        self.grouped, self.group_keys = array("Q"), array("Q")
        self.positions, self.ranks = array("Q"), bytearray()
        """Rows that a part is given for."""

    def see(self, rows: Rows) -> None:
        given = [(at, _RANKS[example.part]) for at, example in enumerate(rows.examples) if example.part is not None]
        if not given:
            return
        if self.likeness is None:
            self.likeness = likeness_of(self.data.kind)
        self.likeness.see(rows, [at for at, _ in given])
        for at, rank in given:
            example = rows.examples[at]
            self.positions.append(rows.start + at)
            self.ranks.append(rank)
            self.inputs.extend((rows.input_keys[at],))
            if example.group is not None:
                key = same_hash(example.group)
                self.grouped.append(len(self.ranks) - 1)
                self.group_keys.append(key)
                self.groups[key] = self.groups.get(key, 0) | 1 << rank

    def findings(self) -> Iterator[Finding]:
        if self.likeness is None:
            return
        ranks = np.frombuffer(bytes(self.ranks), np.uint8)
        if ranks.min() == ranks.max():
            return
        same = [_across(group, ranks) for group in repeated(self.inputs.values())]
        same_rows = np.concatenate([copies for copies, _ in same]) if same else np.empty(0, np.int64)
        if len(same_rows):
            shown = [(int(copies[0]), stays, 1.0) for copies, stays in same if len(copies)]
            yield self._finding(same_rows, _same(len(same_rows)), shown)
        keys = self.inputs.values()
        pairs = self.likeness.pairs(np.flatnonzero(_first_of_each(keys, ranks)))
        pairs = pairs.where((ranks[pairs.first] != ranks[pairs.second]) & (keys[pairs.first] != keys[pairs.second]))
        if len(pairs.first):
            swap = ranks[pairs.first] > ranks[pairs.second]
            copies, stays = np.where(swap, pairs.second, pairs.first), np.where(swap, pairs.first, pairs.second)
            best = np.argsort(-pairs.similarity, kind="stable")
            shown = [(int(copies[at]), int(stays[at]), float(pairs.similarity[at])) for at in best[:_PAIRS_SHOWN]]
            rows = np.setdiff1d(self._all_with_inputs_of(np.unique(copies), ranks), same_rows)
            if len(rows):
                yield self._finding(rows, _near(len(rows)), shown)
        split_groups = {key: bits for key, bits in self.groups.items() if bits.bit_count() > 1}
        if split_groups:
            below = [
                place
                for place, key in zip(self.grouped, self.group_keys, strict=True)
                if key in split_groups and ranks[place] < split_groups[key].bit_length() - 1
            ]
            yield self._finding(np.array(below, np.int64), _groups(len(split_groups), len(below)), [])

    def _all_with_inputs_of(self, places: NDArray[np.int64], ranks: NDArray[np.uint8]) -> NDArray[np.int64]:
        """These and all rows that have the same input and part."""
        keys = _with_part(self.inputs.values(), ranks)
        return np.flatnonzero(np.isin(keys, keys[places]))

    def _finding(self, copies: NDArray[np.int64], what: Text, shown: Sequence[tuple[int, int, float]]) -> Finding:
        rows = tuple(self._id(int(place)) for place in np.sort(copies))
        return Finding(
            check=plugin.name,
            severity="blocker",
            what=what,
            fix=Text(
                en="Leave the copies out of training with --leakage drop, or mend the data. "
                "With --leakage keep, the figures of the test cannot be trusted.",
                ko="--leakage drop으로 학습 쪽의 행을 빼거나 데이터를 고치세요. --leakage keep을 쓰면 테스트 수치를 믿을 수 없습니다.",
            ),
            rows=rows,
            decided_by="leakage",
            data={
                "pairs": [
                    {"rows": [self._id(copy), self._id(stays)], "similarity": round(similarity, 3)}
                    for copy, stays, similarity in shown[:_PAIRS_SHOWN]
                ]
            },
            repairs=tuple(Repair(row=row, drop=True) for row in rows),
        )

    def _id(self, place: int) -> str:
        return self.data.ids[self.positions[place]]


def _across(group: NDArray[np.int64], ranks: NDArray[np.uint8]) -> tuple[NDArray[np.int64], int]:
    """The rows of the group that are in a lower part than its highest, and the first row of the highest."""
    highest = ranks[group].max()
    return group[ranks[group] < highest], int(group[np.argmax(ranks[group] == highest)])


def _with_part(keys: NDArray[np.uint64], ranks: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return keys ^ (ranks.astype(np.uint64) << np.uint64(62))


def _first_of_each(keys: NDArray[np.uint64], ranks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether the row is the first of its part with its input."""
    first = np.zeros(len(keys), np.bool_)
    first[np.unique(_with_part(keys, ranks), return_index=True)[1]] = True
    return first


def _same(rows: int) -> Text:
    return Text(
        en=f"Rows whose input also stands in the test or validation part: {rows:,}. The test would ask what was learnt by heart.",
        ko=f"테스트나 검증 쪽에도 같은 입력이 있는 행이 {rows:,}개입니다. 외운 것을 테스트하게 됩니다.",
    )


def _near(rows: int) -> Text:
    return Text(
        en=f"Rows whose input stands almost the same in the test or validation part: {rows:,}. Their test would flatter.",
        ko=f"테스트나 검증 쪽에 거의 같은 입력이 있는 행이 {rows:,}개입니다. 테스트 수치가 실제보다 좋게 나옵니다.",
    )


def _groups(groups: int, rows: int) -> Text:
    return Text(
        en=f"Groups that stand in more than one part: {groups:,}, with {rows:,} rows below their highest part. "
        "What is learnt of a group helps in its test.",
        ko=f"여러 쪽에 걸친 그룹이 {groups:,}개이고, 그중 학습이나 검증 쪽에 있는 행은 {rows:,}개입니다. "
        "한 그룹에서 배운 것이 그 그룹의 테스트를 쉽게 만듭니다.",
    )


plugin = Leakage()
