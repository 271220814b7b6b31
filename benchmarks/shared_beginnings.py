"""What it saves to compute once what rows of a pass begin with: single passes of a training step, with and without, in turns.

    python -m benchmarks.shared_beginnings

LoRA on SmolLM2-135M, the chats of `train_cpu`, which begin with a system prompt of 24 tokens; forward and backward passes of four
sizes, the best of six each. Tokens count as the rows have them. Both give the same gradients (tests/fused/test_decoder.py). Run it
alone on the machine; about two minutes.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks import fresh_processes as fresh
from benchmarks import train_cpu
from sonmat import plugins
from sonmat.core.values import Spec

TRIES, ROWS = 6, 64


def main() -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    from sonmat.inference.device import compute_dtype, detect_device
    from sonmat.models import resolve
    from sonmat.training.batching import Epochs, forward_passes, steps_of_epoch
    from sonmat.training.budget import USUAL_TOKENS_GENERATING
    from sonmat.training.fused.fuse import fuse
    from sonmat.training.packing import pack
    from sonmat.training.weights import load_base

    base, device = resolve(train_cpu.BASE, emit=train_cpu._silent), detect_device()
    rows, tokenizer = train_cpu.chosen_rows(base, ROWS)
    task, spec = plugins.find("tasks", "chat"), Spec(max_tokens=train_cpu.LONGEST, supervise="last")
    encoded = [task.encode(example, tokenizer, spec) for example in rows.train]
    lengths = [row.length for row in encoded]
    torch.manual_seed(0)
    loaded = load_base(task, spec, base.path, 0, compute_dtype(device))
    adapter = LoraConfig(r=train_cpu.RANK, lora_alpha=train_cpu.ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
    model: Any = get_peft_model(loaded.model, adapter).train()
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    fuse(model, plugins.find("families", base.family).fusions)
    epochs = Epochs(lengths, train_cpu.ROWS_OF_A_STEP, 1, 0, steps_of_epoch)
    passes = [
        indices
        for step in epochs.first_epoch()
        for indices in forward_passes(step.rows, lengths, USUAL_TOKENS_GENERATING, packed=True)
    ]
    passes.sort(key=lambda indices: sum(lengths[index] for index in indices))
    lines = []
    for indices in (passes[0], passes[len(passes) // 3], passes[2 * len(passes) // 3], passes[-1]):
        batches = {
            share: pack([encoded[index] for index in indices], share=train_cpu.LONGEST * share) for share in (False, True)
        }
        seconds = {share: [_seconds(task, model, batches[share], device)] for share in (False, True)}
        for _ in range(TRIES):
            for share, batch in batches.items():
                seconds[share].append(_seconds(task, model, batch, device))
        plain, shared = (min(seconds[share][1:]) for share in (False, True))
        tokens, computed = (batches[share]["input_ids"].numel() for share in (False, True))
        figures = [f"{tokens / plain:,.0f}", f"{tokens / shared:,.0f}", f"{plain / shared:.2f}×"]
        lines.append([str(len(indices)), str(tokens), str(computed), *figures])
    head = ("rows", "tokens", "of them computed", "tokens/s each row alone", "tokens/s beginnings shared", "faster")
    print(f"{fresh.circumstances()}\n\n{fresh.table(head, lines)}")


def _seconds(task: Any, model: Any, batch: Any, device: Any) -> float:
    from sonmat.inference.predictor import autocast

    start = time.perf_counter()
    with autocast(device):
        loss = task.losses(model, batch).sums.sum()
    loss.backward()
    seconds = time.perf_counter() - start
    model.zero_grad()
    return seconds


if __name__ == "__main__":
    main()
