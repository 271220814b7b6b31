"""Forgetting: planted losses are found, nothing is found where nothing changed, and KL is the exact one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sonmat import plugins
from sonmat.core.errors import ModelError
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, SavedModel, Yes
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Estimate, Json, ModelFacts
from sonmat.inference.behind import neural_behind, untuned
from sonmat.inference.divergence import divergence, log_probabilities
from sonmat.inference.predictor import NeuralPredictor
from sonmat.probes.forgetting import languages_of
from sonmat.probing.panel import Item, items, texts
from sonmat.probing.panel.asking import REWORDED, is_right
from sonmat.probing.panel.views import unpacked
from sonmat.statistics.similarity import linear_cka, shared_neighbours
from tests.training.tiny_jobs import CPU, tiny_job

PROBE = plugins.find("probes", "forgetting")
NO_COST = Estimate(peak_bytes=0, seconds=0, basis=Text(en="-", ko="-"))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Sequence[Item]:
    """Eight items of the panel and two texts, so that a tiny model answers in a moment."""
    chosen = (*items()[:2], *items()[64:66], *items()[128:130], *items()[-2:])
    monkeypatch.setattr("sonmat.probes.forgetting.items", lambda: chosen)
    monkeypatch.setattr("sonmat.probes.forgetting.texts", lambda: (texts()[0], texts()[-1]))
    return chosen


def test_a_choice_is_right_where_its_nats_per_byte_are_least() -> None:
    item = next(item for item in items() if item.id == "knowledge-en-01")
    sizes = [len(choice.encode()) for choice in item.choices]
    nats = [2.0 * size for size in sizes]
    nats[item.right] = 1.9 * sizes[item.right]
    assert is_right(item, {"row": item.id, "nats": nats})
    nats[item.right] = 2.0 * sizes[item.right]
    assert not is_right(item, {"row": item.id, "nats": nats}), "a tie is no knowledge"
    assert not is_right(item, {"row": item.id, "nats": [None, *nats[1:]]})


def test_planted_forgetting_is_found_in_its_area_and_over_all() -> None:
    base = seen("zero-shot", "base", rows_with(wrong=lambda item: False))
    tuned = seen("lora", "tuned", rows_with(wrong=lambda item: item.area == "arithmetic"))
    found = by_name(PROBE.measure(setting(), tuned, base))
    share = sum(item.area == "arithmetic" for item in items()) / len(items())
    assert found["all"].value == pytest.approx(share)
    assert found["all"].low is not None
    assert found["all"].low > 0
    assert found["arithmetic"].value == 0
    changes = {name: found[name].change for name in ("arithmetic", "knowledge", "reading")}
    assert changes["arithmetic"] is not None
    assert changes["arithmetic"].beyond_noise
    assert changes["arithmetic"].difference == -1
    assert changes["knowledge"] is not None
    assert not changes["knowledge"].beyond_noise
    assert found["moved"].value == pytest.approx(share)
    assert set(found["arithmetic"].rows) <= {item.id for item in items() if item.area == "arithmetic"}
    assert len(found["arithmetic"].rows) == 20


def test_a_model_that_did_not_change_has_forgotten_nothing() -> None:
    rows = rows_with(wrong=lambda item: item.id.endswith(("1", "4")))
    found = by_name(PROBE.measure(setting(), seen("lora", "tuned", rows), seen("zero-shot", "base", rows)))
    assert found["all"].value == 0
    assert found["moved"].value == 0
    assert not any(measure.change and measure.change.beyond_noise for measure in found.values())


def test_the_noise_floor_is_how_often_the_base_moves_by_another_wording() -> None:
    plain = rows_with(wrong=lambda item: False)
    asked_twice = [row for row in plain if REWORDED in row]
    moved = [row for row in asked_twice if row["row"].endswith("1") and "nats" in row]
    for row in moved:
        row[REWORDED] = {"nats": [None] * len(row["nats"])}
    found = by_name(PROBE.measure(setting(), seen("zero-shot", "base", plain), None))
    assert found["wording"].value == pytest.approx(len(moved) / len(asked_twice))
    tuned = by_name(
        PROBE.measure(setting(), seen("lora", "tuned", rows_with(lambda item: False)), seen("zs", "base", plain))
    )
    note = tuned["moved"].note
    assert note is not None
    assert f"{len(moved) / len(asked_twice):.0%} of {len(asked_twice)} items" in note.en
    assert "all" not in found, "without a base nothing can be lost"
    assert "kl" not in found


def test_nats_per_token_are_those_of_all_tokens_beside_the_noise_floor_of_the_base() -> None:
    kl = [{"row": text.id, "tokens": 10 + at, "kl": 0.5 * at} for at, text in enumerate(texts())]
    wording = [{"row": text.id, "tokens": 20, "wording": 1.0} for text in texts()]
    found = PROBE.measure(setting(), seen("lora", "tuned", kl), seen("zero-shot", "base", wording))
    measure = by_name(found)["kl"]
    assert measure.value == pytest.approx(sum(row["kl"] for row in kl) / sum(row["tokens"] for row in kl))  # type: ignore[misc]
    assert measure.low is not None
    assert measure.high is not None
    assert 0 < measure.low < measure.value < measure.high
    assert measure.rows[0] == texts()[-1].id
    assert measure.note is not None
    assert "0.05 nats" in measure.note.en
    assert [each.slice for each in found if each.name == "kl"] == [{}, {"language": "en"}, {"language": "ko"}]
    assert by_name(PROBE.measure(setting(), seen("zero-shot", "base", wording), None))["wording_kl"].value == 0.05


def test_kl_is_that_of_the_whole_vocabulary(tmp_path: Path, few: Sequence[Item]) -> None:
    neural, saved = tuned_chat(tmp_path, "full", learning_rate=3e-2)
    assert saved.base is not None
    rows = {row["row"]: row for row in PROBE.observe(setting(), candidate("full", "tuned", saved.base), neural)}
    text = texts()[0]
    example = (
        saved.task.tiny()
        .examples[0]
        .model_copy(
            update={"input": {"messages": [{"role": "user", "content": text.prompt}]}, "target": {"text": text.text}}
        )
    )
    row = neural.task.encode(example, neural.processor, neural.spec)
    with untuned(neural.model, saved.base, "AutoModelForCausalLM")() as base:
        p, q = (whole_log_probabilities(model, row.arrays) for model in (base, neural.model))
    exact = float((np.exp(p) * (p - q)).sum())
    assert exact > 0.1
    assert rows[text.id]["kl"] == pytest.approx(exact, rel=1e-4)
    assert rows[text.id]["tokens"] == len(p)


def test_every_arm_is_asked_the_same(tmp_path: Path, few: Sequence[Item]) -> None:
    neural, saved = tuned_chat(tmp_path, "lora", learning_rate=1e-1)
    assert saved.base is not None
    tuned = list(PROBE.observe(setting(), candidate("lora", "tuned", saved.base), Wrapper(neural)))
    base = plugins.find("methods", "zero-shot")
    plain = base.load(saved_as(saved, "zero-shot", base.Settings()))
    before = list(PROBE.observe(setting(), candidate("zero-shot", "base", saved.base), plain))
    assert {row["row"] for row in tuned} == {row["row"] for row in before}
    assert len(tuned) == len(few) + 2
    assert sum(REWORDED in row for row in before) == len(few[::3])
    assert [row["kl"] > 0 for row in tuned if "kl" in row] == [True, True]
    assert [row["wording"] > 0 for row in before if "wording" in row] == [True, True]


def test_an_adapter_is_taken_off_to_ask_the_base_and_put_on_again(tmp_path: Path) -> None:
    neural, saved = tuned_chat(tmp_path, "lora", learning_rate=1e-1)
    assert saved.base is not None
    row = neural.task.encode(saved.task.tiny().examples[0], neural.processor, neural.spec)
    zero_shot = plugins.find("methods", "zero-shot")
    plain = neural_behind(zero_shot.load(saved_as(saved, "zero-shot", zero_shot.Settings())))
    with torch.inference_mode():
        before = log_probabilities(neural.model, row)
        with untuned(neural.model, saved.base, "AutoModelForCausalLM")() as base:
            off = log_probabilities(base, row)
        assert torch.equal(off, log_probabilities(plain.model, row))
        assert torch.equal(before, log_probabilities(neural.model, row))
    assert float(divergence(off, before).sum()) > 0
    assert float(divergence(off, off).abs().sum()) == 0


def test_an_encoder_whose_body_is_untouched_sees_as_its_base_does(tmp_path: Path) -> None:
    found = views(tmp_path / "head", "head-only")
    assert found["cka"].value == pytest.approx(1, abs=1e-6)
    assert found["neighbours"].value == 1
    moved = views(tmp_path / "full", "full", learning_rate=5e-2, epochs=5)
    assert moved["cka"].value < 0.99
    assert moved["neighbours"].value < 0.9


@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_vectors_of_the_base_are_those_of_the_base_whatever_was_trained(tmp_path: Path, method: str) -> None:
    found = observed_views(tmp_path / "tuned", method, learning_rate=5e-2)
    untouched = observed_views(tmp_path / "head", "head-only")
    for row, before in zip(found, untouched, strict=True):
        assert row["row"] == before["row"]
        np.testing.assert_allclose(unpacked(row["base"]), unpacked(before["own"]), atol=2e-3)
        assert np.abs(unpacked(row["own"]) - unpacked(row["base"])).max() > 1e-2


def test_cka_is_that_of_the_formula_whatever_the_rotation_and_scale() -> None:
    chance = np.random.default_rng(0)
    a = chance.normal(size=(200, 6))
    rotation, _ = np.linalg.qr(chance.normal(size=(6, 6)))
    assert linear_cka(a, 3 * a @ rotation).value == pytest.approx(1)
    b = a @ chance.normal(size=(6, 4)) + chance.normal(size=(200, 4))
    one, other = a - a.mean(axis=0), b - b.mean(axis=0)
    # Kornblith et al. 2019, eq. 4 in its feature form; with many sentences its bias is small.
    biased = np.linalg.norm(other.T @ one) ** 2 / np.linalg.norm(one.T @ one) / np.linalg.norm(other.T @ other)
    assert linear_cka(a, b).value == pytest.approx(biased, abs=0.03)
    assert linear_cka(a, b).interval.holds(float(biased))
    unrelated = linear_cka(chance.normal(size=(60, 300)), chance.normal(size=(60, 300)))
    assert abs(unrelated.value) < 0.1, "more dimensions than sentences must not look alike"
    assert unrelated.interval.holds(0.0)


def test_neighbours_are_shared_where_the_order_of_nearness_is() -> None:
    angles = np.linspace(0, 3, 30)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert shared_neighbours(circle, 2 * circle, 3).tolist() == [1.0] * 30
    assert shared_neighbours(circle, circle[np.random.default_rng(0).permutation(30)], 3).mean() < 0.5


def test_a_base_is_asked_in_the_languages_that_it_speaks() -> None:
    facts = ModelFacts(name="b", path="", origin="", checksum="", family="", model_type="", parameters=1)
    assert languages_of(facts) == {"en", "ko"}
    assert languages_of(facts.model_copy(update={"languages": ("en", "de")})) == {"en"}
    assert languages_of(facts.model_copy(update={"languages": ("fr",)})) == {"en", "ko"}
    english = [row for row in rows_with(wrong=lambda item: False) if "-en-" in row["row"]]
    found = PROBE.measure(setting(), seen("lora", "tuned", english), seen("zero-shot", "base", english))
    assert {measure.slice.get("language", "en") for measure in found} == {"en"}
    assert next(measure for measure in found if measure.name == "all").items == len(items()) // 2


def test_arms_without_weights_of_their_own_are_not_asked() -> None:
    facts = ModelFacts(name="b", path="", origin="", checksum="", family="", model_type="", parameters=1)
    assert isinstance(PROBE.supports(setting(), candidate("lora", "tuned", facts)), Yes)
    assert isinstance(PROBE.supports(setting(), candidate("zero-shot", "base", facts)), Yes)
    few_shot = candidate("few-shot", "base", facts).model_copy(update={"learns": True})
    assert isinstance(PROBE.supports(setting(), few_shot), No)
    over = candidate("rag", "tuned", facts).model_copy(update={"over": "lora"})
    assert isinstance(PROBE.supports(setting(), over), No)
    assert isinstance(PROBE.supports(setting(), candidate("majority", "floor", None)), No)
    assert isinstance(PROBE.supports(setting("image-classification"), candidate("full", "tuned", facts)), No)
    with pytest.raises(ModelError, match="weights"):
        neural_behind(Wrapper(NoModel()))


class Wrapper:
    """A predictor around another, as the proof wraps them."""

    def __init__(self, behind: Any) -> None:
        self.behind = behind

    def loaded(self) -> Any:
        return self.behind

    def answer(self, questions: Any) -> Iterator[Any]:
        raise AssertionError("the model itself is asked")


class NoModel:
    def answer(self, questions: Any) -> Iterator[Any]:
        yield from ()


def setting(task: str = "chat") -> Setting:
    found = plugins.find("tasks", task)
    return Setting(
        task=found, spec=found.tiny().spec, languages=("ko",), train=(), test=(), seed=0, recipe=Recipe(data="x")
    )


def candidate(method: str, role: Any, base: ModelFacts | None) -> Candidate:
    learns = role == "tuned"
    reason = Text(en="-", ko="-")
    return Candidate(id=method, method=method, role=role, base=base, learns=learns, reason=reason, estimate=NO_COST)


def seen(method: str, role: Any, rows: list[Json]) -> Seen:
    return Seen(candidate=candidate(method, role, None), answers={}, rows=rows)


def rows_with(wrong: Any) -> list[Json]:
    """Rows of a model that is right but where `wrong` says otherwise, asked plainly and in other words."""
    rows = [row_of(item, wrong(item)) for item in items()]
    for row in rows[::3]:
        row[REWORDED] = {name: value for name, value in row.items() if name != "row"}
    return rows


def row_of(item: Item, wrong: bool) -> Json:
    if item.form == "choice":
        right = -1.0 if wrong else 1.0
        return {"row": item.id, "nats": [100.0 - right * 50 * (place == item.right) for place in range(len(item.choices))]}
    assert item.rule is not None
    good = item.example or (f"{item.rule.number:g}" if item.rule.number is not None else item.rule.contains[0][0])
    return {"row": item.id, "text": "" if wrong else good}


def by_name(measures: Sequence[Measure]) -> dict[str, Measure]:
    """Those about all items."""
    return {measure.name: measure for measure in measures if not measure.slice}


def tuned_chat(folder: Path, method: str, **settings: Any) -> tuple[NeuralPredictor, SavedModel]:
    folder.mkdir(exist_ok=True)
    job = tiny_job("chat", method, folder, epochs=3, batch_size=4, patience=9, **settings)
    found = plugins.find("methods", method)
    found.fit(job)
    saved = SavedModel(job.folder, method, job.task, job.spec, job.base, job.family, job.settings, CPU)
    return neural_behind(found.load(saved)), saved


def saved_as(saved: SavedModel, method: str, settings: Any) -> SavedModel:
    return SavedModel(saved.folder, method, saved.task, saved.spec, saved.base, saved.family, settings, CPU)


def views(folder: Path, method: str, **settings: Any) -> dict[str, Measure]:
    rows = observed_views(folder, method, **settings)
    seen = Seen(candidate=candidate(method, "tuned", None), answers={}, rows=rows)
    return by_name(PROBE.measure(setting("text-classification"), seen, None))


def observed_views(folder: Path, method: str, **settings: Any) -> list[Json]:
    folder.mkdir()
    job = tiny_job("text-classification", method, folder, **settings)
    found = plugins.find("methods", method)
    found.fit(job)
    saved = SavedModel(job.folder, method, job.task, job.spec, job.base, job.family, job.settings, CPU)
    return list(PROBE.observe(setting("text-classification"), candidate(method, "tuned", job.base), found.load(saved)))


def whole_log_probabilities(model: Any, arrays: Any) -> Any:
    """The same by another way: all logits at once, the log-softmax by NumPy in float64."""
    labels = np.array(arrays["labels"])
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([arrays["input_ids"]])).logits[0].double().numpy()
    logits = logits[:-1][labels[1:] >= 0]
    peak = logits.max(axis=1, keepdims=True)
    return logits - peak - np.log(np.exp(logits - peak).sum(axis=1, keepdims=True))
