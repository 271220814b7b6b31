"""Training on the frozen part's outputs instead of its inputs, where a method trains only what lies above it.

In: a job, its model with the weights chosen that train, and its rows. Out: a task's `collate`, `losses` and `decode` that take every
row's frozen outputs from disk, and every row computed once and kept: for all epochs and validations, and for other fits of the same
base on the same rows. Results are those of the whole model, up to the rounding that differently padded batches have anyway.
The model is not changed. Where nothing is frozen, or there is no room, there is nothing: the whole model runs in every epoch.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np
import torch
import transformers
from torch import Tensor, nn

from sonmat import __version__
from sonmat.core.errors import Paused
from sonmat.core.protocols import Answer, Batch, FitJob, Row, RowLosses, Task
from sonmat.core.text import Text
from sonmat.core.values import Spec
from sonmat.inference.device import available_memory, torch_device
from sonmat.inference.predictor import batches_by_length, computing
from sonmat.inference.rows import Rows
from sonmat.runs.files import sha256_of
from sonmat.training.frozen.cut import Cut, find_cut
from sonmat.training.frozen.store import FeatureStore

if TYPE_CHECKING:
    from sonmat.core.values import Example

_DIGEST = "digest"
"""Name, in a row without its picture, of what told it from others."""
_SHARE_OF_FREE_DISK = 0.5
_LABELS_IN_CONFIG = {"id2label", "label2id", "num_labels", "problem_type", "_name_or_path", "name_or_path"}
"""What a task writes into a model's configuration; the frozen part does not depend on it."""


