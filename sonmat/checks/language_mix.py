"""Rows in a language that hardly any other row has, and rows that answer in another language than they are asked in.

What most rows do is taken to be meant: translation pairs, and Korean with English words in it, are no fault.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.latin_languages import foreign_texts
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.language import language_of
from sonmat.reading.rows import has_classes, texts_of

_RARE_SHARE = 0.05
"""Of the rows with a verdict. Below it, a language is most likely there by accident."""
_FEWEST_ROWS = 20
"""With a verdict; of fewer, nothing is the rule."""
_SHOWN = 5


class LanguageMix:
    name = "language_mix"
    title = Text(en="Languages", ko="언어")
    only_tells = True

    def watch(self, data: Surroundings) -> Watch | None:
        return _Languages(data) if data.kind.modality == "text" else None


class _Languages:
    def __init__(self, data: Surroundings) -> None:
        self.data = data
        self.answers = not has_classes(data.kind)
        self.codes: dict[tuple[str | None, str | None], int] = {}
        self.rows = array("H")
        """Of each row, which pair of languages its input and target are in."""

    def see(self, rows: Rows) -> None:
        targets = [language_of(text) for text in rows.targets] if self.answers else [None] * len(rows.examples)
        for input, target in zip(map(language_of, rows.inputs), targets, strict=True):
            self.rows.append(self.codes.setdefault((input, target), len(self.codes)))

    def findings(self) -> Iterator[Finding]:
        codes = np.frombuffer(self.rows, np.uint16) if self.rows else np.empty(0, np.uint16)
        counts = np.bincount(codes, minlength=len(self.codes))
        languages: Counter[str] = Counter()
        crossings: Counter[tuple[str, str]] = Counter()
        judged = sum(int(counts[code]) for pair, code in self.codes.items() if any(pair))
        for pair, code in self.codes.items():
            count = int(counts[code])
            languages.update(dict.fromkeys({each for each in pair if each}, count))
            if pair[0] and pair[1] and pair[0] != pair[1]:
                crossings[pair[0], pair[1]] += count
        if judged < _FEWEST_ROWS:
            return
        rare = {language for language, count in languages.items() if count < _RARE_SHARE * judged}
        crossed = {pair for pair, count in crossings.items() if count < _RARE_SHARE * judged}
        wrong = [code for pair, code in self.codes.items() if rare.intersection(each for each in pair if each)]
        across = [code for pair, code in self.codes.items() if pair in crossed and code not in wrong]
        if wrong:
            yield self._foreign(np.flatnonzero(np.isin(codes, wrong)), languages, rare, judged)
        if across:
            yield self._crossed(np.flatnonzero(np.isin(codes, across)), crossings, crossed, judged)
        if languages["latin"] >= _FEWEST_ROWS and "latin" not in rare:
            yield from self._foreign_latin()

    def _foreign(self, positions: NDArray[np.int64], languages: Counter[str], rare: set[str], judged: int) -> Finding:
        ranked = sorted(rare, key=lambda name: (-languages[name], name))
        main = ", ".join(name for name, _ in languages.most_common() if name not in rare)
        return Finding(
            check=plugin.name,
            severity="warning",
            what=Text(
                en=f"{len(positions):,} rows are in another language than the rest ({main}).",
                ko=f"{len(positions):,}행은 나머지 행({main})과 언어가 다릅니다.",
            ),
            fix=Text(
                en="Leave them out or translate them; if they are meant, add more of their kind: so few teach little.",
                ko="빼거나 번역하세요. 일부러 넣었다면 더 모아야 합니다. 이만큼으로는 거의 배우지 못합니다.",
            ),
            rows=tuple(self.data.ids[int(position)] for position in positions),
            evidence=tuple(f"{name} ({languages[name]:,})" for name in ranked[:_SHOWN]),
            data={"languages": dict(languages.most_common()), "judged": judged},
        )

    def _crossed(
        self, positions: NDArray[np.int64], crossings: Counter[tuple[str, str]], crossed: set[tuple[str, str]], judged: int
    ) -> Finding:
        shown = sorted(crossed, key=lambda pair: (-crossings[pair], pair))[:_SHOWN]
        return Finding(
            check=plugin.name,
            severity="warning",
            what=Text(
                en=f"{len(positions):,} rows answer in another language than they are asked in; the others do not.",
                ko=f"{len(positions):,}행은 질문과 답의 언어가 다릅니다. 다른 행들은 그렇지 않습니다.",
            ),
            fix=Text(
                en="Rewrite these answers in the language of the question, or leave the rows out.",
                ko="이 답들을 질문의 언어로 다시 쓰거나 행을 빼세요.",
            ),
            rows=tuple(self.data.ids[int(position)] for position in positions),
            evidence=tuple(f"{asked} → {answered} ({crossings[asked, answered]:,})" for asked, answered in shown),
            data={"judged": judged},
        )

    def _foreign_latin(self) -> Iterator[Finding]:
        """Among texts in Latin script, which script alone does not tell apart; looked for in the sample."""
        examples = self.data.sample.examples
        found = foreign_texts(["\n".join(texts_of(example.input)) for example in examples], _RARE_SHARE)
        if not found.places:
            return
        yield Finding(
            check=plugin.name,
            severity="note",
            what=Text(
                en=f"{len(found.places):,} of {found.judged:,} texts in Latin script that were looked at are not in {found.main}.",
                ko=f"살펴본 로마자 글 {found.judged:,}개 가운데 {len(found.places):,}개는 {found.main} 글이 아닌 듯합니다.",
            ),
            fix=Text(
                en="Look at these rows; leave them out if their language is not meant.",
                ko="이 행들을 살펴보고, 의도한 언어가 아니면 빼세요.",
            ),
            rows=tuple(examples[place].id for place in found.places),
            evidence=tuple(f"{language} ({count:,})" for language, count in found.languages.most_common(_SHOWN)),
        )


plugin = LanguageMix()
