"""Fine-tuning a language model on this machine's processor: Sonmat beside TRL's SFTTrainer and Transformers' Trainer.

    python -m benchmarks.train_cpu            LoRA, 64 rows of examples/data, A B C A B C, about eight minutes on two idle cores
    python -m benchmarks.train_cpu --full     every weight trains
    python -m benchmarks.train_cpu --search   looks for TRL's fastest setting first, then measures with that
    python -m benchmarks.train_cpu --quick    16 rows, once: whether everything still works

All train the same base on the same rows in the same precision: rank 16 and alpha 32 on all linear layers, one epoch, 8 rows an
optimiser step, the same learning rate and schedule. Tokens are real ones, without padding, counted once for all. `tokens/s`
covers the steps alone; `whole` is from a folder of weights to a saved model. Losses are measured afterwards by one function on
rows that nobody saw. One more run of each looks at these rows every other step, its clock stopped: what share of its time a
program takes to the loss that all reach gives `to the same loss`. Sonmat's side is the product's own: `method.fit` of a
`FitJob`, in a process that starts as its jobs do (`--as-jobs` starts peers so too). Peers: `pip install trl`. Run it alone on
the machine. TRL's nll loss is the chunked one since 1.16, so that there is nothing to choose.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import fresh_processes as fresh
from benchmarks.fresh_processes import Measured
from sonmat import plugins
from sonmat.core.text import Text
from sonmat.core.values import Example, ModelFacts, Source, Spec

ROOT = Path(__file__).resolve().parents[1]
BASE = "smollm2-135m"
FILES = ("examples/data/faq_en.jsonl", "examples/data/chat_en.jsonl")
LONGEST = 512
ROWS_OF_A_STEP = 8
VALIDATION_ROWS, HELD_OUT_ROWS = 8, 32
STEPS_BETWEEN_LOOKS = 2
RANK, ALPHA = 16, 32
RATES = {"lora": 2e-4, "full": 5e-5}


@dataclass(frozen=True)
class PeerSetting:
    """What a user of TRL or Trainer can choose without changing what is learnt. The defaults are those of SFTTrainer."""

    batch: int = 8
    grouping: bool = False
    """Rows of like length share a batch."""
    attention: str | None = None
    packing: bool = False
    checkpointing: bool = True
    supervised_only: bool = False
    """Loss on the answer alone; otherwise on the whole row."""

    @property
    def words(self) -> str:
        said = [f"batch {self.batch}", f"{self.attention} attention" if self.attention else ""]
        said += ["length grouping" if self.grouping else "", "packing" if self.packing else ""]
        said += ["no checkpointing" if not self.checkpointing else "", "answers only" if self.supervised_only else ""]
        return ", ".join(word for word in said if word)


BEST = PeerSetting(batch=2, grouping=True, attention="eager", checkpointing=False, supervised_only=True)
"""The fastest that a search found (docs/performance.md)."""
SEARCHED = (
    BEST,
    replace(BEST, batch=4),
    replace(BEST, batch=8),
    replace(BEST, attention="sdpa"),
    replace(BEST, grouping=False, batch=2),
    replace(BEST, grouping=False, packing=True, batch=2),
    replace(BEST, grouping=False, packing=True, batch=1, attention="sdpa"),
    replace(BEST, checkpointing=True),
)


# ── the whole comparison ────────────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    asked = arguments()
    if asked.run:
        print(json.dumps(measure(asked)))
        return
    with tempfile.TemporaryDirectory() as folder:
        report(asked, Path(folder))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--full", action="store_true", help="full fine-tuning instead of LoRA")
    parser.add_argument("--search", action="store_true", help="find TRL's fastest setting on a quarter of the rows first")
    parser.add_argument("--quick", action="store_true", help="16 rows, each run once, TRL's best setting alone")
    parser.add_argument("--as-jobs", action="store_true", help="measure peers also as Sonmat's jobs start: huge pages")
    parser.add_argument("--only", nargs="*", help="names of the runs to do: sonmat, trl, trl-best, trainer, trainer-best")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--setting", default="{}", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    parser.add_argument("--looking", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.quick:
        asked.rows, asked.repeats = 16, 1
    return asked


def report(asked: argparse.Namespace, folder: Path) -> None:
    """Run everything in turns and print Markdown."""
    print(
        f"{'Full fine-tuning' if asked.full else 'LoRA'} of {BASE}, {asked.rows} rows, one epoch.\n\n{fresh.circumstances()}\n"
    )
    best = search(asked, folder) if asked.search else BEST
    settings = {
        "sonmat": None,
        "trl": PeerSetting(),
        "trl-best": best,
        "trainer": PeerSetting(checkpointing=False),
        "trainer-best": replace(best, packing=False, supervised_only=True),
    }
    names = asked.only or (["sonmat", "trl-best"] if asked.quick else list(settings))
    if asked.as_jobs:
        settings |= {name + fresh.AS_JOB: setting for name, setting in settings.items() if name in names and setting}
        names = [*names, *(name for name in settings if name.endswith(fresh.AS_JOB))]
    runs: dict[str, list[Measured]] = {name: [] for name in names}
    for name in fresh.in_turns(names, asked.repeats):
        runs[name].append(in_own_process(asked, name, settings[name], folder / name))
    losses = {name: in_own_process(asked, "judge", None, folder / name) for name in names if "seconds" in runs[name][-1]}
    losses["untrained"] = in_own_process(asked, "judge", None, folder / "nothing")
    looked = argparse.Namespace(**vars(asked), looking=True)
    curves = {name: in_own_process(looked, name, settings[name], folder / "looked") for name in losses if name in runs}
    print(as_markdown(runs, losses, settings, to_the_same_loss(runs, curves, losses["untrained"].get("loss"))))


def to_the_same_loss(
    runs: dict[str, list[Measured]], curves: dict[str, Measured], untrained: float | None
) -> tuple[float | None, dict[str, float]]:
    """The lowest loss that every program has reached, and the seconds that each took to it, by its median speed."""
    reached = {name: found["curve"] for name, found in curves.items() if found.get("curve")}
    if untrained is None or not reached:
        return None, {}
    target = max(min(loss for _, loss in curve) for curve in reached.values())
    found: dict[str, float] = {}
    for name, curve in reached.items():
        before, seconds = (0.0, untrained), fresh.middle(runs[name], "seconds")
        for point in curve:
            if point[1] <= target:
                part = (before[1] - target) / max(before[1] - point[1], 1e-9)
                found[name] = (before[0] + part * (point[0] - before[0])) * (seconds or 0.0)
                break
            before = (point[0], point[1])
    return target, found


def search(asked: argparse.Namespace, folder: Path) -> PeerSetting:
    """The fastest of `SEARCHED` that learns the same, each measured once on a quarter of the rows."""
    fewer = argparse.Namespace(**{**vars(asked), "rows": max(8, asked.rows // 4)})
    speeds: dict[PeerSetting, float] = {}
    for setting in SEARCHED:
        found = in_own_process(fewer, "trl-searched", setting, folder / "searched")
        speeds[setting] = found.get("tokens_per_second") or 0.0
    ordered = sorted(SEARCHED, key=lambda setting: -speeds[setting])
    rows = [[setting.words, f"{speeds[setting]:,.0f}" if speeds[setting] else "failed"] for setting in ordered]
    print(f"{fresh.table(('TRL with', 'tokens/s'), rows)}\n", flush=True)
    # Without kernels for rows of varying length, which processors lack, packed rows see one another and steps are others.
    return next(setting for setting in ordered if not setting.packing)


def in_own_process(asked: argparse.Namespace, name: str, setting: PeerSetting | None, out: Path) -> Measured:
    told = ["--run", name, "--rows", str(asked.rows), "--out", str(out), *(["--full"] if asked.full else [])]
    told += ["--looking"] if getattr(asked, "looking", False) and name != "judge" else []
    if setting is not None:
        told += ["--setting", json.dumps(asdict(setting))]
    as_job = name == "sonmat" or name.endswith(fresh.AS_JOB)
    return fresh.measured_in_its_own_process("benchmarks.train_cpu", told, as_job=as_job)


def as_markdown(
    runs: dict[str, list[Measured]],
    losses: dict[str, Measured],
    settings: dict[str, PeerSetting | None],
    same_loss: tuple[float | None, dict[str, float]],
) -> str:
    """The median of each run's figures, their spread, and how many times as fast Sonmat is."""
    own = fresh.middle(runs.get("sonmat", []), "tokens_per_second")
    lines = []
    for name, found in runs.items():
        setting = settings[name]
        title = f"{name} ({setting.words})" if setting else name
        problem = found[-1].get("skipped") or found[-1].get("failed")
        if problem:
            lines.append([title, str(problem), *["–"] * 7])
            continue
        speed = fresh.middle(found, "tokens_per_second")
        peak, loss = fresh.middle(found, "peak_bytes"), losses[name].get("loss")
        share = (fresh.middle(found, "operations_per_second") or 0) / max(run["gemm_rate"] for run in found)
        times = f"{own / speed:.2f}×" if own and speed else "–"
        figures = [fresh.spread(found, "tokens_per_second"), times, fresh.spread(found, "seconds", 1)]
        figures += [fresh.spread(found, "whole_seconds", 1), f"{same_loss[1][name]:.1f}" if name in same_loss[1] else "–"]
        figures += [f"{(peak or 0) / 1e9:.2f} GB", f"{share:.0%}"]
        lines.append([title, *figures, f"{loss:.4f}" if loss is not None else "–"])
    to_loss = f"to {same_loss[0]:.4f}" if same_loss[0] is not None else "to the same loss"
    head = ("run", "tokens/s", "Sonmat is", "seconds", "whole", to_loss, "peak memory", "of matrix rate", "held-out loss")
    measured = [run for found in runs.values() for run in found if "gemm_rate" in run]
    if not measured:
        return fresh.table(head, lines)
    first = measured[0]
    rate = max(run["gemm_rate"] for run in measured)
    return "\n".join(
        [
            fresh.table(head, lines),
            "",
            f"- {first['tokens']:,} tokens, {first['supervised']:,} of them supervised; held-out loss of the untrained base "
            f"{losses['untrained'].get('loss', float('nan')):.4f} nats a token.",
            f"- Matrix rate measured in the same runs: {rate / 1e9:,.0f} GFLOP/s ({fresh.compute_type()}). Needed: "
            f"{max(run['operations'] for run in measured) / first['tokens'] / 1e9:.3f} GFLOP a token, padding and recomputation not "
            "counted; "
            "from Sonmat's are taken off those of tokens that rows begin with alike.",
        ]
    )


