"""How much memory and time a fit will take, from the model's size, the data and the machine's measured rate.

The formulas count matrix products: 2 operations a weight and token forward, 4 backward (Kaplan et al. 2020, section 2.1),
less what is frozen. `docs/performance.md` has the share of the measured rate that real steps reach. Predicted and actual
figures stand side by side in every report.
"""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sonmat.core.protocols import Workload
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, ModelFacts
from sonmat.training.attention_choice import said
from sonmat.training.budget import usual_tokens
from sonmat.training.disk import checkpoint_bytes, model_bytes
from sonmat.training.settings import SHARES, TUNED, Activations, TrainingSettings

PROCESSOR_EFFICIENCY = 0.5
"""Share of the measured rate of products that steps reach on a processor (measured: 57 % with LoRA)."""
EFFICIENCY = 0.3
"""The same on other devices, where nothing was measured yet."""
FALLBACK_FLOPS = 2e10
"""Operations a second assumed where the rate was not measured: one slow core."""
PROCESS_BYTES = 900 << 20
"""Interpreter, PyTorch and Transformers as loaded."""
OUTPUT_LAYER_BYTES = 320 << 20
"""Ten times a piece of a language model's logits (`fused.output_loss`): with softmax, gradient and their copies in other types."""
OUTPUT_GRADIENT_BYTES = 16
"""The same for each weight of an output layer that trains: its copy in bf16, the gradient as it is summed, and that of the input
embeddings, which are the same matrix."""
START_SECONDS = 12.0
"""Starting the worker, importing and loading."""
ACTIVATION_BYTES = 34
"""Bytes a token, layer and unit of hidden size kept for the backward pass in 16 bits (Korthikanti et al. 2022, section 4), without
attention's scores."""
SAVING_BYTES = 8
"""Bytes a weight while a model is saved whole: the model, and what is being written."""
SAVING_BYTES_ROUNDED = 12
"""The same where frozen weights were rounded: the model, the base again as it was before, and pages of its file (measured: 11)."""
WHOLE_LAYER_BYTES = 20
"""The same in all of a decoder layer that is computed as a whole (`fused.decoder`; measured: 18, with shares of 430 tokens)."""
LONGEST_WHOLE = 768
"""Tokens of the longest row that such layers compute on every processor (`fused.attention`)."""
HEADS_IN_TILES = range(64, 513, 64)
"""Sizes of heads that are attended to in tiles where the processor can (`fused.row_attention`), so that no share is kept."""
ENCODERS_IN_TILES = frozenset({"albert", "bert", "distilbert", "electra", "roberta", "xlm-roberta"})
ENCODERS_HEADS_IN_TILES = range(32, 513, 32)
"""The same of encoders (`fused.encoder_attention`), and which of them have layers of the known forms (`fused.encoder`)."""
ENCODERS_ACTIVATIONS = frozenset({"gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh"})
MOST_SCORES = 1024
"""Tokens of a row from which on attention keeps no scores, because it is no longer computed as products (`attention_choice`)."""
VISION_OPERATIONS_FACTOR = 150
"""Products that a picture takes for each weight, the output layer's included: 85 in MobileNetV2 (300 million with 3.5 million
weights; Sandler et al. 2018, table 4), 148 in ResNet-50 (3.8 billion with 25.6 million; He et al. 2016, table 1), which use a weight
once a position, and 197 in a vision transformer, which uses it once a patch of 16 x 16 pixels."""


@dataclass(frozen=True)
class TrainedShare:
    """Which part of the body a method trains: backward passes reach down to the lowest trained layer."""

    trained_parameters: int
    backward_share: float
    """Share of the layers that gradients flow through, 0 to 1."""
    frozen_bytes_per_parameter: int = 4
    frozen_once: bool = False
    """Whether the other layers are computed once a row and kept (`training.frozen`), not once an epoch."""
    beside: bool = False
    """Whether what trains stands beside the base's own weights and is saved alone: an adapter."""
    whole_layers: bool = False
    """Whether decoder layers that train in this way can be computed as a whole (`fused.decoder`)."""


