"""What is passed on of a run, and what is shown of its rows on a screen, holds no planted value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sonmat.cli.tokens import HIDDEN_ID, Token, _without_personal
from sonmat.core.proof import Prediction
from sonmat.core.text import LANGUAGES
from sonmat.core.values import Example, Source
from sonmat.runs import EventLog, RunFolder, write_rows
from sonmat.steps.report import write_report
from tests.report.made_run import chat_run, classification_run

VALUES = (
    "010-1234-5678",
    "gildong@naver.com",
    "880101-1234567",
    "4111-1111-1111-1111",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
)
PLANTED = f" 연락처 {VALUES[0]}, {VALUES[1]}, 주민번호 {VALUES[2]}, 카드 {VALUES[3]}, token {VALUES[4]} "
LONG = "그리고 또 한 가지 더 말씀드릴 것이 있습니다. " * 160


def planted_run(folder: RunFolder) -> RunFolder:
    """Every row, and every answer of a model, holds all values; some texts are cut in the middle of one."""
    examples = [
        example.model_copy(
            update={
                "input": _planted(example.input, LONG[: number % 40 + 3960] if number % 3 == 0 else ""),
                "target": _planted(example.target, ""),
                "slices": dict.fromkeys(example.slices, VALUES[0]),
            }
        )
        for number, example in enumerate(folder.examples())
    ]
    write_rows(folder.file("examples.jsonl"), Example, examples)
    for file in folder.file("predictions").glob("*.jsonl"):
        answers = [
            answer.model_copy(update={"output": _planted(answer.output, "")}) for answer in folder.predictions(file.stem)
        ]
        write_rows(file, Prediction, answers)
    return folder


def _planted(content: dict[str, object], before: str) -> dict[str, object]:
    """With the values in every text that is no label."""
    if "messages" in content:
        turns: list[dict[str, str]] = content["messages"]  # type: ignore[assignment]
        return {**content, "messages": [{**turn, "content": before + PLANTED + turn["content"]} for turn in turns]}
    return {**content, "text": before + PLANTED + str(content["text"])} if "text" in content else content


@pytest.mark.parametrize("make", [classification_run, chat_run])
def test_report_page_figures_and_card_hold_no_value(tmp_path: Path, make: Callable[..., RunFolder]) -> None:
    folder = planted_run(make(tmp_path / "run", rows=90))
    for language in LANGUAGES:
        write_report(folder, language, EventLog(folder.file("events.jsonl")))
        for name in ("report.html", "report.json", "model_card.md", "audit.json", "events.jsonl"):
            written = folder.file(name).read_text(encoding="utf-8")
            assert not any(value in written for value in VALUES), name
            assert not any(value[:9] in written for value in VALUES), f"{name}: the beginning of one"
        assert "‹전화번호›" in folder.file("report.json").read_text(encoding="utf-8"), "rows are still quoted"


def token(number: int, text: str) -> Token:
    return Token(ids=(number,), text=text, supervised=number > 3)


def test_the_preview_of_tokens_hides_the_text_and_the_ids_of_a_value() -> None:
    texts = ("CALL", "##010", "-", "▁12", "34", "-", "56", "78", "later")
    example = Example(
        id="r", input={"text": "call 010-1234-5678 later"}, target={"label": "a"}, source=Source(file="f.csv", row=2)
    )
    shown = _without_personal(tuple(token(number, text) for number, text in enumerate(texts)), example)
    assert [each.text for each in shown] == ["CALL", "•••••", "•", "•••", "••", "•", "••", "••", "later"]
    assert [each.ids for each in shown] == [(0,), *[(HIDDEN_ID,)] * 7, (8,)]
    assert [each.supervised for each in shown] == [number > 3 for number in range(9)]


def test_the_preview_of_a_row_without_personal_data_is_as_it_was() -> None:
    example = Example(id="r", input={"text": "call later"}, target={"label": "a"}, source=Source(file="f.csv", row=2))
    tokens = (token(0, "call"), token(1, "later"))
    assert _without_personal(tokens, example) is tokens
