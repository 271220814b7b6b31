"""TRL's SFTTrainer and Transformers' Trainer on rows of a chat, for `train_cpu.py`.

In: the base, rows, a setting. Out: the seconds of the steps, and the trained adapter or model in a folder.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonmat import plugins
from sonmat.core.values import Example, ModelFacts, Spec

if TYPE_CHECKING:
    from benchmarks.train_cpu import PeerSetting

# The caller is the script itself, known as __main__; its numbers are the one truth of both sides.
_script: Any = sys.modules["__main__"]


class NotInstalled(Exception):
    """The peer cannot be imported; says how to install it."""


def peer_seconds(
    name: str,
    base: ModelFacts,
    examples: list[Example],
    tokenizer: Any,
    setting: PeerSetting,
    method: str,
    out: Path,
    looks: Looks | None = None,
) -> float:
    """Train with the peer that `name` begins with and save; seconds of `trainer.train()`, those of looks taken off.

    Raises:
        NotInstalled: TRL is not there.
    """
    with tempfile.TemporaryDirectory() as work:
        build = _trl if name.startswith("trl") else _trainer
        trainer = build(base, examples, tokenizer, setting, method, work)
        if looks is not None:
            trainer.add_callback(_looking(looks))
            looks.begin()
        start = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - start - (looks.spent if looks is not None else 0.0)
        trainer.save_model(str(out))
    return seconds


class Looks:
    """Held-out losses while a model trains, each with the seconds of training before it; looking stops the clock."""

    def __init__(self, loss: Callable[[Any], float], every: int) -> None:
        self.loss, self.every = loss, every
        self.found: list[tuple[float, float]] = []
        self.spent = 0.0
        self._begun = 0.0

    def begin(self) -> None:
        self._begun = time.perf_counter()

    def look(self, model: Any) -> None:
        now = time.perf_counter()
        training = model.training
        self.found.append((now - self._begun - self.spent, self.loss(model.eval())))
        model.train(training)
        self.spent += time.perf_counter() - now


def _looking(looks: Looks) -> Any:
    from transformers import TrainerCallback

    class Looking(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, *, model: Any = None, **more: Any) -> None:
            if state.global_step % looks.every == 0:
                looks.look(model)

    return Looking()


def _trl(base: ModelFacts, examples: list[Example], tokenizer: Any, setting: PeerSetting, method: str, work: str) -> Any:
    try:
        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer
    except ImportError as error:
        raise NotInstalled(f"pip install trl ({error})") from error
    chats = [[*example.input["messages"], {"role": "assistant", "content": example.target["text"]}] for example in examples]
    rows: list[dict[str, Any]] = [{"messages": chat} for chat in chats]
    if setting.supervised_only:
        rows = [{"prompt": chat[:-1], "completion": chat[-1:]} for chat in chats]
    config = SFTConfig(
        **_arguments(setting, method, work),
        packing=setting.packing,
        max_length=_script.LONGEST,
        model_init_kwargs={"dtype": _loaded_dtype(method), **_attention(setting)},
    )
    return SFTTrainer(
        base.path,
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=_adapter() if method == "lora" else None,
    )


def _trainer(
    base: ModelFacts, examples: list[Example], tokenizer: Any, setting: PeerSetting, method: str, work: str
) -> Any:
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM, DataCollatorForSeq2Seq, Trainer, TrainingArguments

    model: Any = AutoModelForCausalLM.from_pretrained(base.path, dtype=_loaded_dtype(method), **_attention(setting))
    if method == "lora":
        model = get_peft_model(model, _adapter())
    task, spec = plugins.find("tasks", "chat"), Spec(max_tokens=_script.LONGEST, supervise="last")
    rows = [dict(task.encode(example, tokenizer, spec).arrays) for example in examples]
    return Trainer(
        model=model,
        args=TrainingArguments(**_arguments(setting, method, work)),
        train_dataset=rows,
        data_collator=DataCollatorForSeq2Seq(tokenizer, padding=True),
    )


def _arguments(setting: PeerSetting, method: str, work: str) -> dict[str, Any]:
    return {
        "output_dir": work,
        "use_cpu": True,
        "bf16": _script.fresh.compute_type() == "bfloat16",
        "num_train_epochs": 1,
        "learning_rate": _script.RATES[method],
        "lr_scheduler_type": "linear",
        "warmup_steps": 0.1,
        "per_device_train_batch_size": setting.batch,
        # As many optimiser steps as Sonmat takes, so that losses can be compared. A packed batch holds several rows already.
        "gradient_accumulation_steps": 1 if setting.packing else max(1, _script.ROWS_OF_A_STEP // setting.batch),
        "gradient_checkpointing": setting.checkpointing,
        "train_sampling_strategy": "group_by_length" if setting.grouping else "random",
        **_script.fresh.QUIET_TRAINER,
    }


def _loaded_dtype(method: str) -> str:
    """A frozen base in the compute type, as Sonmat has it; weights that train in fp32."""
    found: str = _script.fresh.compute_type() if method == "lora" else "float32"
    return found


def _attention(setting: PeerSetting) -> dict[str, Any]:
    return {"attn_implementation": setting.attention} if setting.attention else {}


def _adapter() -> Any:
    from peft import LoraConfig

    return LoraConfig(r=_script.RANK, lora_alpha=_script.ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
