"""What the model card says that the page does not: where data and base stand on the hub, what kind of files the model is, and
what was measured of the chosen arm besides its task.

In: a run directory. Out: `CardFacts`. No row of the user's data is in it, nor what a measure names as rows.
"""

from __future__ import annotations

import re
from typing import Literal

from sonmat.core.proof import Guard, Measure, Proof
from sonmat.core.values import Value
from sonmat.models import find_entry
from sonmat.runs import RunFolder

_SCRIPT_LANGUAGES = ("ko", "ja", "zh", "en")
_HUB_DATA = re.compile(r"hub:([\w.-]+/[\w.-]+)(?:[/@].*)?")


class CardFacts(Value):
    """Of the arm that the verdict recommends."""

    languages: tuple[str, ...] = ()
    """Of the user's rows, as far as their scripts tell."""
    datasets: tuple[str, ...] = ()
    """Data sets of the hub among the data."""
    base_id: str | None = None
    """The base model's name on the hub."""
    licence_url: str | None = None
    library: Literal["peft", "transformers", "sonmat"] = "sonmat"
    """That opens the model folder."""
    measures: tuple[Measure, ...] = ()
    """Of all items, not of slices; without rows."""
    guards: tuple[Guard, ...] = ()


def card_facts(folder: RunFolder, proof: Proof) -> CardFacts:
    """What the card of `folder` says of the arm that `proof` recommends."""
    chosen = proof.verdict.use
    candidate = next((each for each in folder.plan().candidates if each.id == chosen), None)
    base = candidate.base if candidate else None
    entry = find_entry(base.name) if base else None
    on_hub = re.fullmatch(r"hub:([^@]+)(@.*)?", base.origin) if base else None
    from_catalogue = entry is not None and base is not None and base.origin.startswith("wheel:")
    told = folder.source().languages if folder.file("source.json").exists() else ()
    return CardFacts(
        languages=tuple(language for language in told if language in _SCRIPT_LANGUAGES),
        datasets=tuple(found[1] for each in folder.recipe().data if (found := _HUB_DATA.fullmatch(each))),
        base_id=on_hub[1] if on_hub else entry.hub_id if entry and from_catalogue else None,
        licence_url=entry.licence_url if entry else None,
        library=_library(folder, chosen),
        measures=tuple(
            measure.model_copy(update={"rows": ()})
            for measure in proof.measures
            if measure.arm == chosen and not measure.slice
        ),
        guards=tuple(guard for guard in proof.guards if guard.arm == chosen),
    )


def _library(folder: RunFolder, candidate: str) -> Literal["peft", "transformers", "sonmat"]:
    model = folder.candidate_folder(candidate) / "model"
    if (model / "adapter_config.json").exists():
        return "peft"
    return "transformers" if (model / "config.json").exists() else "sonmat"
