"""The model card, read back by the hub's own library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from sonmat.core.proof import Change, Guard, Measure
from sonmat.core.text import LANGUAGES, Language, Text
from sonmat.runs import RunFolder, write_value
from sonmat.steps.report.card import model_card
from sonmat.steps.report.collect import collect
from sonmat.steps.report.phrasing import Phrasing
from tests.report.conftest import MAKERS


def header_of(card: ModelCard) -> dict[str, Any]:
    header: dict[str, Any] = yaml.safe_load(card.content.split("---\n")[1])
    return header


@pytest.fixture
def measured(tmp_path: Path) -> RunFolder:
    """A run whose proof has measures of forgetting and safety, with rows, slices and guards."""
    folder = MAKERS["support"](tmp_path / "measured")
    proof, arm = folder.proof(), "full-multilingual-e5-small"
    harm = Change(difference=-0.12, low=-0.2, high=-0.04, beyond_noise=True)
    title = Text(en="arithmetic | <b>", ko="산수")
    first = Measure(
        probe="forgetting", name="all", title=title, arm=arm, value=0.4, low=0.3, high=0.5, items=60, change=harm,
        rows=("panel-1", proof.arms[0].candidate),
    )  # fmt: skip
    measures = (
        first,
        first.model_copy(update={"probe": "safety", "name": "toxic", "higher_is_better": False, "change": None}),
        first.model_copy(update={"probe": "fairness", "name": "score", "slice": {"name": "Kim Cheolsu"}}),
        first.model_copy(update={"arm": "majority", "value": 0.123}),
    )
    reason = Text(en="12 points of knowledge are gone.", ko="지식이 12%p 줄었습니다.")
    guard = Guard(
        name="forgetting.all", arm=arm, measure="forgetting.all", bound=0.05, value=0.4, kept=False, reason=reason
    )
    write_value(folder.file("proof.json"), proof.model_copy(update={"measures": measures, "guards": (guard,)}))
    return folder


def results_of(card: ModelCard) -> list[EvalResult]:
    assert isinstance(card.data, ModelCardData)
    assert card.data.eval_results is not None
    return list(card.data.eval_results)


def card_of(folder: RunFolder, language: Language = "en") -> ModelCard:
    return ModelCard(model_card(collect(folder), Phrasing(language)))


@pytest.mark.parametrize("name", MAKERS)
def test_the_hub_reads_the_results_of_the_chosen_candidate(runs: dict[str, RunFolder], name: str) -> None:
    report = collect(runs[name])
    data = card_of(runs[name]).data
    assert isinstance(data, ModelCardData)
    results = data.eval_results
    assert results is not None
    of_test = [result for result in results if result.dataset_split == "test"]
    assert [result.metric_value for result in of_test] == [round(score.value, 6) for score in report.chosen.arm.scores]
    assert all(result.dataset_name == report.data for result in of_test)
    score = report.chosen.arm.headline
    assert of_test[0].metric_args == {
        "low": round(score.low, 6), "high": round(score.high, 6), "confidence": 0.95, "items": score.items
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_hub_writes_again_is_what_was_written(measured: RunFolder, language: Language) -> None:
    card = card_of(measured, language)
    written = card.data.to_dict()  # type: ignore[no-untyped-call]
    assert written.pop("model-index") == header_of(card)["model-index"]
    assert written == {key: value for key, value in header_of(card).items() if key != "model-index"}
    again = ModelCard(f"---\n{card.data.to_yaml()}\n---\n{card.text}")
    assert again.data.to_dict() == card.data.to_dict()  # type: ignore[no-untyped-call]
    assert "&id" not in card.content


def test_licence_base_and_task_are_named_as_the_hub_names_them(runs: dict[str, RunFolder]) -> None:
    support, faq, mails = (header_of(card_of(runs[name])) for name in ("support", "faq", "mails"))
    assert support["license"] == "mit"
    assert (support["base_model"], support["pipeline_tag"]) == ("intfloat/multilingual-e5-small", "text-classification")
    assert (faq["license"], faq["pipeline_tag"]) == ("gemma", "text-generation")
    assert (mails["license"], mails["base_model"]) == ("apache-2.0", "HuggingFaceTB/SmolLM2-135M-Instruct")


def test_metrics_have_the_types_of_the_hub(runs: dict[str, RunFolder]) -> None:
    (result,) = header_of(card_of(runs["support"]))["model-index"][0]["results"]
    assert [metric["type"] for metric in result["metrics"]] == ["accuracy", "f1"]


def test_an_unknown_licence_is_named_in_full(runs: dict[str, RunFolder]) -> None:
    report = collect(runs["support"])
    strange = [
        line.model_copy(update={"base": line.base.model_copy(update={"licence": "Tea Licence 3"})}) if line.base else line
        for line in report.candidates
    ]
    card = ModelCard(model_card(report.model_copy(update={"candidates": tuple(strange)}), Phrasing("en")))
    assert header_of(card)["license"] == "other"
    assert header_of(card)["license_name"] == "tea-licence-3"
    assert "Tea Licence 3" in card.text


def test_no_model_means_no_licence(runs: dict[str, RunFolder]) -> None:
    assert {"license", "base_model"}.isdisjoint(header_of(card_of(runs["few"])))


@pytest.mark.parametrize("name", MAKERS)
def test_no_row_of_the_data_is_quoted(runs: dict[str, RunFolder], name: str) -> None:
    text = str(card_of(runs[name], "ko"))
    for example in runs[name].examples():
        for quoted in (example.input.get("text"), example.target.get("text")):
            assert quoted is None or quoted not in text


def test_a_name_with_markup_stays_a_name(tmp_path: Path) -> None:
    folder = MAKERS["few"](tmp_path / "a *b* [c](d) | <e>")
    text = str(card_of(folder))
    assert r"# a \*b\* \[c\](d) \| \<e\>" in text


def test_the_card_speaks_korean(runs: dict[str, RunFolder]) -> None:
    text = card_of(runs["faq"], "ko").text
    assert "## 학습 데이터" in text
    assert "## Training data" not in text


def test_forgetting_and_safety_are_results_on_items_of_their_own(measured: RunFolder) -> None:
    own = {result.metric_type: result for result in results_of(card_of(measured)) if result.dataset_type != "private"}
    assert set(own) == {"forgetting.all", "safety.toxic"}
    assert own["forgetting.all"].metric_value == 0.4
    assert own["forgetting.all"].dataset_type == "sonmat-forgetting"


def test_guards_and_changes_are_told_and_other_arms_are_not(measured: RunFolder) -> None:
    english, korean = card_of(measured).text, card_of(measured, "ko").text
    assert "- `forgetting.all`: **not kept**. 12 points of knowledge are gone." in english
    assert (
        r"| arithmetic \| \<b\> `forgetting.all` | 40.0\u00a0% (30.0\u00a0% – 50.0\u00a0%) | 60 | **−12\u00a0points, worse** |"
        in (english.replace("\u00a0", r"\u00a0"))
    )
    assert "**어김**. 지식이 12%p 줄었습니다." in korean
    assert "12.3" not in english.split("## What else was measured")[1].split("##")[0]


def test_neither_rows_nor_values_of_slices_are_in_the_card(measured: RunFolder) -> None:
    for language in LANGUAGES:
        text = str(card_of(measured, language))
        assert "panel-1" not in text
        assert "Kim" not in text


def test_nothing_measured_besides_is_said(runs: dict[str, RunFolder]) -> None:
    assert "neither forgetting nor safety nor fairness was measured" in card_of(runs["support"]).text
    assert "No bound was set" in card_of(runs["support"]).text


@pytest.mark.parametrize("licence", ["unknown", ""])
def test_a_licence_that_nobody_knows_stays_unknown(runs: dict[str, RunFolder], licence: str) -> None:
    report = collect(runs["support"])
    lines = [
        line.model_copy(update={"base": line.base.model_copy(update={"licence": licence})}) if line.base else line
        for line in report.candidates
    ]
    card = ModelCard(model_card(report.model_copy(update={"candidates": tuple(lines)}), Phrasing("en")))
    assert header_of(card)["license"] == "unknown"
    assert "is not known. Find out before you pass this model on." in card.text


@pytest.mark.parametrize(
    ("file", "library", "relation"),
    [("adapter_config.json", "peft", "adapter"), ("config.json", "transformers", "finetune"), ("", "sonmat", "finetune")],
)
def test_the_kind_of_files_says_how_it_was_tuned(tmp_path: Path, file: str, library: str, relation: str) -> None:
    folder = MAKERS["support"](tmp_path / "run")
    if file:
        model = folder.candidate_folder("full-multilingual-e5-small") / "model"
        model.mkdir(parents=True)
        (model / file).write_text("{}", encoding="utf-8")
    header = header_of(card_of(folder))
    assert (header["library_name"], header["base_model_relation"]) == (library, relation)


def test_an_untuned_base_is_no_finetune(runs: dict[str, RunFolder]) -> None:
    assert "base_model_relation" not in header_of(card_of(runs["mails"]))
    assert "No weights were trained" in card_of(runs["mails"]).text


def test_data_sets_of_the_hub_are_named_with_their_owner(tmp_path: Path) -> None:
    folder = MAKERS["mails"](tmp_path / "run")
    recipe = folder.recipe().model_copy(update={"data": ("hub:owner/mails@abc", "own.csv")})
    write_value(folder.file("recipe.json"), recipe)
    card = card_of(folder)
    assert header_of(card)["datasets"] == ["owner/mails"]
    assert header_of(card)["model-index"][0]["results"][0]["dataset"]["type"] == "owner/mails"


def test_languages_are_those_of_the_data_that_the_base_knows(tmp_path: Path) -> None:
    folder = MAKERS["faq"](tmp_path / "run")
    write_value(folder.file("source.json"), folder.source().model_copy(update={"languages": ("ko", "other")}))
    assert header_of(card_of(folder))["language"] == ["ko"]
    write_value(folder.file("source.json"), folder.source().model_copy(update={"languages": ("other",)}))
    assert header_of(card_of(folder))["language"] == ["en", "ko"]
