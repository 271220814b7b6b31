"""Rendering and generation with the real chat models, from their wheels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sonmat import plugins
from sonmat.core.protocols import SavedModel
from sonmat.core.values import Spec
from sonmat.inference.generation import generate
from sonmat.inference.rendering import render_prompt, render_training, stop_token
from sonmat.models import resolve
from sonmat.runs import EventLog
from sonmat.training.tuning import give_template, load_prompted, predictor_of

pytestmark = pytest.mark.real

TALK = [
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": "\n\nParis, of course."},
    {"role": "user", "content": "대한민국의 수도는?"},
    {"role": "assistant", "content": "서울입니다."},
]


@pytest.fixture(scope="module", params=["smollm2-135m", "gemma3-270m"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    import transformers

    base = resolve(request.param, accepted=("gemma3-270m",), emit=EventLog(None))
    found = transformers.AutoTokenizer.from_pretrained(base.path)
    give_template(plugins.find("families", base.family), found)
    return found


def test_prompts_are_beginnings_of_rows_even_where_tokens_would_merge(tokenizer: Any) -> None:
    """The first answer begins with line breaks, which the prompt's own would swallow if all were tokenised at once."""
    whole = render_training(TALK, tokenizer, "all").ids
    for turns in (1, 3):
        prompt = render_prompt(TALK[:turns], tokenizer)
        assert whole[: len(prompt)] == prompt


def test_the_beginning_of_text_is_never_doubled(tokenizer: Any) -> None:
    ids = render_training(TALK, tokenizer, "all").ids
    begin = tokenizer.bos_token_id
    wanted = 1 if tokenizer.chat_template and "bos_token" in tokenizer.chat_template else ids.count(begin)
    assert ids.count(begin) == wanted
    assert ids[:2] != [begin, begin]


def test_what_is_learnt_are_the_answers_and_their_ends(tokenizer: Any) -> None:
    chat = render_training(TALK, tokenizer, "all")
    said = tokenizer.decode([token for token, on in zip(chat.ids, chat.supervised, strict=True) if on])
    stop = tokenizer.decode([stop_token(tokenizer)])
    assert said.replace(" ", "") == f"{TALK[1]['content'].strip()}{stop}{TALK[3]['content']}{stop}".replace(" ", "") or (
        said.replace(" ", "") == f"{TALK[1]['content']}{stop}{TALK[3]['content']}{stop}".replace(" ", "")
    )


def test_answers_in_a_batch_are_those_asked_alone() -> None:
    import transformers

    base = resolve("smollm2-135m", emit=EventLog(None))
    tokenizer = transformers.AutoTokenizer.from_pretrained(base.path)
    model = transformers.AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.float32).eval()
    questions = ["What is the capital of France?", "Say hello.", "Name three colours of the rainbow, please, in one line."]
    prompts = [render_prompt([{"role": "user", "content": question}], tokenizer) for question in questions]
    together = generate(model, tokenizer, prompts, 12)
    alone = [generate(model, tokenizer, [prompt], 12)[0] for prompt in prompts]
    assert [answer.text for answer in together] == [answer.text for answer in alone]
    assert "Paris" in together[0].text
    for one, other in zip(together, alone, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-3)


def test_a_loaded_model_answers_by_layers_of_its_own_as_transformers_would(tmp_path: Path) -> None:
    """Prompted, and as a saved model; the same next words, or words as likely but for rounding."""
    import transformers

    from sonmat.inference.device import compute_dtype, detect_device
    from sonmat.training.fused.row_attention import has_attention

    device = detect_device()
    if not has_attention(compute_dtype(device), torch.device(device.kind), 64):
        pytest.skip("no kernels for this processor")
    base = resolve("smollm2-135m", emit=EventLog(None))
    task, method, family = (
        plugins.find("tasks", "chat"),
        plugins.find("methods", "zero-shot"),
        plugins.find("families", "llama"),
    )
    saved = SavedModel(tmp_path, method.name, task, Spec(), base, family, method.Settings(), device)
    plain = transformers.AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.float32).eval()
    prompted, tokenizer = load_prompted(saved)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(base.path, dtype=compute_dtype(device))
    predictor = predictor_of(saved, loaded, tokenizer)
    ids = torch.tensor([render_prompt(TALK[:3], tokenizer)])
    models: list[Any] = [prompted, predictor.model]
    for model in models:
        assert type(getattr(model.model.layers[0].forward, "__self__", None)).__module__.endswith("fused.answering")
        with torch.inference_mode():
            found, wanted = model(input_ids=ids).logits[0].float(), plain(input_ids=ids).logits[0]
        behind = wanted.max(-1).values - wanted.gather(1, found.argmax(-1)[:, None])[:, 0]
        assert float(behind.max()) < 0.5
        assert float((found - wanted).norm() / wanted.norm()) < 0.03
