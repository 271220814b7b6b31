"""Rows made for the tests of the split."""

from __future__ import annotations

from sonmat.core.values import Example, Json, Part, Source


def made(
    number: int,
    target: Json,
    *,
    text: str | None = None,
    group: str | None = None,
    time: str | None = None,
    part: Part | None = None,
) -> Example:
    return Example(
        id=f"row{number}",
        input={"text": text or f"text {number}"},
        target=target,
        source=Source(file="made.csv", row=number + 2),
        group=group,
        time=time,
        part=part,
    )


def labelled(number: int, label: str = "a", **more: object) -> Example:
    return made(number, {"label": label}, **more)  # type: ignore[arg-type]
