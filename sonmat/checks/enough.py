"""Whether more rows would help, and of which class: a learning curve of a simple model on parts of the data.

Only for kinds with one label a row; of other kinds it says how their number compares with what is usual in the field. With
fewer than 100 rows it says nothing: `row_count` does.

`Finding.data` where there is a curve, all errors and gains as macro-F1 from 0 to 1:
    points: [{rows, error, low, high}] measured, `rows` learnt from; low and high are the extremes of the repetitions
    curve: [{rows, error, low, high}] fitted, from the smallest size measured to twice the largest
    rows_now, rows_more: rows learnt from now, and how many more `gain` speaks of
    gain: {value, low, high} with 95 % confidence
    classes: [{label, rows_now, rows_more, gain: {value, low, high}}] of the F1 of single classes, the weakest first
    features: what the simple model went by
    looked_at: rows of the sample that the curve rests on
Where the simple model learns next to nothing, only points, features and looked_at are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from sonmat.checking.label_quality import Ints, numbered
from sonmat.checking.learning_curve import TEST_FOLDS, Band, Curve, Points, fitted, growing_shares, measured
from sonmat.checking.progress import Progress
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Json
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.rows import ExampleRows, has_classes, has_labels

FEWEST_ROWS = 100
FEWEST_OF_A_CLASS = 10
REPETITIONS = 6
_MOST_ROWS = 6_000
"""That the curve rests on; more of them would take minutes and move it little."""
_MOST_ROWS_OF_CLASSES = 3_000
_CLASS_SHARES = (0.2, 0.4, 0.7, 1.0)
_CLASSES_SHOWN = 2
_WORTH_HAVING = 0.01
"""A point of macro-F1: less is hardly noticed by anybody."""
_LEARNS_SOMETHING = 1.5
"""Times 1/classes, which guessing gets, that macro-F1 must reach."""
_USUAL_CHAT_ROWS = 1_000
"""Zhou et al., "LIMA: Less Is More for Alignment" (2023): 1,000 careful conversations gave a base model its manner of answering."""
_USUAL_ROWS = 100
"""OpenAI's fine-tuning guide: clear improvements are typically seen with 50 to 100 examples."""


class Enough:
    name = "enough"
    title = Text(en="Would more rows help?", ko="행을 더하면 나아질까요?")
    only_tells = True

    def watch(self, data: Surroundings) -> Watch | None:
        if has_labels(data.kind):
            return _Learning(data)
        return None if has_classes(data.kind) else _Usual(data)


class _Usual:
    """For kinds without classes: the number of rows beside what others needed."""

    def __init__(self, data: Surroundings) -> None:
        self.data = data

    def see(self, rows: Rows) -> None:
        """Their number is known beforehand."""

    def findings(self) -> Iterator[Finding]:
        conversation = "messages" in self.data.kind.Input.model_fields
        usual = _USUAL_CHAT_ROWS if conversation else _USUAL_ROWS
        if not 0 < self.data.rows < usual:
            return
        why = _CHAT_ORIENTATION if conversation else _ORIENTATION
        yield Finding(
            check=plugin.name,
            severity="note",
            what=Text(
                en=f"{self.data.rows:,} rows. {why.en}",
                ko=f"{self.data.rows:,}행입니다. {why.ko}",
            ),
            fix=Text(
                en="Try it: the proof shows whether they were enough. Rows that are alike count as one.",
                ko="일단 해 보세요. 충분했는지는 증명 단계에서 드러납니다. 비슷한 행 여럿은 하나와 같습니다.",
            ),
            data={"rows_now": self.data.rows, "usual": usual},
        )


_CHAT_ORIENTATION = Text(
    en="Usual: first effects with 50 to 100 good conversations, a manner of speaking that holds with about 1,000 (LIMA, 2023).",
    ko="보통 좋은 대화 50~100개면 효과가 보이기 시작하고, 말투가 자리 잡으려면 1,000개쯤 필요합니다(LIMA, 2023).",
)
_ORIENTATION = Text(
    en="Usual: first effects with 50 to 100 good examples.", ko="보통 좋은 예시가 50~100개면 효과가 보이기 시작합니다."
)


