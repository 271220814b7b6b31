"""How much of the disk a fit takes at most, so that it is known before hours have gone into it.

In: the size of one checkpoint and of the saved model, both part of the plan's estimate. Out: bytes beside those that lie there
already. It follows what `checkpoint`, `tuning` and `replay_share` write and remove; outputs of frozen layers are kept only where there
is room to spare (`frozen.cached`) and are not counted.
"""

from __future__ import annotations

from typing import Final

from sonmat.training.settings import SHARES, TrainingSettings

PROCESSOR_BYTES: Final = 64 << 20
"""Of a tokenizer beside the model's weights: up to 35 MB with a vocabulary of 260,000."""
_FLOAT_BYTES: Final = 4


def checkpoint_bytes(trained_parameters: int, settings: TrainingSettings) -> int:
    """Of one checkpoint: float32 weights and AdamW's two moments, or the moments in 8 bits."""
    moments = 2 * _FLOAT_BYTES if settings.optimiser_state == "fp32" else 2
    return trained_parameters * (_FLOAT_BYTES + moments)


def model_bytes(saved_parameters: int) -> int:
    """Of a model folder with so many weights in float32."""
    return saved_parameters * _FLOAT_BYTES + PROCESSOR_BYTES


def most_bytes(checkpoint: int, model: int, *, replay_tuned: bool, second_names: bool) -> int:
    """What lies on the disk at the worst moment of a fit.

    Args:
        checkpoint, model: bytes of one of them.
        replay_tuned: whether a model is trained for each share of replay.
        second_names: whether the best checkpoint can be the last one under a second name, and need not be copied.
    """
    # The last, the best and the one that is being written; where files have one name each, the new best one's copy too.
    training = (3 if second_names else 4) * checkpoint
    # The model is written beside the last and the best.
    one = max(training, 2 * checkpoint + model)
    if not replay_tuned:
        return one
    # Every share's model stays until one is chosen, which is then copied.
    return max((len(SHARES) - 1) * model + one, (len(SHARES) + 1) * model)
