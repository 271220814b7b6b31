"""`sonmat predict`: ask a run's model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonmat.cli.model_of import CandidateName, RunOrModel
from sonmat.cli.options import AsJson, words
from sonmat.core.text import Text

if TYPE_CHECKING:
    from sonmat.api import Model
    from sonmat.cli.inputs import Given
    from sonmat.core.proof import Prediction

HELP = Text(
    en="Ask a run's model. Answers come in the order of the inputs, as soon as they are known.",
    ko="실행의 모델에 물어봅니다. 답은 입력 순서대로, 나오는 대로 보여 줍니다.",
)
INPUTS_AT_ONCE = 32
"""Answered together; a stream from another program is answered one by one."""


def predict(
    run: RunOrModel,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[INPUT]...", help=words("Texts, or paths of pictures.", "글 또는 그림 파일의 경로.")),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help=words(
                "File of inputs: .jsonl, .json, .csv, .txt; - reads standard input.",
                "입력 파일: .jsonl, .json, .csv, .txt. -는 표준 입력입니다.",
            ),
        ),
    ] = None,
    candidate: CandidateName = None,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.console import print_json
    from sonmat.cli.inputs import given_inputs
    from sonmat.cli.model_of import model_of

    if not inputs and file is None:
        if sys.stdin.isatty():
            raise typer.BadParameter(
                words("Give an input, or --file with many.", "입력을 주거나 --file로 여러 개를 주세요."), param_hint="INPUT"
            )
        file = "-"
    model = model_of(run, candidate)
    answered = _answers(model, given_inputs(inputs or [], file, model.saved.task), 1 if file == "-" else INPUTS_AT_ONCE)
    if as_json:
        print_json({"predictions": [_document(given, prediction) for given, prediction in answered]})
        return
    for _, prediction in answered:
        # Not through rich: other programs read these lines, and it would turn the tab into spaces.
        print(_said(prediction), flush=True)


def _answers(model: Model, inputs: Iterator[Given], at_once: int) -> Iterator[tuple[Given, Prediction]]:
    while batch := list(islice(inputs, at_once)):
        yield from zip(batch, model.predict_all([given.value for given in batch]), strict=True)


def _document(given: Given, prediction: Prediction) -> dict[str, Any]:
    return {"input": given.value, **prediction.model_dump(mode="json", exclude={"row", "reference_nll"})}


def _said(prediction: Prediction) -> str:
    """A label with its share, or a text as it is."""
    output = prediction.output
    if "label" not in output:
        return str(output.get("text", output))
    label = output["label"] or str(Text(en="(no label named)", ko="(라벨 없음)"))
    return f"{label}\t{100 * prediction.confidence:.1f}%" if prediction.confidence is not None else label
