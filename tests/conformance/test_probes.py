"""Every probe found keeps its contract, and the suite notices those that do not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sonmat import plugins
from sonmat.conformance import check_probe
from sonmat.conformance.probe import Reciter, made_setting, reciter
from sonmat.core.probing import Seen, Setting, Work
from sonmat.core.proof import Change, Measure
from sonmat.core.protocols import No, Predictor, Question, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Json

TITLE = Text(en="a probe", ko="탐침")
NEED_WEIGHTS = ("forgetting",)
"""Look into a model; their own tests check them with one."""
PROBES = [probe.name for probe in plugins.every("probes") if probe.name not in NEED_WEIGHTS]


@pytest.mark.parametrize("task", ["text-classification", "chat"])
@pytest.mark.parametrize("name", PROBES)
def test_every_probe_keeps_the_contract(name: str, task: str) -> None:
    check_probe(plugins.find("probes", name), made_setting(task))


@dataclass
class Made:
    """A probe without a fault, of which a test breaks one part."""

    name: str = "made"
    title: Text = TITLE
    measures: Any = ("right",)
    rows: Callable[[int], Json] = lambda number: {"row": f"item-{number}", "right": True}
    count: Callable[[Candidate], int] = lambda candidate: 3
    change: Callable[[Measure], Measure] = lambda measure: measure
    said: Any = field(default_factory=Yes)

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        return self.said  # type: ignore[no-any-return]

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        for _ in predictor.answer([Question("warm-up", setting.test[0].input)]):
            pass
        yield from (self.rows(number) for number in range(self.count(candidate)))

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        answers = [own.answers[example.id].output == example.target for example in setting.test]
        change = Change(difference=0.1, low=-0.1, high=0.3, beyond_noise=False) if base else None
        found = Measure(
            probe=self.name, name="right", title=TITLE, arm=own.candidate.id, value=sum(answers) / len(answers), low=0.0,
            high=1.0, items=len(answers), higher_is_better=True, change=change,
        )  # fmt: skip
        return [self.change(found)]


def test_a_probe_without_a_fault_passes_and_gives_its_measures() -> None:
    (measure,) = check_probe(Made())
    assert (measure.value, measure.arm) == (1.0, "tuned-arm")


def test_a_probe_that_supports_nothing_here_passes_silently() -> None:
    assert check_probe(Made(said=No(TITLE))) == ()


def with_(**changes: object) -> Callable[[Measure], Measure]:
    return lambda measure: measure.model_copy(update=changes)


BEYOND = Change(difference=0.1, low=-0.1, high=0.3, beyond_noise=True)
FAULTS: list[tuple[str, Made, str]] = [
    ("no id", Made(rows=lambda number: {"right": number}), "without a text as 'row'"),
    ("one id twice", Made(rows=lambda _: {"row": "same"}), "two rows of the same id"),
    ("not JSON", Made(rows=lambda number: {"row": f"{number}", "pair": (1, 2)}), "read again from JSON"),
    ("other counts", Made(count=lambda candidate: 3 if candidate.role == "base" else 2), "same number for every arm"),
    ("a name with a dot", Made(name="ma.de"), "name that guards cannot write"),
    ("one language", Made(title=Text(en="a", ko="")), "no title in one of the languages"),
    ("no reason", Made(said=No(Text(en="", ko=""))), "without a reason"),
    ("no answer", Made(said=True), "expected Yes or No"),
    ("another's name", Made(change=with_(probe="other")), "signs the measure"),
    ("another's arm", Made(change=with_(arm="other")), "to the arm other"),
    ("outside", Made(change=with_(low=2.0, high=3.0)), "outside of its interval"),
    ("a list of names", Made(measures=["right"]), "expected a tuple of names"),
    ("one name", Made(measures="right"), "expected a tuple of names"),
    ("a name that nobody can write", Made(measures=("right", "Wrong!")), "declares a measure 'Wrong!'"),
    ("an undeclared name", Made(change=with_(name="left")), "gives a measure 'left' that is none of those that it declares: right"),
    ("no items", Made(change=with_(items=0)), "on 0 items"),
    ("a change without a base", Made(change=with_(change=BEYOND.model_copy(update={"beyond_noise": False}))), "tells a change"),
    ("a change that is none", Made(change=lambda m: m.model_copy(update={"change": BEYOND if m.change else None})), "holds 0"),
    ("a new figure each time", Made(change=lambda m: m.model_copy(update={"value": random.random()})), "differently a second time"),
]  # fmt: skip


@pytest.mark.parametrize(("probe", "message"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_a_probe_with_a_fault_is_noticed(probe: Made, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_probe(probe)


def test_a_probe_that_changes_its_rows_or_depends_on_their_order_is_noticed() -> None:
    class Careless(Made):
        def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
            for row in own.rows:
                row["seen"] = True
            return super().measure(setting, own, base)

    class Ordered(Made):
        def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
            (found,) = super().measure(setting, own, base)
            return [found.model_copy(update={"value": float(next(iter(own.answers)) == "row-0")})]

    with pytest.raises(AssertionError, match="changes the rows"):
        check_probe(Careless())
    with pytest.raises(AssertionError, match="order of answers"):
        check_probe(Ordered())


@pytest.mark.parametrize(
    ("foretold", "message"),
    [
        (Work(3), None),
        (Work(4), "foretells 4 rows of tuned-arm and gives 3"),
        (Work(3, read_bytes=-1.0), "foretells read_bytes of -1.0"),
        (Work(3, elsewhere_seconds=float("inf")), "foretells elsewhere_seconds of inf"),
        (Work(3, most_seconds=0.0), "foretells to stop after 0.0 seconds"),
    ],
    ids=["right", "rows", "bytes", "seconds", "never"],
)
def test_a_probe_is_held_to_what_it_foretells(foretold: Work, message: str | None) -> None:
    class Foretelling(Made):
        def work(self, setting: Setting, candidate: Candidate) -> Work:
            return foretold

    if message is None:
        check_probe(Foretelling())
        return
    with pytest.raises(AssertionError, match=message):
        check_probe(Foretelling())


def test_two_measures_of_one_name_are_noticed() -> None:
    class Twice(Made):
        def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
            return [*super().measure(setting, own, base)] * 2

    with pytest.raises(AssertionError, match="same name and slice"):
        check_probe(Twice())


def test_a_planted_worse_arm_must_be_measured_as_worse() -> None:
    setting = made_setting()
    wrong = Reciter({"": {"label": "no such label"}})
    check_probe(Made(), setting, worse=wrong, worse_in="right")
    with pytest.raises(AssertionError, match="gives a planted worse arm"):
        check_probe(Made(), setting, worse=reciter(setting), worse_in="right")
    with pytest.raises(AssertionError, match="has no measure 'wrong'"):
        check_probe(Made(), setting, worse=wrong, worse_in="wrong")


def test_something_of_the_wrong_shape_is_no_probe() -> None:
    class Nothing:
        name = "nothing"

    nothing: Any = Nothing()
    with pytest.raises(AssertionError, match="lacks"):
        check_probe(nothing)


def test_the_made_run_can_be_larger() -> None:
    setting = made_setting(rows=20)
    assert (len(setting.test), len(setting.train)) == (20, 20)
    assert replace(setting, seed=1).seed == 1