@dataclass(frozen=True)
class CachedTask:
    """The part of a task that training uses, on kept outputs of the frozen part."""

    task: Task
    cut: Cut
    store: FeatureStore
    inputs: frozenset[str]
    """Names of a row's arrays that the model is given, targets left out."""

    def collate(self, rows: Sequence[Row], processor: Any) -> Batch:
        batch = self.task.collate(rows, processor)
        kept = [self.store.row(self.digest(row)) for row in rows]
        return {**batch, **self.cut.joined(kept, batch.get("attention_mask"))}

    def losses(self, model: nn.Module, batch: Batch) -> RowLosses:
        with self.cut.replaced(batch) as rest:
            return self.task.losses(model, rest)

    def decode(self, model: nn.Module, batch: Batch, processor: Any, spec: Spec) -> list[Answer]:
        with self.cut.replaced(batch) as rest:
            return self.task.decode(model, rest, processor, spec)

    def digest(self, row: Row) -> str:
        """Of all that the model is given of a row."""
        if _DIGEST in row.arrays:
            return str(row.arrays[_DIGEST])
        found = hashlib.sha256()
        for name in sorted(self.inputs):
            array = np.asarray(row.arrays[name])
            found.update(f"{name} {array.dtype} {array.shape} ".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()[:32]

    def without_picture(self, row: Row) -> Row | None:
        """`row` with NaN that takes no memory for its pictures or sounds; None if it has none."""
        large = [name for name in self.inputs if getattr(row.arrays[name], "dtype", np.dtype(int)).kind == "f"]
        if not large:
            return None
        empty = {name: np.broadcast_to(row.arrays[name].dtype.type(np.nan), row.arrays[name].shape) for name in large}
        return Row({**row.arrays, **empty, _DIGEST: self.digest(row)}, row.length, row.cut, row.supervised)


def compute_frozen_once(
    job: FitJob, model: nn.Module, body: nn.Module, processor: Any, rows: Sequence[Rows[Example]], batch_tokens: int
) -> CachedTask | None:
    """What to train with instead of `job.task`, when the frozen part's outputs of all `rows` are kept; None to train the plain way.

    Args:
        model: with the parameters chosen that train.
        body: its pretrained part; what `job.family` finds the blocks of.
        rows: encoded for training and for validation. Their pictures are forgotten.
        batch_tokens: most padded tokens computed at once.
    Raises:
        Paused: `job.should_pause()` was true; what was computed is kept.
    """
    blocks = job.family.blocks(body) if job.family is not None else []
    if job.base is None or not blocks or any(parameter.requires_grad for parameter in blocks[0].parameters()):
        return None
    model.to(torch_device(job.device))
    inputs = frozenset(job.task.encode_input(job.train[0].input, processor, job.spec).arrays)
    cut = find_cut(model, _pretrained(body), blocks, job.task.losses, _probe(job, processor, rows), job.device)
    if cut is None:
        job.emit("fallback", _not_separable())
        return None
    folder = (job.cache or job.work / "cache") / "frozen"
    cached = CachedTask(job.task, cut, FeatureStore(folder, _key(job, model, cut), cut.fields), inputs)
    with _alone(cached.store.folder, job):
        cached.store.open()
        need = sum(cached.store.row_bytes(length) for each in rows for length in each.lengths) - cached.store.bytes
        room = min(int(shutil.disk_usage(cached.store.folder).free * _SHARE_OF_FREE_DISK), available_memory())
        if need > room:
            job.emit("fallback", _no_room(need, room), need_bytes=need, room_bytes=room)
            return None
        try:
            _Filling(job, cached, model, processor, rows, batch_tokens).run()
        except OSError as error:
            job.emit("fallback", _not_written(cached.store.folder, error))
            return None
    return cached


class _Filling:
    """One pass over all rows through the frozen part."""

    def __init__(
        self,
        job: FitJob,
        cached: CachedTask,
        model: nn.Module,
        processor: Any,
        rows: Sequence[Rows[Example]],
        batch_tokens: int,
    ) -> None:
        self.job, self.cached, self.model, self.processor = job, cached, model, processor
        self.rows, self.batch_tokens = rows, batch_tokens
        self.done, self.total = 0, sum(len(each) for each in rows)
        self.began = self.last_report = time.perf_counter()
        self.computed: set[str] = set()
        self.light: list[tuple[Rows[Example], int, Row]] = []

    def run(self) -> None:
        self.model.eval()
        for rows in self.rows:
            for group in batches_by_length(rows.lengths, rows=self.batch_tokens, tokens=self.batch_tokens):
                if self.job.should_pause():
                    self.cached.store.save()
                    raise Paused(
                        Text(
                            en=f"Paused after {self.done} of {self.total} rows through the frozen layers.",
                            ko=f"고정된 층의 출력을 {self.total}행 중 {self.done}행까지 계산하고 멈췄습니다.",
                        )
                    )
                self._group(rows, group)
                self._report(len(group))
        self.cached.store.save()
        for rows, index, light in self.light:
            rows.kept[index] = light
        if self.computed:
            self.job.emit(
                "frozen_computed", _computed(len(self.computed)), rows=len(self.computed), bytes=self.cached.store.bytes
            )

    def _group(self, rows: Rows[Example], group: Sequence[int]) -> None:
        missing: dict[str, Row] = {}
        for index in group:
            row = rows[index]
            digest = self.cached.digest(row)
            if digest not in self.cached.store and digest not in self.computed:
                missing[digest] = row
            light = self.cached.without_picture(row)
            if light is not None:
                self.light.append((rows, index, light))
        if missing:
            self._compute(missing)

    def _compute(self, missing: dict[str, Row]) -> None:
        batch = _on_device(self.job, self.job.task.collate(list(missing.values()), self.processor))
        mask = batch.get("attention_mask")
        with computing(self.job.device):
            outputs = self.cached.cut.outputs(self.model, self.job.task.losses, batch)
        tokens = [1] * len(missing) if mask is None else mask.sum(dim=1).tolist()
        self.cached.store.add(zip(missing, tokens, self.cached.cut.rows(outputs, mask), strict=True))
        self.computed.update(missing)

    def _report(self, rows: int) -> None:
        self.done += rows
        now = time.perf_counter()
        if self.computed and now - self.last_report >= 1:
            self.last_report = now
            pace = (now - self.began) / self.done
            self.job.emit(
                "progress", done=self.done, total=self.total, seconds_left=round(pace * (self.total - self.done), 1)
            )


def _probe(job: FitJob, processor: Any, rows: Sequence[Rows[Example]]) -> Batch:
    """The shortest training row and the shortest that is longer, so that there is padding if there can be any."""
    lengths = rows[0].lengths
    shortest = min(range(len(lengths)), key=lengths.__getitem__)
    others = sorted((index for index in range(len(lengths)) if index != shortest), key=lengths.__getitem__)
    longer = [index for index in others if lengths[index] > lengths[shortest]]
    chosen = [shortest, *(longer or others)[:1]]
    return _on_device(job, job.task.collate([rows[0][index] for index in chosen], processor))


def _on_device(job: FitJob, batch: Batch) -> dict[str, Tensor]:
    where = torch_device(job.device)
    return {name: tensor.to(where) for name, tensor in batch.items()}


def _pretrained(model: nn.Module) -> nn.Module:
    body: nn.Module = model.base_model  # type: ignore[assignment]
    return body


def _key(job: FitJob, model: nn.Module, cut: Cut) -> str:
    """Fingerprint of all that the frozen part's output of a row depends on besides the row."""
    assert job.base is not None, "a frozen part comes from a base"
    config: Any = model.config
    frozen = {
        name: [str(parameter.dtype), list(parameter.shape)]
        for module in cut.modules
        for name, parameter in module.named_parameters()
    }
    return sha256_of(
        job.base.checksum,
        {name: value for name, value in config.to_dict().items() if name not in _LABELS_IN_CONFIG},
        str(config._attn_implementation),
        job.task.name,
        cut.name,
        frozen,
        [[field.name, str(field.dtype), field.shape, field.by_token, field.keeps] for field in cut.fields],
        [job.device.kind, job.device.bf16],
        [__version__, torch.__version__, transformers.__version__],
    )


@contextmanager
def _alone(folder: Path, job: FitJob) -> Iterator[None]:
    """Of several processes with the same rows the first computes, the others wait for it and read."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / "lock")
    while True:
        try:
            lock.acquire(timeout=1)
            break
        except filelock.Timeout:
            if job.should_pause():
                raise Paused(
                    Text(
                        en="Paused while another process computed the frozen layers.",
                        ko="다른 프로세스가 고정된 층을 계산하는 동안 멈췄습니다.",
                    )
                ) from None
    try:
        yield
    finally:
        lock.release()


def _computed(rows: int) -> Text:
    return Text(
        en=f"Frozen layers computed once for {rows} rows; every epoch now trains on the result.",
        ko=f"고정된 층을 {rows}행에 대해 한 번만 계산했습니다. 이제 모든 에폭이 그 결과로 학습합니다.",
    )


def _not_separable() -> Text:
    return Text(
        en="The frozen layers of this model cannot be computed apart: every epoch runs them again (slower, same result).",
        ko="이 모델은 고정된 층만 따로 계산할 수 없어 에폭마다 다시 계산합니다. 느리지만 결과는 같습니다.",
    )


def _no_room(need: int, room: int) -> Text:
    return Text(
        en=f"Keeping the frozen layers' outputs would take {need / 1e9:.1f} GB; {room / 1e9:.1f} GB of disk and memory may be used: "
        "every epoch runs them again (slower, same result).",
        ko=f"고정된 층의 출력을 보관하려면 {need / 1e9:.1f} GB가 필요한데 쓸 수 있는 디스크와 메모리는 {room / 1e9:.1f} GB입니다. "
        "에폭마다 다시 계산합니다. 느리지만 결과는 같습니다.",
    )


def _not_written(folder: Path, error: OSError) -> Text:
    return Text(
        en=f"The frozen layers' outputs cannot be kept in {folder} ({error.strerror}): every epoch runs them again "
        "(slower, same result).",
        ko=f"고정된 층의 출력을 {folder}에 보관할 수 없어({error.strerror}) 에폭마다 다시 계산합니다. 느리지만 결과는 같습니다.",
    )
