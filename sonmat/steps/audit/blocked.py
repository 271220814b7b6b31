"""The error that stops a run whose data must be looked at first: every blocker with rows, evidence and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sonmat.core.errors import DataBlocked
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Source

_SHOWN_ROWS = 5


def blocked(blockers: Sequence[Finding], examples: Iterable[Example], several_files: bool) -> DataBlocked:
    """The error for `blockers`; `examples` are searched for where their rows stand."""
    wanted = {row for finding in blockers for row in finding.rows[:_SHOWN_ROWS]}
    places = {example.id: _place(example.source, several_files) for example in examples if example.id in wanted}
    english, korean = [], []
    for finding in blockers:
        shown = [places[row] for row in finding.rows[:_SHOWN_ROWS]]
        more = len(finding.rows) - len(shown)
        rows_en = ", ".join(place.en for place in shown) + (f" and {more:,} more" if more else "")
        rows_ko = ", ".join(place.ko for place in shown) + (f" 외 {more:,}행" if more else "")
        evidence = "; ".join(finding.evidence[:_SHOWN_ROWS])
        detail_en = "".join(f"\n    {part}" for part in (evidence, rows_en) if part)
        detail_ko = "".join(f"\n    {part}" for part in (evidence, rows_ko) if part)
        english.append(f"  {finding.what.en}{detail_en}\n    → {finding.fix.en}")
        korean.append(f"  {finding.what.ko}{detail_ko}\n    → {finding.fix.ko}")
    count = len(blockers)
    return DataBlocked(
        Text(
            en="\n".join([f"The data cannot be used as it is ({count} found):", *english]),
            ko="\n".join([f"데이터를 이대로는 쓸 수 없습니다({count}건):", *korean]),
        ),
        Text(
            en="Nothing was changed. Everything that was found stands in audit.json, every row in ledger.jsonl.",
            ko="바뀐 것은 없습니다. 찾은 것은 모두 audit.json에, 행마다의 결과는 ledger.jsonl에 있습니다.",
        ),
    )


def _place(source: Source, several_files: bool) -> Text:
    place = source.place
    if not several_files or not source.row:
        return place
    return Text(en=f"{source.file} {place.en}", ko=f"{source.file} {place.ko}")
