"""The model that `predict` and `chat` talk to: of a run, or of a model folder that was copied from one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonmat.cli.options import words

if TYPE_CHECKING:
    from sonmat.api import Model

RunOrModel = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help=words(
            "Name or folder of a run, or a model folder copied from one.", "실행 이름이나 폴더, 또는 복사해 둔 모델 폴더."
        ),
    ),
]
CandidateName = Annotated[
    str | None,
    typer.Option(
        "--candidate",
        metavar="ID",
        help=words(
            "Candidate to ask; the verdict's choice if left out.", "물어볼 후보. 생략하면 판정이 고른 후보를 씁니다."
        ),
    ),
]


def model_of(named: str, candidate: str | None) -> Model:
    """The model, not yet loaded.

    Raises:
        RunError: there is no such run or candidate, or it is not fitted.
        ModelError: its base model cannot be had.
    """
    from sonmat import api
    from sonmat.models.saved import MANIFEST

    if (Path(named) / MANIFEST).is_file():
        return _announced(api.load(named))
    run = api.open_run(named)
    return _announced((run.candidate(candidate) if candidate is not None else run.best).load())


def _announced(model: Model) -> Model:
    """Says where questions go that leave this machine, before the first one does."""
    from sonmat.cli.console import error_console
    from sonmat.methods.openai import OpenAISettings

    settings = model.saved.settings
    if isinstance(settings, OpenAISettings):
        said = words(
            f"Every question is sent to {settings.url}, to {settings.model}.",
            f"질문은 모두 {settings.url}의 {settings.model}에 보냅니다.",
        )
        error_console().print(said, soft_wrap=True)
    return model
