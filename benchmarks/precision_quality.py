"""Whether a training in bf16 is as good as one in float32: the same fits by both, on real rows, with several seeds.

    python -m benchmarks.precision_quality                  every method on both data sets, five seeds; some hours
    python -m benchmarks.precision_quality --methods full --data intents --seeds 3 --rows 300

Method, rows, order, new layers and settings of two runs beside each other are the same; only `Device.bf16` differs, by which
`sonmat.training.precision` decides. Judged is macro-F1 of the saved model's answers on held-out rows that nobody trained on, each
answered in the type that it was trained in. The difference is told with Student's 95 % interval over the seeds, beside the spread of
the seeds in float32 alone: a difference within that spread is noise. It needs a processor that computes bf16.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import classify_cpu as classify
from benchmarks import fresh_processes as fresh
from benchmarks.fresh_processes import Measured

METHODS = ("full", "freeze", "head-only", "lora")
TYPES = ("bf16", "fp32")


def main() -> None:
    asked = arguments()
    if asked.run:
        print(json.dumps(measure(asked)))
        return
    print(f"Training in bf16 and in float32, {asked.epochs} epochs.\n\n{fresh.circumstances()}\n")
    lines = [line for data in asked.data for line in compared(asked, data)]
    head = (
        "data",
        "method",
        "macro-F1 in float32",
        "in bf16",
        "bf16 minus float32",
        "95 % interval",
        "seconds, fp32 : bf16",
    )
    print(fresh.table(head, lines))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=600, help="most training rows")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10, help="enough that there is a quality to lose")
    parser.add_argument("--data", nargs="*", choices=tuple(classify.BASES), default=list(classify.BASES))
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--examples", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def compared(asked: argparse.Namespace, data: str) -> list[list[str]]:
    """One line a method."""
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder) / "examples.json"
        pairs = {"bbc": classify.bbc_news, "intents": classify.korean_intents}[data](Path(folder))
        examples.write_text(json.dumps(classify.divided(pairs, asked.rows)), encoding="utf-8")
        lines = []
        for method in asked.methods:
            runs: dict[str, list[Measured]] = {name: [] for name in TYPES}
            for seed in range(asked.seeds):
                for name in TYPES:
                    told = ["--run", f"{method} {name}", "--examples", str(examples), "--data", data]
                    told += ["--seed", str(seed), "--epochs", str(asked.epochs)]
                    runs[name].append(fresh.measured_in_its_own_process("benchmarks.precision_quality", told))
            lines.append([data, method, *line_of(runs)])
        return lines


def line_of(runs: dict[str, list[Measured]]) -> list[str]:
    failed = next((str(run["failed"]) for found in runs.values() for run in found if "failed" in run), None)
    if failed is not None:
        return [failed, *["–"] * 4]
    low, wide = ([float(run["macro_f1"]) for run in runs[name]] for name in TYPES)
    differences = [one - other for one, other in zip(low, wide, strict=True)]
    seconds = [fresh.middle(runs[name], "seconds") or 0.0 for name in ("fp32", "bf16")]
    return [
        f"{statistics.mean(wide):.3f} (seeds: {min(wide):.3f}–{max(wide):.3f})",
        f"{statistics.mean(low):.3f} (seeds: {min(low):.3f}–{max(low):.3f})",
        f"{statistics.mean(differences):+.4f}",
        interval(differences),
        f"{seconds[0]:.0f} : {seconds[1]:.0f}",
    ]


def interval(differences: Sequence[float]) -> str:
    """Student's 95 % interval of the mean of paired differences."""
    from scipy import stats

    if len(differences) < 2:
        return "–"
    error = statistics.stdev(differences) / len(differences) ** 0.5
    reach = float(stats.t.ppf(0.975, len(differences) - 1)) * error
    middle = statistics.mean(differences)
    return f"{middle - reach:+.4f} to {middle + reach:+.4f} (n = {len(differences)})"


def measure(asked: argparse.Namespace) -> Measured:
    """Do one fit here and now."""
    import time

    from sklearn.metrics import f1_score

    from sonmat.inference.device import detect_device

    method, type_name = asked.run.split()
    device = detect_device()
    if not device.bf16:
        return {"run": asked.run, "failed": "this processor does not compute bf16: there is nothing to compare"}
    data = classify.read(Path(asked.examples), classify.BASES[asked.data[0]])
    start = time.perf_counter()
    chosen = device.model_copy(update={"bf16": type_name == "bf16"})
    answers = classify.sonmat_answers(data, method, seed=asked.seed, device=chosen, epochs=asked.epochs)
    seconds = time.perf_counter() - start
    wanted = [example.target["label"] for example in data.held_out]
    score = f1_score(wanted, answers(), labels=data.spec.labels, average="macro", zero_division=0)
    return {"run": asked.run, "seed": asked.seed, "seconds": seconds, "macro_f1": float(score)}


if __name__ == "__main__":
    main()
