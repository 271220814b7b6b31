"""Cost: what a thousand answers and the training came to, in time, and in money where the recipe has a price for an hour.

In: the times that the proof measured anyway, and `price`. Out: seconds and money for 1,000 answers asked one at a time, and for the
training (of all folds, in a cross-validation). Electricity, people and idle machines are not counted. An arm that is asked elsewhere
costs what its owner charges: the tokens that the endpoint counted, times `token_prices`; without a price the money is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure, Measured, Unit
from sonmat.core.protocols import Predictor, Yes
from sonmat.core.recipe import TokenPrice
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Fitted, Json
from sonmat.probing.answers import groups_of
from sonmat.probing.tallies import Tally, measures_of
from sonmat.statistics.quantiles import Quantile, quantile_of

THOUSAND: Final = 1000
_SECONDS_PER_HOUR: Final = 3600.0
_TOKENS_PRICED: Final = 1_000_000


class Cost:
    name = "cost"
    title = Text(en="Cost", ko="비용")
    measures: tuple[str, ...] = (
        "seconds_per_1000", "per_1000", "training_seconds", "training", "input_tokens", "output_tokens",
    )  # fmt: skip

    def supports(self, setting: Setting, candidate: Candidate) -> Yes:
        return Yes()

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        return iter(())

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        candidate, price = own.candidate, setting.recipe.price
        found: list[Measure] = []
        if candidate.elsewhere:
            found += _tokens(setting, own)
        if own.measured is not None and own.measured.golden:
            found += _answers(candidate.id, own.measured, None if candidate.elsewhere else price)
        if own.fitted is not None and (candidate.role == "tuned" or own.fitted.trained_parameters):
            found += _training(candidate.id, own.fitted, price)
        return found


def _answers(arm: str, measured: Measured, price: float | None) -> list[Measure]:
    times = [each.seconds for each in measured.golden]
    alone = quantile_of(times, 0.5)
    note = Text(
        en=f"From the median time of {len(times)} questions asked one at a time.",
        ko=f"하나씩 물은 질문 {len(times)}개의 중앙값에서 셈했습니다.",
    )
    found = [_measure(arm, "seconds_per_1000", _SECONDS, alone, THOUSAND, "seconds", len(times), note)]
    if price is not None:
        per_answer = THOUSAND * price / _SECONDS_PER_HOUR
        found.append(_measure(arm, "per_1000", _MONEY, alone, per_answer, "money", len(times), _with_price(note, price)))
    return found


def _tokens(setting: Setting, own: Seen) -> list[Measure]:
    """What the endpoint counted for the test set, and what 1,000 such answers cost; nothing where it does not count."""
    counted = {row: answer for row, answer in own.answers.items() if answer.input_tokens}
    if not counted:
        return []
    groups = groups_of(setting.test)
    read = {row: float(answer.input_tokens) for row, answer in counted.items()}
    written = {row: float(answer.tokens) for row, answer in counted.items()}
    note = Text(en="As the endpoint counts them.", ko="서버가 센 토큰 수입니다.")
    tallies = [
        Tally("input_tokens", _READ, read, share=False, unit="count", groups=groups, rows=(), note=note),
        Tally("output_tokens", _WRITTEN, written, share=False, unit="count", groups=groups, rows=(), note=note),
    ]
    model = str(own.candidate.settings.get("model", ""))
    price = setting.recipe.token_prices.get(model)
    if price is not None:
        money = {
            row: THOUSAND * (price.input * read[row] + price.output * written[row]) / _TOKENS_PRICED for row in counted
        }
        tallies.append(
            Tally(
                "per_1000", _MONEY, money, share=False, unit="money", groups=groups, rows=(), note=_of_tokens(model, price)
            )
        )
    return measures_of(tallies, probe=Cost.name, arm=own.candidate.id, seed=setting.seed)


def _of_tokens(model: str, price: TokenPrice) -> Text:
    return Text(
        en=f"A million tokens of {model} cost {price.input:g} read and {price.output:g} written; discounts are not counted.",
        ko=f"{model}의 토큰 백만 개당 요금은 입력 {price.input:g}, 출력 {price.output:g}입니다. 할인은 넣지 않았습니다.",
    )


def _training(arm: str, fitted: Fitted, price: float | None) -> list[Measure]:
    once = Quantile(fitted.seconds, None, None)
    note = Text(en="Trained once; no interval can be had of it.", ko="한 번 학습한 시간이라 구간은 구할 수 없습니다.")
    found = [_measure(arm, "training_seconds", _TRAINING_TIME, once, 1.0, "seconds", 1, note)]
    if price is not None:
        per_second = price / _SECONDS_PER_HOUR
        found.append(_measure(arm, "training", _TRAINING, once, per_second, "money", 1, _with_price(note, price)))
    return found


def _measure(
    arm: str, name: str, title: Text, seconds: Quantile, factor: float, unit: Unit, items: int, note: Text
) -> Measure:
    return Measure(
        probe=Cost.name,
        name=name,
        title=title,
        arm=arm,
        value=factor * seconds.value,
        low=None if seconds.low is None else factor * seconds.low,
        high=None if seconds.high is None else factor * seconds.high,
        items=items,
        unit=unit,
        higher_is_better=False,
        note=note,
    )


def _with_price(note: Text, price: float) -> Text:
    return Text(en=f"{note.en} An hour costs {price:g}.", ko=f"{note.ko} 한 시간 요금은 {price:g}입니다.")


_SECONDS = Text(en="seconds for 1,000 answers", ko="답변 1,000개에 걸리는 시간")
_MONEY = Text(en="cost of 1,000 answers", ko="답변 1,000개의 비용")
_READ = Text(en="tokens read for an answer", ko="답변 하나에 읽은 토큰 수")
_WRITTEN = Text(en="tokens written for an answer", ko="답변 하나에 쓴 토큰 수")
_TRAINING_TIME = Text(en="time to train", ko="학습 시간")
_TRAINING = Text(en="cost of training", ko="학습 비용")

plugin = Cost()
