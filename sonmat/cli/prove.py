"""`sonmat prove`: every candidate on the sealed test set, and the verdict."""

from __future__ import annotations

from sonmat.cli.options import AsJson, RunName
from sonmat.core.text import Text

HELP = Text(
    en="Test every candidate on held-out data. All answer the sealed test set; the verdict says what was worth it.",
    ko="모든 후보를 시험합니다. 봉인된 시험 데이터로 비교하고 무엇이 나은지 판정합니다.",
)


def prove(run: RunName, as_json: AsJson = False) -> None:
    from sonmat import api
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import listening
    from sonmat.cli.verdict import print_verdict

    with listening(as_json) as listeners:
        found = api.open_run(run).resume("prove", listeners)
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "proof": found.proof})
        return
    print_verdict(console(), found.proof)
