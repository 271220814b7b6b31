"""Transformers' Trainer and SetFit on labelled texts, for `classify_cpu.py`.

In: the base, rows, a setting. Out: a function that answers the held-out rows with what was trained.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import fresh_processes as fresh
from sonmat.core.values import Example, ModelFacts, Spec

LONGEST = 256
EPOCHS, ROWS_OF_A_STEP, RATE, HEAD_RATE = 3, 16, 5e-5, 1e-3
HEAD_EPOCHS = 10
"""What the method proposes, for everybody: in three a head learns little."""
SETFIT_STEPS = 200


@dataclass(frozen=True)
class Data:
    base: ModelFacts
    spec: Spec
    train: list[Example]
    held_out: list[Example]


Answers = Callable[[], list[str]]
"""Labels of the held-out rows, by the trained model."""


class NotInstalled(Exception):
    """The peer cannot be imported; says how to install it."""


@dataclass(frozen=True)
class TrainerSetting:
    """How Trainer is told to work; as it comes, but for the rows of a step, which are the same for everybody."""

    bf16: bool = False
    grouping: bool = False
    attention: str = "sdpa"
    batch: int = ROWS_OF_A_STEP
    """Rows computed at a time; `ROWS_OF_A_STEP` of them make a step."""

    def __str__(self) -> str:
        said = ["bf16" if self.bf16 else "fp32", f"{self.attention} attention", "length grouping" if self.grouping else ""]
        return ", ".join(word for word in [*said, f"{self.batch} rows at a time"] if word)


def trainer_answers(data: Data, setting: TrainerSetting, head_only: bool, epochs: int) -> Answers:
    """Trainer on the whole model, or on the head alone."""
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    tokenizer = AutoTokenizer.from_pretrained(data.base.path)
    model: Any = AutoModelForSequenceClassification.from_pretrained(
        data.base.path, num_labels=len(data.spec.labels), dtype=torch.float32, attn_implementation=setting.attention
    )
    if head_only:
        model.base_model.requires_grad_(False)

    def encoded(examples: list[Example]) -> list[dict[str, Any]]:
        texts = [data.spec.text_prefix + example.input["text"] for example in examples]
        ids = tokenizer(texts, truncation=True, max_length=LONGEST)["input_ids"]
        labels = [data.spec.labels.index(example.target["label"]) for example in examples]
        return [{"input_ids": row, "labels": label} for row, label in zip(ids, labels, strict=True)]

    folder = tempfile.mkdtemp()
    options: dict[str, Any] = {
        "output_dir": folder,
        "use_cpu": True,
        "num_train_epochs": epochs,
        "per_device_train_batch_size": setting.batch,
        "gradient_accumulation_steps": ROWS_OF_A_STEP // setting.batch,
        "per_device_eval_batch_size": 32,
        "learning_rate": HEAD_RATE if head_only else RATE,
        "warmup_steps": 0.1,
        "weight_decay": 0.01,
        "bf16": setting.bf16 and fresh.compute_type() == "bfloat16",
        "train_sampling_strategy": "group_by_length" if setting.grouping else "random",
        **fresh.QUIET_TRAINER,
    }
    trainer = Trainer(
        model=model,
        args=TrainingArguments(**options),
        train_dataset=encoded(data.train),
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.train()
    trainer.save_model(folder)

    def answers() -> list[str]:
        scores = trainer.predict(encoded(data.held_out)).predictions
        return [data.spec.labels[int(best)] for best in scores.argmax(-1)]

    return answers


def setfit_answers(data: Data) -> Answers:
    """SetFit: contrastive tuning of the sentence encoder on pairs, then logistic regression."""
    try:
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments
    except ImportError as error:
        raise NotInstalled(f"pip install setfit ({error})") from error
    texts = [data.spec.text_prefix + example.input["text"] for example in data.train]
    rows = Dataset.from_dict({"text": texts, "label": [example.target["label"] for example in data.train]})
    model = SetFitModel.from_pretrained(data.base.path, labels=list(data.spec.labels), local_files_only=True, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        told = TrainingArguments(
            output_dir=folder,
            batch_size=ROWS_OF_A_STEP,
            num_epochs=1,
            max_steps=SETFIT_STEPS,
            report_to="none",
            save_strategy="no",
            show_progress_bar=False,
        )
        Trainer(model=model, args=told, train_dataset=rows).train()
    held_out = [data.spec.text_prefix + example.input["text"] for example in data.held_out]
    return lambda: [str(label) for label in model.predict(held_out)]
