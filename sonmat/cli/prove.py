"""`sonmat prove`: every candidate on the sealed test set, and the verdict."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sonmat.cli.commands import asking
from sonmat.cli.options import PROOF_OPTIONS, AsJson, RunName, words
from sonmat.core.text import Text

HELP = Text(
    en="Test every candidate on held-out data. All answer the sealed test set; the verdict says what was worth it.\n\n"
    "Exit code 3 if the guards leave nothing to go on with.",
    ko="모든 후보를 테스트합니다. 봉인된 테스트 데이터로 비교하고 무엇이 나은지 판정합니다.\n\n"
    "조건 때문에 쓸 수 있는 후보가 없으면 종료 코드가 3입니다.",
)
_OF_A_RUN = {name: option for name, option in PROOF_OPTIONS.items() if name not in ("documents", "arm")}
"""What changes the proof alone; documents and endpoints change the plan, and `--add-arm` adds to it."""


@asking(_OF_A_RUN)
def prove(
    asked: dict[str, Any],
    run: RunName,
    add_arm: Annotated[
        list[str] | None,
        typer.Option(
            "--add-arm",
            metavar="ARM",
            help=words(
                "Add an arm: a method, RUN:CANDIDATE or openai:URL:MODEL (the test questions are sent there). Repeatable.",
                "증명에 후보를 더합니다: 방법, 실행:후보, openai:URL:모델(테스트 문항을 그곳에 보냅니다). 여러 번 쓸 수 있습니다.",
            ),
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import Target, listening
    from sonmat.cli.verdict import print_verdict, stop_if_guarded

    with listening(as_json) as listeners:
        wanted = Target.of([run], None, None, asked, keep_recipe=True).prepared
        found = wanted.add_arms(add_arm, "prove", listeners) if add_arm else wanted.perform("prove", listeners)
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "proof": found.proof})
    else:
        print_verdict(console(), found.proof)
    stop_if_guarded(found.proof)
