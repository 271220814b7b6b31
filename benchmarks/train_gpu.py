"""LoRA on a GPU: Sonmat beside TRL's SFTTrainer and Unsloth, on random weights of Llama-3-8B's shape.

    python -m benchmarks.train_gpu                 256 rows of 50 to 2,048 tokens, A B C A B C
    python -m benchmarks.train_gpu --tiny --cpu    whether the script works: a model of some thousand weights, on any machine

All train the same weights in bf16 on the same rows: rank 16 and alpha 32 on all linear layers, one epoch, passes of 2,048 tokens that
hold whole rows without padding, about 32 rows an optimiser step. Weights and words are random, so that losses say nothing
and nothing has to be downloaded; speed and memory do not depend on them. Tokens are real ones, counted once for all. Seconds are
those of the steps, the first `WARM_UP` left out, because kernels are chosen and compiled then. Peak memory is PyTorch's own count
on the device. The matrix rate is measured in the same process. Peers: `pip install trl liger-kernel flash-attn unsloth`; what is
not installed is said and left out.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import fresh_processes as fresh
from benchmarks.fresh_processes import Measured
from sonmat import plugins
from sonmat.core.text import Text
from sonmat.core.values import Example, ModelFacts, Source, Spec

PASS_TOKENS = 2048
ROWS_OF_A_STEP = 32
RANK, ALPHA, RATE = 16, 32, 2e-4
WARM_UP = 2
"""Optimiser steps that are not timed."""
LLAMA_8B: dict[str, Any] = {
    "vocab_size": 128_256,
    "hidden_size": 4096,
    "intermediate_size": 14_336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
    "rope_theta": 500_000.0,
}
TINY: dict[str, Any] = {
    **LLAMA_8B, "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2,
}  # fmt: skip
WORDS = [f"w{number}" for number in range(400)]
PEERS = ("trl", "trl-liger", "unsloth")


def main() -> None:
    asked = arguments()
    if asked.run:
        print(json.dumps(measure(asked)))
        return
    with tempfile.TemporaryDirectory() as folder:
        asked.base = folder
        report(asked)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument(
        "--tiny", action="store_true", help="a model of some thousand weights and 96 short rows, each run once"
    )
    parser.add_argument("--cpu", action="store_true", help="on the processor, to try the script")
    parser.add_argument("--only", nargs="*", help=f"names of the runs to do: sonmat, {', '.join(PEERS)}")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.tiny:
        asked.rows, asked.repeats = 96, 1
    return asked


def report(asked: argparse.Namespace) -> None:
    """Run everything in turns and print Markdown."""
    print(f"LoRA on random weights of {'a tiny' if asked.tiny else 'Llama-3-8B’s'} shape, {asked.rows} rows.\n")
    print(f"{fresh.circumstances()}\n", flush=True)
    made = in_own_process(asked, "make")
    if "failed" in made:
        raise SystemExit(f"The base cannot be made: {made['failed']}")
    names = asked.only or ["sonmat", *PEERS]
    runs: dict[str, list[Measured]] = {name: [] for name in names}
    for name in fresh.in_turns(names, asked.repeats):
        runs[name].append(in_own_process(asked, name))
    print(as_markdown(runs))


def in_own_process(asked: argparse.Namespace, name: str) -> Measured:
    told = ["--run", name, "--base", asked.base, "--rows", str(asked.rows)]
    told += [flag for flag, on in (("--tiny", asked.tiny), ("--cpu", asked.cpu)) if on]
    return fresh.measured_in_its_own_process("benchmarks.train_gpu", told)


def as_markdown(runs: dict[str, list[Measured]]) -> str:
    own = fresh.middle(runs.get("sonmat", []), "tokens_per_second")
    lines = []
    for name, found in runs.items():
        problem = found[-1].get("skipped") or found[-1].get("failed")
        if problem:
            lines.append([name, str(problem), *["–"] * 3])
            continue
        speed = fresh.middle(found, "tokens_per_second")
        share = (fresh.middle(found, "operations_per_second") or 0) / max(run["gemm_rate"] for run in found)
        times = f"{own / speed:.2f}×" if own and speed else "–"
        peak = f"{(fresh.middle(found, 'peak_bytes') or 0) / 1e9:.1f} GB"
        lines.append([name, fresh.spread(found, "tokens_per_second"), times, peak, f"{share:.0%}"])
    return fresh.table(("run", "tokens/s", "Sonmat is", "peak memory", "of matrix rate"), lines)


# ── one measurement, in a process of its own ────────────────────────────────────────────────────────────────────────


def measure(asked: argparse.Namespace) -> Measured:
    """Do the run called `asked.run` here and now."""
    if asked.cpu:
        import torch

        torch.cuda.is_available = lambda: False
    folder = Path(asked.base)
    if asked.run == "make":
        return make_base(folder, TINY if asked.tiny else LLAMA_8B)
    rows = random_rows(asked.rows, longest=256 if asked.tiny else PASS_TOKENS)
    try:
        clock = sonmat(folder, rows) if asked.run == "sonmat" else peer(asked.run, folder, rows)
    except ImportError as error:
        return {"run": asked.run, "skipped": f"not installed ({error})"}
    return {"run": asked.run, **clock.measured(folder, rows)}


class Clock:
    """Seconds of optimiser steps behind the first ones, and the peak of memory."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.rate = matrix_rate()
        self.peak = 0

    def step_is_done(self) -> None:
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())

    def ends(self) -> None:
        from sonmat.inference.device import detect_device, peak_memory
        from sonmat.training.accelerators import peak_bytes

        device = detect_device()
        self.peak = peak_bytes(device) if device.kind == "cuda" else peak_memory()

    def measured(self, folder: Path, rows: list[Example]) -> Measured:
        timed = len(self.times) - WARM_UP
        if timed < 1:
            raise SystemExit(f"only {len(self.times)} steps: more --rows are needed")
        seconds = self.times[-1] - self.times[WARM_UP - 1]
        # Steps hold as many rows each, drawn at random: their tokens are those of the epoch, by the step.
        share = timed / len(self.times)
        tokens = sum(row_tokens(row) for row in rows) * share
        operations = needed_operations(folder, rows) * share
        return {
            "tokens_per_second": tokens / seconds,
            "operations_per_second": operations / seconds,
            "gemm_rate": max(self.rate, matrix_rate()),
            "peak_bytes": self.peak,
            "steps": len(self.times),
        }


