"""What every method that trains has in common: load the base, choose weights, optimise, validate, save, load again.

A method gives `prepare` (which weights train) and `save`; everything else is here. It reads and writes model folders, not
run directories.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sonmat.core.errors import ModelError
from sonmat.core.protocols import (
    Answer,
    Batch,
    Family,
    FitJob,
    FitResult,
    Predictor,
    Row,
    RowLosses,
    SavedModel,
    Task,
)
from sonmat.core.text import Text
from sonmat.core.values import Device, Example, Json, Spec
from sonmat.inference.device import compute_dtype, torch_device
from sonmat.inference.predictor import CAUSAL, NeuralPredictor, batches_by_length, computing
from sonmat.inference.quiet import quiet_transformers
from sonmat.inference.rows import Rows, same_length
from sonmat.inference.validating import judged_rows
from sonmat.runs.files import sha256_of
from sonmat.statistics.collapse import collapsed
from sonmat.statistics.resampling import Floats
from sonmat.training.ahead import threads_for
from sonmat.training.budget import usual_tokens
from sonmat.training.checkpoint import load_trained_state, trained_state
from sonmat.training.distance import Distance
from sonmat.training.interpolation import interpolate, moving
from sonmat.training.precision import ready_to_answer, round_frozen
from sonmat.training.replay import check_replay, with_replay
from sonmat.training.replay_share import Trained, tune_share
from sonmat.training.settings import TUNED, TrainingSettings
from sonmat.training.weights import LoadedBase, load_base, load_model, load_processor, set_dropout, trained_parameters

if TYPE_CHECKING:
    import torch
    from torch import nn

_NO_MATTER_OF_SPEED = frozenset(
    {"learning_rate", "epochs", "schedule", "warmup_ratio", "weight_decay", "clip_norm", "validate_every", "patience"}
)
_ROWS_TO_LOOK_AT = 64
"""Rows put into one batch to see which ids they use."""


def tune(
    job: FitJob,
    settings: TrainingSettings,
    prepare: Callable[[LoadedBase], nn.Module],
    save: Callable[[nn.Module, Path], None],
    base_dtype: torch.dtype | None = None,
    whole: bool = True,
) -> FitResult:
    """Fit `job` and write its model folder.

    Args:
        prepare: sets which parameters train and returns the model to optimise.
        base_dtype: of the weights as loaded; fp32 if left out.
        whole: whether `save` writes the frozen weights too. They are then saved as the base has them.
    Raises:
        SettingError: there is to be replay, and the task's models write no answers.
    """
    check_replay(job.task, settings.replay)
    way = _Way(prepare, save, base_dtype, whole)
    if settings.replay != TUNED:
        return _trained(job, settings, settings.replay, way).result

    def with_share(own: FitJob, share: float) -> Trained:
        return _trained(own, settings, share, way, measured=True)

    return tune_share(job, with_share)


@dataclass(frozen=True)
class _Way:
    """What a method gives; see `tune`."""

    prepare: Callable[[LoadedBase], nn.Module]
    save: Callable[[nn.Module, Path], None]
    base_dtype: torch.dtype | None
    whole: bool


def _trained(job: FitJob, settings: TrainingSettings, replay: float, way: _Way, *, measured: bool = False) -> Trained:
    """Fit `job` with this share of replay.

    Args:
        measured: whether the finished model is to be compared with others.
    """
    from sonmat.training.attention_choice import choose_attention
    from sonmat.training.batching import mixed_steps_of_epoch, steps_of_epoch
    from sonmat.training.equipment import equip, lighten
    from sonmat.training.frozen.cached import compute_frozen_once
    from sonmat.training.loop import optimise
    from sonmat.training.used_rows import only_used_rows

    if job.base is None:
        raise ModelError(Text(en="This method needs a base model.", ko="이 방법에는 기본 모델이 필요합니다."))
    loaded = load_base(job.task, job.spec, job.base.path, job.seed, way.base_dtype)
    if settings.dropout is not None:
        set_dropout(loaded.model, settings.dropout)
    processor = loaded.processor
    give_template(job.family, processor)
    job = with_replay(job, replay, loaded.model, processor)
    model = way.prepare(loaded)
    scaled = moving(model, loaded) if settings.interpolate else ()
    rounded = round_frozen(model, job.device)
    equip(job, settings, model)
    train, validation = _rows(job, processor)
    choose_attention(job, model, max((*train.lengths, *validation.lengths), default=0))
    usual = usual_tokens(job.task.generates)
    most_tokens = settings.micro_batch_tokens or usual
    frozen = compute_frozen_once(job, model, loaded.model, processor, (train, validation), most_tokens)
    # Behind the search for what is frozen, which looks at the blocks as they are.
    lighten(job, settings, loaded.model)
    steps: _Steps = frozen or job.task
    packing = _Packing() if frozen is not None else _packing(job, model)
    validator = _Validator(job, steps, model, processor, validation, packing.validation)
    distance = _at_the_base(job, model, processor) if measured else None
    with only_used_rows(model, _batches(steps, train, processor), [getattr(processor, "pad_token_id", None)]):
        outcome = optimise(
            model,
            steps.losses,
            lambda rows: steps.collate(rows, processor),
            train,
            validator,
            settings,
            seed=job.seed,
            device=job.device,
            work=job.work,
            emit=job.emit,
            should_pause=job.should_pause,
            # By what the model can, so that neither kernels, compilers nor the cache of frozen layers change an order.
            order=mixed_steps_of_epoch if _can_be_packed(job) else steps_of_epoch,
            weights=[example.weight for example in job.train],
            pack=packing.training,
            usual_tokens=usual,
            shared_budget=_shared_budget(job, settings),
            threads_ahead=0 if frozen is not None else threads_for(job.task, job.device),
        )
    kept = interpolate(job, model, processor, scaled, validator) if scaled else None
    statistics = validator.statistics() if measured else np.empty((0, 0))
    moved = distance() if distance is not None else None
    way.save(_as_the_base_has_it(job, model) if rounded and way.whole else model, job.folder)
    processor.save_pretrained(str(job.folder))
    shutil.rmtree(job.work, ignore_errors=True)
    result = FitResult(
        steps=outcome.steps,
        best_step=outcome.best_step,
        selection=kept.measures if kept else outcome.measures,
        trained_parameters=trained_parameters(model),
        stopped=outcome.stopped,
        budget=kept.budget if kept else None,
    )
    return Trained(result, statistics, math.nan if moved is None else moved)


def _at_the_base(job: FitJob, model: nn.Module, processor: Any) -> Distance:
    """Measures how far `model`, whose weights are still the base's, will have moved."""
    model.eval()
    distance = Distance(job, model, processor)
    distance()
    return distance