def estimate_training(workload: Workload, share: TrainedShare, settings: TrainingSettings) -> Estimate:
    """Peak bytes and seconds of a fit with validation after every epoch; where the share of replay is tuned, of all its trainings."""
    base = workload.base
    assert base is not None, "only methods with a base train"
    tried = SHARES if settings.replay == TUNED else (settings.replay,)
    seconds = START_SECONDS + sum(_training_seconds(workload, base, share, settings, replay) for replay in tried)
    if len(tried) > 1:
        # Each of the trained models looks at the validation rows once more, to be compared.
        looked_at = len(tried) * workload.validation_rows * workload.mean_tokens
        seconds += operations_per_token(base) * looked_at / useful_rate(workload.device)
    rest = PROCESS_BYTES + _weight_bytes(workload, base, share, settings) + _output_layer_bytes(workload, base, share)
    batch_tokens = _most_tokens_of_a_pass(workload, settings)
    ways: tuple[Activations, ...] = ("keep", "recompute", "offload")
    token_bytes = base.hidden_size * _layer_bytes(workload, base, share, settings)
    training = {way: rest + activation_bytes(base, share, batch_tokens, token_bytes, way) for way in ways}
    saving = PROCESS_BYTES + _saving_bytes(workload, base, share)
    peaks = {way: int(max(peak, saving)) for way, peak in training.items()}
    return Estimate(
        peak_bytes=peaks[settings.activations],
        seconds=round(seconds, 1),
        basis=_of_shares(_with_and_without(_basis(workload), settings.activations, peaks), len(tried)),
        checkpoint_bytes=checkpoint_bytes(share.trained_parameters, settings),
        model_bytes=model_bytes(share.trained_parameters if share.beside else base.parameters),
    )


def trained_in_full(workload: Workload) -> int:
    """Numbers that train where everything does: of a large embedding matrix the rows in use alone (`used_rows`)."""
    from sonmat.training.used_rows import LARGEST_SHARE, SMALLEST

    base = workload.base
    assert base is not None, "only methods with a base train"
    used = workload.used_ids / base.vocabulary if workload.used_ids and base.vocabulary else 1.0
    # A language model's output layer is the same matrix.
    whole = not workload.classes or used > LARGEST_SHARE or base.embedding_parameters < SMALLEST
    return base.parameters if whole else base.parameters - round((1 - used) * base.embedding_parameters)


def _most_tokens_of_a_pass(workload: Workload, settings: TrainingSettings) -> int:
    """Under the usual budget. The longest row is computed whole, and no pass holds more than the rows of a step."""
    budget = settings.micro_batch_tokens or usual_tokens(generates=not workload.classes)
    longest = max(workload.longest_tokens, 1)
    return min(max(budget, longest), settings.batch_size * longest)


def _weight_bytes(workload: Workload, base: ModelFacts, share: TrainedShare, settings: TrainingSettings) -> float:
    """Weights, and for those that train a gradient, AdamW's two moments in float32 or 8 bits, and a copy in the type of products."""
    each = 4 + (8 if settings.optimiser_state == "fp32" else 2) + (2 if workload.device.bf16 else 0)
    # What stands beside the base has weights of its own.
    each += 4 if share.beside else 0
    return base.parameters * share.frozen_bytes_per_parameter + share.trained_parameters * each


def _output_layer_bytes(workload: Workload, base: ModelFacts, share: TrainedShare) -> int:
    if workload.classes:
        return 0
    trains = share.trained_parameters == base.parameters
    return OUTPUT_LAYER_BYTES + (OUTPUT_GRADIENT_BYTES * base.hidden_size * base.vocabulary if trains else 0)


def _saving_bytes(workload: Workload, base: ModelFacts, share: TrainedShare) -> int:
    """Of main memory; what an accelerator has is not touched then."""
    if share.beside or workload.device.kind == "cuda":
        return 0
    rounded = workload.device.bf16 and share.backward_share < 1
    return base.parameters * (SAVING_BYTES_ROUNDED if rounded else SAVING_BYTES)


