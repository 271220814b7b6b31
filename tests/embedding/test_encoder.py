"""An encoder's vectors: mean-pooled, the same whatever the batch, computed once and found again on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sonmat.core.errors import ModelError
from sonmat.core.text import Text
from sonmat.core.values import ModelFacts
from sonmat.embedding import encoder as module
from sonmat.embedding.encoder import Encoder, encoder_for
from sonmat.embedding.kept_vectors import KeptVectors, key_of
from sonmat.embedding.sample import DrawnSample, unwatched
from sonmat.models import resolve
from sonmat.plugins import find_kind
from tests.checks.made_rows import intents
from tests.data.made import job, table

TEXTS = ["good day", "bad day . good", "good", "bad bad bad bad bad bad .", "good day", "day"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import BertConfig, BertModel

    from sonmat.inference.tiny import word_tokenizer

    path = tmp_path_factory.mktemp("encoder")
    tokenizer = word_tokenizer([*TEXTS, "query : "])
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def facts(folder: Path, checksum: str = "abc") -> ModelFacts:
    return ModelFacts(
        name="tiny", path=str(folder), origin="", checksum=checksum, family="bert", model_type="bert", parameters=1, max_positions=32
    )  # fmt: skip


def test_vectors_are_the_mean_of_the_last_states_whatever_the_batch(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    found = Encoder(facts(folder), "", tmp_path / "a").of_texts(TEXTS, unwatched)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    for text, vector in zip(TEXTS, found, strict=True):
        with torch.inference_mode():
            mean = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0)
        assert np.allclose(vector, (mean / mean.norm()).numpy(), atol=1e-5)
    monkeypatch.setattr(module, "_TOKENS_AT_ONCE", 8)
    assert np.allclose(found, Encoder(facts(folder), "", tmp_path / "b").of_texts(TEXTS, unwatched), atol=1e-5)


def test_what_was_computed_is_not_computed_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Encoder(facts(folder), "", tmp_path).of_texts(TEXTS, unwatched)

    def forbidden(*given: Any) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(module, "_mean_pooled", forbidden)
    again = Encoder(facts(folder), "", tmp_path)
    assert np.array_equal(again.of_texts(TEXTS[::-1], unwatched), first[::-1])
    for other in (Encoder(facts(folder), "query : ", tmp_path), Encoder(facts(folder, "other weights"), "", tmp_path)):
        with pytest.raises(AssertionError, match="computed again"):
            other.of_texts(TEXTS, unwatched)
    with pytest.raises(AssertionError, match="computed again"):
        again.of_texts(["a new text"], unwatched)


def test_a_damaged_file_of_vectors_counts_as_not_there(folder: Path, tmp_path: Path) -> None:
    encoder = Encoder(facts(folder), "", tmp_path)
    first = encoder.of_texts(TEXTS, unwatched)
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    assert np.allclose(encoder.of_texts(TEXTS, unwatched), first, atol=1e-6)


def test_kept_vectors_hold_no_text_and_are_found_by_key(tmp_path: Path) -> None:
    kept = KeptVectors(tmp_path)
    kept.add([key_of(b"hong@example.com")], np.ones((1, 3), dtype=np.float32))
    kept.save()
    kept.save()
    assert key_of(b"hong@example.com") in KeptVectors(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert b"hong" not in next(tmp_path.iterdir()).read_bytes()


def test_the_sample_uses_the_encoder_and_says_so(folder: Path, tmp_path: Path) -> None:
    sample = DrawnSample(find_kind("text-classification"), 0, Encoder(facts(folder), "", tmp_path))
    sample.see(intents(6))
    assert sample.features.shape == (6, 16)
    assert sample.features_from == Text(en="tiny", ko="tiny")


@pytest.mark.parametrize("kind", ["image-classification", "audio-classification"])
def test_an_encoder_of_texts_takes_neither_pictures_nor_sound(folder: Path, tmp_path: Path, kind: str) -> None:
    assert encoder_for(find_kind("text-classification"), facts(folder), "", tmp_path).name == "tiny"
    with pytest.raises(ModelError, match="does not take"):
        encoder_for(find_kind(kind), facts(folder), "", tmp_path)


def test_pictures_are_encoded_by_a_backbone_and_a_broken_one_is_no_obstacle(tmp_path: Path) -> None:
    from transformers import MobileNetV2Config, MobileNetV2ImageProcessor, MobileNetV2Model

    model = tmp_path / "model"
    MobileNetV2Model(MobileNetV2Config(depth_multiplier=0.25, image_size=32)).save_pretrained(model)
    MobileNetV2ImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(model)
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        Image.new("RGB", (40, 32), (80 * number, 10, 200 - 80 * number)).save(path)
    paths[2].write_bytes(b"broken")
    encoder = encoder_for(find_kind("image-classification"), facts(model), "", tmp_path / "kept")
    features = encoder.of_pictures(paths, unwatched)
    assert features.shape[0] == 3
    assert np.allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)


def test_the_audit_uses_the_encoder_that_the_recipe_names_and_keeps_its_vectors(folder: Path, tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", table(60), embedder=str(folder))
    (found,) = (finding for finding in made.audit().findings if finding.check == "diversity")
    assert found.data["features"]["en"] == folder.name
    assert list((made.folder.path / "cache" / "vectors").rglob("*.npz"))


@pytest.mark.real
def test_a_real_encoder_knows_that_two_languages_say_the_same(tmp_path: Path) -> None:
    found = encoder_for(
        find_kind("text-classification"), resolve("multilingual-e5-small", emit=unwatched), "query: ", tmp_path
    )
    same, translated, other = found.of_texts(["환불받고 싶어요", "I want a refund", "불 좀 켜 줘"], unwatched)
    assert same @ translated > same @ other
