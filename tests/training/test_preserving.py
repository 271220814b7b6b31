"""Replay and interpolation keep what a base knew, do what they say, and change nothing where they are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from sonmat import plugins
from sonmat.core.errors import ModelError, Paused, SettingError
from sonmat.core.protocols import FitJob, FitResult, Question, SavedModel
from sonmat.core.values import Example, ModelFacts, Source, Spec
from sonmat.inference.tiny import word_tokenizer
from sonmat.probing.panel import items, texts
from sonmat.training import interpolation, replay
from sonmat.training.general_texts import Prompt, prompts, watched_texts
from sonmat.training.interpolation import Tried, choose, interpolate, moving
from sonmat.training.loop import Validation
from sonmat.training.replay import with_replay
from sonmat.training.weights import LoadedBase, load_base
from tests.training.tiny_jobs import CPU, Heard, tiny_job

GENERAL = {
    "what colour is grass": "grass is green",
    "what colour is snow": "snow is white",
    "what do cows drink": "cows drink water",
    "what do cows eat": "cows eat grass",
    "is snow cold": "yes it is",
    "is fire cold": "no it is not",
    "where do fish live": "in the water",
    "where do birds live": "in the trees",
}
TASK = {
    "when do you open": "at nine in the morning",
    "when do you close": "at six in the evening",
    "where do you live": "at nine green trees",
    "what do you eat": "we eat fish at six",
}


@pytest.fixture(scope="module")
def schooled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny chat model that has learnt `GENERAL` by heart, saved as a base."""
    folder = tmp_path_factory.mktemp("base")
    words = [*GENERAL, *GENERAL.values(), *TASK, *TASK.values()]
    tokenizer = word_tokenizer(words, chat=True)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    job = job_on(folder, folder, GENERAL)
    batch = job.task.collate([job.task.encode(row, tokenizer, job.spec) for row in job.validation], tokenizer)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        losses = job.task.losses(model, batch)
        (losses.sums.sum() / losses.items.sum()).backward()
        optimiser.step()
        optimiser.zero_grad()
    model.save_pretrained(folder / "whole")
    tokenizer.save_pretrained(folder / "whole")
    assert share_known(folder / "whole", GENERAL) == 1
    return folder / "whole"


def test_replay_keeps_what_tuning_would_have_driven_out(
    schooled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "prompts", general_prompts)
    plain = job_on(schooled, tmp_path / "plain", TASK, learning_rate=6e-3, epochs=15)
    fit(plain)
    kept = job_on(schooled, tmp_path / "kept", TASK, learning_rate=6e-3, epochs=15, replay=0.5)
    fit(kept)
    for job in (plain, kept):
        assert share_known(job.folder, TASK) == 1, "both learn the task"
    assert share_known(plain.folder, GENERAL) <= 0.25, "tuning alone forgets, or the test shows nothing"
    assert share_known(kept.folder, GENERAL) >= 0.8


def test_replayed_rows_are_the_bases_own_answers_and_the_asked_share(
    schooled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "prompts", general_prompts)
    job = job_on(schooled, tmp_path, TASK)
    loaded = load_base(job.task, job.spec, schooled, 0)
    mixed = with_replay(job, 0.25, loaded.model, loaded.processor)
    new = mixed.train[len(job.train) :]
    assert {row.input["messages"][0]["content"]: row.target["text"] for row in new} == GENERAL
    assert sum(row.weight for row in new) / sum(row.weight for row in mixed.train) == pytest.approx(0.25)
    assert mixed.validation == job.validation, "what is chosen by stays the user's"
    assert with_replay(job, 0.0, loaded.model, loaded.processor) is job


