"""With a real language model: what stands in a document, and nowhere else, is known to the arm that looks it up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.protocols import FitJob, Question, SavedModel
from sonmat.core.text import Text
from sonmat.core.values import Spec
from sonmat.inference.device import detect_device
from sonmat.methods.rag import RagSettings
from sonmat.models import resolve
from tests.retrieval.test_rag import chat

pytestmark = pytest.mark.real

HANDBOOK = """# Opening hours
The Zubrow archive is open from a quarter past seven until noon.

# Cards
A reader's card of the Zubrow archive costs eleven crowns and is made of copper.

# Pets
Only ferrets may be brought into the reading room of the Zubrow archive.
"""
QUESTIONS = [
    chat("hours", "When is the Zubrow archive open?", "From a quarter past seven until noon."),
    chat("cards", "What is a reader's card of the Zubrow archive made of?", "It is made of copper."),
    chat("pets", "Which pets may be brought into the reading room of the Zubrow archive?", "Only ferrets."),
]


def silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    pass


def test_an_untuned_model_knows_what_its_documents_say(tmp_path: Path) -> None:
    (tmp_path / "handbook.md").write_text(HANDBOOK)
    (tmp_path / "model").mkdir()
    task, base = plugins.find("tasks", "chat"), resolve("smollm2-135m", emit=silent)
    family, device = plugins.find("families", base.family), detect_device()
    spec = Spec(max_tokens=512, max_new_tokens=24)
    settings = RagSettings(passages=2, by="words")
    train = [chat("t", "Good morning!", "Good morning. How can I help you?")]
    rag, zero_shot = plugins.find("methods", "rag"), plugins.find("methods", "zero-shot")
    job = FitJob(
        task, spec, base, family, settings, train, [], plugins.find("metrics", "nll_per_character"), tmp_path / "model",
        tmp_path / "work", 0, device, silent, lambda: False, tmp_path / "cache", (tmp_path / "handbook.md",),
    )  # fmt: skip
    rag.fit(job)
    asked = [Question(each.id, each.input, each.target) for each in QUESTIONS]
    helped = SavedModel(tmp_path / "model", "rag", task, spec, base, family, settings, device)
    alone = SavedModel(tmp_path / "model", "zero-shot", task, spec, base, family, zero_shot.Settings(), device)
    answers = {answer.row: answer for answer in rag.load(helped).answer(asked)}
    guesses = {answer.row: answer for answer in zero_shot.load(alone).answer(asked)}
    for question in QUESTIONS:
        assert answers[question.id].sources[0].place.en.startswith("handbook.md")
        assert (answers[question.id].reference_nll or 0) < (guesses[question.id].reference_nll or 0)
    assert sum(each.reference_nll or 0 for each in answers.values()) < 0.5 * sum(
        each.reference_nll or 0 for each in guesses.values()
    )
    assert "copper" in answers["cards"].output["text"]
    assert "copper" not in guesses["cards"].output["text"]