def make_base(folder: Path, shape: dict[str, Any]) -> Measured:
    """A folder with random weights in bf16 and a tokenizer of a few hundred words."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    from sonmat.inference.tiny import word_tokenizer

    tokenizer = word_tokenizer(WORDS, chat=True)
    special = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("pad", "eos")}
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(LlamaConfig(**shape, **special, bos_token_id=None), dtype=torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {"parameters": model.num_parameters()}


def random_rows(count: int, longest: int) -> list[Example]:
    """Chats of 50 words up to `longest` tokens, most of them short as in real data (log-normal), a third of each the answer."""
    chance = random.Random(0)
    rows = []
    for number in range(count):
        words = min(max(round(chance.lognormvariate(5.7, 0.8)), 50), longest - 20)
        said = chance.choices(WORDS, k=words)
        question, answer = " ".join(said[: words * 2 // 3]), " ".join(said[words * 2 // 3 :])
        message = {"role": "user", "content": question}
        source = Source(file="", row=number)
        rows.append(Example(id=str(number), input={"messages": [message]}, target={"text": answer}, source=source))
    return rows


def row_tokens(row: Example) -> int:
    """Words, and the six tokens that the chat template puts around two turns."""
    words = len(row.input["messages"][0]["content"].split()) + len(row.target["text"].split())
    return words + 6


def needed_operations(folder: Path, rows: list[Example]) -> float:
    """As in `train_cpu`: padding, recomputation and logits of other tokens are nobody's need."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    config = model.config
    linear = [each for each in model.get_decoder().modules() if isinstance(each, torch.nn.Linear)]
    weights = sum(each.weight.numel() for each in linear)
    adapter = sum(RANK * (each.in_features + each.out_features) for each in linear)
    lengths = [row_tokens(row) for row in rows]
    seen = sum(length * (length + 1) / 2 for length in lengths)
    attention = 3 * 4 * config.hidden_size * seen * config.num_hidden_layers
    supervised = sum(len(row.target["text"].split()) + 1 for row in rows)
    output = config.vocab_size * config.hidden_size
    return float(sum(lengths) * (4 * weights + 6 * adapter) + attention + 4 * supervised * output)


def matrix_rate() -> float:
    """Operations a second of large square products in bf16 on the device: the best of some tries."""
    import torch

    if not torch.cuda.is_available():
        return fresh.gemm_rate("bfloat16")
    size, best = 8192, 0.0
    left, right = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(12):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        torch.mm(left, right)
        end.record()
        torch.cuda.synchronize()
        best = max(best, 2 * size**3 / (start.elapsed_time(end) / 1e3))
    torch.cuda.empty_cache()
    return best