def test_the_base_answers_once_and_is_found_again(schooled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "prompts", general_prompts)
    job = replace(job_on(schooled, tmp_path, TASK), cache=tmp_path / "cache")
    loaded = load_base(job.task, job.spec, schooled, 0)
    first = with_replay(job, 0.5, loaded.model, loaded.processor)
    monkeypatch.setattr(replay, "generate_each", lambda *given, **named: pytest.fail("asked again"))
    assert with_replay(job, 0.5, loaded.model, loaded.processor).train == first.train
    other = replace(job, base=job.base.model_copy(update={"checksum": "another"}))  # type: ignore[union-attr]
    with pytest.raises(pytest.fail.Exception, match="asked again"):
        with_replay(other, 0.5, loaded.model, loaded.processor)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_replayed_and_interpolated_fit_resumes_exactly(
    schooled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(replay, "prompts", general_prompts)
    wanted = {"replay": 0.5, "interpolate": True, "epochs": 4, "learning_rate": 1e-2}
    whole = job_on(schooled, tmp_path / "whole", TASK, method, **wanted)
    fit(whole, method)
    job = job_on(schooled, tmp_path / "parts", TASK, method, **wanted)
    heard = Heard()
    with pytest.raises(Paused):
        fit(replace(job, emit=heard, should_pause=lambda: len(heard.of("step")) == 3), method)
    fit(job, method)
    for file in job.folder.glob("*.safetensors"):
        again = load_file(whole.folder / file.name)
        assert all(torch.equal(tensor, again[name]) for name, tensor in load_file(file).items())


def test_replay_is_refused_where_nothing_can_be_replayed(
    tmp_path: Path, schooled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingError, match="write none"):
        fit(tiny_job("text-classification", "full", tmp_path, replay=0.2))
    chat = tmp_path / "chat"
    chat.mkdir()
    with pytest.raises(ModelError, match="too little to replay"):
        fit(tiny_job("chat", "full", chat, replay=0.2))


def test_of_the_scales_with_enough_gain_the_nearest_to_the_base_is_kept() -> None:
    def tried(*values: float, distances: Sequence[float] = (0, 1, 2, 3, 4)) -> list[Tried]:
        scales = interpolation.SCALES
        return [Tried(*each, {}) for each in zip(scales, values, distances, strict=True)]

    assert choose(tried(0, 0.5, 0.91, 0.95, 1)).scale == 0.5
    assert choose(tried(0, 0.2, 0.4, 0.6, 1)).scale == 1
    assert choose(tried(-9, -2, -1, -3, -8)).scale == 0.5, "past its best, further is worse"
    assert choose(tried(0, 0, 0, 0, 0)).scale == 0, "what gains nothing is undone"
    assert choose(tried(0, 0.95, 1, 1, 1, distances=(0, 5, 3, 4, 6))).scale == 0.5, "nearness is measured, not supposed"
    nan = float("nan")
    assert choose(tried(nan, 0.1, 0.2, 0.97, 1)).scale == 0.75


def test_the_whole_way_is_the_plain_result_bit_for_bit_and_none_is_the_base(tmp_path: Path) -> None:
    for method in ("full", "freeze"):
        folder = tmp_path / method
        folder.mkdir()
        job, model, loaded = trained(folder, method)
        before = {name: each.detach().clone() for name, each in model.named_parameters()}
        base = dict(load_base(job.task, job.spec, job.base.path, 0).model.named_parameters())  # type: ignore[union-attr]
        names = moving(model, loaded)
        kept = interpolate(job, model, loaded.processor, names, looks(0, 0.1, 0.2, 0.3, 1))
        assert kept.scale == 1
        assert all(torch.equal(each, before[name]) for name, each in model.named_parameters())
        kept = interpolate(job, model, loaded.processor, names, looks(0, 0, 1, 0, 0))
        assert kept.scale == 0.5
        for name, each in model.named_parameters():
            expected = (before[name] + base[name]) / 2 if name in names else before[name]
            torch.testing.assert_close(each, expected)


def test_scaling_an_adapter_is_scaling_its_whole_update(tmp_path: Path) -> None:
    job, model, loaded = trained(tmp_path, "lora")
    row = job.task.encode(job.train[0], loaded.processor, job.spec)
    batch = {"input_ids": torch.tensor([row.arrays["input_ids"]])}
    layers: list[Any] = [module for module in model.modules() if hasattr(module, "lora_B") and hasattr(module, "scaling")]
    for layer in layers:
        layer.scaling["default"] *= 0.75
    with torch.inference_mode():
        expected = model(**batch).logits
    for layer in layers:
        layer.scaling["default"] /= 0.75
    names = moving(model, loaded)
    assert names
    assert all(".lora_B." in name for name in names)
    interpolate(job, model, loaded.processor, names, looks(0, 0, 0, 1, 0))
    with torch.inference_mode():
        torch.testing.assert_close(model(**batch).logits, expected)


def test_the_head_of_the_task_stays_as_trained(tmp_path: Path) -> None:
    for method in ("full", "lora"):
        folder = tmp_path / method
        folder.mkdir()
        job, model, loaded = trained(folder, method, "text-classification")
        names = moving(model, loaded)
        head = {name: each.detach().clone() for name, each in model.named_parameters() if "classifier" in name}
        assert head
        assert not any("classifier" in name for name in names)
        interpolate(job, model, loaded.processor, names, looks(1, 0, 0, 0, 0))
        after = dict(model.named_parameters())
        assert all(torch.equal(after[name], each) for name, each in head.items())


def test_an_overdone_training_is_taken_back_in_part(schooled: Path, tmp_path: Path) -> None:
    """Validated on other words than it was trained on, the whole of a violent training is worse than a part of it."""
    heard = Heard()
    job = replace(job_on(schooled, tmp_path, TASK, learning_rate=1e-2, epochs=30, interpolate=True), emit=heard)
    result = fit(job)
    (event,) = heard.of("interpolated")
    distances = [each["distance"] for each in event["tried"]]
    assert distances[0] == 0
    assert distances == sorted(distances), "the further, the further away on general texts"
    chosen = next(each for each in event["tried"] if each["scale"] == event["kept"])
    assert result.selection["nll_per_character"] == chosen["value"]
    assert result.budget is not None
    assert "5" in result.budget.en


def test_a_method_that_leaves_the_base_alone_has_nothing_to_interpolate(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="only the task's own head"):
        fit(tiny_job("text-classification", "head-only", tmp_path, interpolate=True), "head-only")


def test_nothing_that_training_may_use_is_in_the_panel() -> None:
    asked = {plain(item.prompt) for item in items()} | {plain(text.prompt) for text in texts()}
    used = [*(prompt.prompt for prompt in prompts()), *(text.prompt for text in watched_texts())]
    assert len(prompts()) == 96
    assert len({plain(prompt) for prompt in used}) == len(used)
    assert not asked & {plain(prompt) for prompt in used}
    passages = {plain(text.text) for text in texts()} | {plain(item.prompt) for item in items()}
    for text in watched_texts():
        words = plain(text.text).split()
        runs = {" ".join(words[at : at + 6]) for at in range(len(words) - 5)}
        assert not any(run in passage for run in runs for passage in passages), text.id


def general_prompts() -> tuple[Prompt, ...]:
    return tuple(
        Prompt(id=f"general-{number}", language="en", prompt=question, provenance="test")
        for number, question in enumerate(GENERAL)
    )


def job_on(base: Path, folder: Path, pairs: dict[str, str], method: str = "full", **settings: Any) -> FitJob:
    """A fit of a chat model on `pairs`, four times each."""
    (folder / "model").mkdir(parents=True, exist_ok=True)
    rows = tuple(
        Example(
            id=f"{number}-{turn}",
            input={"messages": [{"role": "user", "content": question}]},
            target={"text": answer},
            source=Source(file="", row=number),
        )
        for turn in range(4)
        for number, (question, answer) in enumerate(pairs.items())
    )
    facts = ModelFacts(
        name="tiny", path=str(base), origin="tiny", checksum=str(base), family="llama", model_type="llama", parameters=1
    )
    found = plugins.find("methods", method)
    common = {"batch_size": 8, "patience": 99, "validate_every": 20, "warmup_ratio": 0.0, "schedule": "constant"}
    return FitJob(
        task=plugins.find("tasks", "chat"),
        spec=Spec(max_tokens=64, max_new_tokens=16),
        base=facts,
        family=plugins.find("families", "llama"),
        settings=found.Settings.model_validate({**common, **settings}),
        train=rows,
        validation=rows[: len(pairs)],
        selection=plugins.find("metrics", "nll_per_character"),
        folder=folder / "model",
        work=folder / "work",
        seed=0,
        device=CPU,
        emit=Heard(),
        should_pause=lambda: False,
    )


def fit(job: FitJob, method: str = "full") -> FitResult:
    return plugins.find("methods", method).fit(job)


def share_known(folder: Path, pairs: dict[str, str]) -> float:
    """How much of `pairs` the model in `folder` says word for word."""
    task = plugins.find("tasks", "chat")
    full = plugins.find("methods", "full")
    facts = ModelFacts(name="t", path=str(folder), origin="", checksum="", family="llama", model_type="llama", parameters=1)
    family = plugins.find("families", "llama")
    spec = Spec(max_tokens=64, max_new_tokens=16)
    predictor = full.load(SavedModel(folder, "full", task, spec, facts, family, full.Settings(), CPU))
    questions = [Question(asked, {"messages": [{"role": "user", "content": asked}]}) for asked in pairs]
    known = [answer.output["text"] == pairs[answer.row] for answer in predictor.answer(questions)]
    return known.count(True) / len(pairs)


def trained(folder: Path, method: str, task: str = "chat") -> tuple[FitJob, Any, LoadedBase]:
    """A model whose trained weights have moved, as `tune` holds it when training is over."""
    job = tiny_job(task, method, folder)
    assert job.base is not None
    loaded = load_base(job.task, job.spec, job.base.path, 0)
    prepared: list[Any] = []

    def stop(given: FitJob, settings: Any, prepare: Any, *rest: Any, **named: Any) -> FitResult:
        prepared.append(prepare(loaded))
        return FitResult()

    found = plugins.find("methods", method)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"sonmat.methods.{method}.tune", stop)
        found.fit(job)
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in prepared[0].parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=chance) / 10)
    return job, prepared[0], loaded


def looks(*values: float) -> Any:
    """A validation that finds these values one after the other."""
    left = iter(values)
    return lambda: Validation("accuracy", next(left), higher_is_better=True, loss=1.0)


def plain(text: str) -> str:
    return " ".join(text.casefold().split())
