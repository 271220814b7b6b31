"""A half-trained folder of another version of Sonmat, or of other rows, is refused in words and left as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sonmat.core.errors import Paused, RunError
from sonmat.training import checkpoint
from sonmat.training.batching import Epochs, mixed_steps_of_epoch, steps_of_epoch
from tests.training.test_loop import Regression, train, weights
from tests.training.tiny_jobs import Heard


@pytest.fixture
def half_trained(tmp_path: Path) -> Path:
    """A work folder whose training was paused at step 5 of 15."""
    heard = Heard()
    with pytest.raises(Paused):
        train(tmp_path, emit=heard, should_pause=lambda: len(heard.of("step")) == 5)
    return tmp_path


def rewritten(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def rewrite(file: Path) -> None:
        content = torch.load(file, weights_only=True)
        change(content)
        torch.save(content, file)

    return rewrite


def earlier(content: dict[str, Any]) -> None:
    """As Sonmat 0.3.0 wrote it before checkpoints had a format."""
    for name in ("format", "made_by", "order"):
        del content[name]


def without_weights(content: dict[str, Any]) -> None:
    earlier(content)
    del content["weights"]


def renamed(content: dict[str, Any]) -> None:
    content["weights"] = {f"old.{name}": value for name, value in content["weights"].items()}


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("damage", "reason", "reason_ko"),
    [
        (rewritten(earlier), "an earlier version of Sonmat wrote it", "이전 버전이 쓴 파일"),
        (rewritten(without_weights), "an earlier version", "이전 버전"),
        (rewritten(lambda content: content.update(format=99, made_by="9.1")), "Sonmat 9.1 wrote it", "손맛 9.1"),
        (rewritten(renamed), r"other weights trained \(net", "학습하던 가중치가 다릅니다"),
        (cut_short, "it is damaged", "손상"),
        (lambda file: file.write_bytes(b""), "it is damaged", "손상"),
    ],
)
def test_a_checkpoint_that_cannot_be_continued_is_refused_in_words_and_stays(
    damage: Callable[[Path], None], reason: str, reason_ko: str, half_trained: Path
) -> None:
    damage(half_trained / "checkpoint.pt")
    before = {path.name: path.read_bytes() for path in half_trained.iterdir()}
    with pytest.raises(RunError, match=reason) as caught:
        train(half_trained)
    assert reason_ko in caught.value.what.ko
    assert caught.value.fix is not None
    assert f"delete the folder {half_trained} and run again" in caught.value.fix.en
    assert f"{half_trained} 폴더를 지우고" in caught.value.fix.ko
    assert ("version of Sonmat that began it" in caught.value.fix.en) == ("damaged" not in reason)
    assert {path.name: path.read_bytes() for path in half_trained.iterdir()} == before


def test_a_training_whose_rows_came_in_another_order_is_not_continued(half_trained: Path) -> None:
    with pytest.raises(RunError, match="another order") as caught:
        train(half_trained, order=mixed_steps_of_epoch)
    assert "순서가 달라" in caught.value.what.ko
    resumed, _, heard = train(half_trained)
    assert heard.of("resumed") == [{"step": 5}]
    whole, _, _ = train(half_trained / "whole")
    assert torch.equal(weights(whole), weights(resumed))


def test_weights_of_another_shape_are_other_weights(half_trained: Path) -> None:
    wider = Regression()
    wider.net[3] = torch.nn.Linear(8, 2)
    with pytest.raises(RunError, match=r"other weights trained \(net\.3\.bias, net\.3\.weight\)"):
        train(half_trained, wider)


def test_what_was_written_says_by_whom_and_reads_as_it_was_given(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "a.pt", {"step": 1})
    written = torch.load(tmp_path / "a.pt", weights_only=True)
    assert written["format"] == checkpoint.FORMAT
    assert written["made_by"]
    assert checkpoint.load(tmp_path / "a.pt") == {"step": 1}


def test_the_fingerprint_of_an_order_is_that_of_its_rows() -> None:
    lengths = [3, 9, 4, 8, 5, 7, 6, 1]

    def fingerprint(
        rows: list[int] = lengths, size: int = 2, epochs: int = 2, seed: int = 0, order: Any = steps_of_epoch
    ) -> str:
        return Epochs(rows, size, epochs, seed, order).fingerprint

    assert fingerprint() == fingerprint()
    others = {
        fingerprint(seed=1), fingerprint(size=3), fingerprint(epochs=3), fingerprint(order=mixed_steps_of_epoch),
        fingerprint([*lengths, 2]), Epochs(lengths, 2, 2, 0, steps_of_epoch, [1, 1, 1, 1, 1, 1, 1, 2]).fingerprint,
    }  # fmt: skip
    assert len(others) == 6
    assert fingerprint() not in others
