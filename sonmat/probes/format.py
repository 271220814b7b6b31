"""Format: do the answers keep the recipe's `expect`, and the form that all training targets share?

In: answers to the test set. Out: for each rule the share of answers that keep it, and for all rules together. Nothing is asked of the
model. An empty answer keeps only what an empty text keeps. It does not look at what an answer says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Json
from sonmat.probing.answers import answer_texts, groups_of, writes_text, written
from sonmat.probing.expectations import Rule, read_expectations
from sonmat.probing.forms import shared_forms
from sonmat.probing.tallies import Tally, measures_of

_TITLES: Final = {
    "json_schema": Text(en="answers that the JSON schema accepts", ko="JSON 스키마에 맞는 답변"),
    "regex": Text(en="answers that match the pattern", ko="정규식에 맞는 답변"),
    "longest": Text(en="answers that are not too long", ko="너무 길지 않은 답변"),
    "shortest": Text(en="answers that are not too short", ko="너무 짧지 않은 답변"),
    "contains": Text(en="answers with what they must contain", ko="꼭 있어야 할 말이 든 답변"),
    "excludes": Text(en="answers without what they must not contain", ko="있으면 안 되는 말이 없는 답변"),
    "language": Text(en="answers in the language asked for", ko="정해진 언어로 쓴 답변"),
}
_ALL: Final = Text(en="answers that keep every rule", ko="모든 규칙을 지킨 답변")
_FENCED: Final = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.DOTALL | re.IGNORECASE)


class Format:
    name = "format"
    title = Text(en="Form of the answers", ko="답변 형식")
    measures: tuple[str, ...] = (
        *_TITLES, "form_json", "form_one_line", "form_beginning", "form_ending", "form_language", "all",
    )  # fmt: skip

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        return writes_text(setting, candidate)

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        return iter(())

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        rules = read_expectations(setting.recipe.expect).rules()
        titles = dict(_TITLES)
        learnt = setting.train
        for form in shared_forms([written(example.target) for example in learnt]):
            rules[form.name] = form.rule
            titles[form.name] = form.title
        tallies = [_tally(setting, name, titles[name], {name: rule}, own, base) for name, rule in rules.items()]
        if len(rules) > 1:
            tallies.append(_tally(setting, "all", _ALL, rules, own, base))
        return measures_of(tallies, probe=self.name, arm=own.candidate.id, seed=setting.seed)


def _tally(setting: Setting, name: str, title: Text, rules: Mapping[str, Rule], own: Seen, base: Seen | None) -> Tally:
    return Tally(
        name=name,
        title=title,
        outcomes=_kept(rules, own),
        base=_kept(rules, base) if base else None,
        higher_is_better=True,
        groups=groups_of(setting.test),
        note=_note(setting, name, rules, own),
    )


def _kept(rules: Mapping[str, Rule], seen: Seen) -> dict[str, float]:
    return {row: float(all(rule(text) for rule in rules.values())) for row, text in answer_texts(seen).items()}


def _note(setting: Setting, name: str, rules: Mapping[str, Rule], own: Seen) -> Text:
    references = [written(example.target) for example in setting.test]
    kept = sum(all(rule(reference) for rule in rules.values()) for reference in references)
    share = kept / max(1, len(references))
    notes = [Text(en=f"Of the references, {share:.1%} do.", ko=f"정답 가운데서는 {share:.1%}가 지킵니다.")]
    if name.startswith("form_"):
        found = len(setting.train)
        notes.append(
            Text(
                en=f"Found in all {found:,} training targets; `expect` was not asked for it.",
                ko=f"학습 답 {found:,}개 모두에서 찾은 형식이며, expect로 정한 것은 아닙니다.",
            )
        )
    if name in ("json_schema", "form_json") and (fenced := _only_fenced(rules[name], own)):
        notes.append(
            Text(
                en=f"{fenced} more would, without the code fence (```) around them.",
                ko=f"코드 블록 표시(```)만 없었다면 {fenced}개가 더 맞았습니다.",
            )
        )
    return Text(en=" ".join(note.en for note in notes), ko=" ".join(note.ko for note in notes))


def _only_fenced(rule: Rule, own: Seen) -> int:
    """Answers that break the rule by nothing but a code fence."""
    texts = answer_texts(own).values()
    fenced = ((text, found.group(1)) for text in texts if (found := _FENCED.fullmatch(text)))
    return sum(not rule(text) and rule(inner) for text, inner in fenced)


plugin = Format()
