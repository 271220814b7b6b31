"""What errors cost, and how the probabilities of a classifier become a label: values that are saved with every model.

A right answer costs nothing, and an error costs 1 unless the user says otherwise. How a decision is chosen on validation rows is said
in `sonmat.inference.deciding`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sonmat.core.errors import SettingError, unknown_name
from sonmat.core.text import Text
from sonmat.core.values import Value

COST_METRIC: Final = "mean_cost"
"""The metric that decides where costs are set."""
USUAL: Final = 1.0
"""Cost of an error that nobody has said anything about."""

GivenCosts = Mapping[str, float | Mapping[str, float]]
"""As a recipe has them: by true label the cost of missing it, or by true label and answer the cost of that error."""


class Costs(Value):
    """The cost of every error."""

    labels: tuple[str, ...]
    given: dict[str, float | dict[str, float]]

    def of(self, target: str, answer: object) -> float:
        """What `answer` costs where `target` is right; an answer that is no label costs as much as the worst error there."""
        if answer == target:
            return 0.0
        row = self.given.get(target, USUAL)
        if not isinstance(row, dict):
            return row
        if isinstance(answer, str) and answer in self.labels:
            return row.get(answer, USUAL)
        return max((row.get(label, USUAL) for label in self.labels if label != target), default=USUAL)

    def rows(self, labels: Sequence[str]) -> list[list[float]]:
        """By true label a list of the costs of every answer, both in the order of `labels`."""
        return [[self.of(target, answer) for answer in labels] for target in labels]

    @property
    def highest(self) -> float:
        """The most that an error may cost."""
        return max(self.of(target, answer) for target in self.labels for answer in (*self.labels, None))

    @property
    def watched(self) -> str | None:
        """The one label whose miss costs more than any other error, so that a threshold decides; None where there is none."""
        dear = [label for label in self.labels if self._missing(label) > self._false_alarm(label)]
        if len(dear) != 1:
            return None
        simple = all(not isinstance(row, dict) and (label in dear or row == USUAL) for label, row in self.given.items())
        return dear[0] if simple or len(self.labels) == 2 else None

    def usual_threshold(self, label: str) -> float:
        """Share of `label`, against the best of the other labels, at which answering it begins to cost less (Elkan 2001, eq. 2)."""
        missing, false_alarm = self._missing(label), self._false_alarm(label)
        return false_alarm / (false_alarm + missing)

    def _missing(self, label: str) -> float:
        return self.of(label, None)

    def _false_alarm(self, label: str) -> float:
        return max((self.of(other, label) for other in self.labels if other != label), default=USUAL)


class Decision(Value):
    """How the model's probabilities become a label."""

    temperature: float = 1.0
    """Log-probabilities are divided by it: above 1 makes confidences smaller (Guo et al. 2017)."""
    costs: Costs | None = None
    """The answer is the label whose expected cost is least; the most probable one where no costs are set."""
    watched: str | None = None
    """The label that `threshold` is about."""
    threshold: float | None = None
    """`watched` is answered where its share, against the best of the other labels, is at least this, else that other label."""
    rows: int = 0
    """Validation rows that chose it; 0 where nothing was chosen by any."""
    budget: Text | None = None
    """What was tried on them, said to the user."""


def costs_of(given: GivenCosts, labels: Sequence[str]) -> Costs | None:
    """The costs that a recipe gives for data with these labels; None where it gives none.

    Raises:
        SettingError: a label does not exist, a right answer is to cost something, or no error costs anything.
    """
    if not given:
        return None
    if not labels:
        raise SettingError(
            Text(
                en="Costs are set, and this task does not answer with labels.",
                ko="비용을 지정했는데 이 과제는 라벨로 답하지 않습니다.",
            ),
            Text(
                en="Leave out --cost (recipe key `cost`); it is for classification.",
                ko="--cost(레시피의 `cost`)를 빼세요. 분류 과제에만 쓸 수 있습니다.",
            ),
        )
    for target, row in given.items():
        _require_label(target, labels)
        for answer, cost in row.items() if isinstance(row, Mapping) else ():
            _require_label(answer, labels)
            if answer == target and cost:
                raise _costly_right_answer(target, cost)
    costs = Costs(labels=tuple(labels), given={label: _plain(row) for label, row in given.items()})
    if costs.highest > 0:
        return costs
    raise SettingError(
        Text(en="By these costs no error costs anything.", ko="이 비용대로면 어떤 오류도 비용이 없습니다."),
        Text(
            en="Give at least one error a cost above 0, for example --cost spam=20.",
            ko="적어도 한 오류에는 0보다 큰 비용을 주세요. 예: --cost spam=20.",
        ),
    )


def _plain(row: float | Mapping[str, float]) -> float | dict[str, float]:
    return dict(row) if isinstance(row, Mapping) else row


def _require_label(label: str, labels: Sequence[str]) -> None:
    if label not in labels:
        raise unknown_name(Text(en="label", ko="라벨"), label, labels)


def _costly_right_answer(label: str, cost: float) -> SettingError:
    return SettingError(
        Text(
            en=f"The costs say that answering '{label}' costs {cost:g} where '{label}' is right.",
            ko=f"'{label}'이(가) 정답일 때 '{label}'(이)라고 답하는 비용이 {cost:g}(으)로 되어 있습니다.",
        ),
        Text(
            en="A right answer costs nothing: leave it out. Rows are true labels, and in them stand the answers.",
            ko="맞는 답에는 비용이 없으니 빼세요. 바깥 이름이 정답 라벨이고 안쪽 이름이 답한 라벨입니다.",
        ),
    )
