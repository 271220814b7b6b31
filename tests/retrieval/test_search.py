"""Search by words, by meaning and by both; measures of rankings against other people's figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sonmat.core.errors import ModelError, RunError
from sonmat.embedding.directions import unit_rows
from sonmat.retrieval.dense import DenseIndex
from sonmat.retrieval.fusion import fused
from sonmat.retrieval.index import By, PassageIndex
from sonmat.retrieval.lexical import LexicalIndex
from sonmat.retrieval.measures import found_at, ndcg_at, recall_at, reciprocal_rank
from sonmat.retrieval.ranking import best
from tests.retrieval.made import passages

WAYS: tuple[By, ...] = ("words", "meaning", "both")
TEXTS = (
    "The parcel is delivered within two days.",
    "You can return goods for thirty days.",
    "Our shop opens at nine and closes at six.",
    "",
)


def nothing(texts: Sequence[str]) -> NDArray[np.float32]:
    raise AssertionError("asked for vectors")


def test_words_in_common_decide_and_plurals_count() -> None:
    index = LexicalIndex.of(TEXTS)
    assert index.nearest(["How long does delivery of parcels take, two day?", "opening", "zebra", ""], 5) == [
        [0, 1],
        [],
        [],
        [],
    ]


def test_korean_words_are_found_whatever_their_endings() -> None:
    index = LexicalIndex.of(
        ["데비안에서는 패키지를 설치합니다.", "커널을 새로 빌드합니다.", "LibreOffice로 문서를 씁니다."]
    )
    assert index.nearest(["패키지의 설치는 어떻게 하나요?", "커널 빌드", "libreoffice에서"], 1) == [[0], [1], [2]]


def test_scores_are_those_of_the_formula() -> None:
    texts = ["red red car", "blue car", "green tree house"]
    index = LexicalIndex.of(texts)
    scores = index._found.get_scores(["red", "car"])

    def weight(count: int, length: int, having: int) -> float:
        rarity = math.log(1 + (3 - having + 0.5) / (having + 0.5))
        return rarity * count / (count + 1.5 * (1 - 0.75 + 0.75 * length / (8 / 3)))

    expected = [weight(2, 3, 1) + weight(1, 3, 2), weight(1, 2, 2), 0.0]
    assert scores == pytest.approx(expected, abs=1e-5)


def test_texts_without_words_can_be_searched_and_saved(tmp_path: Path) -> None:
    index = LexicalIndex.of(["", "!?"])
    assert index.nearest(["anything"], 3) == [[]]
    index.save(tmp_path / "words")
    assert LexicalIndex.load(tmp_path / "words").nearest(["anything"], 3) == [[]]


def test_the_best_come_first_and_of_equals_the_first() -> None:
    scores = np.array([1, 3, 3, 2, 3], dtype=np.float32)
    assert best(scores, 2) == [1, 2]
    assert best(scores, 9) == [1, 2, 4, 3, 0]
    assert best(np.zeros(0, dtype=np.float32), 3) == []


def test_a_graph_of_neighbours_finds_what_exact_search_finds(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(600, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    exact = DenseIndex.of(vectors, nothing).nearest_to(vectors[:50], 10)
    DenseIndex.of(vectors, nothing, most_exact=100).save(tmp_path)
    assert (tmp_path / "graph.usearch").is_file()
    near = DenseIndex.load(tmp_path, nothing).nearest_to(vectors[:50], 10)
    recall = np.mean([len(set(one) & set(other)) / 10 for one, other in zip(exact, near, strict=True)])
    assert recall > 0.95
    assert [row[0] for row in exact] == list(range(50))


def test_fusion_by_hand() -> None:
    # 2: 1/61 + 1/62, 0: 1/62 + 1/61, 1: 1/63, 7: 1/63.
    assert fused([[2, 0, 1], [0, 2, 7]]) == [0, 2, 1, 7]
    assert fused([[5, 4], []]) == [5, 4]
    assert fused([]) == []


def test_measures_by_hand() -> None:
    ranking = ["a", "b", "c", "d"]
    assert recall_at(ranking, {"b", "z"}, 3) == 0.5
    assert found_at(ranking, {"b", "z"}, 3) == 1
    assert found_at(ranking, {"d"}, 3) == 0
    assert reciprocal_rank(ranking, {"c", "d"}, 10) == 1 / 3
    assert reciprocal_rank(ranking, {"d"}, 3) == 0
    assert ndcg_at(ranking, {"a"}, 3) == 1


def test_discounted_gain_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    drawn = np.random.default_rng(1)
    for _ in range(20):
        relevant = drawn.integers(0, 2, size=12)
        relevant[drawn.integers(12)] = 1
        scores = drawn.permutation(12).astype(float)
        ranking = [str(place) for place in np.argsort(-scores)]
        right = {str(place) for place in np.flatnonzero(relevant)}
        for depth in (1, 5, 10):
            expected = ndcg_score(relevant[None], scores[None], k=depth)
            assert ndcg_at(ranking, right, depth) == pytest.approx(expected)


class Meaning:
    """Stands for an encoder that knows what delivery and returning are."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        topics = (("parcel", "ship", "deliver"), ("return", "money back"), ("open", "hour"))
        rows = [[float(any(word in text.lower() for word in topic)) for topic in topics] + [0.1] for text in texts]
        matrix = np.array(rows, dtype=np.float32)
        return unit_rows(matrix)


def index() -> PassageIndex:
    found = passages(*TEXTS[:3], TEXTS[0], rows=["r0", "r1", "", "r3"])
    texts = [passage.text for passage in found]
    return PassageIndex(found, LexicalIndex.of(texts), DenseIndex.of(Meaning()(texts), Meaning()))


def test_meaning_finds_what_words_do_not_and_both_find_either() -> None:
    questions = ["When do you ship?", "money back, thirty days"]
    by_words, by_meaning, by_both = (index().search(questions, by, 1) for by in WAYS)
    assert [found[0].id if found else "" for found in by_words] == ["", "p1"]
    assert [found[0].id for found in by_meaning] == ["p0", "p1"]
    assert [found[0].id for found in by_both] == ["p0", "p1"]


def test_a_row_is_not_found_for_itself_and_no_text_comes_twice() -> None:
    asked = "The parcel is delivered within two days."
    (found,) = index().search([asked], "words", 4, rows=["r0"])
    assert [passage.row for passage in found] == ["r3", "r1"]
    (found,) = index().search([asked], "words", 4)
    assert [passage.id for passage in found] == ["p0", "p1"]


def test_without_an_encoder_everything_is_searched_by_words() -> None:
    plain = PassageIndex(index().passages, index().lexical, None)
    for by in WAYS:
        assert [found[0].id for found in plain.search(["thirty"], by, 2)] == ["p1"]


def test_a_saved_index_finds_the_same_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    made = index()
    plain = PassageIndex(made.passages, made.lexical, None)
    plain.save(tmp_path)
    again = PassageIndex.load(tmp_path, None)
    questions = ["parcel days", "shop"]
    assert again.search(questions, "words", 3) == plain.search(questions, "words", 3)
    for file in (tmp_path / "words").iterdir():
        file.write_bytes(b"")
    with pytest.raises(ModelError, match="damaged"):
        PassageIndex.load(tmp_path, None)
    (tmp_path / "passages.jsonl").unlink()
    with pytest.raises(RunError):
        PassageIndex.load(tmp_path, None)
