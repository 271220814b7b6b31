"""Mending touches texts alone: roles, media and names of fields stay."""

from __future__ import annotations

from sonmat.checking.mending import repair_of, repaired
from sonmat.core.values import Example, Source


def test_every_text_is_mended_and_nothing_else() -> None:
    value = {
        "messages": [{"role": "user", "content": "a", "weight": 1.0}, {"role": "assistant", "content": "b"}],
        "image": "a.png",
        "tools": [{"name": "a", "arguments": {"a": ["a", 1, None]}}],
    }
    assert repaired(value, str.upper) == {
        "messages": [{"role": "user", "content": "A", "weight": 1.0}, {"role": "assistant", "content": "B"}],
        "image": "a.png",
        "tools": [{"name": "A", "arguments": {"a": ["A", 1, None]}}],
    }


def test_a_repair_holds_only_the_part_that_changed() -> None:
    example = Example(id="x", input={"text": "A"}, target={"label": "b"}, source=Source(file="f", row=1))
    repair = repair_of(example, str.upper)
    assert repair is not None
    assert (repair.row, repair.input, repair.target) == ("x", None, {"label": "B"})
    assert repair_of(example, str) is None
