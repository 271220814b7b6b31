"""`sonmat chat`: talk to a run's model in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sonmat.cli.model_of import CandidateName, RunOrModel
from sonmat.cli.options import AsJson, words
from sonmat.core.errors import ModelError
from sonmat.core.text import Text

if TYPE_CHECKING:
    from sonmat.api import Model

HELP = Text(
    en="Talk to a run's chat model. /new begins again, /exit or Ctrl-D ends.",
    ko="실행의 대화 모델과 이야기합니다. /new는 처음부터, /exit나 Ctrl-D는 끝내기입니다.",
)


def chat(
    run: RunOrModel,
    candidate: CandidateName = None,
    system: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help=words("System message to begin with.", "처음에 둘 시스템 메시지.")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.model_of import model_of

    model = model_of(run, candidate)
    _require_chat(model)
    opening = [{"role": "system", "content": system}] if system else []
    messages = list(opening)
    screen = console()
    talking = sys.stdin.isatty() and not as_json
    if talking:
        screen.print(str(HELP), style="dim")
    for said in _turns(talking):
        if said == "/new":
            messages = list(opening)
            continue
        messages.append({"role": "user", "content": said})
        messages.append({"role": "assistant", "content": _answer(model, messages, quiet=as_json)})
    if as_json:
        print_json({"messages": messages})


def _require_chat(model: Model) -> None:
    task = model.saved.task
    if not task.generates:
        raise ModelError(
            Text(
                en=f"This model does {task.title.en}, not chat.", ko=f"이 모델은 대화가 아니라 {task.title.ko} 모델입니다."
            ),
            Text(en="Use `sonmat predict`.", ko="`sonmat predict`를 쓰세요."),
        )


def _turns(talking: bool) -> Iterator[str]:
    """What the user says, a line a turn, until /exit or the end of input."""
    while True:
        try:
            line = input("> " if talking else "").strip()
        except EOFError:
            return
        if line == "/exit":
            return
        if line:
            yield line


def _answer(model: Model, messages: list[dict[str, str]], quiet: bool) -> str:
    """The assistant's next words, written to stdout as they come."""
    from sonmat.inference.generation import generate
    from sonmat.inference.predictor import NeuralPredictor, computing

    predictor = model.predictor
    if not isinstance(predictor, NeuralPredictor):
        text = model.chat(messages)
        if not quiet:
            print(text, flush=True)
        return text
    # The same encoding, model and limits as `Predictor.answer`, which does not tell of single words.
    prompt = predictor.task.encode_input({"messages": messages}, predictor.processor, predictor.spec).arrays["input_ids"]
    on_text = None if quiet else lambda piece: print(piece, end="", flush=True)
    with computing(predictor.device):
        (answer,) = generate(predictor.model, predictor.processor, [prompt], predictor.spec.max_new_tokens, on_text)
    if not quiet:
        print(flush=True)
    return answer.text
