"""What the rows are about: groups of like rows, how evenly they fill them, and a map to look at.

A note for every kind of rows; a warning where nearly all rows are of one group although there are several classes. Below 50 rows
it says nothing. Rows are compared by the features of the sample.

`Finding.data`:
    effective: effective number of groups, exp of the entropy of their shares (Hill 1973): 5 equal groups give 5
    features: what rows were compared by, {en, ko}
    looked_at: rows of the sample
    clusters: [{size, share, examples, words}], the largest first: rows of the sample in it, their share 0 to 1, ids of the three
        rows nearest its middle, up to six words that its rows have and others have not (none for pictures and sound)
    map: {ids, x, y, cluster, label}, lists of one length: up to 1,000 rows on a plane (t-SNE, near rows stay near; axes and
        distances between groups mean nothing), x and y from −1 to 1, the place of the row's group in `clusters`, and its label
        ('' where it has none, ', ' between several)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.progress import Progress
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Json
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.personal import masked
from sonmat.reading.rows import ExampleRows, has_classes, labels_of

FEWEST_ROWS = 50
MOST_ON_MAP = 1_000
_ROWS_TO_CHOOSE_BY = 2_000
_NUMBERS_OF_GROUPS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20)
_NEARLY_BEST = 0.9
"""Of the best silhouette: it goes on rising with ever smaller groups, which nobody wants to read about."""
_DOMINATES = 0.7
_CLEAR = 0.5
"""Silhouette from which two groups are told apart with reason (Kaufman and Rousseeuw 1990)."""
_BEYOND_CLASSES = 0.2
_WORDS = 6
_CENTRAL = 3
_WORD = re.compile(r"[^\W\d_]{2,}")


class Diversity:
    name = "diversity"
    title = Text(en="What the rows are about", ko="데이터의 다양성")
    only_tells = True

    def watch(self, data: Surroundings) -> Watch | None:
        return _Groups(data)


class _Groups:
    def __init__(self, data: Surroundings) -> None:
        self.data = data

    def see(self, rows: Rows) -> None:
        """The sample holds what is looked at."""

    def findings(self) -> Iterator[Finding]:
        examples = self.data.sample.examples
        if len(examples) < FEWEST_ROWS:
            return
        features = self.data.sample.features
        progress = Progress(self.data.emit, plugin.title, 3)
        cluster, middles = _grouped(features, self.data.seed)
        progress.step()
        shares = np.bincount(cluster) / len(cluster)
        effective = float(np.exp(-(shares * np.log(shares)).sum()))
        on_map = np.sort(np.random.default_rng(self.data.seed).permutation(len(examples))[:MOST_ON_MAP])
        plane = _plane(features[on_map])
        progress.step()
        words = _words([examples[row] for row in on_map.tolist()], cluster[on_map], len(shares), self.data.kind.modality)
        yield self._finding(
            examples,
            max(float(shares[0]), _clear_majority(features, self.data.seed)),
            {
                "effective": round(effective, 2),
                "features": self.data.sample.features_from.model_dump(),
                "looked_at": len(examples),
                "clusters": _described(examples, features, cluster, middles, words),
                "map": {
                    "ids": [examples[row].id for row in on_map.tolist()],
                    "x": np.round(plane[:, 0], 4).tolist(),
                    "y": np.round(plane[:, 1], 4).tolist(),
                    "cluster": cluster[on_map].tolist(),
                    "label": [", ".join(labels_of(examples[row])) for row in on_map.tolist()],
                },
            },
        )

    def _finding(self, examples: Sequence[Example], alike: float, figures: Json) -> Finding:
        """Args: alike: share of the rows that are of one kind, as seen from afar."""
        groups = figures["clusters"]
        largest = groups[0]["share"]
        dominated = has_classes(self.data.kind) and alike >= max(_DOMINATES, _largest_class(examples) + _BEYOND_CLASSES)
        words = [", ".join(group["words"][:3]) for group in groups if group["words"]]
        about = "; ".join(words[:5])
        if dominated:
            what = Text(
                en=f"{alike:.0%} of the rows are alike in what they are about, although they belong to several classes.",
                ko=f"클래스는 여럿인데 행의 {alike:.0%}가 서로 비슷한 내용입니다.",
            )
            fix = Text(
                en="Add rows about other things: a model knows what it was shown, and one test row is here as good as another.",
                ko="다른 내용의 행을 더하세요. 모델은 본 것만 배우고, 이런 데이터에서는 테스트 결과도 한쪽만 보여 줍니다.",
            )
        else:
            what = Text(
                en=f"The rows fall into {len(groups)} groups, as varied as {figures['effective']:.1f} of equal size; "
                f"the largest holds {largest:.0%}.",
                ko=f"행은 {len(groups)}개 묶음으로 나뉘며, 크기가 같은 묶음 {figures['effective']:.1f}개만큼 다양합니다. "
                f"가장 큰 묶음은 {largest:.0%}입니다.",
            )
            fix = Text(
                en="See on the report's map whether something that you expect later is missing.",
                ko="나중에 들어올 내용 가운데 빠진 것이 없는지 보고서의 지도에서 확인하세요.",
            )
        return Finding(
            check=plugin.name,
            severity="warning" if dominated else "note",
            what=what,
            fix=fix,
            evidence=(about,) if about else (),
            data=figures,
        )


def _grouped(features: NDArray[np.float32], seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The group of each row, the largest group first, and the groups' middles."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    few = features[np.random.default_rng(seed).permutation(len(features))[:_ROWS_TO_CHOOSE_BY]]
    different = len(np.unique(few.round(4), axis=0))
    scores: dict[int, float] = {}
    for number in (number for number in _NUMBERS_OF_GROUPS if number < different):
        found = KMeans(number, n_init=2, random_state=seed).fit_predict(few)
        scores[number] = float(silhouette_score(few, found)) if len(set(found.tolist())) > 1 else 0.0
    if not scores:
        return np.zeros(len(features), dtype=np.int64), features.mean(axis=0, keepdims=True)
    best = max(scores.values())
    number = min(number for number, score in scores.items() if score >= best - (1 - _NEARLY_BEST) * abs(best))
    model = KMeans(number, n_init=2, random_state=seed).fit(few)
    cluster = np.asarray(model.predict(features), dtype=np.int64)
    sizes = np.bincount(cluster, minlength=number)
    order = [group for group in np.argsort(-sizes, kind="stable").tolist() if sizes[group]]
    place = np.zeros(number, dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[cluster], np.asarray(model.cluster_centers_, dtype=np.float32)[order]


def _clear_majority(features: NDArray[np.float32], seed: int) -> float:
    """Share of the larger of two groups, where the rows clearly fall into two; 0 where they do not."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    few = features[np.random.default_rng(seed).permutation(len(features))[:_ROWS_TO_CHOOSE_BY]]
    if len(np.unique(few.round(4), axis=0)) < 3:
        return 0.0
    found = KMeans(2, n_init=2, random_state=seed).fit_predict(few)
    clear = silhouette_score(few, found) >= _CLEAR
    return float(np.bincount(found).max() / len(found)) if clear else 0.0