class _Learning:
    def __init__(self, data: Surroundings) -> None:
        self.data = data

    def see(self, rows: Rows) -> None:
        """The sample holds what is looked at."""

    def findings(self) -> Iterator[Finding]:
        examples = self.data.sample.examples
        counts = Counter(example.target["label"] for example in examples)
        at = [place for place, example in enumerate(examples) if counts[example.target["label"]] >= FEWEST_OF_A_CLASS]
        if len(at) < FEWEST_ROWS or len({examples[place].target["label"] for place in at}) < 2:
            return
        at = sorted(np.random.default_rng(self.data.seed).permutation(at)[:_MOST_ROWS].tolist())
        yield self._finding([examples[place] for place in at], at)

    def _finding(self, examples: Sequence[Example], at: Sequence[int]) -> Finding:
        names, labels = numbered([example.target["label"] for example in examples])
        features = self.data.sample.features[list(at)]
        same = np.array(ExampleRows(examples).input_keys, dtype=np.uint64)
        shares = growing_shares(len(examples), len(names))
        models = REPETITIONS * (len(shares) + min(len(names), _CLASSES_SHOWN) * len(_CLASS_SHARES))
        progress = Progress(self.data.emit, plugin.title, models)
        points = measured(features, labels, same, shares, REPETITIONS, self.data.seed, progress.step)
        curve = fitted(points.sizes, points.errors, self.data.seed)
        now = float(points.sizes[-1]) * self.data.rows / len(examples)
        gain = curve.gain(now, 2 * now)
        few = slice(_MOST_ROWS_OF_CLASSES)
        classes = [
            self._class(label, names[label], measured(
                features[few], labels[few], same[few], _CLASS_SHARES, REPETITIONS, self.data.seed, progress.step, label
            ), self.data.rows / min(len(examples), _MOST_ROWS_OF_CLASSES))
            for label in _weakest(points, labels[few])
        ]  # fmt: skip
        if 1 - points.errors[:, -1].mean() < _LEARNS_SOMETHING / len(names):
            return self._nothing_learnt(points, len(examples))
        return Finding(
            check=plugin.name,
            severity="note",
            what=_said(gain, self.data.rows, classes, len(examples) < self.data.rows, len(examples)),
            fix=_advice(gain, classes),
            data={
                "points": _points(points),
                "curve": _drawn(curve, float(points.sizes[0]), 2 * now),
                "rows_now": round(now),
                "rows_more": round(now),
                "gain": _as_json(gain),
                "classes": classes,
                "features": self.data.sample.features_from.model_dump(),
                "looked_at": len(examples),
            },
        )

    def _nothing_learnt(self, points: Points, looked_at: int) -> Finding:
        features = self.data.sample.features_from
        return Finding(
            check=plugin.name,
            severity="note",
            what=Text(
                en=f"A simple model learns next to nothing of these classes from {features.en} (macro-F1 "
                f"{1 - points.errors[:, -1].mean():.2f}), so it cannot say whether more rows would help.",
                ko=f"단순한 모델은 {features.ko}만으로 이 클래스들을 거의 배우지 못해(매크로 F1 "
                f"{1 - points.errors[:, -1].mean():.2f}), 행을 더하면 나아질지 알 수 없습니다.",
            ),
            fix=Text(
                en="See whether a person could tell the label from the input alone; or set 'embedder' to a pretrained encoder.",
                ko="입력만 보고 사람이 라벨을 맞힐 수 있는지 확인하거나, 'embedder'에 사전학습 인코더를 지정해 보세요.",
            ),
            data={"points": _points(points), "features": features.model_dump(), "looked_at": looked_at},
        )

    def _class(self, label: int, name: str, points: Points, scale: float) -> Json:
        curve = fitted(points.sizes, 1 - points.f1[:, :, label], self.data.seed)
        now = float(points.sizes[-1])
        gain = curve.gain(now, 2 * now)
        more = _rounded(now * scale * TEST_FOLDS / (TEST_FOLDS - 1))
        return {
            "label": name,
            "rows_now": round(now * scale * TEST_FOLDS / (TEST_FOLDS - 1)),
            "rows_more": more,
            "gain": _as_json(gain),
        }


def _weakest(points: Points, labels: Ints) -> list[int]:
    """The classes of lowest F1 that have enough rows to be thinned out."""
    f1 = points.f1[:, -1].mean(axis=0)
    enough = np.bincount(labels, minlength=len(f1)) >= 2 * FEWEST_OF_A_CLASS
    order = [label for label in np.argsort(f1, kind="stable").tolist() if enough[label] and f1[label] < 1 - _WORTH_HAVING]
    return order[:_CLASSES_SHOWN]


