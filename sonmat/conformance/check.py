"""Holds a check of the audit to its contract: `check_check(check, kind, clean, faulty)` passes silently or says what is broken.

In: a `Check` plug-in, rows without the fault and rows with it. Out: nothing, or an AssertionError. `findings_of` runs one check
alone, for tests of what it says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sonmat import plugins
from sonmat.core.protocols import Kind
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding
from sonmat.core.watching import Check, Surroundings
from sonmat.embedding.sample import DrawnSample
from sonmat.reading.compact import CompactStrings
from sonmat.reading.language import languages_of
from sonmat.reading.rows import ExampleRows


def check_check(
    check: Check, kind: Kind, clean: Sequence[Example], faulty: Sequence[Example], rows: Collection[str]
) -> None:
    """Assert that `check` is silent on `clean` rows and on none, and names exactly `rows` (ids) in `faulty` ones.

    Raises:
        AssertionError: the message names the check and the broken promise.
    """
    lacking = plugins.missing_members(check, "checks")
    assert not lacking, f"{check.name}: lacks {', '.join(lacking)}"
    assert not findings_of(check, [], kind), f"{check.name}: finds something in no rows at all"
    silent = findings_of(check, clean, kind)
    assert not silent, f"{check.name}: finds a fault in clean rows: {silent[0].what.en}"
    found = findings_of(check, faulty, kind)
    assert found, f"{check.name}: does not see the planted fault"
    named = {row for finding in found for row in finding.rows}
    assert named == set(rows), f"{check.name}: names {sorted(named)}, planted were {sorted(rows)}"
    assert findings_of(check, faulty, kind, rows_at_once=3) == found, f"{check.name}: depends on how rows are batched"
    known = {example.id for example in faulty}
    for finding in found:
        assert finding.check == check.name, f"{check.name}: a finding is signed {finding.check}"
        for text in (finding.what, finding.fix):
            assert all((text.en, text.ko)), f"{check.name}: a sentence lacks a language"
        together = {row for cluster in finding.clusters for row in cluster}
        assert together | {repair.row for repair in finding.repairs} <= known, (
            f"{check.name}: names rows that are not there"
        )
        assert not finding.repairs or finding.decided_by, f"{check.name}: repairs that no setting decides on"


def findings_of(
    check: Check, examples: Sequence[Example], kind: Kind, rows_at_once: int = 2048, seed: int = 0
) -> list[Finding]:
    """What `check` alone finds in `examples`."""
    ids, sample = CompactStrings(), DrawnSample(kind, seed)
    texts = (text for example in examples[:1000] for text in ExampleRows([example]).inputs)
    data = Surroundings(kind, len(examples), ids, languages_of(texts), seed, sample, _silent)
    watch = check.watch(data)
    if watch is None:
        return []
    for start in range(0, len(examples), rows_at_once):
        rows = ExampleRows(examples[start : start + rows_at_once], start)
        ids.extend(example.id for example in rows.examples)
        sample.see(rows.examples)
        watch.see(rows)
    return list(watch.findings())


def _silent(kind: str, message: Text | None = None, /, **data: object) -> None:
    """Progress that nobody watches."""
