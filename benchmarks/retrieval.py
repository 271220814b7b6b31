"""How well passages are found, and what search costs: python -m benchmarks.retrieval [--vectors N] [--quick]

In: the example data and the encoders of the catalogue. Out: lines of Markdown for docs/retrieval.md.

- Quality: each question of the Debian FAQ must find its own answer among all answers. Nobody wrote the questions to be found: they
  share words with their answers only as people's questions do. Every answer is one passage, as a training example is, but without
  its question.
- Documents: the answers are written into Markdown files, a file a hundred, and read, cut and searched as a user's own would be. A
  passage is right if it is cut from the question's answer.
- The graph of neighbours beyond 100,000 passages: how many of the ten nearest of exact search it finds, and how long both take.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonmat.core.proof import Passage
from sonmat.core.text import Text
from sonmat.models import resolve
from sonmat.models.cache import cache_folder
from sonmat.retrieval.dense import DenseIndex, SentenceEncoder
from sonmat.retrieval.documents import read_documents
from sonmat.retrieval.index import By, PassageIndex
from sonmat.retrieval.measures import found_at, ndcg_at, reciprocal_rank
from sonmat.retrieval.passages import document_passages

EXAMPLES = Path(__file__).parents[1] / "examples" / "data"
ENCODERS = {"multilingual-e5-small": ("query: ", "passage: "), "all-minilm-l6-v2": ("", "")}
LANGUAGES = {"Korean": ("faq_ko.jsonl", ("multilingual-e5-small",)), "English": ("faq_en.jsonl", tuple(ENCODERS))}
WAYS: tuple[By, ...] = ("words", "meaning", "both")
DEPTH = 10
RESAMPLES = 10_000


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--vectors", type=int, default=120_000)
    asked.add_argument("--quick", action="store_true", help="words alone and no graph: no model is needed")
    options = asked.parse_args()
    for line in quality(quick=options.quick):
        print(line, flush=True)
    if not options.quick:
        for line in graph(options.vectors):
            print(line, flush=True)


def quality(*, quick: bool) -> Iterator[str]:
    yield "| passages | search | questions | first | among 5 | MRR@10 (95 %) | nDCG@10 | MRR beside words (95 %) |"
    yield "|---|---|---|---|---|---|---|---|"
    for language, (file, encoders) in LANGUAGES.items():
        rows = [json.loads(line)["messages"] for line in (EXAMPLES / file).read_text(encoding="utf-8").splitlines()]
        questions, answers = [turns[-2]["content"] for turns in rows], [turns[-1]["content"] for turns in rows]
        whole = [Passage(id=str(number), place=_at(number), text=text) for number, text in enumerate(answers)]
        cut = _cut(answers)
        for name, passages in (("whole answers", whole), ("pieces of documents", cut)):
            for encoder in [None] if quick else encoders:
                yield from _searched(f"{language}, {name}, {len(passages)}", passages, questions, encoder)


def _cut(answers: Sequence[str]) -> list[Passage]:
    """The answers as a user's files would give them; the id of each passage is the number of its answer."""
    with tempfile.TemporaryDirectory() as name:
        for start in range(0, len(answers), 100):
            text = "\n\n".join(
                f"# {start + place}\n\n{answer}" for place, answer in enumerate(answers[start : start + 100])
            )
            (Path(name) / f"{start:04d}.md").write_text(text, encoding="utf-8")
        documents = read_documents([Path(name)]).documents
    pieces = [passage for document in documents for passage in document_passages(document)]
    found = []
    for piece in pieces:
        number, _, text = piece.text.partition("\n")
        found.append(piece.model_copy(update={"id": number, "text": text}))
    return found


def _searched(what: str, passages: Sequence[Passage], questions: Sequence[str], encoder: str | None) -> Iterator[str]:
    known = None
    if encoder is not None:
        known = SentenceEncoder(resolve(encoder, emit=_silent), *ENCODERS[encoder])
    index = PassageIndex.of(passages, known, cache_folder() / "benchmark-vectors", _silent)
    ranks: dict[By, NDArray[np.float64]] = {}
    for by in WAYS if encoder is not None else WAYS[:1]:
        rankings = [
            list(dict.fromkeys(passages[place].id for place in ranking)) for ranking in index.rankings(questions, by, 50)
        ]
        right = [{str(number)} for number in range(len(questions))]
        table = np.array(
            [
                [found_at(a, b, 1), found_at(a, b, 5), reciprocal_rank(a, b, DEPTH), ndcg_at(a, b, DEPTH)]
                for a, b in zip(rankings, right, strict=True)
            ]
        )
        ranks[by] = table[:, 2]
        first, five, mrr, ndcg = table.mean(axis=0)
        low, high = _interval(table[:, 2])
        beside = "" if by == "words" else "{:+.3f} ({:+.3f} to {:+.3f})".format(
            float((ranks[by] - ranks["words"]).mean()), *_interval(ranks[by] - ranks["words"])
        )  # fmt: skip
        name = by if by == "words" or encoder is None else f"{by}, {encoder}"
        yield (
            f"| {what} | {name} | {len(questions)} | {first:.3f} | {five:.3f} | {mrr:.3f} ({low:.3f} to {high:.3f}) "
            f"| {ndcg:.3f} | {beside} |"
        )


def graph(count: int) -> Iterator[str]:
    """Vectors as encoders give them: many around some topics, all in one narrow part of the sphere."""
    drawn = np.random.default_rng(0)
    topics = drawn.normal(size=(count // 50, 384)).astype(np.float32) + 2.0 * drawn.normal(size=(1, 384)).astype(np.float32)
    vectors = topics[drawn.integers(len(topics), size=count)] + 0.7 * drawn.normal(size=(count, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    asked = vectors[drawn.integers(count, size=500)] + 0.02 * drawn.normal(size=(500, 384)).astype(np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    start = time.perf_counter()
    near = DenseIndex.of(vectors, _no_encoder, most_exact=0)
    built = time.perf_counter() - start
    exact = DenseIndex.of(vectors, _no_encoder, most_exact=count)
    found: list[list[list[int]]] = []
    seconds = []
    for index in (exact, near):
        start = time.perf_counter()
        found.append(index.nearest_to(asked, DEPTH))
        seconds.append((time.perf_counter() - start) / len(asked))
    recall = np.mean([len(set(one) & set(other)) / DEPTH for one, other in zip(*found, strict=True)])
    yield ""
    yield "| vectors | graph built in | exact, a question | graph, a question | of the exact ten nearest the graph finds |"
    yield "|---|---|---|---|---|"
    yield f"| {count:,} | {built:.0f} s | {1e3 * seconds[0]:.1f} ms | {1e3 * seconds[1]:.2f} ms | {recall:.1%} |"


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Percentile bootstrap over questions."""
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _no_encoder(texts: Sequence[str]) -> NDArray[np.float32]:
    raise AssertionError("vectors are given")


def _at(number: int) -> Text:
    return Text(en=str(number), ko=str(number))


def _silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    pass


if __name__ == "__main__":
    main()
