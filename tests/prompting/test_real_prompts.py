"""A real chat model, asked plainly and with care, about questions that it was never trained on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sonmat import plugins
from sonmat.core.protocols import FitJob, Judged, Question
from sonmat.core.values import Example, Source, Spec
from sonmat.inference.device import detect_device
from sonmat.models import resolve
from sonmat.prompting.choosing import TRIES_FILE, Tries
from sonmat.prompting.prompt import Prompt
from sonmat.runs.files import read_value
from tests.prompting.tiny_talker import label_job, saved_of
from tests.training.tiny_jobs import Heard
from tests.whole.small_world import ROOT

pytestmark = pytest.mark.real
FILES = {"computers": "faq_en.jsonl", "small talk": "chat_en.jsonl"}


def questions() -> list[Example]:
    """Questions of the Debian FAQ and to a chat robot, in turn; the label is where they come from."""
    found: list[Example] = []
    for label, name in FILES.items():
        lines = (ROOT / "examples" / "data" / name).read_text(encoding="utf-8").splitlines()
        texts = list(dict.fromkeys(json.loads(line)["messages"][0]["content"] for line in lines))
        short = [text for text in texts if 3 <= len(text.split()) <= 12][:30]
        found += [
            Example(id=f"{label} {at}", input={"text": text}, target={"label": label}, source=Source(file="", row=at))
            for at, text in enumerate(short)
        ]
    return sorted(found, key=lambda example: (example.source.row, example.id))


def real_job(folder: Path, method: str, **settings: object) -> FitJob:
    rows, base = questions(), resolve("smollm2-135m", emit=Heard())
    return replace(
        label_job(folder, "zero-shot"),
        base=base,
        family=plugins.find("families", base.family),
        spec=Spec(labels=tuple(FILES), max_tokens=512),
        settings=plugins.find("methods", method).Settings(**settings),
        train=rows[:24],
        validation=rows[24:40],
        device=detect_device(),
    )


def score_on_test(job: FitJob, method: str) -> float:
    test = questions()[40:60]
    predictor = plugins.find("methods", method).load(saved_of(job, method))
    answers = {each.row: each.output for each in predictor.answer([Question(row.id, row.input) for row in test])}
    judged = [Judged(row.input, row.target, answers[row.id]) for row in test]
    return float(job.selection.value(job.selection.statistics(judged).sum(axis=0)))


def test_the_best_prompt_beats_the_plain_question_where_it_was_chosen_and_holds_on_rows_that_nobody_saw(
    tmp_path: Path,
) -> None:
    job = real_job(tmp_path, "best-prompt", prompts=4, rows=16, own_words=False)
    plugins.find("methods", "best-prompt").fit(job)
    tried = read_value(job.folder / TRIES_FILE, Tries).tried
    plain = next(each for each in tried if each.prompt == Prompt())
    assert tried[0].rows == plain.rows == 16
    assert tried[0].score >= plain.score
    unprompted = replace(job, settings=plugins.find("methods", "zero-shot").Settings())
    assert score_on_test(job, "best-prompt") > score_on_test(unprompted, "zero-shot") + 0.1