# ── one measurement, in a process of its own ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Rows:
    train: list[Example]
    validation: list[Example]
    held_out: list[Example]


def measure(asked: argparse.Namespace) -> Measured:
    """Do the run called `asked.run` here and now."""
    from sonmat.inference.device import peak_memory
    from sonmat.models import resolve

    base = resolve(BASE, emit=_silent)
    rows, tokenizer = chosen_rows(base, asked.rows)
    if asked.run == "judge":
        return {"loss": held_out_loss(base, rows.held_out, tokenizer, Path(asked.out))}
    method = "full" if asked.full else "lora"
    lengths = encoded_lengths(rows.train, tokenizer)
    rate = fresh.gemm_rate(fresh.compute_type())
    looking, curve, shared = getattr(asked, "looking", False), list[tuple[float, float]](), 0.0
    start = time.perf_counter()
    if asked.run == "sonmat":
        seconds, curve, shared = sonmat_seconds(base, rows, method, Path(asked.out), looking)
    else:
        setting = PeerSetting(**json.loads(asked.setting))
        from benchmarks.training_peers import Looks, NotInstalled, peer_seconds

        looks = Looks(lambda model: loss_now(model, rows.held_out, tokenizer), STEPS_BETWEEN_LOOKS) if looking else None
        try:
            seconds = peer_seconds(asked.run, base, rows.train, tokenizer, setting, method, Path(asked.out), looks)
        except NotInstalled as problem:
            return {"run": asked.run, "skipped": str(problem)}
        curve = looks.found if looks is not None else []
    whole, peak = time.perf_counter() - start, peak_memory()
    # Sonmat is not credited with what it did not compute.
    operations = needed_operations(base, lengths, full=asked.full) * (1 - shared)
    tokens = sum(length for length, _ in lengths)
    return {
        "run": asked.run,
        "tokens": tokens,
        "supervised": sum(supervised for _, supervised in lengths),
        "seconds": seconds,
        "curve": [(passed / seconds, loss) for passed, loss in curve],
        "whole_seconds": whole,
        "tokens_per_second": tokens / seconds,
        "peak_bytes": peak,
        "operations": operations,
        "operations_per_second": operations / seconds,
        # Before and after: a machine that is slower while it is warm must not flatter anybody.
        "gemm_rate": max(rate, fresh.gemm_rate(fresh.compute_type())),
    }


