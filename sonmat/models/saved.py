"""A saved model folder back into a predictor.

A fitted candidate's folder holds what its method wrote (a Transformers model, a PEFT adapter, or nothing but a few numbers)
and `sonmat.json`, written last, which says everything that loading it takes. A model that asks another one has it in a folder
`over` of its own; `decision.json`, where there is one, says how a classifier's probabilities become a label. The folder can be
copied away from its run.
"""

from __future__ import annotations

from pathlib import Path

from sonmat import plugins
from sonmat.core.decision import Decision
from sonmat.core.errors import ModelError
from sonmat.core.protocols import OVER, Emit, Predictor, SavedModel
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device, Json, ModelFacts, Spec, Value
from sonmat.inference.deciding import Deciding
from sonmat.models.lookup import find_entry
from sonmat.models.resolving import resolve
from sonmat.runs.files import read_value, write_value

MANIFEST = "sonmat.json"
DECISION_FILE = "decision.json"


class Manifest(Value):
    """What a model folder is."""

    method: str
    task: str
    spec: Spec
    base: ModelFacts | None
    settings: Json
    encoder: ModelFacts | None = None


def write_manifest(folder: Path, candidate: Candidate, task: str) -> None:
    """Write `sonmat.json`; the folder counts as a model from now on."""
    manifest = Manifest(
        method=candidate.method,
        task=task,
        # Where this run keeps its pictures is nothing to the model.
        spec=candidate.spec.model_copy(update={"media_root": ""}),
        base=candidate.base,
        settings=candidate.settings,
        encoder=candidate.encoder,
    )
    write_value(folder / MANIFEST, manifest)


def open_saved(folder: Path, device: Device, emit: Emit, media_root: str = "", kept: Path | None = None) -> SavedModel:
    """What `folder` holds, its base fetched again if it is no longer where it was.

    Args:
        media_root: folder that relative media paths of questions are to be looked up in.
        kept: folder of answers that were paid for elsewhere.
    Raises:
        RunError: `folder` is no model folder of Sonmat, or of a newer version.
        ModelError: the base or the encoder cannot be had.
    """
    manifest = read_value(folder / MANIFEST, Manifest)
    method = plugins.find("methods", manifest.method)
    base = present(manifest.base, emit)
    return SavedModel(
        folder=folder,
        method=manifest.method,
        task=plugins.find("tasks", manifest.task),
        spec=manifest.spec.model_copy(update={"media_root": media_root}),
        base=base,
        family=plugins.find("families", base.family) if base is not None else None,
        settings=method.Settings.model_validate(manifest.settings),
        device=device,
        encoder=present(manifest.encoder, emit),
        over=open_saved(folder / OVER, device, emit, media_root) if (folder / OVER / MANIFEST).is_file() else None,
        load=method.load,
        kept=kept,
    )


def load_predictor(saved: SavedModel) -> Predictor:
    """The model's predictor, which decides as it did when it was proven."""
    predictor, decision = plugins.find("methods", saved.method).load(saved), own_decision(saved.folder)
    return Deciding(predictor, decision) if decision is not None else predictor


def own_decision(folder: Path) -> Decision | None:
    """How the model in `folder` makes a label of its probabilities; None where it answers as its method does."""
    return read_value(folder / DECISION_FILE, Decision) if (folder / DECISION_FILE).is_file() else None


def present(base: ModelFacts | None, emit: Emit) -> ModelFacts | None:
    """`base` where it lies on this machine; fetched again if it is no longer where it was.

    Raises:
        ModelError: it cannot be had, or what can be had has other weights.
    """
    if base is None or Path(base.path).exists():
        return base
    # Its licence was accepted when the run was planned.
    found = resolve(base.name if find_entry(base.name) else base.origin, accepted=(base.name,), emit=emit)
    if found.checksum == base.checksum:
        return found
    raise ModelError(
        Text(
            en=f"The base model {base.name} that can be had now is not the one that was used: its weights have the checksum "
            f"{found.checksum[:12]}, expected {base.checksum[:12]}.",
            ko=f"지금 받을 수 있는 기본 모델 {base.name}은(는) 그때 쓴 것과 다릅니다. 가중치 체크섬이 {found.checksum[:12]}인데 "
            f"{base.checksum[:12]}이어야 합니다.",
        ),
        Text(
            en=f"Bring back {base.path} from where the run was made, or run again with this base.",
            ko=f"실행을 만든 곳에서 {base.path}을(를) 가져오거나, 이 기본 모델로 다시 실행하세요.",
        ),
    )
