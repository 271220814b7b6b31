"""Training on kept outputs of the frozen part: equal to training the plain way, computed once, and never on stale or damaged files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from sonmat import plugins
from sonmat.core.errors import Paused
from sonmat.core.protocols import Batch, FitJob, RowLosses
from sonmat.inference.predictor import autocast, computing
from sonmat.training.frozen import cached
from sonmat.training.frozen.cut import Cut, Field, find_cut
from sonmat.training.frozen.store import FeatureStore
from sonmat.training.fused import encoder
from sonmat.training.weights import load_base, to_training_mode, train_only
from tests.training.tiny_jobs import CPU, Heard, tiny_job

CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("text-classification", "head-only", {}),
    ("text-classification", "freeze", {"last_layers": 1}),
    ("chat", "freeze", {"last_layers": 1}),
    ("image-classification", "head-only", {}),
    ("image-classification", "freeze", {"last_layers": 1}),
]


def job_of(task: str, method: str, folder: Path, **settings: Any) -> FitJob:
    folder.mkdir(parents=True, exist_ok=True)
    return tiny_job(task, method, folder, Heard(), **{"epochs": 3, "dropout": 0.1, "batch_size": 4, **settings})


def fitted(job: FitJob, method: str) -> dict[str, Tensor]:
    """The weights that a fit saves."""
    job.folder.mkdir(exist_ok=True)
    plugins.find("methods", method).fit(job)
    return dict(load_file(job.folder / "model.safetensors"))


def heard(job: FitJob) -> Heard:
    assert isinstance(job.emit, Heard)
    return job.emit


def curve(job: FitJob) -> list[tuple[float, float]]:
    return [(data["loss"], data["gradient_norm"]) for data in heard(job).of("step")]


def computed(job: FitJob) -> int:
    return sum(data["rows"] for data in heard(job).of("frozen_computed"))


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "compute_frozen_once", lambda *_, **__: None)


@pytest.mark.parametrize(("task", "method", "settings"), CASES)
def test_a_fit_gives_the_losses_gradients_and_weights_of_the_whole_model(
    task: str, method: str, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = job_of(task, method, tmp_path / "kept", **settings)
    weights = fitted(kept, method)
    assert computed(kept) > 0
    plainly(monkeypatch)
    plain = job_of(task, method, tmp_path / "plain", **settings)
    for name, value in fitted(plain, method).items():
        assert torch.allclose(value, weights[name], atol=1e-5), name
    for one, other in zip(curve(plain), curve(kept), strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    looks = [[data["loss"] for data in heard(job).of("validation")] for job in (plain, kept)]
    assert looks[0] == pytest.approx(looks[1], rel=1e-5)


@pytest.mark.parametrize(("task", "method", "settings"), CASES)
@pytest.mark.parametrize("bf16", [False, True])
def test_a_step_on_kept_outputs_has_the_very_losses_and_gradients_of_the_whole_model(
    task: str, method: str, settings: dict[str, Any], bf16: bool, tmp_path: Path
) -> None:
    """To the last bit, where the outputs were computed in the same batch."""
    job = job_of(task, method, tmp_path, **settings)
    device = CPU.model_copy(update={"bf16": bf16})
    assert job.base is not None
    assert job.family is not None
    loaded = load_base(job.task, job.spec, job.base.path, 0)
    blocks = job.family.blocks(loaded.model)
    last = {id(each) for block in blocks[-1:] for each in block.parameters()} if method == "freeze" else set()
    train_only(
        loaded.model, {name for name, each in loaded.model.named_parameters() if name in loaded.head or id(each) in last}
    )
    batch = job.task.collate(
        [job.task.encode(example, loaded.processor, job.spec) for example in job.train], loaded.processor
    )
    cut = find_cut(loaded.model, loaded.model.base_model, blocks, job.task.losses, batch, device)  # type: ignore[arg-type]
    assert cut is not None
    mask = batch.get("attention_mask")
    with computing(device):
        outputs = cut.outputs(loaded.model, job.task.losses, batch)
    joined = cut.joined(cut.rows(outputs, mask), mask)

    def step(given: Batch) -> list[Tensor]:
        to_training_mode(loaded.model)
        loaded.model.zero_grad()
        torch.manual_seed(5)
        with autocast(device):
            losses = job.task.losses(loaded.model, given).sums
        losses.sum().backward()
        return [losses.detach(), *(each.grad.clone() for each in loaded.model.parameters() if each.grad is not None)]

    plain = step(batch)
    with cut.replaced({**batch, **joined}) as rest:
        kept = step(rest)
    assert len(plain) > 1
    assert all(torch.equal(one, other) for one, other in zip(plain, kept, strict=True))


def test_frozen_layers_see_each_row_once_however_many_epochs_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = 0
    forward = encoder._Layer.forward

    def counting(self: Any, hidden: Tensor, *rest: Any, **more: Any) -> Any:
        nonlocal seen
        seen += len(hidden)
        return forward(self, hidden, *rest, **more)

    monkeypatch.setattr(encoder._Layer, "forward", counting)
    job = job_of("text-classification", "head-only", tmp_path, epochs=9, patience=99)
    fitted(job, "head-only")
    probes, layers = 4 * 2, 2
    assert seen == (len(job.train) + probes) * layers
    assert len(heard(job).of("validation")) == 10


def test_a_pictures_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sonmat.inference import rows

    monkeypatch.setattr(rows, "ROWS_KEPT_BYTES", 0)
    job = job_of("image-classification", "head-only", tmp_path, epochs=6, patience=99)
    reads = 0
    encode = type(job.task).encode

    def counting(self: Any, *arguments: Any) -> Any:
        nonlocal reads
        reads += 1
        return encode(self, *arguments)

    monkeypatch.setattr(type(job.task), "encode", counting)
    fitted(job, "head-only")
    # Both sets of rows are encoded once; before that one of each for its length, and the two rows that the cut is found with.
    assert reads == 2 * len(job.train) + 2 + 2


def test_other_settings_and_other_folds_share_what_was_computed(tmp_path: Path) -> None:
    def job(name: str, rows: slice, **settings: Any) -> FitJob:
        made = job_of("text-classification", "head-only", tmp_path / name, **settings)
        return replace(made, train=made.train[rows], validation=made.train[rows], cache=tmp_path / "cache")

    first, second, third = job("1", slice(8)), job("2", slice(8), learning_rate=1e-2), job("3", slice(2, 12))
    for each in (first, second, third):
        fitted(each, "head-only")
    assert [computed(each) for each in (first, second, third)] == [8, 0, 4]


def test_it_is_computed_anew_exactly_where_something_else_would_come_out(tmp_path: Path) -> None:
    first = job_of("text-classification", "head-only", tmp_path, epochs=1)
    base = first.base
    assert base is not None
    changes: dict[str, tuple[dict[str, Any], int]] = {
        "nothing is there yet": ({}, 12),
        "the same again": ({}, 0),
        "the seed": ({"seed": 7}, 0),
        "a label": ({"train": [_relabelled(first.train[0]), *first.train[1:]]}, 0),
        "the words of a row": ({"train": [_reworded(first.train[0]), *first.train[1:]]}, 1),
        "a word before every text": ({"spec": first.spec.model_copy(update={"text_prefix": "fine "})}, 12),
        "the base's weights": ({"base": base.model_copy(update={"checksum": "other"})}, 12),
    }
    for name, (change, expected) in changes.items():
        job = replace(first, cache=tmp_path / "cache", emit=Heard(), **change)
        fitted(job, "head-only")
        assert computed(job) == expected, name


def _relabelled(example: Any) -> Any:
    return example.model_copy(update={"target": {"label": "odd"}})


def _reworded(example: Any) -> Any:
    return example.model_copy(update={"input": {"text": "no hope would rain"}})


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[5] ^= 1
    file.write_bytes(bytes(content))


def of_another_model(file: Path) -> None:
    index = file.with_suffix(".json")
    index.write_text(json.dumps({**json.loads(index.read_text()), "key": "another"}))


def not_an_index(file: Path) -> None:
    file.with_suffix(".json").write_text("[1, 2")


@pytest.mark.parametrize("damage", [truncated, flipped, of_another_model, not_an_index])
def test_a_truncated_foreign_or_damaged_file_counts_as_not_there(damage: Callable[[Path], None], tmp_path: Path) -> None:
    fields = (Field("output", torch.float32, (3,), by_token=False),)
    store = FeatureStore(tmp_path, "key", fields)
    store.add([("one", 1, [torch.ones(3)]), ("two", 1, [torch.ones(3)])])
    store.save()
    again = FeatureStore(tmp_path, "key", fields)
    again.open()
    assert "one" in again
    (file,) = tmp_path.rglob("*.bin")
    damage(file)
    damaged = FeatureStore(tmp_path, "key", fields)
    damaged.open()
    assert "one" not in damaged


def test_a_fit_replaces_a_damaged_file(tmp_path: Path) -> None:
    job = replace(job_of("text-classification", "freeze", tmp_path, last_layers=1), cache=tmp_path / "cache")
    weights = fitted(job, "freeze")
    (file,) = (tmp_path / "cache").rglob("*.bin")
    truncated(file)
    for expected in (12, 0):
        again = replace(job, emit=Heard())
        assert same(fitted(again, "freeze"), weights)
        assert computed(again) == expected


def test_where_there_is_no_room_the_user_is_told_and_training_goes_on_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached, "available_memory", lambda: 100)
    small = job_of("text-classification", "head-only", tmp_path / "small")
    weights = fitted(small, "head-only")
    assert [data["room_bytes"] for data in heard(small).of("fallback")] == [100]
    assert computed(small) == 0
    plainly(monkeypatch)
    assert same(fitted(job_of("text-classification", "head-only", tmp_path / "plain"), "head-only"), weights)


def test_a_disk_that_fills_up_meanwhile_costs_time_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(self: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FeatureStore, "save", no_space)
    full = job_of("image-classification", "head-only", tmp_path / "full")
    weights = fitted(full, "head-only")
    assert heard(full).of("fallback")
    plainly(monkeypatch)
    assert same(fitted(job_of("image-classification", "head-only", tmp_path / "plain"), "head-only"), weights)


def test_a_fit_paused_in_the_middle_of_the_frozen_pass_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def at_the_third_batch() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    job = job_of("text-classification", "head-only", tmp_path, micro_batch_tokens=16)
    with pytest.raises(Paused, match="frozen"):
        fitted(replace(job, should_pause=at_the_third_batch), "head-only")
    fitted(job, "head-only")
    assert 0 < computed(job) < 12


def test_a_killed_fit_continues_on_the_identical_curve(tmp_path: Path) -> None:
    whole = job_of("text-classification", "freeze", tmp_path / "whole", last_layers=1)
    weights = fitted(whole, "freeze")

    def die(kind: str, data: dict[str, Any]) -> None:
        if kind == "step" and data["step"] == 5:
            raise KeyboardInterrupt

    job = job_of("text-classification", "freeze", tmp_path / "killed", last_layers=1)
    with pytest.raises(KeyboardInterrupt):
        fitted(replace(job, emit=Heard(die)), "freeze")
    assert same(fitted(job, "freeze"), weights)
    assert computed(job) == 0
    assert curve(job) == curve(whole)[-len(curve(job)) :]


@pytest.mark.parametrize(("method", "settings"), [("full", {}), ("lora", {})])
def test_where_nothing_is_frozen_nothing_is_kept(method: str, settings: dict[str, Any], tmp_path: Path) -> None:
    job = job_of("text-classification", method, tmp_path, **settings)
    plugins.find("methods", method).fit(job)
    assert not heard(job).of("fallback") + heard(job).of("frozen_computed")


def test_kept_files_go_with_the_checkpoints_where_no_place_for_them_is_named(tmp_path: Path) -> None:
    job = job_of("text-classification", "head-only", tmp_path)
    fitted(job, "head-only")
    assert list(tmp_path.rglob("*.bin")) == []


class Encoder(nn.Module):
    """Embeddings and two blocks; `noise` stands between them."""

    def __init__(self, noise: float = 0.0) -> None:
        super().__init__()
        self.embed, self.blocks = nn.Embedding(9, 4), nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.noise = nn.Dropout(noise)

    def forward(self, ids: Tensor) -> Tensor:
        hidden: Tensor = self.embed(ids)
        for block in self.blocks:
            hidden = block(self.noise(hidden)).tanh()
        return hidden


class Classifier(nn.Module):
    def __init__(self, pool: Callable[[Tensor, Tensor], Tensor], noise: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder, self.head, self.pool = Encoder(noise), nn.Linear(4, 2), pool
        self.encoder.requires_grad_(False)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.head(self.pool(self.encoder(ids), mask))
        return logits


def toy_losses(model: nn.Module, batch: Batch) -> RowLosses:
    logits = model(batch["ids"], batch["attention_mask"])
    return RowLosses(nn.functional.cross_entropy(logits, batch["label"], reduction="none"), torch.ones(len(logits)))


def toy_batch(left: bool = False) -> dict[str, Tensor]:
    mask = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1] if left else [1, 1, 0, 0]])
    return {"ids": torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]]), "attention_mask": mask, "label": torch.tensor([0, 1])}


def toy_cut(model: Classifier, batch: Batch, trained: tuple[nn.Module, ...] = ()) -> Cut | None:
    for module in trained:
        module.requires_grad_(True)
    return find_cut(model, model.encoder, list(model.encoder.blocks), toy_losses, batch, CPU)


def first(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden[:, 0]


def mean(hidden: Tensor, mask: Tensor) -> Tensor:
    return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def mean_of_padding_too(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.mean(1)


def test_of_a_pass_over_tokens_only_what_the_head_reads_is_kept() -> None:
    kept = {}
    for pool in (first, mean):
        cut = toy_cut(Classifier(pool), toy_batch())
        assert cut is not None
        kept[pool] = cut.fields[0].keeps
    assert kept == {first: "first", mean: "all"}


@pytest.mark.parametrize(("blocks", "name"), [(0, "mobilenet_v2"), (2, "mobilenet_v2.layer.14")])
def test_a_picture_model_is_cut_too_although_its_dropout_writes_into_what_it_is_given(blocks: int, name: str) -> None:
    import transformers

    family, task = plugins.find("families", "mobilenet_v2"), plugins.find("tasks", "image-classification")
    model: Any = transformers.MobileNetV2ForImageClassification(family.tiny())
    model.requires_grad_(False)
    layers = family.blocks(model)
    for trained in [model.classifier, *layers[len(layers) - blocks :]]:
        trained.requires_grad_(True)
    pixels = torch.randn(2, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    cut = find_cut(
        model, model.base_model, layers, task.losses, {"pixel_values": pixels, "label": torch.tensor([0, 1])}, CPU
    )
    assert cut is not None
    assert cut.name == name
    assert [field.keeps for field in cut.fields] == (["all"] if blocks else ["nothing", "all"])


def test_rows_padded_on_the_left_keep_all_their_tokens() -> None:
    cut = toy_cut(Classifier(mean), toy_batch(left=True))
    assert cut is not None
    assert cut.fields[0].keeps == "all"


def test_a_head_that_reads_padding_is_left_alone() -> None:
    assert toy_cut(Classifier(mean_of_padding_too), toy_batch()) is None


def test_chance_between_frozen_layers_is_noticed() -> None:
    quiet, noisy = Classifier(mean), Classifier(mean, noise=0.5)
    assert toy_cut(quiet, toy_batch(), (quiet.encoder.blocks[1],)) is not None
    assert toy_cut(noisy, toy_batch(), (noisy.encoder.blocks[1],)) is None
    # With nothing above it that trains inside the body, its dropout is off.
    assert toy_cut(Classifier(mean, noise=0.5), toy_batch()) is not None


def test_the_cut_lies_below_the_lowest_part_that_trains() -> None:
    model = Classifier(mean)
    cut = toy_cut(model, toy_batch(), (model.encoder.blocks[1],))
    assert cut is not None
    assert cut.name == "encoder.blocks.0"
    assert toy_cut(model, toy_batch(), (model.encoder.embed,)) is None


def test_the_model_computes_as_before_outside_of_a_step() -> None:
    model, batch = Classifier(mean), toy_batch()
    before = model(batch["ids"], batch["attention_mask"])
    cut = toy_cut(model, batch)
    assert cut is not None
    with pytest.raises(RuntimeError), cut.replaced(batch):
        raise RuntimeError
    assert torch.equal(model(batch["ids"], batch["attention_mask"]), before)
    assert not any("forward" in vars(module) for module in model.modules())


def test_tensors_come_back_from_the_disk_in_their_own_type(tmp_path: Path) -> None:
    fields = (
        Field("states", torch.bfloat16, (3,), by_token=True),
        Field("unread", torch.float32, (5,), by_token=False, keeps="nothing"),
        Field("pooled", torch.float32, (2,), by_token=False),
    )
    rows = [
        (str(tokens), tokens, [torch.randn(tokens, 3).bfloat16(), torch.empty(0), torch.randn(2)]) for tokens in (1, 4, 2)
    ]
    store = FeatureStore(tmp_path, "key", fields)
    store.add(rows)
    store.save()
    again = FeatureStore(tmp_path, "key", fields)
    again.open()
    for digest, _, tensors in rows:
        found = again.row(digest)
        assert [tensor.dtype for tensor in (found[0], found[2])] == [torch.bfloat16, torch.float32]
        assert all(
            torch.equal(one, other) for one, other in zip((found[0], found[2]), (tensors[0], tensors[2]), strict=True)
        )
    shutil.rmtree(tmp_path / "key")
    assert "1" not in FeatureStore(tmp_path, "key", fields)
