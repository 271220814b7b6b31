"""The seal of a test set: a fingerprint of its rows' content, taken at the split and checked before anything is proven.

In: examples and a split. Out: digests, or a `RunError`. It holds one row at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Final

from sonmat.core.errors import RunError
from sonmat.core.text import Text
from sonmat.core.values import Example, Split
from sonmat.runs.files import sha256_of

DIGEST_BYTES: Final = 32

_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def seal_of(examples: Iterable[Example]) -> str:
    """SHA-256 over ids, inputs and targets of `examples`, whatever their order."""
    return seal_of_digests(row_digest(example) for example in examples)


def row_digest(example: Example) -> bytes:
    """SHA-256 of the example's id, input and target."""
    return hashlib.sha256(_canonical((example.id, example.input, example.target)).encode()).digest()


def seal_of_digests(digests: Iterable[bytes]) -> str:
    """`seal_of` the rows with these `row_digest`s."""
    return sha256_of(sorted(digest.hex() for digest in digests))


def check_seal(examples: Iterable[Example], split: Split) -> None:
    """Compare the test rows among `examples` with the split's seal.

    Raises:
        RunError: a test row is missing, was changed, or was learnt from by a model that is tested on it.
    """
    test = set(split.test)
    shared = _learnt_and_tested(split)
    found = seal_of(example for example in examples if example.id in test)
    if found == split.seal and not shared:
        return
    raise RunError(
        Text(
            en=f"The test set is not the one that was sealed (seal {split.seal[:12]}, found {found[:12]}, "
            f"{len(shared)} rows also used for training).",
            ko=f"테스트 데이터가 봉인된 것과 다릅니다(봉인 {split.seal[:12]}, 현재 {found[:12]}, 학습에도 쓰인 행 {len(shared)}개).",
        ),
        Text(
            en="Nothing can be proven with it. Restore the run directory from a copy, or run again from the data.",
            ko="이 데이터로는 아무것도 증명할 수 없습니다. 실행 폴더를 복사본에서 되살리거나 데이터부터 다시 실행하세요.",
        ),
    )


def _learnt_and_tested(split: Split) -> set[str]:
    """Rows that a model is tested on after it was trained or chosen by them."""
    if not split.folds:
        return set(split.test) & {*split.train, *split.validation}
    return {row for fold in split.folds for row in set(fold.test) & {*fold.train, *fold.validation}}
