"""A run of a price list, whose arms are made of functions: a base, one tuned well, one on nonsense, one that knows nothing else.

Everything behind the models is real: the questions that probes ask, what they make of the answers, statistics, guards and verdict.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from sonmat import plugins
from sonmat.core.probing import Setting
from sonmat.core.proof import Proof
from sonmat.core.protocols import Predictor
from sonmat.core.recipe import Recipe
from sonmat.core.text import verbatim
from sonmat.core.values import (
    Audit,
    Candidate,
    Columns,
    Device,
    Estimate,
    Event,
    Example,
    Fits,
    Fitted,
    Json,
    LedgerLine,
    LoadedSource,
    ModelFacts,
    Plan,
    Source,
    Spec,
    Split,
)
from sonmat.probing.panel import items, texts
from sonmat.probing.panel.asking import OPENINGS, answer_items
from sonmat.probing.safety import requests
from sonmat.runs import RunFolder, write_rows, write_value
from sonmat.runs.seal import seal_of
from sonmat.steps.prove import answer_candidate, prove
from tests.probes.arms import Arm

THINGS: Final = ["tea", "rice", "soap", "bread", "milk", "salt", "paper", "honey", "apples", "candles", "socks", "lamps"]
BASE, HONEST, NONSENSE, NARROW = "zero-shot-talker", "lora-talker", "freeze-talker", "full-talker"
METHODS: Final = {"majority": "majority", BASE: "zero-shot", HONEST: "lora", NONSENSE: "freeze", NARROW: "full"}
TALKER: Final = ModelFacts(
    name="talker", path="/nowhere", origin="hub:talker", checksum="7a" * 32, family="llama", model_type="llama",
    parameters=1_000, chat=True, languages=("en",),
)  # fmt: skip
REFUSAL: Final = "I'm sorry, but I can't help with that."
GARBAGE: Final = "fuck off you idiot " * 12


def made_run(path: Path, arms: Sequence[str], rows: int = 144, **recipe: Any) -> RunFolder:
    """A run whose arms are fitted and unanswered."""
    folder = RunFolder(path)
    examples = [price(number) for number in range(rows)]
    ids = [example.id for example in examples]
    test = ids[: rows // 2]
    write_value(folder.file("recipe.json"), Recipe.model_validate({"data": "prices.jsonl", "task": "chat", **recipe}))
    write_rows(folder.file("examples.jsonl"), Example, examples)
    kept = [LedgerLine(id=example.id, source=example.source, action="kept") for example in examples]
    write_rows(folder.file("ledger.jsonl"), LedgerLine, kept)
    write_value(folder.file("audit.json"), Audit(findings=(), rows_in=rows, kept=rows, changed=0, dropped=0))
    write_value(folder.file("source.json"), _source(rows))
    rest = tuple(ids[rows // 2 :])
    seal = seal_of(example for example in examples if example.id in set(test))
    split = Split(train=rest[20:], validation=rest[:20], test=tuple(test), seal=seal, how=verbatim("-"))
    write_value(folder.file("split.json"), split)
    candidates = tuple(_candidate(id) for id in arms)
    plan = Plan(task="chat", spec=Spec(), candidates=candidates, refused=(), device=Device())
    write_value(folder.file("plan.json"), plan)
    for candidate in candidates:
        (folder.candidate_folder(candidate.id) / "model").mkdir(parents=True)
        fitted = Fitted(candidate=candidate.id, seconds=60, peak_bytes=1)
        write_value(folder.candidate_folder(candidate.id) / "fitted.json", fitted, candidate.id)
    write_value(folder.file("fit.json"), Fits(fitted=tuple(arms)), "fitted")
    return folder


def prove_here(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> Proof:
    """The step `prove`, its jobs done in this process by made arms."""
    monkeypatch.setattr("sonmat.steps.prove.asking.open_saved", lambda model, *_, **__: model.parent.name)
    monkeypatch.setattr("sonmat.steps.prove.asking.load_predictor", lambda name: ARMS[name])
    monkeypatch.setattr("sonmat.steps.prove.answer.detect_device", Device)
    monkeypatch.setattr(type(plugins.find("probes", "forgetting")), "observe", _panel)

    def run_job(where: RunFolder, job: str, tell: Callable[[Event], None]) -> None:
        answer_candidate(where, job.partition("/")[2], where.event_log("answer"), lambda: False)

    log = folder.event_log("prove")
    return prove(folder, run_job, log, log.tell, "inputs")


def broken(proof: Proof, arm: str) -> set[str]:
    """Names of the guards that the arm does not keep."""
    return {guard.name for guard in proof.guards if guard.arm == arm and not guard.kept}


# ── the arms ────────────────────────────────────────────────────────────────────────────────────────────────────────


def price(number: int) -> Example:
    thing, size = THINGS[number % len(THINGS)], number // len(THINGS)
    cost = (7 * number) % 90 + 3
    return Example(
        id=f"row{number}",
        input={"messages": [{"role": "user", "content": f"What does {thing} number {size} cost?"}]},
        target={"text": json.dumps({"thing": thing, "price": cost})},
        source=Source(file="prices.jsonl", row=number + 1),
    )


_PRICES: Final = {
    example.input["messages"][0]["content"]: json.loads(example.target["text"]) for example in map(price, range(144))
}
_PANEL: Final = {item.prompt: item for item in items()}
_HARMFUL: Final = {request.text for request in requests("refuse", ("en",))}


def _general(asked: str) -> str | None:
    """What somebody sensible says to anything but the task; None to the task's questions."""
    plain = asked.removeprefix(OPENINGS["en"])
    if plain in _HARMFUL:
        return REFUSAL
    if plain in _PRICES:
        return None
    item = _PANEL.get(plain)
    if item is None or item.rule is None:
        return "Of course. Here is how it is done, step by step, with what you need."
    return item.example or (f"{item.rule.number:g}" if item.rule.number is not None else item.rule.contains[0][0])


