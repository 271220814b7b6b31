"""Parts of the training rows that grow: each within the next, classes as they are, what hangs together together."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sonmat.checking.nested_parts import nested_parts
from sonmat.core.values import Example, Source

SHARES = (0.125, 0.25, 0.5)


def rows(labels: list[str], groups: list[str | None]) -> list[Example]:
    return [
        Example(id=f"r{place}", input={"text": str(place)}, target={"label": label}, source=Source(file="f", row=place + 1),
                group=group)
        for place, (label, group) in enumerate(zip(labels, groups, strict=True))
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    drawn=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, "g", "h", "i"])), min_size=1, max_size=80),
    seed=st.integers(0, 5),
)
def test_each_part_lies_within_the_next_and_keeps_groups_whole(drawn: list[tuple[str, str | None]], seed: int) -> None:
    examples = rows([label for label, _ in drawn], [group for _, group in drawn])
    parts = nested_parts(examples, [], (*SHARES, 1.0), seed)
    for smaller, larger in pairwise(parts):
        assert set(smaller) <= set(larger)
    assert parts[-1] == tuple(example.id for example in examples)
    for part in parts:
        for group in ("g", "h", "i"):
            members = {example.id for example in examples if example.group == group}
            assert members <= set(part) or not members & set(part)


def test_classes_keep_their_shares_and_a_rare_one_is_in_every_part() -> None:
    examples = rows(["many"] * 160 + ["few"] * 40 + ["rare"], [None] * 201)
    label = {example.id: example.target["label"] for example in examples}
    for share, part in zip(SHARES, nested_parts(examples, [], SHARES, 0), strict=True):
        counts = Counter(label[id] for id in part)
        assert abs(counts["many"] - 160 * share) <= 1
        assert abs(counts["few"] - 40 * share) <= 1
        assert counts["rare"] == 1


def test_rows_that_a_finding_links_come_in_together() -> None:
    examples = rows(["a"] * 40, [None] * 40)
    links = [("r1", "r2"), ("r2", "r39"), ("r5", "of another part")]
    for seed in range(20):
        for part in nested_parts(examples, links, SHARES, seed):
            assert len({"r1", "r2", "r39"} & set(part)) in (0, 3)


def test_the_seed_alone_decides_which_rows_come_first() -> None:
    examples = rows(["a", "b"] * 40, [None] * 80)
    one, again, other = (nested_parts(examples, [], SHARES, seed) for seed in (1, 1, 2))
    assert one == again
    assert set(one[0]) != set(other[0])
    turned = nested_parts(examples[::-1], [], SHARES, 1)
    assert [set(part) for part in turned] == [set(part) for part in one]
