"""The recognisers keep the figures that `docs/personal-data.md` reports, on fewer sentences."""

from __future__ import annotations

import pytest

from benchmarks.personal_data import example_texts, score
from benchmarks.personal_held_out import FIRST, SECOND, THIRD
from benchmarks.personal_negatives import hard_negatives
from benchmarks.personal_sentences import TUNED, Style, planted
from sonmat.reading.personal import KINDS, find_personal

LEAST_RECALL = 0.98
LEAST_PRECISION = 0.99


@pytest.mark.parametrize("styles", [TUNED, FIRST, SECOND, THIRD], ids=["tuned", "first", "second", "third"])
def test_recall_and_precision_on_planted_values(styles: list[Style]) -> None:
    result = score([*planted(styles, 12, seed=1), *hard_negatives(6, seed=1)])
    assert result.recall >= LEAST_RECALL, [each.text for each in result.missed]
    assert result.precision >= LEAST_PRECISION, [each.text for each in result.wrong]


def test_every_kind_is_measured() -> None:
    assert {style.kind for style in TUNED} == set(KINDS)


def test_hard_negatives_raise_hardly_any_alarm() -> None:
    sentences = list(hard_negatives(20, seed=2))
    alarmed = [sentence.text for sentence in sentences if find_personal(sentence.text)]
    assert len(alarmed) <= len(sentences) / 200, alarmed


def test_clean_texts_of_people_raise_no_alarm() -> None:
    texts = [text for source, text in example_texts() if not source.startswith("faq")]
    found = [text[span.start : span.end] for text in texts for span in find_personal(text)]
    assert len(texts) > 3000
    assert set(found) <= {"user@example.com"}, "an address in a piece of code"
