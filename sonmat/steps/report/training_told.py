"""What a training told in words: how its passes were cut and how much of them was padding, by what it was computed, what was
mixed in.

In: a candidate's events. Out: `Told`, or None where nothing was said. Its curve is `curves`' business; what is told of
single steps is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sonmat.core.text import Text, verbatim
from sonmat.core.values import Event, Json
from sonmat.steps.report import proof_labels
from sonmat.steps.report.probed import Told

MOST_SENTENCES: Final = 12
_OF_STEPS: Final = frozenset(
    {
        "step",
        "validation",
        "progress",
        "probing",
        "resumed",
        "backed_off",
        "stopped",
        "environment",
        "log",
        "paused",
        "replay_share",
    }
)
"""Told by the curve and its caption, or of no use afterwards."""

PARTS: Final[dict[str, Text]] = {
    "adapters": Text(en="adapters", ko="어댑터"),
    "norm": Text(en="norms", ko="정규화"),
    "gate": Text(en="gates", ko="게이트"),
    "rotary": Text(en="rotary positions", ko="회전 위치"),
    "attention": Text(en="attention", ko="어텐션"),
    "output_loss": Text(en="the loss", ko="손실"),
}
"""Parts of a model as the event `kernels` names them."""
KINDS: Final[dict[str, Text]] = {
    "plain": Text(en="PyTorch as it is", ko="PyTorch 그대로"),
    "fused": Text(en="Sonmat's fused forms", ko="손맛의 융합 연산"),
    "compiled": Text(en="compiled code", ko="컴파일한 코드"),
    "liger": Text(en="Liger kernels", ko="Liger 커널"),
}


def training_told(candidate: str, events: Iterable[Event]) -> Told | None:
    """Sentences of a fit, each once, as they were last said."""
    said: dict[tuple[str, str], Text] = {}
    for event in events:
        sentence = _sentence(event)
        if sentence is None or event.kind in _OF_STEPS or event.step not in ("", "fit"):
            continue
        # A resumed training tells its budget and kernels again; of other kinds several different sentences may stand.
        key = (event.kind, "" if event.kind in ("budget", "kernels") else sentence.en)
        said.pop(key, None)
        said[key] = sentence
    if not said:
        return None
    return Told(candidate=candidate, sentences=tuple(said.values())[:MOST_SENTENCES])


def _sentence(event: Event) -> Text | None:
    if event.kind == "kernels" and event.message is None:
        return _kernels(event.data)
    return event.message


def _kernels(data: Json) -> Text | None:
    """Parts of the model by what computed them: 'fused kernels for adapters, attention; PyTorch as it is for norms'."""
    by_kind: dict[str, list[Text]] = {}
    for part, title in PARTS.items():
        if isinstance(data.get(part), str):
            by_kind.setdefault(data[part], []).append(title)
    if not by_kind:
        return None
    said = [(KINDS.get(kind, verbatim(kind)), parts) for kind, parts in by_kind.items()]
    en = "; ".join(f"{kind.en} for {', '.join(part.en for part in parts)}" for kind, parts in said)
    ko = "; ".join(f"{', '.join(part.ko for part in parts)}: {kind.ko}" for kind, parts in said)
    return Text(en=proof_labels.COMPUTED_BY.en.format(parts=en), ko=proof_labels.COMPUTED_BY.ko.format(parts=ko))