def _said(gain: Band, rows: int, classes: Sequence[Json], sampled: bool, looked_at: int) -> Text:
    more = _rounded(rows)
    if gain.high < _WORTH_HAVING:
        english = (
            f"More such rows will hardly help: {more:,} more would gain at most {100 * gain.high:.1f} points of macro-F1."
        )
        korean = f"비슷한 행을 더해도 거의 나아지지 않습니다. 두 배로 늘려도 매크로 F1이 많아야 {100 * gain.high:.1f}점 오릅니다."
    elif _is_sure(gain):
        english = f"About {more:,} more rows would gain {_points_of(gain).en} of macro-F1."
        korean = f"행을 {more:,}개쯤 더하면 매크로 F1이 {_points_of(gain).ko} 오를 것으로 보입니다."
    else:
        english = (
            f"Whether more rows would help is open: {more:,} more would gain {100 * gain.low:.1f} to {100 * gain.high:.1f} points "
            "of macro-F1."
        )
        korean = (
            f"행을 더하면 나아질지는 아직 모릅니다. {more:,}개쯤 더하면 매크로 F1이 {100 * gain.low:.1f}~{100 * gain.high:.1f}점 "
            "오를 수 있습니다."
        )
    for each in (entry for entry in classes if _helps(entry)):
        band = Band(**each["gain"])
        english += f" {each['rows_more']:,} more rows of '{each['label']}' would gain {_points_of(band).en} of its F1."
        korean += f" '{each['label']}' 행을 {each['rows_more']:,}개 더하면 이 클래스의 F1이 {_points_of(band).ko} "
        korean += "오를 것으로 보입니다."
    english += f" (A simple model's learning curve{f' on {looked_at:,} rows' if sampled else ''}.)"
    korean += f" (단순한 모델의 학습 곡선{f', {looked_at:,}행' if sampled else ''} 기준)"
    return Text(en=english, ko=korean)


def _advice(gain: Band, classes: Sequence[Json]) -> Text:
    wanted = [entry["label"] for entry in classes if _helps(entry)]
    if wanted:
        listed = ", ".join(f"'{label}'" for label in wanted)
        return Text(en=f"If you collect more, collect {listed} first.", ko=f"행을 더 모은다면 {listed}부터 모으세요.")
    if gain.high < _WORTH_HAVING:
        return Text(
            en="Rather mend wrong labels and add cases that are not there yet.",
            ko="행 수보다는 틀린 라벨을 고치고, 아직 없는 경우를 더하는 편이 낫습니다.",
        )
    return Text(
        en="Collect more rows if they are cheap; those unlike the ones you have help most.",
        ko="쉽게 모을 수 있다면 더 모으세요. 지금 있는 것과 다른 행일수록 도움이 됩니다.",
    )


def _helps(entry: Json) -> bool:
    return _is_sure(Band(**entry["gain"]))


def _is_sure(gain: Band) -> bool:
    """Whether it is worth having and its band, written as ±, does not reach down to 0."""
    return gain.value >= _WORTH_HAVING and gain.low > 0 and gain.value > (gain.high - gain.low) / 2


def _points_of(band: Band) -> Text:
    half = 50 * (band.high - band.low)
    return Text(en=f"{100 * band.value:.1f} ± {half:.1f} points", ko=f"{100 * band.value:.1f}±{half:.1f}점")


def _points(points: Points) -> list[Json]:
    return [
        {"rows": round(rows), "error": _round(column.mean()), "low": _round(column.min()), "high": _round(column.max())}
        for rows, column in zip(points.sizes.tolist(), points.errors.T, strict=True)
    ]


def _drawn(curve: Curve, first: float, last: float) -> list[Json]:
    drawn = []
    for rows in np.geomspace(first, last, 24).tolist():
        error = curve.error(rows)
        drawn.append(
            {"rows": round(rows), "error": _round(error.value), "low": _round(error.low), "high": _round(error.high)}
        )
    return drawn


def _as_json(band: Band) -> Json:
    return {"value": _round(band.value), "low": _round(band.low), "high": _round(band.high)}


def _round(value: float) -> float:
    return round(float(value), 4)


def _rounded(rows: float) -> int:
    """`rows` as one would say it: two digits, the rest zeros."""
    zeros: int = 10 ** max(len(str(round(rows))) - 2, 0)
    return round(rows / zeros) * zeros


plugin = Enough()
