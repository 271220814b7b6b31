"""A tiny random language model that is asked for labels and answers, for tests of milliseconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from sonmat import plugins
from sonmat.core.protocols import FitJob, SavedModel
from sonmat.core.values import Device, Example, ModelFacts, Source, Spec
from sonmat.inference.tiny import word_tokenizer
from tests.training.tiny_jobs import Heard

CPU = Device(kind="cpu", cores=1, memory_bytes=8 << 30, bf16=False)
SENTENCES = {"good": "a fine day", "bad": "no hope at all", "very odd": "why would it rain"}
WORDS = "Text: Label: Classify the text. Answer with exactly one of these labels and nothing else: - good bad very odd"


def examples(count: int = 12, first: int = 0) -> tuple[Example, ...]:
    labels = list(SENTENCES)
    return tuple(
        Example(
            id=f"row{number}",
            input={"text": f"{SENTENCES[labels[number % 3]]} {number}"},
            target={"label": labels[number % 3]},
            source=Source(file="", row=number),
        )
        for number in range(first, first + count)
    )


def talker_tokenizer() -> Any:
    numbers = " ".join(map(str, range(40)))
    return word_tokenizer([*SENTENCES.values(), *SENTENCES, WORDS, numbers], chat=True)


def save_talker(folder: Path, template: str | None = None, seed: int = 0) -> ModelFacts:
    """A base that follows chat messages, as far as random weights do; with large ones, so that no two tokens are nearly as likely."""
    tokenizer = talker_tokenizer()
    if template is not None:
        tokenizer.chat_template = template
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=32,
        max_position_embeddings=512,
        initializer_range=0.5,
        tie_word_embeddings=False,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    torch.manual_seed(seed)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return ModelFacts(
        name="talker", path=str(folder), origin=str(folder), checksum="talker", family="llama", model_type="llama",
        parameters=1, max_positions=512, chat=True,
    )  # fmt: skip


def label_job(folder: Path, method_name: str, emit: Heard | None = None, **settings: Any) -> FitJob:
    """A fit of `method_name` on 12 rows to learn from and 24 to validate."""
    task, method = plugins.find("tasks", "text-classification"), plugins.find("methods", method_name)
    base = save_talker(folder / "base")
    (folder / "model").mkdir(parents=True, exist_ok=True)
    return FitJob(
        task=task,
        spec=Spec(labels=tuple(sorted(SENTENCES)), max_tokens=256),
        base=base,
        family=plugins.find("families", base.family),
        settings=method.Settings(**settings),
        train=examples(),
        validation=examples(24, first=12),
        selection=plugins.find("metrics", task.selection_metric),
        folder=folder / "model",
        work=folder / "work",
        seed=0,
        device=CPU,
        emit=emit or Heard(),
        should_pause=lambda: False,
    )


def chat_job(folder: Path, method_name: str, **settings: Any) -> FitJob:
    """The same base asked for answers: the label as a sentence."""
    task, method = plugins.find("tasks", "chat"), plugins.find("methods", method_name)
    job = label_job(folder, "zero-shot")
    return replace(
        job,
        task=task,
        spec=Spec(max_tokens=256, max_new_tokens=8),
        settings=method.Settings(**settings),
        train=tuple(map(as_chat, job.train)),
        validation=tuple(map(as_chat, job.validation)),
        selection=plugins.find("metrics", task.selection_metric),
    )


def as_chat(example: Example, system: str | None = None) -> Example:
    told = [{"role": "system", "content": system}] if system else []
    return example.model_copy(
        update={
            "input": {"messages": [*told, {"role": "user", "content": example.input["text"]}]},
            "target": {"text": example.target["label"]},
        }
    )


def saved_of(job: FitJob, method_name: str) -> SavedModel:
    return SavedModel(job.folder, method_name, job.task, job.spec, job.base, job.family, job.settings, job.device)
