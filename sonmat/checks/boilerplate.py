"""Answers from a mould: the same first or last sentence in a large share of them, one answer to many different questions, and
a language model's stock refusals.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.gist import gist_of
from sonmat.checking.repeats import Keys
from sonmat.checking.row_faults import EVIDENCE, Fault, Faults, RowFaults
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.rows import has_classes

_SENTENCE_SHARE = 0.2
"""Of the rows. A model trained on them says the sentence every time."""
_ANSWER_SHARE = 0.05
_FEWEST_ROWS = 20
_MOST_EQUAL = 0.5
"""Share of rows whose answer is also another row's; above it, answers are chosen from a set and not written."""
_SHORTEST = 8
_LONGEST = 160
_CANDIDATES = 4_096
"""Sentences remembered to be shown; what a fifth of the rows begin with is among the first."""

_ENDS = re.compile("[.!?。！？\n]")
_HIDDEN = re.compile(r"\S*@\S*|\d")
_REFUSAL = re.compile(
    r"\bas an? (?:large |helpful )?(?:ai|artificial intelligence)(?: language)?(?: model| assistant)\b|"
    r"\bas a (?:large )?language model\b|\bi(?:'m| am) (?:just |only )?an? (?:ai|large)(?: language)? model\b|"
    r"\bi(?:'m| am) sorry,? but (?:as an ai|i (?:can(?:no|')t|am (?:not able|unable) to) (?:assist|help|fulfill|comply))|"
    r"\bmy (?:knowledge|training) cut-?off\b|"
    "(?:AI|인공지능|인공 지능) ?(?:언어 ?)?(?:모델|어시스턴트|챗봇)(?:로서|로써|이기 ?때문에|이므로|이라서|이라)|"
    "(?:대규모|거대) ?언어 ?모델(?:로서|로써|이기 ?때문에|이므로|이라)|"
    "저는 (?:단지 )?(?:AI|인공지능) ?(?:언어 ?)?모델(?:입니다|이며|일 뿐)",
    re.IGNORECASE,
)
_REFUSAL_SIGNS = re.compile(r"model|모델|assist|sorry|cut-?off|어시스턴트|챗봇|fulfill|comply", re.IGNORECASE)


class Boilerplate:
    name = "boilerplate"
    title = Text(en="Answers from a mould", ko="틀에 박힌 답")

    def watch(self, data: Surroundings) -> Watch | None:
        return _Moulds(data) if data.kind.modality == "text" and not has_classes(data.kind) else None


class _Sentences:
    """Which sentence each row has at one end, as 32-bit checksums; 0 where it has none."""

    def __init__(self) -> None:
        self.keys = array("I")
        self.texts: dict[int, str] = {}

    def add(self, sentence: str) -> None:
        key = 0
        if sentence:
            key = zlib.crc32(sentence.encode("utf-8", "surrogatepass"))
            if len(self.texts) < _CANDIDATES:
                self.texts.setdefault(key, sentence)
        self.keys.append(key)


@dataclass(frozen=True)
class _Common:
    rows: NDArray[np.int64]
    shown: tuple[str, ...]


