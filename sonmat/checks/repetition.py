"""Answers that go round in circles, and answers that are hardly varied all together."""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.checking.loops import distinct_share, loop_in
from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.rows import has_classes, texts_of

_WORDS_COMPARED = 5_000
"""Distinct-n depends on the number of words, so it is always taken over this many."""
_LEAST_DISTINCT_PAIRS = 0.2
"""Written answers have 0.6 and more over 5,000 pairs of words; templates with a name filled in have about 0.1."""
_LEAST_UNIQUE = 0.3
"""Share of different answers below which they are chosen from a set, not written, and need not be varied."""
_SHOWN_CHARACTERS = 24


class Repetition:
    name = "repetition"
    title = Text(en="Repetition and variety", ko="되풀이와 다양성")

    def watch(self, data: Surroundings) -> Watch | None:
        return _Repetition(data) if data.kind.modality == "text" and not has_classes(data.kind) else None


class _Repetition:
    def __init__(self, data: Surroundings) -> None:
        self.data = data
        self.loops = RowFaults(_loops, _looping)

    def see(self, rows: Rows) -> None:
        self.loops.see(rows)

    def findings(self) -> Iterator[Finding]:
        yield from self.loops.findings()
        targets = ["\n".join(texts_of(example.target)) for example in self.data.sample.examples]
        pairs = distinct_share(targets, 2, _WORDS_COMPARED)
        unique = len(set(targets)) / max(len(targets), 1)
        if pairs is None or pairs >= _LEAST_DISTINCT_PAIRS or unique < _LEAST_UNIQUE:
            return
        words = distinct_share(targets, 1, _WORDS_COMPARED) or 0.0
        yield Finding(
            check=plugin.name,
            severity="warning",
            what=Text(
                en=f"The answers are hardly varied: of {_WORDS_COMPARED:,} pairs of neighbouring words only {pairs:.0%} differ.",
                ko=f"답들이 서로 거의 같습니다. 이어진 두 낱말 {_WORDS_COMPARED:,}쌍 가운데 서로 다른 것이 {pairs:.0%}뿐입니다.",
            ),
            fix=Text(
                en="Add answers in other words; from these a model learns the template and little else.",
                ko="다르게 쓴 답을 더하세요. 이대로는 모델이 틀만 익히고 다른 것은 거의 배우지 못합니다.",
            ),
            data={"distinct_1": round(words, 4), "distinct_2": round(pairs, 4), "unique_targets": round(unique, 4)},
        )


def _loops(rows: Rows) -> Iterator[Fault]:
    for at, text in enumerate(rows.targets):
        loop = loop_in(text) if len(text) >= _SHOWN_CHARACTERS else None
        if loop:
            yield Fault(at, f"×{loop.turns}")


def _looping(found: Faults) -> Finding:
    return Finding(
        check=plugin.name,
        severity="warning",
        what=Text(
            en=f"The answer says the same over and over in {len(found.ids):,} of {found.rows_seen:,} rows.",
            ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행의 답이 같은 말을 계속 되풀이합니다.",
        ),
        fix=Text(
            en="Leave these rows out or shorten them; a model learns to go round in circles from very few.",
            ko="이 행들을 빼거나 줄이세요. 몇 개만 있어도 모델이 같은 말을 되풀이하게 됩니다.",
        ),
        rows=tuple(found.ids),
        evidence=tuple(found.evidence),
    )


plugin = Repetition()
