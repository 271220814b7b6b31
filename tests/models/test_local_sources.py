"""Folders, GGUF files, hub ids and wrong names as base models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sonmat.core.errors import ModelError
from sonmat.models import hub, resolve
from tests.models.conftest import Events


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "my-model"))


def test_a_local_folder_is_used_where_it_lies(folder: Path, events: Events) -> None:
    facts = resolve(str(folder), emit=events)
    assert (facts.name, facts.path, facts.origin) == ("my-model", str(folder), str(folder))
    assert not facts.chat
    assert events.kept == []


def test_the_checksum_changes_with_a_single_weight(folder: Path, events: Events) -> None:
    before = resolve(str(folder), emit=events).checksum
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert resolve(str(folder), emit=events).checksum != before


def test_pickled_weights_have_the_same_facts(folder: Path, events: Events) -> None:
    import torch
    from safetensors.torch import load_file

    expected = resolve(str(folder), emit=events)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    facts = resolve(str(folder), emit=events)
    assert facts.model_copy(update={"checksum": expected.checksum}) == expected


def test_sharded_weights_have_the_same_facts(folder: Path, events: Events) -> None:
    from transformers import BertModel

    expected = resolve(str(folder), emit=events)
    model = BertModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="4KB")
    assert (folder / "model.safetensors.index.json").is_file()
    assert resolve(str(folder), emit=events).parameters == expected.parameters
    next(folder.glob("model-00002*")).unlink()
    with pytest.raises(ModelError, match=r"names model-00002.*missing"):
        resolve(str(folder), emit=events)


def test_a_shorter_limit_of_the_tokenizer_counts(folder: Path, events: Events) -> None:
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_max_length": 20}))
    assert resolve(str(folder), emit=events).max_positions == 20


def test_a_chat_template_makes_a_folder_a_chat_model(folder: Path, events: Events) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert resolve(str(folder), emit=events).chat


def test_roberta_takes_fewer_tokens_than_its_table_has_rows(folder: Path, events: Events) -> None:
    file = folder / "config.json"
    changed = {"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    assert resolve(str(folder), emit=events).max_positions == 512


def _cut(file: Path, keep: int) -> None:
    file.write_bytes(file.read_bytes()[:keep])


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json is no JSON"),
        (lambda folder: (folder / "config.json").write_text("{}"), "names no 'model_type'"),
        (lambda folder: (folder / "model.safetensors").unlink(), "there are no weights"),
        (lambda folder: _cut(folder / "model.safetensors", -100), "cut off or damaged"),
        (lambda folder: _cut(folder / "model.safetensors", 40), "cut off"),
        (lambda folder: _cut(folder / "model.safetensors", 3), "cut off"),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(b"\x08" + bytes(7) + b"{nothing" + bytes(9)),
            "header is damaged",
        ),
        (
            lambda folder: ((folder / "model.safetensors").unlink(), (folder / "pytorch_model.bin").write_bytes(b"junk")),
            "cannot be used as a base model",
        ),
    ],
)
def test_a_broken_folder_is_told_with_what_is_wrong(
    damage: Callable[[Path], object], complaint: str, folder: Path, events: Events
) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=complaint):
        resolve(str(folder), emit=events)


def test_a_misspelt_name_is_answered_with_the_nearest(events: Events) -> None:
    with pytest.raises(ModelError) as raised:
        resolve("smolm2-135", emit=events)
    said = str(raised.value)
    assert "Did you mean 'smollm2-135m'?" in said
    for way in ("hub:", ".gguf", "wheel:", "./my-model"):
        assert way in said


@pytest.mark.parametrize(
    "base", ["hub:", "wheel:", "hub:../secret/x", "wheel:name", "wheel:--index-url=x==1", "wheel:a b==1"]
)
def test_a_malformed_source_is_unknown(base: str, events: Events) -> None:
    with pytest.raises(ModelError, match="no base model named"):
        resolve(base, emit=events)


@pytest.mark.parametrize("base", ["hub:org/some-model", "org/some-model", "hub:org/some-model@v1.0"])
def test_a_hub_model_without_the_hub_says_what_to_use_instead(base: str, events: Events) -> None:
    with pytest.raises(ModelError, match="sonmat models list"):
        resolve(base, emit=events)


def test_a_hub_model_in_the_clients_cache_is_used_without_the_hub(
    folder: Path, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "cached_snapshot", lambda hub_id, revision=None: hub.Snapshot(folder, "abc123"))
    facts = resolve("hub:org/some-model", emit=events)
    assert (facts.name, facts.origin) == ("org/some-model", "hub:org/some-model@abc123")


def test_offline_mode_is_never_asked_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.undo()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "_answers", lambda: pytest.fail("the network was used"))
    assert not hub.is_reachable()


def test_a_hub_that_does_not_answer_is_unreachable_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert not hub._answers.__wrapped__()


def test_a_missing_gguf_file_is_named(tmp_path: Path, events: Events) -> None:
    with pytest.raises(ModelError, match=r"There is no file .*model\.gguf"):
        resolve(str(tmp_path / "model.gguf"), emit=events)


def test_a_file_that_only_calls_itself_gguf_is_refused(tmp_path: Path, events: Events, cache: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"something else")
    with pytest.raises(ModelError, match="does not begin with 'GGUF'"):
        resolve(str(file), emit=events)
    assert not (cache / "models").exists()


def test_a_gguf_file_becomes_a_folder_with_the_same_weights_and_a_template(tmp_path: Path, events: Events) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file = tmp_path / "tiny-llama.gguf"
    embeddings = _write_gguf(file)
    facts = resolve(str(file), emit=events)
    assert (facts.name, facts.model_type, facts.family, facts.layers) == ("tiny-llama", "llama", "llama", 1)
    assert not facts.chat
    model = AutoModelForCausalLM.from_pretrained(facts.path)
    assert not hasattr(model.config, "quantization_config")
    np.testing.assert_allclose(model.get_input_embeddings().weight.float().detach().numpy(), embeddings, atol=0.03)
    tokenizer = AutoTokenizer.from_pretrained(facts.path)
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": "ab"}], tokenize=False, add_generation_prompt=True
    )
    assert rendered == "User: ab\nAssistant: "
    events.kept.clear()
    assert resolve(str(file), emit=events) == facts
    assert events.kept == []


def test_a_gguf_file_with_a_damaged_vocabulary_is_refused(tmp_path: Path, events: Events) -> None:
    file = tmp_path / "tiny-llama.gguf"
    _write_gguf(file, "c d")
    with pytest.raises(ModelError, match=r"cannot be read as a GGUF model.*out of vocabulary"):
        resolve(str(file), emit=events)


def _write_gguf(file: Path, *merges: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A random Llama of one layer in eight bits; gives its word embeddings."""
    import gguf

    tokens = ["<s>", "</s>", "Ġ", "Ċ", "ab", *(chr(code) for code in range(33, 127))]
    width, wide, words = 32, 64, len(tokens)
    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(wide)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(16)
    writer.add_vocab_size(words)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_merges(["a b", *merges])
    writer.add_token_types([3, 3, *[1] * (words - 2)])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    shapes = {"token_embd": (words, width), "output_norm": (width,), "output": (words, width)}
    shapes |= {f"blk.0.{name}": (width,) for name in ("attn_norm", "ffn_norm")}
    shapes |= {f"blk.0.{name}": (width, width) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    shapes |= {"blk.0.ffn_gate": (wide, width), "blk.0.ffn_up": (wide, width), "blk.0.ffn_down": (width, wide)}
    tensors = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    for name, tensor in tensors.items():
        kind = gguf.GGMLQuantizationType.Q8_0 if tensor.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(f"{name}.weight", gguf.quants.quantize(tensor, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tensors["token_embd"]
