"""A probe: how many of an arm's answers thank the reader, beside its untuned base."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Json
from sonmat.probing.tallies import Tally, measures_of

THANKS = re.compile(r"\b(thanks|thank you)\b|고맙|감사", re.IGNORECASE)


class Politeness:
    name = "politeness"
    title = Text(en="politeness", ko="공손함")
    measures: tuple[str, ...] = ("thanks",)

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        if setting.task.generates and setting.task.modality == "text":
            return Yes()
        return No(Text(en="it writes nothing.", ko="글을 쓰지 않습니다."))

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        # The answers to the test set are enough.
        return iter(())

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        thanks = Tally(
            name="thanks",
            title=Text(en="answers that thank the reader", ko="고마움을 전하는 답변"),
            outcomes=thanking(own),
            base=thanking(base) if base else None,
            higher_is_better=True,
        )
        return measures_of([thanks], probe=self.name, arm=own.candidate.id, seed=setting.seed)


def thanking(seen: Seen) -> dict[str, float]:
    return {row: float(bool(THANKS.search(str(answer.output.get("text", ""))))) for row, answer in seen.answers.items()}


plugin = Politeness()
