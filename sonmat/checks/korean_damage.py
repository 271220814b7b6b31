"""Korean that a keyboard, a copy or an extraction has broken: loose jamo, spaces gone, a space behind every syllable."""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.checking.gist import gist_of, suspects
from sonmat.checking.korean import Damage, broken_korean, joined, suspect_pattern
from sonmat.checking.mending import repair_of
from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch

_MEANT_SHARE = 0.3
"""Of the rows. Where so many are written without spaces, that is how such people write."""
_FEWEST_ROWS = 20


class KoreanDamage:
    name = "korean_damage"
    title = Text(en="Broken Korean", ko="깨진 한국어")

    def watch(self, data: Surroundings) -> Watch:
        return _Kinds()


class _Kinds:
    """One finding for each kind of damage."""

    def __init__(self) -> None:
        self.watches: dict[Damage, RowFaults] = {
            damage: RowFaults(lambda rows, damage=damage: self.batch[damage], finding_of)  # type: ignore[misc]
            for damage, finding_of in _FINDINGS.items()
        }
        self.batch: dict[Damage, list[Fault]] = {}

    def see(self, rows: Rows) -> None:
        self.batch = {damage: [] for damage in self.watches}
        for damage, fault in _faults(rows):
            self.batch[damage].append(fault)
        for watch in self.watches.values():
            watch.see(rows)

    def findings(self) -> Iterator[Finding]:
        for watch in self.watches.values():
            yield from watch.findings()


def _faults(rows: Rows) -> Iterator[tuple[Damage, Fault]]:
    gist = gist_of(rows)
    pattern = suspect_pattern(gist.characters, gist.words, gist.flat)
    for at, text in suspects(rows, pattern) if pattern else ():
        broken = broken_korean(text)
        if broken is None:
            continue
        if broken.damage == "jamo":
            yield "jamo", Fault(at, f"'{broken.piece}'", repair_of(rows.examples[at], joined))
        elif broken.damage == "spread":
            yield "spread", Fault(at, f"'{broken.piece} …'")
        else:
            yield "collapsed", Fault(at, f"가…×{broken.piece}")


def _jamo(found: Faults) -> Finding:
    return Finding(
        check=plugin.name,
        severity="warning",
        what=Text(
            en=f"Hangul is spelt out in loose jamo in {len(found.ids):,} of {found.rows_seen:,} rows.",
            ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행에 합쳐지지 않은 자모(ㄱㅏㄴㄷㅏ)가 있습니다.",
        ),
        fix=Text(en="Put them together with --normalise fix.", ko="--normalise fix를 쓰면 자모를 글자로 합칩니다."),
        rows=tuple(found.ids),
        evidence=tuple(found.evidence),
        data={"damage": "jamo"},
        decided_by="normalise",
        repairs=tuple(found.repairs),
    )


def _spread(found: Faults) -> Finding:
    return Finding(
        check=plugin.name,
        severity="warning",
        what=Text(
            en=f"Every syllable stands apart, as in '안 녕 하 세 요', in {len(found.ids):,} of {found.rows_seen:,} rows.",
            ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행은 '안 녕 하 세 요'처럼 글자마다 띄어져 있습니다.",
        ),
        fix=Text(
            en="Export these rows again (PDF and OCR often do this), or put the words together by hand.",
            ko="이 행들을 다시 내보내거나(PDF와 OCR에서 자주 생깁니다) 낱말을 직접 붙여 주세요.",
        ),
        rows=tuple(found.ids),
        evidence=tuple(found.evidence),
        data={"damage": "spread"},
    )


def _collapsed(found: Faults) -> Finding:
    usual = found.share > _MEANT_SHARE and found.rows_seen >= _FEWEST_ROWS
    return Finding(
        check=plugin.name,
        severity="note" if usual else "warning",
        what=Text(
            en=f"Long Korean without a space between words stands in {len(found.ids):,} of {found.rows_seen:,} rows "
            f"({found.share:.1%}).",
            ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행({found.share:.1%})에 띄어쓰기 없이 길게 이어진 글이 있습니다.",
        ),
        fix=Text(
            en="If spaces were lost on the way, export these rows again; a spacing tool such as Kiwi can propose them.",
            ko="옮기는 중에 띄어쓰기가 사라졌다면 다시 내보내세요. Kiwi 같은 도구로 띄어쓰기를 제안받을 수도 있습니다.",
        ),
        rows=tuple(found.ids),
        evidence=tuple(found.evidence),
        data={"damage": "collapsed"},
    )


_FINDINGS = {"jamo": _jamo, "spread": _spread, "collapsed": _collapsed}

plugin = KoreanDamage()