def _as_the_base_has_it(job: FitJob, model: nn.Module) -> nn.Module:
    """The base again, unrounded, with the weights that `model` trained."""
    assert job.base is not None, "what was rounded came from a base"
    again: nn.Module = load_model(job.task, job.spec, job.base.path, job.seed)[0]
    load_trained_state(again, trained_state(model))
    return again


def save_whole(model: Any, folder: Path) -> None:
    """The model as an ordinary Transformers folder."""
    with quiet_transformers():
        model.save_pretrained(str(folder))


def load_whole(saved: SavedModel) -> Predictor:
    """The predictor of a folder that `save_whole` wrote.

    Raises:
        ModelError: some weights of the folder are missing, so that answers would be random.
    """
    loaded = load_base(saved.task, saved.spec, saved.folder, seed=0, dtype=answering_dtype(saved.task, saved.device))
    if loaded.new:
        raise ModelError(
            Text(
                en=f"{saved.folder} lacks weights: {', '.join(sorted(loaded.new))}.",
                ko=f"{saved.folder}에 가중치가 빠져 있습니다: {', '.join(sorted(loaded.new))}.",
            ),
            Text(en="Fit the candidate again (`sonmat fit`).", ko="후보를 다시 학습하세요(`sonmat fit`)."),
        )
    return predictor_of(saved, loaded.model, loaded.processor)


def predictor_of(saved: SavedModel, model: nn.Module, processor: Any) -> NeuralPredictor:
    model.eval()
    ready_to_answer(model, saved.device)
    model.to(torch_device(saved.device))
    fuse_for_answers(model, saved.family, saved.device)
    return NeuralPredictor(model, processor, saved.task, saved.spec, saved.device)


def load_prompted(saved: SavedModel) -> tuple[nn.Module, Any]:
    """The untuned base of `saved` as a language model, with its tokenizer and chat template."""
    import transformers

    assert saved.base is not None, "prompting always has a base"
    with quiet_transformers():
        model = transformers.AutoModelForCausalLM.from_pretrained(saved.base.path, dtype=compute_dtype(saved.device))
        tokenizer = transformers.AutoTokenizer.from_pretrained(saved.base.path)
    give_template(saved.family, tokenizer)
    model.eval().to(torch_device(saved.device))
    fuse_for_answers(model, saved.family, saved.device)
    return model, tokenizer


def fuse_for_answers(model: nn.Module, family: Family | None, device: Device) -> None:
    """Let the layers of a model that will not train, and lies on its device already, compute as fast as its family allows."""
    if family is None or device.kind != "cpu":
        return
    fusions = family.fusions
    if fusions.encoder:
        from sonmat.training.fused.encoder import fuse_encoder

        fuse_encoder(model)
    if fusions.gated and fusions.attention and fusions.norm == "plain":
        from sonmat.training.fused.answering import fuse_answering

        fuse_answering(model)


def give_template(family: Family | None, processor: Any) -> None:
    """Give a tokenizer without a chat template its family's; saved with the model, so that serving renders the same."""
    if family is not None and family.chat_template and not getattr(processor, "chat_template", None):
        processor.chat_template = family.chat_template


def load_saved_processor(saved: SavedModel) -> Any:
    return load_processor(saved.task, saved.folder)


def answering_dtype(task: Task, device: Device) -> torch.dtype:
    """Language models answer in the compute type (half the memory traffic of a token), others in fp32 weights."""
    import torch

    return compute_dtype(device) if task.generates else torch.float32


