"""Whole runs with real pretrained models from their wheels: what is claimed to learn, learns."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sonmat as package
from tests.whole.small_world import ROOT, sonmat

pytestmark = pytest.mark.real
DATA = ROOT / "examples" / "data"


def test_an_encoder_learns_korean_intents(tmp_path: Path) -> None:
    with (DATA / "korean_intents.csv").open(encoding="utf-8", newline="") as stream:
        rows = [
            row for row in csv.DictReader(stream) if row["intent"] in ("HassTurnOn", "HassGetWeather", "HassStartTimer")
        ]
    with (tmp_path / "intents.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[:240])
    sonmat("run", "intents.csv", "--group", "template", "--method", "freeze", "--set", "freeze.epochs=6", folder=tmp_path)
    run = package.open_run(tmp_path / "runs" / "intents")
    assert run.source.languages[0] == "ko"
    arms = {arm.method: arm for arm in run.proof.arms}
    assert arms["freeze"].headline.value > 0.8 > arms["majority"].headline.value
    tuned = run.candidate("freeze-multilingual-e5-small")
    assert tuned.load().predict("십분 타이머 시작해줘")["label"] == "HassStartTimer"


def test_a_chat_model_learns_a_fixed_voice_with_lora_and_plain_peft_loads_the_adapter(tmp_path: Path) -> None:
    things = ["tea", "rice", "soap", "bread", "milk", "salt", "paper", "honey", "apples", "candles", "socks", "lamps"]
    with (tmp_path / "shop.jsonl").open("w", encoding="utf-8") as stream:
        for number, thing in enumerate(things * 4):
            question = ["Do you have {}?", "Is there any {} left?", "I am looking for {}.", "Can I buy {} here?"][
                number // 12
            ]
            talk = [
                ("user", question.format(thing)),
                ("assistant", f"Certainly, dear guest: {thing}, on the second shelf."),
            ]
            stream.write(json.dumps({"messages": [{"role": role, "content": text} for role, text in talk]}) + "\n")
    sonmat(
        "run", "shop.jsonl", "--folds", "0", "--method", "lora", "--base", "smollm2-135m", "--set", "lora.epochs=4",
        "--set", "lora.learning_rate=1e-3", "--probes", "speed,format", folder=tmp_path,
    )  # fmt: skip
    run = package.open_run(tmp_path / "runs" / "shop")
    arms = {arm.method: arm for arm in run.proof.arms}
    likelihood = {
        name: next(score.value for score in arm.scores if score.metric == "nll_per_character")
        for name, arm in arms.items()
        if name != "majority"
    }
    assert likelihood["lora"] < 0.5 * likelihood["zero-shot"]
    assert run.proof.verdict.use == "lora-smollm2-135m"
    model = run.best.load()
    assert "second shelf" in model.chat([{"role": "user", "content": "Do you have honey?"}])
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(run.plan.candidates[-1].base.path)  # type: ignore[union-attr]
    adapted = PeftModel.from_pretrained(base, str(run.best.model_folder))
    assert any(bool(weight.any()) for name, weight in adapted.named_parameters() if "lora_B" in name)


def test_an_image_model_learns_shapes_and_plain_transformers_loads_it(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    for label in ("stripes", "checks", "plain"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(60):
            tone, width = chance.integers(90, 255, 3), int(chance.integers(6, 14))
            pixels = np.full((96, 96, 3), tone, dtype=np.uint8)
            bands = (np.arange(96) // width) % 2 == 0
            if label == "stripes":
                pixels[bands] = 20
            if label == "checks":
                pixels[bands[:, None] ^ bands[None, :]] = 20
            pixels = np.clip(pixels + chance.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{number}.png")
    sonmat("run", "photos", "--folds", "0", "--method", "head-only", "--set", "head-only.epochs=6", folder=tmp_path)
    run = package.open_run(tmp_path / "runs" / "photos")
    arms = {arm.method: arm for arm in run.proof.arms}
    assert arms["head-only"].headline.value > 0.8 > arms["majority"].headline.value
    picture = tmp_path / "photos" / "checks" / "0.png"
    assert run.proof.verdict.use == "head-only-mobilenet-v2"
    assert run.best.load().predict(picture)["label"] == "checks"
    from transformers import AutoModelForImageClassification

    plain = AutoModelForImageClassification.from_pretrained(run.best.model_folder)
    assert set(plain.config.label2id) == {"stripes", "checks", "plain"}