def _plane(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """A place from −1 to 1 on both axes for each row: t-SNE (van der Maaten and Hinton 2008) from the principal components."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    if np.ptp(features, axis=0).max() < 1e-6:
        return np.zeros((len(features), 2))
    model: Any = TSNE(2, init="pca", random_state=0, max_iter=500, perplexity=min(30.0, (len(features) - 1) / 3))
    # Sums over threads come in any order, and t-SNE makes another picture of every last digit.
    with threadpool_limits(1):
        places = np.asarray(model.fit_transform(features), dtype=np.float64)
    places -= (places.max(axis=0) + places.min(axis=0)) / 2
    return np.asarray(places / max(float(np.abs(places).max()), 1e-9))


def _words(examples: Sequence[Example], cluster: NDArray[np.int64], groups: int, modality: str) -> list[list[str]]:
    """For each group words that many of its rows have and few others; words of fewer than three rows name nobody's topic."""
    if modality != "text":
        return [[] for _ in range(groups)]
    having: list[Counter[str]] = [Counter() for _ in range(groups)]
    for text, group in zip(ExampleRows(examples).inputs, cluster.tolist(), strict=True):
        having[group].update(set(_WORD.findall(masked(text).lower())))
    everywhere = sum(having, Counter())
    sizes = np.bincount(cluster, minlength=groups)
    found = []
    for group, counts in enumerate(having):
        size, others = int(sizes[group]), len(examples) - int(sizes[group])

        def telling(word: str, counts: Counter[str] = counts, size: int = size, others: int = others) -> float:
            # The share that has the word, weighed by how much commoner it is here than elsewhere.
            here, there = counts[word] / size, (everywhere[word] - counts[word] + 0.5) / (others + 1)
            return float(here * np.log(here / there))

        common = sorted(word for word, count in counts.items() if count >= max(3, 0.05 * size))
        ranked = sorted(common, key=telling, reverse=True)
        found.append([word for word in ranked if telling(word) > 0][:_WORDS])
    return found


def _described(
    examples: Sequence[Example],
    features: NDArray[np.float32],
    cluster: NDArray[np.int64],
    middles: NDArray[np.float32],
    words: list[list[str]],
) -> list[Json]:
    groups = []
    for number, middle in enumerate(middles):
        rows = np.flatnonzero(cluster == number)
        distances = np.linalg.norm(features[rows] - middle, axis=1)
        central = rows[np.argsort(distances, kind="stable")[:_CENTRAL]]
        groups.append(
            {
                "size": len(rows),
                "share": round(len(rows) / len(examples), 4),
                "examples": [examples[row].id for row in central.tolist()],
                "words": words[number],
            }
        )
    return groups


def _largest_class(examples: Sequence[Example]) -> float:
    """Share of the rows that the commonest label has; 1 where there is only one label."""
    counts = Counter(label for example in examples for label in set(labels_of(example)))
    return max(counts.values()) / len(examples) if len(counts) > 1 else 1.0


plugin = Diversity()
