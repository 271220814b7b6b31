"""How well and how fast near-duplicate texts are found; `benchmarks.audit` prints it.

In: numbers of rows. Out: lines of Markdown. Sentences are made of the words of the example data. Of each second one, some words are
replaced or dropped, so that the pairs lie on both sides of a Jaccard similarity of 0.8; the truth is counted on Python sets.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from sonmat.checking.likeness import SAME_TEXT
from sonmat.checking.minhash import BANDS, VALUES_A_BAND, StoredSets, TextSets, similar_pairs
from sonmat.checking.shingles import ShingleSets, shingle_sets

EXAMPLES = Path(__file__).parents[1] / "examples" / "data"
FILES = {"Korean": ("korean_intents.csv", "faq_ko.jsonl", "chat_ko.jsonl"), "English": ("faq_en.jsonl", "chat_en.jsonl")}
_WORD = {"Korean": r"[가-힣]+", "English": r"[A-Za-z]{2,}"}
_BATCH = 2048


def quality(pairs: int) -> Iterator[str]:
    """Recall and precision on `pairs` planted pairs of each language."""
    yield "| language | planted pairs | at or above 0.8 | found | recall | recall, 0.8 to 0.85 | precision |"
    yield "|---|---|---|---|---|---|---|"
    for language in FILES:
        texts = planted(language, pairs, random.Random(0))
        shingles = shingle_sets(texts)
        ends = [0, *shingles.ends.tolist()]
        sets = [set(shingles.hashes[begin:end].tolist()) for begin, end in pairwise(ends)]
        similar = {
            (place, place + 1): len(sets[place] & sets[place + 1]) / len(sets[place] | sets[place + 1])
            for place in range(0, len(texts), 2)
        }
        true = {pair for pair, similarity in similar.items() if similarity >= SAME_TEXT}
        close = {pair for pair in true if similar[pair] < 0.85}
        stored = _stored(texts)
        result = similar_pairs(stored, np.arange(len(texts)), SAME_TEXT)
        found = set(zip(result.first.tolist(), result.second.tolist(), strict=True))
        right = sum(len(sets[a] & sets[b]) >= SAME_TEXT * len(sets[a] | sets[b]) for a, b in found)
        yield (
            f"| {language} | {pairs:,} | {len(true):,} | {len(found):,} | {len(found & true) / len(true):.4f} "
            f"| {len(found & close) / len(close):.4f} | {right / len(found):.4f} |"
        )


def speed(rows: int) -> Iterator[str]:
    """Processor time of Sonmat, datasketch and Rensa on the same shingles and bands, twice in turn."""
    texts = planted("Korean", rows // 2, random.Random(1))
    shingles = shingle_sets(texts)
    ends = [0, *shingles.ends.tolist()]
    runs: dict[str, list[_Run]] = {name: [] for name in TOOLS}
    for _ in range(2):
        for name, run in TOOLS.items():
            began = time.process_time()
            found = run(shingles, ends)
            runs[name].append(_Run(time.process_time() - began, found))
    yield f"{len(texts):,} texts, {ends[-1] / len(texts):.0f} groups each; {BANDS} bands of {VALUES_A_BAND}; the same sets for all."
    yield ""
    yield "| tool | what it gives | found | seconds, first run | second run | microseconds a text |"
    yield "|---|---|---|---|---|---|"
    for name, (first, second) in runs.items():
        best = min(first.seconds, second.seconds) / len(texts) * 1e6
        yield f"| {name} | {first.found} | {first.seconds:.2f} | {second.seconds:.2f} | {best:.1f} |"


def planted(language: str, pairs: int, chance: random.Random) -> list[str]:
    """Sentences in pairs that share from half to all of their words."""
    words = words_of(language)
    texts = []
    for _ in range(pairs):
        said = chance.choices(words, k=chance.randint(6, 30))
        other = list(said)
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
            at = chance.randrange(len(other))
            other[at : at + 1] = [chance.choice(words)] if chance.random() < 0.7 else []
            other = other or [chance.choice(words)]
        texts += [" ".join(said), " ".join(other) + chance.choice(("", ".", "!"))]
    return texts


@dataclass(frozen=True)
class _Run:
    seconds: float
    found: str


@cache
def words_of(language: str) -> Sequence[str]:
    text = "".join((EXAMPLES / name).read_text(encoding="utf-8") for name in FILES[language])
    return sorted(set(re.findall(_WORD[language], text)))


def _stored(texts: Sequence[str]) -> StoredSets:
    stored = TextSets()
    for start in range(0, len(texts), _BATCH):
        stored.extend(shingle_sets(texts[start : start + _BATCH]))
    return stored.read()


def _sonmat(shingles: ShingleSets, ends: list[int]) -> str:
    stored = TextSets()
    stored.extend(shingles)
    found = similar_pairs(stored.read(), np.arange(len(ends) - 1), SAME_TEXT)
    return f"pairs, verified by their sets | {len(found.first):,} pairs"


def _datasketch(shingles: ShingleSets, ends: list[int]) -> str:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=BANDS * VALUES_A_BAND, params=(BANDS, VALUES_A_BAND))
    found = 0
    for place, (begin, end) in enumerate(pairwise(ends)):
        print_of_text = MinHash(num_perm=BANDS * VALUES_A_BAND, hashfunc=int)
        print_of_text.update_batch(shingles.hashes[begin:end].tolist())
        found += len(index.query(print_of_text))
        index.insert(place, print_of_text)
    return f"candidate pairs, not verified | {found:,} pairs"


def _rensa(shingles: ShingleSets, ends: list[int]) -> str:
    from rensa import RMinHash, RMinHashLSH

    hashes, offsets = shingles.hashes.astype(np.uint64), np.array(ends, np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, BANDS * VALUES_A_BAND, 42)
    index = RMinHashLSH(SAME_TEXT, BANDS * VALUES_A_BAND, BANDS)
    flags = index.insert_matrix_and_query_duplicate_flags(matrix)
    return f"whether a text has a candidate, not which | {sum(flags):,} texts"


TOOLS: dict[str, Callable[[ShingleSets, list[int]], str]] = {
    "Sonmat": _sonmat,
    "datasketch": _datasketch,
    "Rensa": _rensa,
}
