"""The model card, read back by the hub's own library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData

from sonmat.core.text import Language
from sonmat.runs import RunFolder
from sonmat.steps.report.card import model_card
from sonmat.steps.report.collect import collect
from sonmat.steps.report.phrasing import Phrasing
from tests.report.conftest import MAKERS


def header_of(card: ModelCard) -> dict[str, Any]:
    header: dict[str, Any] = yaml.safe_load(card.content.split("---\n")[1])
    return header


def card_of(folder: RunFolder, language: Language = "en") -> ModelCard:
    return ModelCard(model_card(collect(folder), Phrasing(language)))


@pytest.mark.parametrize("name", MAKERS)
def test_the_hub_reads_the_results_of_the_chosen_candidate(runs: dict[str, RunFolder], name: str) -> None:
    report = collect(runs[name])
    data = card_of(runs[name]).data
    assert isinstance(data, ModelCardData)
    results = data.eval_results
    assert results is not None
    assert [result.metric_value for result in results] == [round(score.value, 6) for score in report.chosen.arm.scores]
    assert all(result.dataset_name == report.data and result.dataset_split == "test" for result in results)


def test_licence_base_and_task_are_named_as_the_hub_names_them(runs: dict[str, RunFolder]) -> None:
    support, faq, mails = (header_of(card_of(runs[name])) for name in ("support", "faq", "mails"))
    assert support["license"] == "mit"
    assert (support["base_model"], support["pipeline_tag"]) == ("multilingual-e5-small", "text-classification")
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
    assert header_of(card)["license_name"] == "Tea Licence 3"
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
