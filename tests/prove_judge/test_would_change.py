"""What would change the verdict is said by itself, for readers who look for nothing else, and among the details."""

from __future__ import annotations

from tests.prove_judge.worlds import answers_with, balanced_targets, proof_of


def test_what_would_change_the_verdict_stands_alone_and_among_the_details() -> None:
    targets = balanced_targets(200)
    close = {"base": answers_with(targets, 22), "full": answers_with(targets, 20)}
    verdict = proof_of(targets, {"floor": ["a"] * 200, **close}).verdict
    assert verdict.would_change is not None
    assert verdict.would_change.en.startswith("What would change it: ")
    assert "test items would show it" in verdict.would_change.en
    assert verdict.details.count(verdict.would_change) == 1
