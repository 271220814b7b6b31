"""How long the probes of the proof will take, before anything is done: they ask each arm hundreds of questions besides the test set.

In: what probes foretell of each candidate, this machine's measured rate. Out: seconds by candidate, and a sentence. A token that is
written counts as three that are read, as everywhere in the plan; one asked for alone as ten. Bytes become tokens as in the user's own
rows. What another machine takes is what the probe assumes of it. Probes that foretell nothing are not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sonmat import plugins
from sonmat.core.probing import Foretold, Probe, Setting, Work
from sonmat.core.protocols import Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device
from sonmat.inference.token_costs import ALONE_COST, WRITTEN_COST
from sonmat.reading.rows import texts_of
from sonmat.training.estimates import operations_per_token, useful_rate

USUAL_TOKENS_PER_BYTE: Final = 0.3
"""Of a base whose tokens nobody has counted."""
_ROWS: Final = 500
"""Training rows whose bytes are counted."""


def probing_seconds(
    setting: Setting,
    candidates: Sequence[Candidate],
    device: Device,
    mean_tokens: Mapping[str, float],
    waiting: Mapping[str, Sequence[Probe]] | None = None,
) -> dict[str, float]:
    """Seconds that the wanted probes will take of each candidate; those that they ask nothing are left out.

    Args:
        mean_tokens: of a training row, by checksum of the base; where one is missing, `USUAL_TOKENS_PER_BYTE` are taken.
        waiting: probes by candidate, where not all that are wanted are still to look.
    """
    probes = _wanted(setting)
    row_bytes = _mean_bytes(setting)
    found: dict[str, float] = {}
    for candidate in candidates:
        asked = [
            probe.work(setting, candidate)
            for probe in (probes if waiting is None else waiting[candidate.id])
            if isinstance(probe, Foretold) and isinstance(probe.supports(setting, candidate), Yes)
        ]
        seconds = sum(work.elsewhere_seconds for work in asked)
        base = candidate.base
        if base is not None and not candidate.elsewhere:
            counted = mean_tokens.get(base.checksum)
            tokens_per_byte = USUAL_TOKENS_PER_BYTE if counted is None else counted / row_bytes
            each_token = operations_per_token(base) / useful_rate(device)
            seconds += sum(_seconds(work, tokens_per_byte, each_token) for work in asked)
        if seconds:
            found[candidate.id] = round(seconds, 1)
    return found


def said(seconds: Mapping[str, float]) -> Text:
    """What the user is told of it."""
    total = sum(seconds.values())
    if total < 90:
        en, ko = f"{total:.0f} s", f"{total:.0f}초"
    else:
        en, ko = f"{total / 60:.0f} min", f"{total / 60:.0f}분"
    return Text(
        en=f"The probes of the proof (forgetting, safety and the like) will take about {en} besides, over {len(seconds)} "
        f"arm{'s' * (len(seconds) > 1)}; --probes chooses among them.",
        ko=f"증명의 탐침(망각, 안전 등)에 후보 {len(seconds)}개를 합쳐 약 {ko} 더 걸립니다. --probes로 고를 수 있습니다.",
    )


def _wanted(setting: Setting) -> list[Probe]:
    names = setting.recipe.probes
    return [probe for probe in plugins.every("probes") if names is None or probe.name in names]


def _mean_bytes(setting: Setting) -> float:
    rows = setting.train[:_ROWS]
    total = sum(len(text.encode()) for row in rows for part in (row.input, row.target) for text in texts_of(part))
    return max(1.0, total / max(len(rows), 1))


def _seconds(work: Work, tokens_per_byte: float, each_token: float) -> float:
    """Args:
    each_token: seconds for a token that is read.
    """
    written = (ALONE_COST if work.alone else WRITTEN_COST) * work.written_tokens
    return min(work.most_seconds, (work.read_bytes * tokens_per_byte + written) * each_token)
