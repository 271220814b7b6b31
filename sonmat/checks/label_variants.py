"""Labels that differ only in case, spaces, '_' or full-width forms, and so are most likely one class written in two ways."""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.core.protocols import Rows, Surroundings, Watch
from sonmat.core.text import Text
from sonmat.core.values import Finding, Repair
from sonmat.reading.compact import CompactStrings
from sonmat.reading.rows import has_labels
from sonmat.reading.sameness import evened, label_key

_SHOWN = 10


class LabelVariants:
    name = "label_variants"
    title = Text(en="Spellings of labels", ko="라벨 표기")

    def watch(self, data: Surroundings) -> Watch | None:
        return _Spellings() if has_labels(data.kind) else None


class _Spellings:
    def __init__(self) -> None:
        self.rows: dict[str, CompactStrings] = {}
        """Ids of the rows of each label as it is spelt."""

    def see(self, rows: Rows) -> None:
        for example in rows.examples:
            self.rows.setdefault(example.target["label"], CompactStrings()).extend((example.id,))

    def findings(self) -> Iterator[Finding]:
        counts = {label: len(ids) for label, ids in self.rows.items()}
        spellings: dict[str, list[str]] = {}
        for label in counts:
            spellings.setdefault(label_key(label), []).append(label)
        commonest = {
            label: max(labels, key=lambda each: (counts[each], each == evened(each), each))
            for labels in spellings.values()
            if len(labels) > 1
            for label in labels
        }
        changed = {label: best for label, best in commonest.items() if label != best}
        if not changed:
            return
        groups = [sorted(labels, key=lambda each: -counts[each]) for labels in spellings.values() if len(labels) > 1]
        yield Finding(
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
            rows=tuple(id for label in changed for id in self.rows[label]),
            evidence=tuple(" / ".join(f"'{label}' ({counts[label]:,})" for label in labels) for labels in groups[:_SHOWN]),
            decided_by="labels",
            repairs=tuple(
                Repair(row=id, target={"label": best}) for label, best in changed.items() for id in self.rows[label]
            ),
        )


plugin = LabelVariants()
