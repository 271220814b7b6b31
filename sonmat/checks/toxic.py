"""Profane, slurring, sexual or threatening words in Korean and English, from the word lists of this repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.checking.toxic_words import toxic_words
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch


class Toxicity:
    name = "toxic"
    title = Text(en="Toxic words", ko="욕설과 혐오 표현")

    def watch(self, data: Surroundings) -> Watch | None:
        return _Toxic() if data.kind.modality != "image" else None


class _Toxic:
    def __init__(self) -> None:
        self.categories: Counter[str] = Counter()
        self.rows = RowFaults(self._faults, self._finding)

    def see(self, rows: Rows) -> None:
        self.rows.see(rows)

    def findings(self) -> Iterator[Finding]:
        return self.rows.findings()

    def _faults(self, rows: Rows) -> Iterator[Fault]:
        for at, toxic in toxic_words().in_rows(rows):
            self.categories[toxic.category] += 1
            yield Fault(at, f"{toxic.category}: {toxic.masked}")

    def _finding(self, found: Faults) -> Finding:
        return Finding(
            check=plugin.name,
            severity="warning",
            what=Text(
                en=f"Words that insult, slur, threaten or are sexual stand in {len(found.ids):,} of {found.rows_seen:,} rows.",
                ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행에 욕설, 비하, 협박 또는 성적인 표현이 있습니다.",
            ),
            fix=Text(
                en="Read these rows. A model says what it was taught; leave them out unless the task is about such words.",
                ko="이 행들을 읽어 보세요. 모델은 배운 대로 말합니다. 이런 말을 다루는 과제가 아니라면 빼는 것이 좋습니다.",
            ),
            rows=tuple(found.ids),
            evidence=tuple(found.evidence),
            data={"categories": dict(self.categories.most_common())},
        )


plugin = Toxicity()
