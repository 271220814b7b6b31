"""Which rows of a pass begin alike: every row once, what is shared is shared, and as many tokens as can be are saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

from sonmat import plugins
from sonmat.core.protocols import Row
from sonmat.training import packing
from sonmat.training.packing import pack, row_of_tokens, rows_in
from sonmat.training.shared_beginnings import IGNORED, LEAST_SAVED, Together, beginnings
from sonmat.training.varlen import NO_ROW, ROW_OF_SEGMENT
from tests.training.tiny_jobs import Heard, tiny_job


def row(prompt: str, answer: str) -> Row:
    """A token a letter; the answer is supervised."""
    ids = [ord(letter) for letter in prompt + answer]
    return Row({"input_ids": ids, "labels": [IGNORED] * len(prompt) + ids[len(prompt) :]}, len(ids))


def long(letters: str) -> str:
    """Every letter many times, so that to begin alike saves something."""
    return "".join(letter * 20 for letter in letters)


ROWS = st.lists(
    st.builds(
        row,
        st.text("ab", max_size=4).flatmap(lambda begun: st.text("ab", max_size=3).map(lambda asked: long(begun) + asked)),
        # Letters of prompts too: an answer may go on as another row's prompt does.
        st.text("abx", min_size=1, max_size=3).map(lambda said: long(said[:-1]) + said[-1]),
    ),
    min_size=1,
    max_size=6,
)


def saved(groups: Sequence[Together]) -> int:
    """Tokens, less what groups cost."""
    return sum(group.length * (len(group.rows) - 1) - (LEAST_SAVED - 1) for group in groups if group.length)


def test_a_system_prompt_is_found_and_a_row_without_it_stands_alone() -> None:
    system = "You are a helpful assistant. "
    rows = [row(system + "Hi", "ho"), row("Hi", "ho"), row(system + "When?", "now")]
    assert beginnings(rows) == [Together(0, (1,)), Together(len(system), (0, 2))]


def test_the_token_that_predicts_the_first_of_an_answer_is_never_shared() -> None:
    question = "What is the capital of Korea?"
    assert beginnings([row(question, "Seoul"), row(question, "Seoul.")]) == [Together(len(question) - 1, (0, 1))]


def test_a_long_dialogue_of_few_rows_wins_over_a_short_prompt_of_all() -> None:
    prompt, dialogue = "You help. ", "Hello, I have ordered a pair of shoes last week. "
    rows = [row(prompt + dialogue + end, "x") for end in ("One", "Two")] + [
        row(prompt + end, "x") for end in ("a", "b", "c")
    ]
    assert beginnings(rows) == [Together(len(prompt + dialogue), (0, 1)), Together(len(prompt), (2, 3, 4))]


def test_rows_on_both_sides_of_a_document_share_the_system_prompt() -> None:
    system = "You are a helpful assistant. "
    document = system + "Manual: " + "m" * 80
    rows = [row(begun, "x") for begun in (system + "A", document + "1", document + "2", system + "Z")]
    assert beginnings(rows) == [Together(len(system), (0, 3)), Together(len(document), (1, 2))]


def test_an_answer_that_reads_like_a_prompt_parts_no_group() -> None:
    rows = [row("p" * 20 + "a", "x"), row("p" * 10, "p" * 10 + "b"), row("p" * 20 + "c", "x")]
    assert beginnings(rows) == [Together(0, (1,)), Together(20, (0, 2))]


@given(ROWS)
def test_every_row_is_there_once_and_begins_with_what_its_group_shares(rows: list[Row]) -> None:
    groups = beginnings(rows)
    assert sorted(index for group in groups for index in group.rows) == list(range(len(rows)))
    for group in groups:
        first = list(rows[group.rows[0]].arrays["input_ids"][: group.length])
        for index in group.rows:
            assert list(rows[index].arrays["input_ids"][: group.length]) == first
            assert set(rows[index].arrays["labels"][1 : group.length + 1]) <= {IGNORED}


@given(ROWS)
def test_no_other_grouping_saves_more_tokens(rows: list[Row]) -> None:
    gains = cache(lambda part: gain(rows, part))
    best = max(sum(gains(tuple(part)) for part in parts) for parts in partitions(list(range(len(rows)))))
    assert saved(beginnings(rows)) == best


def gain(rows: Sequence[Row], part: Sequence[int]) -> int:
    """Tokens that the rows of `part` save if they are one group, less what a group costs; 0 if they are none."""
    length = 0
    for tokens in zip(*(rows[index].arrays["input_ids"] for index in part), strict=False):
        labels = [rows[index].arrays["labels"][length + 1 : length + 2] for index in part]
        if len(set(tokens)) > 1 or any(list(each) != [IGNORED] for each in labels):
            break
        length += 1
    return max(0, length * (len(part) - 1) - (LEAST_SAVED - 1))


def partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for parts in partitions(rest):
        yield [[first], *parts]
        for number, part in enumerate(parts):
            yield [*parts[:number], [first, *part], *parts[number + 1 :]]


@given(ROWS)
def test_a_batch_holds_every_row_whole(rows: list[Row]) -> None:
    batch = pack(rows, share=1000)
    ids, labels, places = (batch[name][0].tolist() for name in ("input_ids", "labels", "position_ids"))
    bounds = batch["cu_seqlens"].tolist()
    owners = batch[ROW_OF_SEGMENT].tolist() if ROW_OF_SEGMENT in batch else list(range(len(rows)))
    begun: list[int] = []
    found: dict[int, tuple[list[int], list[int]]] = {}
    for owner, start, end in zip(owners, bounds, bounds[1:], strict=False):
        before = [] if owner == NO_ROW else begun
        assert places[start:end] == list(range(len(before), len(before) + end - start))
        if owner == NO_ROW:
            begun = ids[start:end]
            assert set(labels[start:end]) == {IGNORED}
        else:
            found[owner] = ([*before, *ids[start:end]], [IGNORED] * len(before) + labels[start:end])
    for index, own in enumerate(rows):
        assert found[index] == (list(own.arrays["input_ids"]), [IGNORED, *own.arrays["labels"][1:]])
    assert rows_in(batch) == len(rows)
    of_tokens = row_of_tokens(batch)[0].tolist()
    assert len(of_tokens) == len(ids)
    assert set(of_tokens) - {NO_ROW} == set(range(len(rows)))


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_whole_training_that_shares_ends_where_one_without_does(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(name: str) -> tuple[Heard, dict[str, Tensor]]:
        heard = Heard()
        (tmp_path / name).mkdir()
        job = tiny_job("chat", method, tmp_path / name, heard, epochs=2, batch_size=12, learning_rate=1e-3)
        plugins.find("methods", method).fit(job)
        return heard, {key: value for file in job.folder.glob("*.safetensors") for key, value in load_file(file).items()}

    shared, weights = trained("shared")
    monkeypatch.setattr(packing, "pack", lambda rows, share: pack(rows, share=0))
    apart, expected = trained("apart")
    assert shared.of("budget")[0]["shared"] > 0.2
    assert apart.of("budget")[0]["shared"] == 0
    for one, other in zip(shared.of("validation"), apart.of("validation"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)
    assert weights.keys() == expected.keys()
    for name, value in weights.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-4)
