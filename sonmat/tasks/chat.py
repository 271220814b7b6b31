"""Chat: the assistant's next turn in a conversation (FAQ, support, copywriting). In: messages. Out: text.

Training counts assistants' words and the token that ends their turn, nothing else. A row is never cut inside an answer:
what does not fit loses its oldest tokens, and a row whose answer itself does not fit is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sonmat.core.errors import DataError, ModelError
from sonmat.core.protocols import Answer, Batch, Message, Row, RowLosses, Tiny
from sonmat.core.text import Text
from sonmat.core.values import Example, Json, Source, Spec
from sonmat.inference.generation import generate
from sonmat.inference.rendering import render_prompt, render_training
from sonmat.reading.tools import text_with_calls, turn_of

if TYPE_CHECKING:
    from torch import nn

IGNORED = -100


class CalledFunction(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    arguments: str | dict[str, Any] = ""
    """As JSON text, which is how OpenAI writes them, or as an object."""


class ToolCall(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    type: Literal["function"] = "function"
    function: CalledFunction


class ChatMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    weight: float = Field(1.0, ge=0, le=1)
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class ChatInput(BaseModel):
    """A conversation that waits for the assistant's answer, and the tools that the assistant may call."""

    model_config = ConfigDict(extra="forbid")

    messages: list[ChatMessage] = Field(min_length=1)
    tools: list[dict[str, Any]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _waits_for_the_assistant(self) -> ChatInput:
        if self.messages[-1].role not in ("user", "tool"):
            raise ValueError("the last message before the answer must be the user's or a tool's")
        return self


class ChatTarget(BaseModel):
    """What the assistant says; where it calls tools, the calls stand in `text` too, as metrics compare them."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)
    tool_calls: list[ToolCall] | None = None


class Chat:
    name = "chat"
    title = Text(en="chat", ko="대화")
    route = "/v1/chat/completions"
    Input: type[BaseModel] = ChatInput
    Target: type[BaseModel] = ChatTarget
    Output: type[BaseModel] = ChatTarget
    shapes: tuple[str, ...] = ("messages", "sharegpt", "alpaca", "prompt_completion", "context_chat", "input_output")
    modality: Literal["text", "image", "audio"] = "text"
    auto_model = "AutoModelForCausalLM"
    auto_processor = "AutoTokenizer"
    generates = True
    metrics: tuple[str, ...] = ("chrf", "bleu", "token_f1", "rouge_2", "rouge_l", "exact_match", "nll_per_character")
    selection_metric = "nll_per_character"

    def specify(self, examples: Sequence[Example]) -> Spec:
        return Spec(supervise="all")

    def configure(self, spec: Spec) -> Json:
        return {}

    def encode(self, example: Example, processor: Any, spec: Spec) -> Row:
        tools = example.input.get("tools")
        messages = [*example.input["messages"], turn_of(example.target)]
        chat = render_training(messages, processor, spec.supervise, tools)
        labels = [token if learnt else IGNORED for token, learnt in zip(chat.ids, chat.supervised, strict=True)]
        cut = max(0, len(chat.ids) - spec.max_tokens)
        answer = len(chat.ids) - len(render_prompt(example.input["messages"], processor, tools))
        if cut and answer >= spec.max_tokens:
            raise DataError(
                Text(
                    en=f"the answer has {answer} tokens and the longest row is {spec.max_tokens}",
                    ko=f"응답이 {answer}토큰인데 한 행은 최대 {spec.max_tokens}토큰입니다",
                ),
                Text(en="Shorten it, or raise max_tokens.", ko="응답을 줄이거나 max_tokens를 늘리세요."),
            )
        supervised = sum(label != IGNORED for label in labels[cut:])
        return Row({"input_ids": chat.ids[cut:], "labels": labels[cut:]}, len(chat.ids) - cut, cut, supervised)

    def encode_input(self, input: Json, processor: Any, spec: Spec) -> Row:
        ids = render_prompt(input["messages"], processor, input.get("tools"))
        cut = max(0, len(ids) - spec.max_tokens)
        return Row({"input_ids": ids[cut:]}, len(ids) - cut, cut)

    def collate(self, rows: Sequence[Row], processor: Any) -> Batch:
        import torch

        width = max(row.length for row in rows)
        pad = processor.pad_token_id or 0
        batch: Batch = {
            "input_ids": torch.full((len(rows), width), pad),
            "attention_mask": torch.zeros((len(rows), width), dtype=torch.long),
        }
        if "labels" in rows[0].arrays:
            batch["labels"] = torch.full((len(rows), width), IGNORED)
        for index, row in enumerate(rows):
            batch["input_ids"][index, : row.length] = torch.tensor(row.arrays["input_ids"])
            batch["attention_mask"][index, : row.length] = 1
            if "labels" in batch:
                batch["labels"][index, : row.length] = torch.tensor(row.arrays["labels"])
        return batch

    def losses(self, model: nn.Module, batch: Batch) -> RowLosses:
        """Cross-entropy of supervised tokens; the output layer sees only the positions that predict one."""
        import torch

        from sonmat.training.fused.output_loss import token_losses
        from sonmat.training.packing import row_of_tokens, rows_in
        from sonmat.training.varlen import rows_apart

        decoder, output_layer = model.get_decoder(), model.get_output_embeddings()  # type: ignore[operator]
        # Rows are padded on the right, where a causal model never looks from a real token: no mask is needed, and
        # attention without one takes its fast path.
        with rows_apart(model, batch) as arguments:
            states = decoder(input_ids=batch["input_ids"], use_cache=False, **arguments).last_hidden_state
        hidden, targets = states[:, :-1], batch["labels"][:, 1:]
        wanted = targets != IGNORED
        rows = row_of_tokens(batch)[:, 1:][wanted]
        per_token = token_losses(hidden[wanted], output_layer.weight, output_layer.bias, targets[wanted], _softcap(model))
        none = torch.zeros(rows_in(batch), dtype=torch.float32, device=targets.device)
        return RowLosses(none.index_add(0, rows, per_token), none.index_add(0, rows, torch.ones_like(per_token)))

    def decode(self, model: nn.Module, batch: Batch, processor: Any, spec: Spec) -> list[Answer]:
        prompts = [ids[mask.bool()].tolist() for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)]
        return [
            Answer({"text": text_with_calls(answer.text)}, answer.confidence, answer.tokens)
            for answer in generate(model, processor, prompts, spec.max_new_tokens)
        ]

    def ask(self, input: Json, shots: Sequence[Example], spec: Spec) -> list[Message] | None:
        messages: list[Message] = [dict(message) for message in input["messages"]]
        answered: list[Message] = []
        for shot in shots:
            answered += [*shot.input["messages"], turn_of(shot.target)]
        at = 1 if messages[0]["role"] == "system" else 0
        return [*messages[:at], *answered, *messages[at:]]

    def parse(self, text: str, spec: Spec) -> Json:
        return {"text": text_with_calls(text.strip())}

    def tiny(self) -> Tiny:
        from transformers import LlamaConfig

        from sonmat.inference.tiny import word_tokenizer

        pairs = [("when do you open", "at nine"), ("when do you close", "at six in the evening"), ("hello", "good day")]
        examples = tuple(
            Example(
                id=f"{number}{turn}",
                input={"messages": [{"role": "user", "content": question}]},
                target={"text": answer},
                source=Source(file="", row=number),
            )
            for turn in range(4)
            for number, (question, answer) in enumerate(pairs)
        )
        tokenizer = word_tokenizer([f"{question} {answer}" for question, answer in pairs], chat=True)
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            intermediate_size=32,
            max_position_embeddings=64,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
        return Tiny(config, tokenizer, examples, Spec(max_tokens=64, max_new_tokens=8))


def _softcap(model: nn.Module) -> float | None:
    """Gemma 2 squeezes its logits with tanh. Families that scale them in another way are refused, not computed wrongly.

    Raises:
        ModelError: the model scales its logits.
    """
    for name in ("logits_scaling", "logit_scale", "scale_emb"):
        if getattr(model.config, name, 1) not in (1, 1.0, None):
            raise ModelError(
                Text(
                    en=f"This base scales its logits ({name}), which Sonmat's loss does not know yet.",
                    ko=f"이 모델은 로짓을 조정하는데({name}) Sonmat의 손실 계산이 아직 지원하지 않습니다.",
                ),
                Text(en="Choose another base model.", ko="다른 기본 모델을 고르세요."),
            )
    cap = getattr(model.config, "final_logit_softcapping", None)
    return float(cap) if cap is not None else None


plugin = Chat()
