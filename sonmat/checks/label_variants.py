"""Labels that are most likely one class written in two ways.

Two findings. Labels that differ only in case, spaces, '_' or full-width forms are one for sure: they stop the run until
`labels` says merge or keep. Labels a keystroke or two apart, one of them rare, are probably misspelt; they are only
proposed (a warning), whatever `labels` says, because two near words can be two classes.

`Finding.data` of both: `merges`: [{from, to, rows}], spellings with the number of their rows.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping

from sonmat.checking.label_typos import likely_typos
from sonmat.core.text import Text
from sonmat.core.values import Finding, Json, Repair
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.rows import has_classes, has_labels, labels_of
from sonmat.reading.sameness import evened, label_key

_SHOWN = 10


class LabelVariants:
    name = "label_variants"
    title = Text(en="Spellings of labels", ko="라벨 표기")

    def watch(self, data: Surroundings) -> Watch | None:
        return _Spellings(data, has_labels(data.kind)) if has_classes(data.kind) else None


class _Spellings:
    def __init__(self, data: Surroundings, single: bool) -> None:
        self.data, self.single = data, single
        self.rows: dict[tuple[str, ...], array[int]] = {}
        """Positions of the rows with each label, or combination of labels, as it is spelt."""

    def see(self, rows: Rows) -> None:
        for position, example in enumerate(rows.examples, start=rows.start):
            labels = labels_of(example)
            if labels not in self.rows:
                self.rows[labels] = array("I")
            self.rows[labels].append(position)

    def findings(self) -> Iterator[Finding]:
        counts: Counter[str] = Counter()
        for labels, positions in self.rows.items():
            for label in labels:
                counts[label] += len(positions)
        sure = _same_but_for_writing(counts)
        if sure:
            yield self._variants(sure, counts)
        # What is one label for sure counts as one: a typo of 'Refund' is one of 'refund' too.
        merged: Counter[str] = Counter()
        for label, count in counts.items():
            merged[sure.get(label, label)] += count
        typos = {typo.written: typo.meant for typo in likely_typos(merged)}
        if typos:
            yield self._typos(typos, counts)

    def _variants(self, merges: Mapping[str, str], counts: Mapping[str, int]) -> Finding:
        groups = [
            sorted([best, *(label for label in merges if merges[label] == best)], key=lambda each: -counts[each])
            for best in dict.fromkeys(merges.values())
        ]
        return Finding(
            check=plugin.name,
            severity="blocker",
            what=Text(
                en=f"Labels written in ways that differ only in case, spaces or full-width forms: {len(groups):,}.",
                ko=f"라벨 {len(groups):,}개가 대소문자, 띄어쓰기, 전각 문자만 다른 여러 표기로 쓰였습니다.",
            ),
            fix=Text(
                en="Write each label in one way; or use --labels merge (into the commonest spelling) or --labels keep.",
                ko="표기를 하나로 통일하거나, --labels merge(가장 흔한 표기로 합침) 또는 --labels keep(그대로 둠)을 쓰세요.",
            ),
            rows=self._ids(merges),
            evidence=tuple(" / ".join(f"'{label}' ({counts[label]:,})" for label in labels) for labels in groups[:_SHOWN]),
            data=_as_json(merges, counts),
            decided_by="labels",
            repairs=tuple(self._repairs(merges)),
        )

    def _typos(self, merges: Mapping[str, str], counts: Mapping[str, int]) -> Finding:
        return Finding(
            check=plugin.name,
            severity="warning",
            what=Text(
                en=f"Labels that look misspelt: {len(merges):,}. Each is a keystroke or two from a much commoner one.",
                ko=f"오타로 보이는 라벨이 {len(merges):,}개 있습니다. 훨씬 흔한 라벨과 한두 글자쇠만 다릅니다.",
            ),
            fix=Text(
                en="If they mean the same, write them like the common one in your data; they are not merged by themselves.",
                ko="같은 뜻이라면 데이터에서 흔한 표기로 고치세요. 저절로 합치지는 않습니다.",
            ),
            rows=self._ids(merges),
            evidence=tuple(
                f"'{label}' ({counts[label]:,}) → '{best}' ({counts[best]:,})"
                for label, best in list(merges.items())[:_SHOWN]
            ),
            data=_as_json(merges, counts),
        )

    def _ids(self, changing: Mapping[str, str]) -> tuple[str, ...]:
        """Rows with any of the labels, in the order in which their spellings were first met."""
        return tuple(
            self.data.ids[position]
            for labels, positions in self.rows.items()
            if changing.keys() & set(labels)
            for position in positions
        )

    def _repairs(self, merges: Mapping[str, str]) -> Iterator[Repair]:
        for labels, positions in self.rows.items():
            if merges.keys() & set(labels):
                now = list(dict.fromkeys(merges.get(label, label) for label in labels))
                target: Json = {"label": now[0]} if self.single else {"labels": now}
                yield from (Repair(row=self.data.ids[position], target=target) for position in positions)


def _same_but_for_writing(counts: Mapping[str, int]) -> dict[str, str]:
    """Every spelling that is not the commonest of its label, and that one."""
    spellings: dict[str, list[str]] = {}
    for label in counts:
        spellings.setdefault(label_key(label), []).append(label)
    merges: dict[str, str] = {}
    for labels in spellings.values():
        best = max(labels, key=lambda each: (counts[each], each == evened(each), each))
        merges.update({label: best for label in labels if label != best})
    return merges


def _as_json(merges: Mapping[str, str], counts: Mapping[str, int]) -> Json:
    return {"merges": [{"from": label, "to": best, "rows": counts[label]} for label, best in merges.items()]}


plugin = LabelVariants()
