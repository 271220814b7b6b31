"""The seal of a test set: a fingerprint of its rows' content, taken at the split and checked before anything is proven."""

from __future__ import annotations

from collections.abc import Sequence

from sonmat.core.errors import RunError
from sonmat.core.text import Text
from sonmat.core.values import Example, Split
from sonmat.runs.files import sha256_of


def seal_of(examples: Sequence[Example]) -> str:
    """SHA-256 over ids, inputs and targets of `examples`, whatever their order."""
    return sha256_of(sorted(sha256_of(example.id, example.input, example.target) for example in examples))


def check_seal(examples: Sequence[Example], split: Split) -> None:
    """Compare the test rows among `examples` with the split's seal.

    Raises:
        RunError: a test row is missing, was changed, or is also a training row.
    """
    test = set(split.test)
    shared = test & (set(split.train) | set(split.validation))
    found = seal_of([example for example in examples if example.id in test])
    if found == split.seal and not shared:
        return
    raise RunError(
        Text(
            en=f"The test set is not the one that was sealed (seal {split.seal[:12]}, found {found[:12]}, "
            f"{len(shared)} rows also used for training).",
            ko=f"시험 데이터가 봉인된 것과 다릅니다(봉인 {split.seal[:12]}, 현재 {found[:12]}, 학습에도 쓰인 행 {len(shared)}개).",
        ),
        Text(
            en="Nothing can be proven with it. Restore the run directory from a copy, or run again from the data.",
            ko="이 데이터로는 아무것도 증명할 수 없습니다. 실행 폴더를 복사본에서 되살리거나 데이터부터 다시 실행하세요.",
        ),
    )