def sonmat(folder: Path, rows: list[Example]) -> Clock:
    """The product's own fit."""
    from sonmat.core.protocols import FitJob, Workload
    from sonmat.inference.device import detect_device

    clock, device = Clock(), detect_device()
    base = base_facts(folder)
    task, method = plugins.find("tasks", "chat"), plugins.find("methods", "lora")
    workload = Workload(base, device, len(rows), 2, 0, 300.0, PASS_TOKENS, 100.0)
    settings = {"epochs": 1, "batch_size": ROWS_OF_A_STEP, "learning_rate": RATE, "rank": RANK, "alpha": ALPHA}

    def hear(kind: str, message: Text | None = None, /, **data: Any) -> None:
        if kind == "step":
            clock.step_is_done()

    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "model"
        out.mkdir()
        job = FitJob(
            task=task,
            spec=Spec(max_tokens=PASS_TOKENS, supervise="last"),
            base=base,
            family=plugins.find("families", "llama"),
            settings=method.Settings(
                **{**method.propose(task, workload), **settings, "micro_batch_tokens": PASS_TOKENS, "compile": "no"}
            ),
            train=rows,
            validation=[replace_id(row, f"v{row.id}") for row in rows[:2]],
            selection=plugins.find("metrics", task.selection_metric),
            folder=out,
            work=Path(work) / "work",
            seed=0,
            device=device,
            emit=hear,
            should_pause=lambda: False,
        )
        method.fit(job)
    clock.ends()
    return clock


def replace_id(row: Example, id: str) -> Example:
    return row.model_copy(update={"id": id})


def base_facts(folder: Path) -> ModelFacts:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return ModelFacts(
        name="random",
        path=str(folder),
        origin=str(folder),
        checksum="random",
        family="llama",
        model_type="llama",
        parameters=8_030_000_000,
        hidden_size=config["hidden_size"],
        layers=config["num_hidden_layers"],
        vocabulary=config["vocab_size"],
    )


def peer(name: str, folder: Path, rows: list[Example]) -> Clock:
    """TRL, TRL with Liger's kernels, or Unsloth.

    Raises:
        ImportError: it is not installed.
    """
    build: dict[str, Callable[..., Any]] = {"trl": _trl, "trl-liger": _trl, "unsloth": _unsloth}
    clock = Clock()
    with tempfile.TemporaryDirectory() as work:
        trainer = build[name](folder, rows, work, liger=name == "trl-liger")
        trainer.add_callback(_callback(clock))
        trainer.train()
    clock.ends()
    return clock


def _callback(clock: Clock) -> Any:
    from transformers import TrainerCallback

    class Ticks(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.step_is_done()

    return Ticks()


def _trl(folder: Path, rows: list[Example], work: str, liger: bool) -> Any:
    from trl import SFTTrainer

    if liger:
        import liger_kernel  # noqa: F401
    return SFTTrainer(
        str(folder),
        args=_trl_settings(
            work, liger, rows, {"model_init_kwargs": {"dtype": "bfloat16", "attn_implementation": _attention()}}
        ),
        train_dataset=_dataset(rows),
        processing_class=_tokenizer(folder),
        peft_config=_adapter(),
    )


def _unsloth(folder: Path, rows: list[Example], work: str, liger: bool) -> Any:
    from unsloth import FastLanguageModel

    del liger
    model, _ = FastLanguageModel.from_pretrained(str(folder), max_seq_length=PASS_TOKENS, load_in_4bit=False)
    model = FastLanguageModel.get_peft_model(
        model,
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        use_gradient_checkpointing=False,
    )
    from trl import SFTTrainer

    return SFTTrainer(
        model, args=_trl_settings(work, False, rows, {}), train_dataset=_dataset(rows), processing_class=_tokenizer(folder)
    )


def _trl_settings(work: str, liger: bool, rows: list[Example], more: dict[str, Any]) -> Any:
    import torch
    from trl import SFTConfig

    mean_tokens = sum(row_tokens(row) for row in rows) / len(rows)
    return SFTConfig(
        output_dir=work,
        packing=True,
        max_length=PASS_TOKENS,
        per_device_train_batch_size=1,
        # So many packed passes hold as many rows as a step of Sonmat's.
        gradient_accumulation_steps=max(1, round(ROWS_OF_A_STEP * mean_tokens / PASS_TOKENS)),
        gradient_checkpointing=False,
        use_liger_kernel=liger,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        num_train_epochs=1,
        learning_rate=RATE,
        logging_strategy="no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=0,
        **more,
    )


def _dataset(rows: list[Example]) -> Any:
    from datasets import Dataset

    return Dataset.from_list(
        [
            {"prompt": row.input["messages"], "completion": [{"role": "assistant", "content": row.target["text"]}]}
            for row in rows
        ]
    )


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def _adapter() -> Any:
    from peft import LoraConfig

    return LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")


def _attention() -> str:
    from importlib.util import find_spec

    return "flash_attention_2" if find_spec("flash_attn") is not None else "sdpa"


if __name__ == "__main__":
    main()