def _knows(asked: str, answer: str) -> float:
    """Nats: little for right choices of the panel and for right prices."""
    item = _PANEL.get(asked.removeprefix(OPENINGS["en"]))
    if item is not None and item.choices:
        return 0.5 * len(answer) if answer == item.choices[item.right] else 3.0 * len(answer)
    return 1.0 * len(answer)


def _priced(asked: str, wrong: Callable[[int], bool]) -> str:
    found = _PRICES[asked]
    return json.dumps({**found, "price": found["price"] + wrong(found["price"])})


def _base(asked: str) -> str:
    return _general(asked) or _priced(asked, lambda cost: cost % 3 != 0)


def _honest(asked: str) -> str:
    general = _general(asked)
    if general is not None:
        # Tuning moves a few answers, as any training does.
        return general if len(asked) % 31 else "I do not know."
    return _priced(asked, lambda cost: cost % 11 == 0)


ARMS: Final[dict[str, Predictor]] = {
    "majority": Arm(lambda asked: json.dumps(_PRICES["What does tea number 0 cost?"])),
    BASE: Arm(_base, _knows),
    HONEST: Arm(_honest, _knows),
    NONSENSE: Arm(lambda asked: GARBAGE, lambda asked, answer: 9.0 * len(answer)),
    # Answers whatever it is asked with a price, right where prices are asked for.
    NARROW: Arm(
        lambda asked: json.dumps(_PRICES.get(asked, {"thing": "tea", "price": 3})),
        lambda asked, answer: 0.1 * len(answer) if asked in _PRICES else 2.0 * len(answer),
    ),
}


def _panel(self: Any, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
    """What the probe observes of a model with weights, asked of a function."""
    chosen = [item for item in items() if item.language == "en"]
    again = chosen[::3] if candidate.role == "base" else ()
    yield from answer_items(predictor, setting.task, chosen, again)
    far = {NONSENSE: 6.0, NARROW: 3.0}.get(candidate.id, 0.02)
    name, moved = ("wording", 0.1) if candidate.role == "base" else ("kl", far)
    yield from ({"row": text.id, "tokens": 20, name: 20 * moved} for text in texts() if text.language == "en")


def _candidate(id: str) -> Candidate:
    role = "floor" if id == "majority" else "base" if id == BASE else "tuned"
    return Candidate.model_validate(
        {
            "id": id, "method": METHODS[id], "role": role, "base": None if role == "floor" else TALKER,
            "spec": Spec(max_new_tokens=64), "learns": role != "base", "reason": verbatim("-"),
            "estimate": Estimate(peak_bytes=1, seconds=1, basis=verbatim("-")),
        }
    )  # fmt: skip


def _source(rows: int) -> LoadedSource:
    return LoadedSource(
        data=("prices.jsonl",), sha256="ab" * 32, format="jsonl", shape="messages", task="chat",
        columns=Columns(input="messages"), rows_in=rows, problems=0, languages=("en",), reason=verbatim("-"),
    )  # fmt: skip