@dataclass(frozen=True)
class _Packing:
    """How rows of a pass are put behind one another; None where they are padded."""

    training: Callable[[Sequence[Row]], Batch] | None = None
    """Where the model can; a probe decides whether it pays."""
    validation: Callable[[Sequence[Row]], Batch] | None = None
    """Where it pays for sure."""


def _packing(job: FitJob, model: nn.Module) -> _Packing:
    """Of language models whose attention keeps rows apart. Where layers are computed as a whole, what rows share is computed once."""
    if not _can_be_packed(job):
        return _Packing()
    from sonmat.training.fused.decoder import shares_up_to
    from sonmat.training.packing import pack, use_blocks

    use_blocks(model)
    shares = shares_up_to(model, compute_dtype(job.device))
    together = partial(pack, share=shares)
    return _Packing(together, together if shares else None)


def _can_be_packed(job: FitJob) -> bool:
    return job.task.auto_model == CAUSAL and job.family is not None and job.family.fusions.attention


def _shared_budget(job: FitJob, settings: TrainingSettings) -> Path | None:
    """Where trainings of the run that take as long for a token leave one another their budget."""
    if job.cache is None or job.base is None:
        return None
    same_speed = settings.model_dump(mode="json", exclude=set(_NO_MATTER_OF_SPEED))
    parts = (job.base.checksum, job.task.name, job.spec.max_tokens, type(settings).__name__, same_speed)
    return job.cache / "budgets" / f"{sha256_of(*parts, job.device.kind, job.device.name, job.device.cores)}.json"


class _Steps(Protocol):
    """What training and validation need of a task."""

    def collate(self, rows: Sequence[Row], processor: Any) -> Batch: ...

    def losses(self, model: nn.Module, batch: Batch) -> RowLosses: ...

    def decode(self, model: nn.Module, batch: Batch, processor: Any, spec: Spec) -> list[Answer]: ...


def _batches(steps: _Steps, rows: Rows[Example], processor: Any) -> Iterator[Batch]:
    """All rows once, as training will see them, whatever their order."""
    for start in range(0, len(rows), _ROWS_TO_LOOK_AT):
        end = min(start + _ROWS_TO_LOOK_AT, len(rows))
        yield steps.collate([rows[index] for index in range(start, end)], processor)


def _rows(job: FitJob, processor: Any) -> tuple[Rows[Example], Rows[Example]]:
    """Encoded rows for training and for validation, which judges last answers alone."""
    last = job.spec.model_copy(update={"supervise": "last"})
    alike = same_length(job.task)
    return (
        Rows(job.train, lambda example: job.task.encode(example, processor, job.spec), same_length=alike),
        Rows(job.validation, lambda example: job.task.encode(example, processor, last), same_length=alike),
    )


@dataclass(frozen=True)
class _Validator:
    """Looks at the validation rows: loss per item, and the selection metric."""

    job: FitJob
    steps: _Steps
    model: nn.Module
    processor: Any
    rows: Rows[Example]
    pack: Callable[[Sequence[Row]], Batch] | None = None

    def __call__(self) -> Any:
        from sonmat.training.loop import Validation

        job, metric = self.job, self.job.selection
        nats, items, outputs = self._seen()
        judged = judged_rows(job, job.validation, outputs, nats)
        value = float(metric.value(metric.statistics(judged).sum(axis=0)))
        return Validation(
            metric=metric.name,
            value=value,
            higher_is_better=metric.higher_is_better,
            loss=sum(nats) / max(sum(items), 1.0),
            collapsed=collapsed([example.target for example in job.validation], outputs),
        )

    def statistics(self) -> Floats:
        """Of the selection metric for each row, shape (rows, k)."""
        nats, _, outputs = self._seen()
        return self.job.selection.statistics(judged_rows(self.job, self.job.validation, outputs, nats))

    def _seen(self) -> tuple[list[float], list[float], list[Json]]:
        """Of each row the nats, the items, and the answer; empty answers for tasks that generate, which are selected by likelihood."""
        job, rows = self.job, self.rows
        nats, items = [0.0] * len(rows), [0.0] * len(rows)
        outputs: list[Json] = [{} for _ in range(len(rows))]
        for group in batches_by_length(rows.lengths):
            encoded = [rows[index] for index in group]
            collated = self.pack(encoded) if self.pack is not None else self.steps.collate(encoded, self.processor)
            batch = {name: tensor.to(torch_device(job.device)) for name, tensor in collated.items()}
            with computing(job.device):
                losses = self.steps.losses(self.model, batch)
                # A row with its target opens with the row to answer, and for tasks that write no answer it ends there too.
                answers = [] if job.task.generates else self.steps.decode(self.model, batch, self.processor, job.spec)
            for index, nll, count in zip(group, losses.sums.tolist(), losses.items.tolist(), strict=True):
                nats[index], items[index] = nll, count
            for index, answer in zip(group, answers, strict=False):
                outputs[index] = answer.output
        return nats, items, outputs