def _training_seconds(
    workload: Workload, base: ModelFacts, share: TrainedShare, settings: TrainingSettings, replay: float
) -> float:
    """Seconds of one training with this share of replay, without starting and loading."""
    # Replayed rows make an epoch longer.
    epochs = settings.epochs / (1 - replay)
    tokens = workload.train_rows * workload.mean_tokens * epochs
    # Classifiers answer the validation rows as well, language models are selected by likelihood alone.
    looked_at = workload.validation_rows * workload.mean_tokens * (epochs + 1) * (2 if workload.classes else 1)
    forward = operations_per_token(base)
    again = share.backward_share if share.frozen_once else 1.0
    once = (workload.train_rows + workload.validation_rows) * workload.mean_tokens * (1 - again)
    # Recomputed activations take another forward pass through what trains.
    backward = (2 if settings.activations == "keep" else 3) * share.backward_share
    operations = forward * (tokens * (again + backward) + looked_at * again + once)
    rate = useful_rate(workload.device)
    # AdamW, clipping and clearing read and write weight, gradient and two moments: 32 bytes at about 15 GB/s.
    optimiser_seconds = workload.train_rows * epochs / 16 * share.trained_parameters * 32 / 15e9
    return operations / rate + optimiser_seconds


def activation_bytes(
    base: ModelFacts, share: TrainedShare, batch_tokens: int, token_bytes: float, activations: Activations
) -> float:
    """What a forward pass keeps for its backward pass. Recomputing keeps the inputs of the layers and one layer's activations.

    Args:
        token_bytes: that one layer keeps of one token.
    """
    inputs = batch_tokens * base.hidden_size * 4
    layer = batch_tokens * token_bytes
    # An adapter stands in every layer, and each needs its input.
    layers = max(base.layers, 1) * (1.0 if share.beside else max(share.backward_share, 0.2))
    if activations == "keep" or share.backward_share == 0:
        return layer * layers
    return layer + inputs * (layers if activations == "recompute" else 2)


def _layer_bytes(workload: Workload, base: ModelFacts, share: TrainedShare, settings: TrainingSettings) -> float:
    """What a layer keeps for the backward pass, for a token and unit of hidden size."""
    whole = _whole_layers(workload, base, settings) if share.whole_layers else None
    if whole == "in tiles":
        return WHOLE_LAYER_BYTES
    scores = 0.0 if _encoder_in_tiles(workload, base, share, settings) else _score_bytes(workload)
    return scores + (ACTIVATION_BYTES * 2 if whole is None else WHOLE_LAYER_BYTES)


def _encoder_in_tiles(workload: Workload, base: ModelFacts, share: TrainedShare, settings: TrainingSettings) -> bool:
    """Whether an encoder's attention surely keeps no shares: without adapters, in bf16, by a kernel (`fused.encoder_attention`)."""
    if share.beside or not workload.classes or base.model_type not in ENCODERS_IN_TILES or said() is not None:
        return False
    kernels, config = _kernels_in_use(workload, settings), _config_of(base)
    heads = config.get("num_attention_heads") or config.get("n_heads")
    activation = config.get("hidden_act") or config.get("activation") or "gelu"
    if kernels is None or not heads or activation not in ENCODERS_ACTIVATIONS:
        return False
    return bool(kernels.multiplies_pairs()) and base.hidden_size // heads in ENCODERS_HEADS_IN_TILES


def _whole_layers(
    workload: Workload, base: ModelFacts, settings: TrainingSettings
) -> Literal["in tiles", "with shares"] | None:
    """How attention is computed where layers surely are computed as a whole: those of a usual Llama, without dropout, in bf16 and with
    kernels. None where they may not be."""
    if settings.dropout or workload.classes or base.model_type != "llama":
        return None
    kernels, config = _kernels_in_use(workload, settings), _config_of(base)
    unusual = any(config.get(name) for name in ("attention_bias", "mlp_bias", "attention_dropout"))
    if kernels is None or not config or unusual:
        return None
    size = config.get("head_dim") or base.hidden_size // max(1, config.get("num_attention_heads", 1))
    if kernels.multiplies_pairs() and size in HEADS_IN_TILES:
        return "in tiles"
    return "with shares" if workload.longest_tokens <= LONGEST_WHOLE else None


