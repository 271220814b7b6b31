"""Kept, recomputed, moved away, compiled, by other kernels: what trains comes out the same; what cannot be done is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig

from sonmat import plugins
from sonmat.core.errors import SettingError
from sonmat.core.protocols import Fusions
from sonmat.core.values import Device
from sonmat.training import accelerators, activations, compiling, equipment, kernels, varlen
from sonmat.training.activations import keep_less
from sonmat.training.compiling import PAYS_FROM_SECONDS, compile_blocks, pays
from sonmat.training.kernels import Kernels, choose_kernels, use_kernels
from sonmat.training.settings import TrainingSettings
from tests.training.tiny_jobs import CPU, Heard, tiny_job

GPU = Device(kind="cuda", name="a GPU", memory_bytes=80 << 30, bf16=True)
SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 6,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
}


def trained(folder: Path, task: str, method: str, **settings: Any) -> dict[str, Tensor]:
    folder.mkdir()
    job = tiny_job(task, method, folder, epochs=1, batch_size=4, learning_rate=1e-2, **settings)
    plugins.find("methods", method).fit(job)
    return {name: value for file in job.folder.glob("*.safetensors") for name, value in load_file(file).items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(bool((one[name] == other[name]).all()) for name in one)


# ── activations ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("task", "method", "more"),
    [
        ("chat", "lora", {}),
        ("chat", "full", {"dropout": 0.2}),
        ("chat", "freeze", {"last_layers": 1}),
    ],
)
def test_recomputed_and_moved_activations_train_the_same_weights_to_the_last_bit(
    tmp_path: Path, task: str, method: str, more: dict[str, Any]
) -> None:
    kept = trained(tmp_path / "keep", task, method, **more)
    for way in ("recompute", "offload"):
        assert equal(trained(tmp_path / way, task, method, activations=way, **more), kept), way


def blocks_and_loss() -> tuple[list[nn.Module], Callable[[], Tensor]]:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(LlamaConfig(**SIZES))
    ids = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(1))
    return list(model.model.layers), lambda: model(input_ids=ids, use_cache=False).logits.square().mean()


def saved_numbers(forward: Callable[[], Tensor]) -> int:
    count = 0

    def counted(tensor: Tensor) -> Tensor:
        nonlocal count
        count += tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(counted, lambda tensor: tensor):
        forward()
    return count


def test_less_is_kept_when_activations_are_recomputed() -> None:
    blocks, loss = blocks_and_loss()
    before = saved_numbers(loss)
    keep_less(blocks, "recompute")
    assert saved_numbers(loss) < before / 2


def test_of_blocks_only_their_inputs_are_moved_away(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks, loss = blocks_and_loss()
    away: list[torch.Size] = []

    def noted(tensor: Tensor) -> Tensor:
        away.append(tensor.shape)
        return tensor

    monkeypatch.setattr(
        activations, "_in_main_memory", lambda: torch.autograd.graph.saved_tensors_hooks(noted, lambda tensor: tensor)
    )
    keep_less(blocks, "offload")
    loss().backward()
    assert away == [torch.Size([2, 9, 24])] * len(blocks)


def test_without_gradients_nothing_is_computed_twice() -> None:
    blocks, loss = blocks_and_loss()
    calls = 0
    own = blocks[0].forward

    def counting(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        return own(*given, **named)

    blocks[0].forward = counting
    keep_less(blocks, "recompute")
    with torch.inference_mode():
        loss()
    assert calls == 1
    loss().backward()
    assert calls == 3


# ── compiling ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.real
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_a_compiled_training_ends_where_a_plain_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Everything but the generation of code, which alone takes a minute.
    monkeypatch.setattr(equipment, "compile_blocks", partial(compile_blocks, backend="aot_eager"))
    plain = trained(tmp_path / "plain", "chat", "lora", compile="no")
    compiled = trained(tmp_path / "compiled", "chat", "lora", compile="yes", activations="recompute")
    assert plain.keys() == compiled.keys()
    for name, value in plain.items():
        torch.testing.assert_close(compiled[name], value, rtol=1e-2, atol=1e-3, msg=name)


def test_compiling_pays_on_a_gpu_and_in_long_trainings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "find_spec", lambda name: object())
    assert not pays(CPU, 1e6)[0]
    assert not pays(GPU, PAYS_FROM_SECONDS - 1)[0]
    assert pays(GPU, PAYS_FROM_SECONDS)[0]
    monkeypatch.setattr(compiling, "find_spec", lambda name: None)
    assert not pays(GPU, 1e6)[0]


def test_without_a_compiler_compiling_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(SettingError, match="compiler"):
        trained(tmp_path / "job", "chat", "lora", compile="yes")


# ── kernels ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("device", "liger", "compiled", "expected"),
    [
        (CPU, False, False, Kernels("fused", "fused", "fused", "plain", "fused")),
        (CPU, True, False, Kernels("fused", "fused", "fused", "plain", "fused")),
        (CPU, False, True, Kernels("compiled", "compiled", "compiled", "compiled", "sdpa")),
        (GPU, False, False, Kernels("fused", "fused", "fused", "plain", "varlen")),
        (GPU, True, False, Kernels("fused", "liger", "liger", "liger", "varlen")),
        (GPU, True, True, Kernels("compiled", "compiled", "compiled", "compiled", "varlen")),
    ],
)
def test_the_kernels_depend_on_device_and_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, device: Device, liger: bool, compiled: bool, expected: Kernels
) -> None:
    monkeypatch.setattr(kernels, "has_liger", lambda: liger)
    fusions = plugins.find("families", "llama").fusions
    assert choose_kernels(fusions, device, compiled=compiled) == expected


def test_of_an_unknown_family_nothing_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "has_liger", lambda: True)
    assert choose_kernels(Fusions(), GPU, compiled=False) == Kernels("fused", "plain", "plain", "plain", "sdpa")


@pytest.fixture
def liger(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A stand-in with Liger's signatures, which runs on accelerators alone; notes what was called."""
    called: list[str] = []

    def liger_rms_norm(x: Tensor, w: Tensor, eps: float, offset: float, casting_mode: str, in_place: bool) -> Tensor:
        called.append("norm")
        assert casting_mode == ("gemma" if offset else "llama")
        return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)) * (offset + w)

    def liger_swiglu(a: Tensor, b: Tensor) -> Tensor:
        called.append("swiglu")
        return nn.functional.silu(a) * b

    def liger_geglu(a: Tensor, b: Tensor) -> Tensor:
        called.append("geglu")
        return nn.functional.gelu(a, approximate="tanh") * b

    functional, rope = ModuleType("functional"), ModuleType("rope")
    for function in (liger_rms_norm, liger_swiglu, liger_geglu):
        setattr(functional, function.__name__, function)
    rope.liger_rotary_pos_emb = lambda *given: called.append("rotary") or given[:2]  # type: ignore[attr-defined,func-returns-value]
    for name in ("liger_kernel", "liger_kernel.transformers"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers.functional", functional)
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers.rope", rope)
    for family in ("llama", "gemma3"):
        file = import_module(f"transformers.models.{family}.modeling_{family}")
        monkeypatch.setattr(file, "apply_rotary_pos_emb", vars(file)["apply_rotary_pos_emb"])
    return called


@pytest.mark.parametrize(
    ("config", "gate"),
    [(LlamaConfig(**SIZES), "swiglu"), (Gemma3TextConfig(**SIZES, sliding_window=5, query_pre_attn_scalar=6), "geglu")],
)
def test_liger_is_given_what_it_needs(liger: list[str], config: Any, gate: str) -> None:
    torch.manual_seed(0)
    plain, other = (AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").double() for _ in range(2))
    other.load_state_dict(plain.state_dict())
    fusions = plugins.family_of("any", config.to_dict()).fusions
    use_kernels(other, fusions, Kernels("fused", "liger", "liger", "liger", "varlen"))
    assert other.config._attn_implementation == varlen.NAME
    ids = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(1))
    logits = [model(input_ids=ids, use_cache=False).logits for model in (plain, other)]
    torch.testing.assert_close(logits[1], logits[0], rtol=1e-5, atol=1e-5)
    # The rotation replaced is that of accelerators; here the model keeps its own.
    assert {"norm", gate} == set(liger)


def test_rotation_goes_to_liger_on_an_accelerator_while_training() -> None:
    class OnGpu:
        device, shape = torch.device("cuda"), (1, 2, 3, 8)

    def chosen(**named: Any) -> str:
        query: Any = OnGpu()
        return str(kernels._rotated(lambda *_, **__: "own", lambda *_: "liger", query, query, query, query, **named))  # type: ignore[arg-type]

    assert chosen() == "liger"
    assert chosen(unsqueeze_dim=2) == "own"
    with torch.no_grad():
        assert chosen() == "own"


def test_what_computes_what_is_told_as_an_event(tmp_path: Path) -> None:
    heard = Heard()
    plugins.find("methods", "lora").fit(tiny_job("chat", "lora", tmp_path, heard, epochs=1))
    (told,) = heard.of("kernels")
    assert told["adapters"] == told["norm"] == told["attention"] == "fused"
    assert (told["activations"], told["compiled"], told["optimiser_state"]) == ("keep", False, "fp32")


# ── optimiser and transfers ─────────────────────────────────────────────────────────────────────────────────────────


def test_coarse_optimiser_state_is_refused_where_it_cannot_be_had() -> None:
    settings = TrainingSettings(optimiser_state="8bit")
    with pytest.raises(SettingError, match="bitsandbytes"):
        accelerators.adamw(nn.Linear(2, 2), settings, CPU)


def test_coarse_optimiser_state_is_that_of_bitsandbytes(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("bitsandbytes")
    module.optim = ModuleType("optim")  # type: ignore[attr-defined]
    module.optim.AdamW8bit = lambda groups, lr: ("8bit", lr)
    monkeypatch.setitem(sys.modules, "bitsandbytes", module)
    monkeypatch.setattr(accelerators, "find_spec", lambda name: object())
    found: Any = accelerators.adamw(nn.Linear(2, 2), TrainingSettings(optimiser_state="8bit", learning_rate=0.5), GPU)
    assert found == ("8bit", 0.5)


def test_batches_are_moved_whole() -> None:
    batch = {"input_ids": torch.arange(6).view(2, 3), "cu_seqlens": torch.tensor([0, 2], dtype=torch.int32)}
    assert equal(accelerators.moved(batch, torch.device("cpu")), batch)
    assert accelerators.moved(batch, torch.device("meta"))["input_ids"].device.type == "meta"
    assert accelerators.peak_bytes(CPU) == 0
