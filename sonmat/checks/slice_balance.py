"""Groups of rows (age, gender, region, dialect, product …) that are too small, or whose labels are spread unlike the rest's.

A model serves a group it hardly saw worse, and learns a link between group and label that may only be in the data.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.rows import labels_of

_FEWEST_ROWS = 20
"""Of a group. With fewer, three would be in its test part, which measure nothing."""
_MOST_GROUPS = 50
"""Values of a column with more are no groups but names or numbers."""
_FEWEST_IN_ALL = 100
_FEWEST_EXPECTED = 5.0
"""Rows a cell of the table must have on average for the chi-squared test to hold (Cochran 1954)."""
_LARGEST_P = 0.001
_SMALLEST_V = 0.2
"""Cramér's V, from which a link counts as more than small for two groups (Cohen 1988, w = 0.2 lies between small and medium)."""
_SHOWN = 5
_SENSITIVE = re.compile(
    r"\b(?:age|gender|sex|race|ethnic\w*|region|dialect|religion|disab\w*|national\w*|country|language|education|income|marital)\b|"
    "나이|연령|세대|성별|지역|방언|사투리|종교|장애|국적|인종|출신|학력|소득|결혼|혼인",
    re.IGNORECASE,
)


class SliceBalance:
    name = "slice_balance"
    title = Text(en="Balance of the groups", ko="집단 사이의 균형")

    def watch(self, data: Surroundings) -> Watch:
        return _Groups()


class _Groups:
    def __init__(self) -> None:
        self.columns: dict[str, dict[str, Counter[str]]] = {}
        """By column and value, how many rows have each label ('' where rows have none)."""
        self.ids: dict[tuple[str, str], list[str]] = defaultdict(list)
        """The first of each group: all of a small one."""
        self.names: set[str] = set()
        """Columns that turned out to have too many values to be groups."""

    def see(self, rows: Rows) -> None:
        for example in rows.examples:
            if not example.slices:
                continue
            labels = labels_of(example) or ("",)
            for column, value in example.slices.items():
                if column not in self.names:
                    self._count(column, value, labels, example.id)

    def _count(self, column: str, value: str, labels: tuple[str, ...], id: str) -> None:
        groups = self.columns.setdefault(column, {})
        if value not in groups and len(groups) == _MOST_GROUPS:
            self.names.add(column)
            for known in groups:
                self.ids.pop((column, known), None)
            del self.columns[column]
            return
        groups.setdefault(value, Counter()).update(labels)
        if len(ids := self.ids[column, value]) < _FEWEST_ROWS:
            ids.append(id)

    def findings(self) -> Iterator[Finding]:
        for column, groups in sorted(self.columns.items()):
            if len(groups) < 2 or sum(counts.total() for counts in groups.values()) < _FEWEST_IN_ALL:
                continue
            yield from self._small(column, groups)
            yield from _unlike(column, groups, tests=len(self.columns))

    def _small(self, column: str, groups: dict[str, Counter[str]]) -> Iterator[Finding]:
        small = {value: self.ids[column, value] for value in groups if len(self.ids[column, value]) < _FEWEST_ROWS}
        # Where many values are rare, the column names things and does not divide people.
        if not small or len(small) > len(groups) / 2:
            return
        sizes = sorted((len(ids), value) for value, ids in small.items())
        yield Finding(
            check=plugin.name,
            severity="warning" if _is_sensitive(column) else "note",
            what=Text(
                en=f"Groups of '{column}' with fewer than {_FEWEST_ROWS} rows: {len(small):,} of {len(groups):,}.",
                ko=f"'{column}'의 집단 {len(groups):,}개 가운데 {len(small):,}개는 {_FEWEST_ROWS}행이 안 됩니다.",
            ),
            fix=Text(
                en="Add rows of these groups; until then, nobody can say how well the model serves them.",
                ko="이 집단의 행을 더하세요. 그때까지는 모델이 이들에게 얼마나 잘 맞는지 알 수 없습니다.",
            ),
            rows=tuple(id for ids in small.values() for id in ids),
            evidence=tuple(f"'{value}' ({count})" for count, value in sizes[:_SHOWN]),
            data={"column": column, "groups": {value: groups[value].total() for value in sorted(groups)}},
        )


def _unlike(column: str, groups: dict[str, Counter[str]], tests: int) -> Iterator[Finding]:
    """Whether labels depend on the group, by a chi-squared test over all columns and Cramér's V, bias taken out."""
    from scipy.stats import chi2_contingency

    labels = sorted(set().union(*groups.values()))
    values = [value for value in sorted(groups) if groups[value].total() >= _FEWEST_ROWS]
    if len(labels) < 2 or len(values) < 2:
        return
    table = np.array([[groups[value][label] for label in labels] for value in values])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or table.sum() / table.size < _FEWEST_EXPECTED:
        return
    test = chi2_contingency(table, correction=False)
    strength = cramers_v(float(test.statistic), table)
    if float(test.pvalue) * tests > _LARGEST_P or strength < _SMALLEST_V:
        return
    shares = table / table.sum(axis=1, keepdims=True)
    whole = table.sum(axis=0) / table.sum()
    far = np.abs(shares - whole).sum(axis=1) / 2
    worst = np.argsort(-far, kind="stable")[:_SHOWN]
    present = [label for label in labels if any(groups[value][label] for value in values)]
    yield Finding(
        check=plugin.name,
        severity="warning" if _is_sensitive(column) else "note",
        what=Text(
            en=f"Labels depend on '{column}' (Cramér's V {strength:.2f}): some labels are far commoner in some of its groups.",
            ko=f"라벨이 '{column}'에 따라 다릅니다(크라메르 V {strength:.2f}). 어떤 집단에 특정 라벨이 유난히 많습니다.",
        ),
        fix=Text(
            en="If the link is not real, add rows until the groups have like labels; the model will use it otherwise.",
            ko="실제로 그런 관계가 아니라면 집단마다 라벨이 비슷해지도록 행을 더하세요. 안 그러면 모델이 이 관계를 배웁니다.",
        ),
        evidence=tuple(_most_unlike(values[row], shares[row] - whole, present, shares[row], whole) for row in worst),
        data={
            "column": column,
            "cramers_v": round(strength, 4),
            "labels": present,
            "counts": {value: table[row].tolist() for row, value in enumerate(values)},
        },
    )


def cramers_v(statistic: float, table: NDArray[np.int64]) -> float:
    """Cramér's V without its bias upwards in small tables (Bergsma 2013, section 3)."""
    count = int(table.sum())
    rows, columns = table.shape
    squared = max(0.0, statistic / count - (rows - 1) * (columns - 1) / (count - 1))
    rows_left = rows - (rows - 1) ** 2 / (count - 1)
    columns_left = columns - (columns - 1) ** 2 / (count - 1)
    return float(np.sqrt(squared / max(min(rows_left, columns_left) - 1, 1e-9)))


def _most_unlike(
    value: str, difference: NDArray[np.float64], labels: list[str], shares: NDArray[np.float64], whole: NDArray[np.float64]
) -> str:
    at = int(np.argmax(np.abs(difference)))
    return f"'{value}': '{labels[at]}' {shares[at]:.0%} ({whole[at]:.0%})"


def _is_sensitive(column: str) -> bool:
    return _SENSITIVE.search(column.replace("_", " ")) is not None


plugin = SliceBalance()