def _kernels_in_use(workload: Workload, settings: TrainingSettings) -> ctypes.CDLL | None:
    """Those that compute in bf16 on a processor; None where there are none or PyTorch compiles its own."""
    from sonmat.training.fused.native.library import library

    on_processor = workload.device.kind == "cpu" and workload.device.bf16
    return library() if on_processor and settings.compile != "yes" else None


def _config_of(base: ModelFacts) -> dict[str, Any]:
    """What stands in the base's config.json; nothing if it cannot be read."""
    try:
        found: dict[str, Any] = json.loads((Path(base.path) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _score_bytes(workload: Workload) -> float:
    """Attention's shares of every key, for a token and unit of hidden size: in 16 bits, twice where there is dropout, for a head of 32
    units or more; language models have none, and heads of 64. GPUs' kernels keep no shares."""
    if workload.device.kind == "cuda":
        return 0.0
    keys = min(workload.longest_tokens, MOST_SCORES)
    return 2 * 2 * keys / 32 if workload.classes else 2 * keys / 64


def estimate_answering(workload: Workload, new_tokens: float) -> Estimate:
    """Peak bytes and seconds of answering the test rows without training."""
    base = workload.base
    assert base is not None, "only methods with a base answer with it"
    tokens = workload.test_rows * (workload.mean_tokens + new_tokens)
    rate = useful_rate(workload.device)
    return Estimate(
        peak_bytes=int(PROCESS_BYTES + base.parameters * 4),
        seconds=round(START_SECONDS + tokens * operations_per_token(base) / rate, 1),
        basis=_basis(workload),
    )


def useful_rate(device: Device) -> float:
    """Operations a second that real steps do on this device."""
    return (device.flops_per_second or FALLBACK_FLOPS) * _efficiency(device)


def operations_per_token(base: ModelFacts) -> float:
    """Floating-point operations of a forward pass for one token (or one patch of a picture)."""
    body = base.parameters - base.embedding_parameters
    if base.vocabulary == 0:
        return 2.0 * body * VISION_OPERATIONS_FACTOR / 196
    return 2.0 * (body + base.hidden_size * base.vocabulary * int(base.chat))


def _of_shares(basis: Text, trainings: int) -> Text:
    if trainings == 1:
        return basis
    return Text(
        en=f"{basis.en}; {trainings} trainings, one for each share of replay that is tried",
        ko=f"{basis.ko}. 시험할 replay 비율마다 한 번씩, 모두 {trainings}번 학습",
    )


def _with_and_without(basis: Text, activations: Activations, peaks: dict[Activations, int]) -> Text:
    if activations == "keep":
        return basis
    kept, now = f"{peaks['keep'] / 1e9:.1f}", f"{peaks[activations] / 1e9:.1f}"
    return Text(
        en=f"{basis.en}; {now} GB with recomputed activations, {kept} GB with kept ones",
        ko=f"{basis.ko}. 중간 결과를 다시 계산하면 {now} GB, 그대로 두면 {kept} GB",
    )


def _efficiency(device: Device) -> float:
    return PROCESSOR_EFFICIENCY if device.kind == "cpu" else EFFICIENCY


def _basis(workload: Workload) -> Text:
    measured = workload.device.flops_per_second
    if measured:
        giga, share = f"{measured / 1e9:.0f}", f"{_efficiency(workload.device):.0%}"
        return Text(
            en=f"{giga} GFLOP/s measured here, of which steps reach about {share}",
            ko=f"이 기계에서 잰 {giga} GFLOP/s, 실제 학습은 그 {share}쯤",
        )
    return Text(en="rate not measured, a slow core assumed", ko="속도를 재지 않아 느린 코어로 가정함")
