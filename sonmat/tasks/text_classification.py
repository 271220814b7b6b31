"""Text classification: one label for a text (sentiment, topic, intent). In: a text. Out: a label and every label's share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.protocols import Answer, Batch, Message, Row, RowLosses, Tiny
from sonmat.core.text import Text
from sonmat.core.values import Example, Json, Source, Spec
from sonmat.inference.classification import (
    LabelOutput,
    LabelTarget,
    answers_of,
    label_config,
    labels_of,
    losses_of,
    named_label,
    prompt_for,
)

if TYPE_CHECKING:
    from torch import nn


class TextInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)


class TextClassification:
    name = "text-classification"
    title = Text(en="text classification", ko="텍스트 분류")
    route = "/v1/predict"
    Input: type[BaseModel] = TextInput
    Target: type[BaseModel] = LabelTarget
    Output: type[BaseModel] = LabelOutput
    shapes: tuple[str, ...] = ("text_label",)
    modality: Literal["text", "image", "audio"] = "text"
    auto_model = "AutoModelForSequenceClassification"
    auto_processor = "AutoTokenizer"
    generates = False
    metrics: tuple[str, ...] = ("macro_f1", "accuracy")
    selection_metric = "macro_f1"

    def specify(self, examples: Sequence[Example]) -> Spec:
        return Spec(labels=labels_of(examples))

    def configure(self, spec: Spec) -> Json:
        return label_config(spec)

    def encode(self, example: Example, processor: Any, spec: Spec) -> Row:
        row = self.encode_input(example.input, processor, spec)
        return Row({**row.arrays, "label": spec.labels.index(example.target["label"])}, row.length, row.cut)

    def encode_input(self, input: Json, processor: Any, spec: Spec) -> Row:
        whole = processor(spec.text_prefix + input["text"], verbose=False)["input_ids"]
        if len(whole) <= spec.max_tokens:
            return Row({"input_ids": list(whole)}, len(whole))
        kept = processor(spec.text_prefix + input["text"], truncation=True, max_length=spec.max_tokens)["input_ids"]
        return Row({"input_ids": list(kept)}, len(kept), cut=len(whole) - len(kept))

    def collate(self, rows: Sequence[Row], processor: Any) -> Batch:
        import torch

        padded = processor.pad({"input_ids": [row.arrays["input_ids"] for row in rows]}, return_tensors="pt")
        batch: Batch = {"input_ids": padded["input_ids"], "attention_mask": padded["attention_mask"]}
        if "label" in rows[0].arrays:
            batch["label"] = torch.tensor([row.arrays["label"] for row in rows])
        return batch

    def losses(self, model: nn.Module, batch: Batch) -> RowLosses:
        return losses_of(_logits(model, batch), batch["label"])

    def decode(self, model: nn.Module, batch: Batch, processor: Any, spec: Spec) -> list[Answer]:
        return answers_of(_logits(model, batch), spec)

    def ask(self, input: Json, shots: Sequence[Example], spec: Spec) -> list[Message] | None:
        return prompt_for(input, shots, spec)

    def parse(self, text: str, spec: Spec) -> Json:
        return {"label": named_label(text, spec)}

    def tiny(self) -> Tiny:
        from transformers import BertConfig

        from sonmat.inference.tiny import word_tokenizer

        sentences = {"good": "a fine day", "bad": "no hope at all", "odd": "why would it rain"}
        examples = tuple(
            Example(id=f"{label}{n}", input={"text": f"{text} {n}"}, target={"label": label}, source=Source(file="", row=n))
            for n in range(4)
            for label, text in sentences.items()
        )
        tokenizer = word_tokenizer([example.input["text"] for example in examples])
        config = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
        )
        return Tiny(config, tokenizer, examples, self.specify(examples))


def _logits(model: nn.Module, batch: Batch) -> Any:
    """float32 of shape (rows, labels)."""
    return model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.float()


plugin = TextClassification()
