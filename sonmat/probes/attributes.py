"""Adherence: does an answer have the tone, audience or the like that its input asks for?

In: answers to the test set. Out: for each asked attribute the share of answers that a small classifier, trained on the training
targets, takes for what was asked; with its own accuracy beside. Where that is no better than chance there is no figure: the targets
do not show the attribute. Nothing is asked of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Json
from sonmat.probing.answers import answer_texts, groups_of, writes_text, written
from sonmat.probing.asked_attributes import asked_attributes, attributes_of
from sonmat.probing.attribute_classifier import AttributeClassifier, attribute_classifier
from sonmat.probing.tallies import Tally, measures_of


class Attributes:
    name = "attributes"
    title = Text(en="Adherence to what is asked", ko="요청한 속성을 지키는 정도")
    measures: tuple[str, ...] = ("*",)
    """Attributes have the names that the data gives them."""

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        return writes_text(setting, candidate)

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        return iter(())

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        tallies = [
            _tally(setting, name, classifier, own, base)
            for name, classifier in _classifiers(setting).items()
            if classifier.useful
        ]
        return measures_of(tallies, probe=self.name, arm=own.candidate.id, seed=setting.seed)


def _tally(setting: Setting, name: str, classifier: AttributeClassifier, own: Seen, base: Seen | None) -> Tally:
    asked = {example.id: value for example in setting.test if (value := _asked(example, name)) is not None}
    known = {str(value) for value in classifier.model.classes_}
    wanted = {row: value for row, value in asked.items() if value in known}
    references = {example.id: written(example.target) for example in setting.test if example.id in wanted}
    of_references = _adhering(wanted, references, classifier)
    ceiling = sum(of_references.values()) / max(1, len(of_references))
    return Tally(
        name=name,
        title=Text(en=f"answers with the {name} asked for", ko=f"요청한 {name}을(를) 지킨 답변"),
        outcomes=_adhering(wanted, answer_texts(own), classifier),
        base=_adhering(wanted, answer_texts(base), classifier) if base else None,
        higher_is_better=True,
        groups=groups_of(setting.test),
        note=_note(classifier, ceiling),
    )


def _note(classifier: AttributeClassifier, ceiling: float) -> Text:
    low, high = classifier.interval.low, classifier.interval.high
    return Text(
        en=f"Told by a classifier trained on {classifier.texts:,} training targets. It is right itself in {classifier.accuracy:.1%} "
        f"[{low:.1%}, {high:.1%}] of those it did not see (chance {classifier.chance:.1%}), and gives the references {ceiling:.1%}.",
        ko=f"학습 답 {classifier.texts:,}개로 만든 분류기가 판정합니다. 보지 않은 답에 대한 분류기 자신의 정확도는 "
        f"{classifier.accuracy:.1%} "
        f"[{low:.1%}, {high:.1%}]이고(우연 {classifier.chance:.1%}), 정답에는 {ceiling:.1%}를 줍니다.",
    )


def _adhering(wanted: Mapping[str, str], texts: Mapping[str, str], classifier: AttributeClassifier) -> dict[str, float]:
    """An empty answer has no attribute."""
    rows = [row for row in wanted if row in texts]
    values = classifier.values([texts[row].strip() for row in rows])
    return {row: float(bool(texts[row].strip()) and value == wanted[row]) for row, value in zip(rows, values, strict=True)}


def _asked(example: Example, name: str) -> str | None:
    return next((value for other, value in attributes_of(example) if other == name), None)


def _classifiers(setting: Setting) -> Mapping[str, AttributeClassifier]:
    """Of every attribute that the inputs ask for; made once for all arms of a proof."""
    global _last
    if _last is None or _last[0] is not setting.train:
        _last = setting.train, dict(_trained(setting))
    return _last[1]


def _trained(setting: Setting) -> Iterator[tuple[str, AttributeClassifier]]:
    targets = {example.id: written(example.target) for example in setting.train}
    for name, values in asked_attributes(setting.train).items():
        classifier = attribute_classifier([targets[row] for row in values], list(values.values()), setting.seed)
        if classifier is not None:
            yield name, classifier


_last: tuple[Sequence[Example], Mapping[str, AttributeClassifier]] | None = None

plugin = Attributes()
