"""The learning curve of the tuned arm on the page: a heading of its own, a dot a training, its sentence in both languages."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sonmat.core.proof import CurvePoint, CurveSpan, LearningCurve, Score
from sonmat.core.text import Language, Text
from sonmat.runs import EventLog, RunFolder, write_value
from sonmat.steps.report import write_report
from tests.report.reading import Page

ROWS = (35, 35, 70, 70, 140, 140, 280)


def curve_of(arm: str, metric: str) -> LearningCurve:
    def score(rows: int) -> Score:
        value = 1 - 4 * rows**-0.5
        return Score(metric=metric, value=value, low=value - 0.05, high=value + 0.05, items=60)

    return LearningCurve(
        arm=arm,
        metric=metric,
        points=tuple(
            CurvePoint(rows=rows, score=score(rows), training=f"{arm}~{place}") for place, rows in enumerate(ROWS)
        ),
        fitted=tuple(CurveSpan(rows=rows, value=1 - 4 * rows**-0.5, low=0.3, high=0.9) for rows in (35, 280, 560)),
        rows=280,
        gain=0.07,
        low=0.04,
        high=0.1,
        says="helps",
        sentence=Text(en="Twice the rows would bring about 7 points.", ko="행을 두 배로 늘리면 7점쯤 오릅니다."),
    )


@pytest.mark.parametrize(
    ("language", "heading", "said"), [("en", "More data?", "about 7 points"), ("ko", "데이터를 더하면?", "7점쯤 오릅니다")]
)
def test_a_measured_curve_has_a_section_with_its_sentence_and_a_dot_a_training(
    runs: dict[str, RunFolder], tmp_path: Path, language: Language, heading: str, said: str
) -> None:
    folder = RunFolder(Path(shutil.copytree(runs["support"].path, tmp_path / "run")))
    proof = folder.proof()
    arm = next(arm for arm in proof.arms if arm.role == "tuned")
    with_curve = proof.model_copy(update={"curve": curve_of(arm.candidate, proof.headline)})
    write_value(folder.file("proof.json"), with_curve)
    html = write_report(folder, language, EventLog(None)).read_text(encoding="utf-8")
    text = " ".join(Page(html).texts)
    assert heading in text
    assert said in text
    section = html.split('id="more"')[1].split("<section")[0]
    assert section.count("<circle") >= len(ROWS)


def test_without_a_curve_there_is_no_section(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    folder = RunFolder(Path(shutil.copytree(runs["support"].path, tmp_path / "run")))
    assert 'id="more"' not in write_report(folder, "en", EventLog(None)).read_text(encoding="utf-8")
