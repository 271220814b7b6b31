"""`sonmat audit --fix OUT`: which repairs are safe to do unasked, and what was written.

In: the recipe keys that the user gave. Out: those plus the safe repairs; a few lines on what was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sonmat.cli.asked import names_of
from sonmat.core.errors import unknown_name
from sonmat.core.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.repairing import Repaired

REPAIRS: Mapping[str, tuple[str, str]] = {
    "normalise": ("fix", "keep"),
    "duplicates": ("drop", "keep"),
    "near_duplicates": ("drop", "keep"),
    "labels": ("merge", "keep"),
    "personal_data": ("redact", "keep"),
    "leakage": ("drop", "keep"),
    "bad_rows": ("drop", "stop"),
}
"""What `--fix` sets each recipe key to, and what `--no-fix` does instead; rows that cannot be used cannot be kept either."""


def with_repairs(asked: Mapping[str, Any], no_fix: str | None) -> dict[str, Any]:
    """What was asked for, and every safe repair that it does not say anything about.

    Raises:
        SettingError: `no_fix` names something that is no repair.
    """
    left_out = {name.replace("-", "_") for name in names_of(no_fix or "")}
    for name in sorted(left_out - set(REPAIRS)):
        raise unknown_name(Text(en="repair", ko="처리"), name, REPAIRS)
    repairs = {name: off if name in left_out else on for name, (on, off) in REPAIRS.items()}
    return {**repairs, **asked}


def print_repaired(screen: Console, repaired: Repaired) -> None:
    """Where the repaired rows are and how many, as an equation."""
    counts = Text(
        en=f"Written: {repaired.kept + repaired.changed:,} rows = {repaired.rows_in:,} in − {repaired.dropped:,} dropped, "
        f"{repaired.changed:,} of them changed. The original is as it was.",
        ko=f"{repaired.kept + repaired.changed:,}행을 썼습니다 = 읽은 {repaired.rows_in:,}행 − 뺀 {repaired.dropped:,}행, "
        f"그중 {repaired.changed:,}행은 고쳤습니다. 원본은 그대로입니다.",
    )
    screen.print(str(counts))
    for path in (repaired.out, repaired.ledger):
        screen.print(str(path), soft_wrap=True)


def repaired_document(repaired: Repaired) -> dict[str, Any]:
    return {
        "out": str(repaired.out),
        "ledger": str(repaired.ledger),
        "rows_in": repaired.rows_in,
        "kept": repaired.kept,
        "changed": repaired.changed,
        "dropped": repaired.dropped,
    }
