"""What the probes of an arm cost: `python -m benchmarks.probes [--base NAME] [--data FILE] [--probes NAMES] [--rows N]`.

SmolLM2-135M with a fresh LoRA adapter, which answers as the base does and costs what a tuned arm costs, is observed by each probe as
in a proof over `examples/data/faq_en.jsonl`. Prints a Markdown table: seconds of processor time and of the clock, what the plan would
have said, rows; `--out` keeps what was observed, so that two versions can be seen to give the same. Run it alone on the machine: a
second busy process makes every figure worthless.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sonmat.core.probing import Probe, Setting
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Estimate, Example, Json, ModelFacts, Source, Spec

DATA = Path(__file__).parent.parent / "examples" / "data"
PROBES = ("forgetting", "safety", "leakage", "stability", "repetition")


@dataclass(frozen=True)
class Cost:
    probe: str
    processor_seconds: float
    seconds: float
    foretold: float
    rows: list[Json]


def main() -> None:
    asked = _arguments()
    setting, candidate, predictor = _arm(asked.base, asked.data, asked.rows)
    found = [_cost(_probe(name), setting, candidate, predictor) for name in asked.probes.split(",")]
    if asked.out is not None:
        asked.out.write_text(json.dumps({each.probe: each.rows for each in found}, ensure_ascii=False), encoding="utf-8")
    print(f"{asked.base}, {len(setting.test)} test rows of {asked.data.name}\n")
    print("| probe | processor seconds | seconds | foretold by the plan | rows |\n|---|---|---|---|---|")
    for each in found:
        print(
            f"| {each.probe} | {each.processor_seconds:.1f} | {each.seconds:.1f} | {each.foretold:.1f} | {len(each.rows)} |"
        )
    sums = (
        sum(each.processor_seconds for each in found),
        sum(each.seconds for each in found),
        sum(each.foretold for each in found),
    )
    print(f"| all | {sums[0]:.1f} | {sums[1]:.1f} | {sums[2]:.1f} | |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--data", type=Path, default=DATA / "faq_en.jsonl")
    parser.add_argument("--probes", default=",".join(PROBES))
    parser.add_argument("--rows", type=int, default=47, help="test rows")
    parser.add_argument("--out", type=Path, help="write what was observed to this file")
    return parser.parse_args()


def _probe(name: str) -> Probe:
    from sonmat import plugins

    found: Probe = plugins.find("probes", name)
    return found


def _arm(base_name: str, data: Path, rows: int) -> tuple[Setting, Candidate, Any]:
    from peft import LoraConfig, get_peft_model

    from sonmat import plugins
    from sonmat.inference.device import detect_device
    from sonmat.inference.predictor import NeuralPredictor
    from sonmat.models import resolve
    from sonmat.runs import EventLog
    from sonmat.training.tuning import load_prompted

    task, device = plugins.find("tasks", "chat"), detect_device()
    base: ModelFacts = resolve(base_name, emit=EventLog(None))
    spec = Spec(max_tokens=512, max_new_tokens=64, supervise="last")
    saved = _Saved(base, plugins.find("families", base.family), device)
    model, tokenizer = load_prompted(saved)  # type: ignore[arg-type]
    adapter = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear")).eval()
    examples = _examples(data)
    setting = Setting(
        task=task,
        spec=spec,
        languages=("en",),
        train=examples[rows:],
        test=examples[:rows],
        seed=0,
        recipe=Recipe(data=(str(data),)),
    )
    nothing = Estimate(peak_bytes=0, seconds=0.0, basis=Text(en="", ko=""))
    candidate = Candidate(
        id="lora", method="lora", role="tuned", base=base, spec=spec, reason=Text(en="", ko=""), estimate=nothing
    )
    return setting, candidate, NeuralPredictor(adapter, tokenizer, task, spec, device)


@dataclass(frozen=True)
class _Saved:
    """As much of a saved model as loading its base takes."""

    base: ModelFacts
    family: Any
    device: Any


def _examples(data: Path) -> list[Example]:
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    return [
        Example(
            id=f"r{number:04d}",
            input={"messages": row["messages"][:-1]},
            target={"text": row["messages"][-1]["content"]},
            source=Source(file=data.name, row=number + 1),
        )
        for number, row in enumerate(rows)
    ]


def _cost(probe: Probe, setting: Setting, candidate: Candidate, predictor: Any) -> Cost:
    processor, start = time.process_time(), time.perf_counter()
    rows = list(probe.observe(setting, candidate, predictor))
    taken = time.process_time() - processor, time.perf_counter() - start
    return Cost(probe.name, *taken, _foretold(probe, setting, candidate, predictor), rows)


def _foretold(probe: Probe, setting: Setting, candidate: Candidate, predictor: Any) -> float:
    from sonmat.inference.device import detect_device
    from sonmat.steps.plan.probing import probing_seconds

    assert candidate.base is not None, "made with one"
    alone = replace(setting, recipe=setting.recipe.model_copy(update={"probes": (probe.name,)}))
    whole = predictor.spec.model_copy(update={"max_tokens": 8192})
    rows = [setting.task.encode(example, predictor.processor, whole).length for example in setting.train]
    mean = {candidate.base.checksum: sum(rows) / len(rows)}
    return sum(probing_seconds(alone, [candidate], detect_device(measure=True), mean).values())


if __name__ == "__main__":
    main()