class _Moulds:
    def __init__(self, data: Surroundings) -> None:
        self.data = data
        self.first, self.last = _Sentences(), _Sentences()
        self.inputs, self.targets = Keys(), Keys()
        self.refusals = RowFaults(_refusals, _refused)

    def see(self, rows: Rows) -> None:
        self.inputs.extend(rows.input_keys)
        self.targets.extend(rows.target_keys)
        for text in rows.targets:
            several = _ENDS.search(text, 0, max(0, len(text) - _SHORTEST)) is not None
            self.first.add(_first_sentence(text) if several else "")
            self.last.add(_last_sentence(text) if several else "")
        self.refusals.see(rows)

    def findings(self) -> Iterator[Finding]:
        for sentences, place in ((self.first, _BEGIN), (self.last, _END)):
            common = self._common(sentences)
            if common:
                yield self._moulded(common, place)
        yield from self._same_answers()
        yield from self.refusals.findings()

    def _common(self, sentences: _Sentences) -> _Common | None:
        keys = np.frombuffer(sentences.keys, np.uint32) if sentences.keys else np.empty(0, np.uint32)
        values, counts = np.unique(keys[keys != 0], return_counts=True)
        often = values[counts >= max(_FEWEST_ROWS, _SENTENCE_SHARE * len(keys))]
        if not len(often):
            return None
        shown = [sentences.texts[int(key)] for key in often if int(key) in sentences.texts]
        hidden = tuple(f"'{_HIDDEN.sub('□', sentence)[:60]}'" for sentence in shown[:EVIDENCE])
        return _Common(np.flatnonzero(np.isin(keys, often)), hidden)

    def _moulded(self, common: _Common, place: Text) -> Finding:
        count, share = len(common.rows), len(common.rows) / len(self.data.ids)
        return Finding(
            check=plugin.name,
            severity="warning",
            what=Text(
                en=f"{count:,} answers ({share:.0%}) {place.en} with the same sentence.",
                ko=f"답 {count:,}개({share:.0%})가 같은 문장으로 {place.ko}.",
            ),
            fix=Text(
                en="Take the sentence out unless every answer should have it: the model will learn it before anything else.",
                ko="모든 답에 필요한 문장이 아니라면 빼세요. 모델은 이 문장부터 외웁니다.",
            ),
            rows=tuple(self.data.ids[int(row)] for row in common.rows),
            evidence=common.shown,
            data={"share": round(share, 4)},
        )

    def _same_answers(self) -> Iterator[Finding]:
        inputs, targets = self.inputs.values(), self.targets.values()
        # Copies of whole rows are the check duplicates' business: each answer counts once a question.
        pairs = np.unique(np.stack([targets, inputs], axis=1), axis=0) if len(targets) else np.empty((0, 2), np.uint64)
        values, counts = np.unique(pairs[:, 0], return_counts=True)
        often = values[counts >= max(_FEWEST_ROWS, _ANSWER_SHARE * len(pairs))]
        if not len(often):
            return
        others = counts[~np.isin(values, often)]
        if not len(others) or others[others > 1].sum() > _MOST_EQUAL * others.sum():
            return
        rows = np.flatnonzero(np.isin(targets, often))
        yield Finding(
            check=plugin.name,
            severity="warning",
            what=Text(
                en=f"{len(rows):,} rows give the same answer to different questions ({len(often):,} such answers).",
                ko=f"{len(rows):,}행이 서로 다른 질문에 같은 답을 합니다(그런 답 {len(often):,}가지).",
            ),
            fix=Text(
                en="Read them: an answer that fits everything teaches to evade. Leave most of these rows out.",
                ko="읽어 보세요. 어디에나 맞는 답은 회피를 가르칩니다. 이런 행은 대부분 빼는 것이 좋습니다.",
            ),
            rows=tuple(self.data.ids[int(row)] for row in rows),
            data={"answers": len(often), "share": round(len(rows) / len(targets), 4)},
        )


def _first_sentence(text: str) -> str:
    """'' where there is no other behind it, or it is no sentence."""
    end = _ENDS.search(text, _SHORTEST, _LONGEST)
    return text[: end.end()].strip() if end and end.end() < len(text) else ""


def _last_sentence(text: str) -> str:
    """'' where there is no other before it."""
    last = text[-_LONGEST:].rstrip()
    body = last.rstrip(".!?。！？")
    start = max(map(body.rfind, ".!?。！？\n"))
    return last[start + 1 :].strip() if start >= 0 and len(body) - start > _SHORTEST else ""


def _refusals(rows: Rows) -> Iterator[Fault]:
    if not _REFUSAL_SIGNS.search(gist_of(rows).whole):
        return
    for at, text in enumerate(rows.targets):
        found = _REFUSAL.search(text) if _REFUSAL_SIGNS.search(text) else None
        if found:
            yield Fault(at, f"'{found.group()[:60]}'")


def _refused(found: Faults) -> Finding:
    return Finding(
        check=plugin.name,
        severity="warning",
        what=Text(
            en=f"{len(found.ids):,} answers speak as a language model or refuse as one.",
            ko=f"답 {len(found.ids):,}개가 'AI 언어 모델로서'처럼 말하거나 거절합니다.",
        ),
        fix=Text(
            en="Leave these rows out or write real answers; a few hundred of them make a model refuse what it could answer.",
            ko="이 행들을 빼거나 제대로 된 답을 쓰세요. 수백 개만 있어도 모델이 답할 수 있는 것까지 거절합니다.",
        ),
        rows=tuple(found.ids),
        evidence=tuple(found.evidence),
    )


_BEGIN, _END = Text(en="begin", ko="시작합니다"), Text(en="end", ko="끝납니다")

plugin = Boilerplate()