def chosen_rows(base: ModelFacts, count: int) -> tuple[Rows, Any]:
    """Rows of one question and one answer, half from each file, none of them cut; the same for everybody."""
    import transformers

    from sonmat.training.tuning import give_template

    tokenizer = transformers.AutoTokenizer.from_pretrained(base.path)
    give_template(plugins.find("families", base.family), tokenizer)
    chance, parts = random.Random(0), []
    for file in FILES:
        read = [json.loads(line)["messages"] for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
        found = [_example(f"{file}:{number}", messages) for number, messages in enumerate(read) if len(messages) == 2]
        fitting = [
            each for each, (length, _) in zip(found, encoded_lengths(found, tokenizer), strict=True) if length <= LONGEST
        ]
        chance.shuffle(fitting)
        parts.append(fitting)
    # Held-out rows are taken from the end, so that more training rows do not change them.
    half = HELD_OUT_ROWS // 2
    held_out = [row for part in parts for row in part[-half:]]
    rest = [row for pair in zip(*(part[:-half] for part in parts), strict=False) for row in pair]
    return Rows(rest[VALIDATION_ROWS : VALIDATION_ROWS + count], rest[:VALIDATION_ROWS], held_out), tokenizer


def encoded_lengths(examples: list[Example], tokenizer: Any) -> list[tuple[int, int]]:
    """Tokens and supervised tokens of each row, uncut."""
    task, spec = plugins.find("tasks", "chat"), Spec(max_tokens=1 << 20, supervise="last")
    rows = [task.encode(example, tokenizer, spec) for example in examples]
    return [(row.length, row.supervised) for row in rows]


def sonmat_seconds(
    base: ModelFacts, rows: Rows, method_name: str, out: Path, looking: bool = False
) -> tuple[float, list[tuple[float, float]], float]:
    """Seconds from the first step's beginning to the last one's end, of the product's own fit, what it saw if it was looking, and the
    share of tokens that it did not compute again because rows begin alike.

    The clock stands still from a look's beginning to the next step.
    """
    from sonmat.core.protocols import FitJob, Workload
    from sonmat.inference.device import detect_device

    task, method, device = plugins.find("tasks", "chat"), plugins.find("methods", method_name), detect_device()
    workload = Workload(base, device, len(rows.train), len(rows.validation), 0, 128.0, LONGEST, 64.0)
    settings = {"learning_rate": RATES[method_name], "epochs": 1, "batch_size": ROWS_OF_A_STEP, "schedule": "linear"}
    adapter: dict[str, Any] = {"rank": RANK, "alpha": ALPHA} if method_name == "lora" else {}
    adapter |= {"validate_every": STEPS_BETWEEN_LOOKS} if looking else {}
    steps: list[tuple[float, float]] = []
    looked: list[tuple[int, float]] = []
    shared = [0.0]

    def hear(kind: str, message: Text | None = None, /, **data: Any) -> None:
        if kind == "step":
            steps.append((time.perf_counter() - data["seconds"], time.perf_counter()))
        if kind == "budget":
            shared.append(data["shared"])
        if kind == "validation" and data["step"]:
            looked.append((data["step"], data["loss"]))

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        method.fit(
            FitJob(
                task=task,
                spec=Spec(max_tokens=LONGEST, supervise="last"),
                base=base,
                family=plugins.find("families", base.family),
                settings=method.Settings(**{**method.propose(task, workload), **settings, **adapter}),
                train=rows.train,
                validation=rows.held_out if looking else rows.validation,
                selection=plugins.find("metrics", task.selection_metric),
                folder=out,
                work=Path(work),
                seed=0,
                device=device,
                emit=hear,
                should_pause=lambda: False,
            )
        )
    stops = {step for step, _ in looked}
    ends = [steps[0][1] - steps[0][0]]
    for number, (begin, end) in enumerate(steps[1:], start=1):
        # `number` steps were done before this one.
        ends.append(ends[-1] + end - (begin if number in stops else steps[number - 1][1]))
    return ends[-1], [(ends[step - 1], loss) for step, loss in looked], shared[-1]


def needed_operations(base: ModelFacts, lengths: list[tuple[int, int]], *, full: bool) -> float:
    """Floating-point operations that one epoch needs: 2 a weight forward, 2 for the gradient of its input, 2 for its own if it trains.

    Attention counts the causal half of its scores; the output layer counts supervised tokens alone. Padding, recomputed activations
    and logits of other tokens are nobody's need and not counted.
    """
    import torch
    import transformers

    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(base.path))
    linear = [each for each in model.get_decoder().modules() if isinstance(each, torch.nn.Linear)]
    weights = sum(each.weight.numel() for each in linear)
    adapter = 0 if full else sum(RANK * (each.in_features + each.out_features) for each in linear)
    output = model.get_output_embeddings().weight.numel()
    heads = model.config.num_attention_heads * model.get_decoder().layers[0].self_attn.head_dim
    attention = 3 * sum(4 * heads * length * (length + 1) / 2 for length, _ in lengths) * model.config.num_hidden_layers
    tokens, supervised = sum(length for length, _ in lengths), sum(count for _, count in lengths)
    passes = 6 if full else 4
    return float(tokens * (passes * weights + 6 * adapter) + attention + supervised * passes * output)


