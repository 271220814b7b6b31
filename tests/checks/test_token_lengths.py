"""What the base's longest row would cut, per row, and targets that would be lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from sonmat.checks.token_lengths import plugin
from sonmat.conformance import findings_of
from sonmat.core.errors import DataError
from sonmat.core.protocols import Row
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Spec
from sonmat.core.watching import Surroundings
from sonmat.embedding.sample import DrawnSample
from sonmat.inference.encoding import encoder
from sonmat.reading.rows import ExampleRows
from tests.checks.made_texts import CHAT, LABELS, answers, texts

LONGEST = 20


def by_letters(example: Example) -> Row:
    """A stand-in for a tokenizer: every letter is a token, the answer must fit."""
    answer = len(example.target["text"])
    length = len(example.input["messages"][0]["content"]) + answer
    if answer > LONGEST:
        raise DataError(Text(en=f"the answer has {answer} tokens", ko=f"응답이 {answer}토큰입니다"))
    return Row({}, min(length, LONGEST), max(0, length - LONGEST))


def found_in(
    rows: Sequence[Example], encode: Callable[[Example], Row] | None = by_letters, at_once: int = 2048
) -> list[Finding]:
    data = Surroundings(
        CHAT, len(rows), [row.id for row in rows], (), 0, DrawnSample(CHAT, 0), lambda *said, **figures: None, encode
    )
    watch = plugin.watch(data)
    assert watch is not None
    for start in range(0, len(rows), at_once):
        watch.see(ExampleRows(rows[start : start + at_once], start))
    return list(watch.findings())


SHORT = answers([("q" * 8, "a" * 8)] * 200)


def test_without_a_base_nothing_is_said() -> None:
    assert findings_of(plugin, answers([("q" * 500, "a" * 500)]), CHAT) == []


def test_rows_that_fit_are_fine() -> None:
    assert found_in(SHORT) == []
    assert found_in([]) == []


def test_a_lost_target_is_a_blocker_that_names_the_row_and_the_reason() -> None:
    (found,) = found_in([*SHORT, *answers([("q", "a" * 30)], "lost")])
    assert (found.severity, found.rows, found.decided_by) == ("blocker", ("lost0",), None)
    assert "row 1: the answer has 30 tokens" in found.what.en
    assert "1행: 응답이 30토큰입니다" in found.what.ko


@pytest.mark.parametrize("at_once", [1, 7, 2048])
def test_cut_rows_are_named_with_their_tokens(at_once: int) -> None:
    (found,) = found_in([*SHORT, *answers([("q" * 40, "a" * 10), ("q" * 15, "a" * 10)], "cut")], at_once=at_once)
    assert found.rows == ("cut0", "cut1")
    assert found.evidence == ("1: −30", "2: −5")
    assert (found.severity, found.data["cut"]) == ("warning", 35)
    assert sum(found.data["tokens"]["counts"]) == 202


def test_less_than_one_per_cent_is_only_noted() -> None:
    (found,) = found_in([*SHORT, *answers([("q" * 15, "a" * 10)], "cut")])
    assert found.severity == "note"


class Words:
    """A tokenizer of words, as far as classification asks for one."""

    def __call__(
        self, text: str, truncation: bool = False, max_length: int = 0, verbose: bool = True
    ) -> dict[str, list[int]]:
        ids = list(range(len(text.split())))
        return {"input_ids": ids[:max_length] if truncation else ids}


def test_labels_need_not_be_known_to_count_the_tokens_of_a_text() -> None:
    encode = encoder(LABELS, Words(), Spec(max_tokens=8))
    assert encode is not None
    row = encode(texts(["한 " * 11])[0])
    assert (row.length, row.cut) == (8, 3)