def loss_now(model: Any, held_out: list[Example], tokenizer: Any) -> float:
    """Nats a supervised token of a model that is being trained, in the compute type, as Sonmat validates."""
    from sonmat.inference.device import detect_device
    from sonmat.inference.predictor import computing

    task, spec = plugins.find("tasks", "chat"), Spec(max_tokens=LONGEST, supervise="last")
    nats, count = 0.0, 0.0
    for example in held_out:
        batch = task.collate([task.encode(example, tokenizer, spec)], tokenizer)
        with computing(detect_device()):
            losses = task.losses(model, batch)
        nats, count = nats + float(losses.sums.sum()), count + float(losses.items.sum())
    return nats / count


def held_out_loss(base: ModelFacts, held_out: list[Example], tokenizer: Any, folder: Path) -> float:
    """Nats a supervised token of the model or adapter in `folder`, or of the base if there is none, by Transformers alone, in fp32."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    whole = folder if (folder / "config.json").exists() else base.path
    model: Any = AutoModelForCausalLM.from_pretrained(whole, dtype=torch.float32, attn_implementation="sdpa")
    if (folder / "adapter_config.json").exists():
        model = PeftModel.from_pretrained(model, str(folder))
    task, spec = plugins.find("tasks", "chat"), Spec(max_tokens=LONGEST, supervise="last")
    nats, count = 0.0, 0
    for example in held_out:
        row = task.encode(example, tokenizer, spec)
        ids, labels = (torch.tensor([row.arrays[name]]) for name in ("input_ids", "labels"))
        with torch.inference_mode():
            logits = model.eval()(input_ids=ids).logits[0, :-1]
        nats += float(torch.nn.functional.cross_entropy(logits, labels[0, 1:], reduction="sum", ignore_index=-100))
        count += int((labels[0, 1:] != -100).sum())
    return nats / count


def _example(id: str, messages: list[dict[str, str]]) -> Example:
    return Example(
        id=id, input={"messages": messages[:-1]}, target={"text": messages[-1]["content"]}, source=Source(file="", row=0)
    )


def _silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    """Events that nobody watches."""


if __name__ == "__main__":
    main()
