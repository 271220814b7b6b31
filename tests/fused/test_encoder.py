"""Encoders' layers in their fused form equal the plain modules; dropout drops what it says; working copies follow their weights."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    AlbertConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    RobertaConfig,
)

from sonmat import plugins
from sonmat.training.fused import attention
from sonmat.training.fused.dropout import compute_quickly, dropped, kept
from sonmat.training.fused.encoder import fuse_encoder
from sonmat.training.fused.fuse import fuse
from sonmat.training.fused.working import Working

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "num_labels": 3,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "classifier_dropout": 0.0,
}
CONFIGS: dict[str, Any] = {
    "bert": BertConfig(**SIZES),
    "roberta": RobertaConfig(**SIZES),
    "electra": ElectraConfig(**SIZES),
    "albert": AlbertConfig(**SIZES, embedding_size=8, hidden_act="gelu_new", classifier_dropout_prob=0.0),
    "distilbert": DistilBertConfig(
        vocab_size=50,
        dim=24,
        n_layers=2,
        n_heads=4,
        hidden_dim=40,
        max_position_embeddings=64,
        num_labels=3,
        dropout=0.0,
        attention_dropout=0.0,
        seq_classif_dropout=0.0,
    ),
}
LAYERS = {"bert": 2, "roberta": 2, "electra": 2, "albert": 1, "distilbert": 2}


def plain_model(model_type: str, **changed: Any) -> Any:
    torch.manual_seed(0)
    config = copy.deepcopy(CONFIGS[model_type])
    config.update(changed)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="sdpa")
    for parameter in model.parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, mean=0.5, std=0.3)
    return model.train()


def gradients(model: Any, padded: bool = True) -> tuple[Tensor, dict[str, Tensor]]:
    torch.manual_seed(1)
    ids, mask = torch.randint(4, 50, (3, 11)), torch.ones(3, 11, dtype=torch.long)
    if padded:
        mask[0, 7:], mask[2, 9:] = 0, 0
    logits = model(input_ids=ids, attention_mask=mask).logits
    torch.nn.functional.cross_entropy(logits.float(), torch.tensor([0, 1, 2])).backward()
    return logits.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("model_type", CONFIGS)
def test_a_fused_encoder_has_the_outputs_and_gradients_of_the_plain_one(model_type: str, padded: bool) -> None:
    plain = plain_model(model_type).double()
    fused = copy.deepcopy(plain)
    assert fuse_encoder(fused) == LAYERS[model_type]
    expected_logits, expected = gradients(plain, padded)
    logits, found = gradients(fused, padded)
    torch.testing.assert_close(logits, expected_logits, rtol=1e-10, atol=1e-12)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-7, atol=1e-10, msg=name)


@pytest.mark.parametrize("model_type", CONFIGS)
def test_a_fused_encoder_under_autocast_stays_near_the_exact_gradient(model_type: str) -> None:
    plain = plain_model(model_type)
    fused = copy.deepcopy(plain)
    fuse(fused, plugins.family_of("any", {"model_type": model_type}).fusions)
    exact_logits, exact = gradients(plain)
    with torch.autocast("cpu", torch.bfloat16):
        logits, found = gradients(fused)
    torch.testing.assert_close(logits.float(), exact_logits, rtol=0.05, atol=0.05)
    for name, gradient in exact.items():
        assert found[name].dtype == torch.float32, name
        likeness = torch.nn.functional.cosine_similarity(found[name].flatten(), gradient.flatten(), dim=0)
        assert likeness > 0.99 or gradient.abs().max() < 1e-4, f"{name}: {likeness}"


def test_frozen_layers_below_get_no_gradient_and_the_others_theirs() -> None:
    plain = plain_model("bert").double()
    plain.bert.embeddings.requires_grad_(False)
    plain.bert.encoder.layer[0].requires_grad_(False)
    plain.bert.encoder.layer[1].attention.self.key.requires_grad_(False)
    fused = copy.deepcopy(plain)
    fuse_encoder(fused)
    _, expected = gradients(plain)
    _, found = gradients(fused)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-7, atol=1e-10, msg=name)


def test_a_fused_encoder_follows_its_optimiser() -> None:
    plain = plain_model("albert")
    fused = copy.deepcopy(plain)
    fuse_encoder(fused)
    for model in (plain, fused):
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=True)
        for _ in range(3):
            gradients(model)
            optimiser.step()
            optimiser.zero_grad()
        model.eval()
    torch.testing.assert_close(gradients(fused)[0], gradients(plain)[0], rtol=1e-3, atol=1e-3)


def test_names_of_an_encoders_weights_stay() -> None:
    plain = plain_model("bert")
    fused = copy.deepcopy(plain)
    fuse_encoder(fused)
    assert list(fused.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize("changed", [{"hidden_act": "relu"}, {"is_decoder": True}])
def test_other_layers_are_left_as_they_are(changed: dict[str, Any]) -> None:
    assert fuse_encoder(plain_model("bert", **changed)) == 0


def test_dropout_in_a_fused_encoder_averages_out() -> None:
    model = plain_model("bert", hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1).eval()
    fuse_encoder(model)
    ids = torch.randint(4, 50, (1, 12)).expand(400, -1)
    with torch.no_grad():
        exact = model.bert(input_ids=ids[:1]).last_hidden_state[0]
        noisy = model.train().bert(input_ids=ids).last_hidden_state
    assert noisy.std(dim=0).mean() > 0.05
    assert (noisy.mean(dim=0) - exact).abs().mean() < 0.1 * noisy.std(dim=0).mean() + 0.05


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_the_share_that_is_dropped_is_the_one_asked_for(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    stays = kept(torch.empty(1000, 1001, dtype=dtype), 0.1)
    assert stays.dtype == dtype
    assert set(stays.unique().tolist()) == {0.0, 1.0}
    # Six standard errors of a million draws.
    assert abs(float(stays.float().mean()) - 0.9) < 6 * (0.09 / 1.001e6) ** 0.5
    rows = stays.float().mean(dim=1)
    assert float(rows.std()) == pytest.approx((0.09 / 1001) ** 0.5, rel=0.15)


def test_draws_depend_on_the_seed_alone() -> None:
    drawn = []
    for seed, threads in ((5, 1), (5, 2), (6, 1)):
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        drawn.append(dropped(torch.ones(64, 64), 0.3, training=True))
    torch.set_num_threads(1)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_what_is_dropped_forward_has_no_gradient() -> None:
    module = nn.Dropout(0.4)
    compute_quickly(module)
    x = torch.rand(50, 50, requires_grad=True)
    found = module(x)
    found.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad == 0, found == 0)
    torch.testing.assert_close(x.grad.max(), torch.tensor(1 / 0.6))
    assert torch.equal(module.eval()(x), x)


def test_attention_with_dropout_has_the_gradient_of_its_own_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    stays = (torch.rand(2 * 4, 7, 7) > 0.2).double()
    monkeypatch.setattr(attention, "kept", lambda like, share: stays)
    query, key, value = (torch.randn(2, 4, 7, 8, dtype=torch.float64, requires_grad=True) for _ in range(3))
    shares = torch.softmax(query @ key.transpose(2, 3) * 0.4, dim=-1)
    expected = ((shares * stays.view(2, 4, 7, 7) / 0.8) @ value).transpose(1, 2)
    found, _ = attention.attend(nn.Identity().train(), query, key, value, None, dropout=0.2, scaling=0.4, is_causal=False)
    torch.testing.assert_close(found, expected)
    upstream = torch.randn_like(expected)
    for mine, theirs in zip(
        torch.autograd.grad(found, (query, key, value), upstream),
        torch.autograd.grad(expected, (query, key, value), upstream),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def test_a_working_copy_is_made_again_only_when_a_weight_has_changed() -> None:
    weights = [nn.Parameter(torch.randn(3, 4)) for _ in range(2)]
    working = Working(weights)
    first = working.get(torch.bfloat16)
    assert first.shape == (6, 4)
    assert working.get(torch.bfloat16) is first
    for change in (_step_of_a_fused_optimiser, _written_into):
        change(weights[1])
        again = working.get(torch.bfloat16)
        assert torch.equal(again, torch.cat([weight.detach() for weight in weights]).bfloat16())
        assert working.get(torch.bfloat16) is again


def _step_of_a_fused_optimiser(weight: nn.Parameter) -> None:
    weight.grad = torch.ones_like(weight)
    torch.optim.AdamW([weight], lr=1.0, fused=True).step()


def _written_into(weight: nn.Parameter) -> None:
    with torch.no_grad():
        weight.mul_(3.0)


@pytest.mark.parametrize("model_type", ["bert", "roberta", "albert"])
def test_an_encoder_with_lora_has_the_outputs_and_gradients_of_pefts(model_type: str) -> None:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, lora_alpha=6, target_modules=["query", "key", "value"], modules_to_save=["classifier"])
    plain = get_peft_model(plain_model(model_type), config).double()
    for name, parameter in plain.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.3)
    fused = copy.deepcopy(plain)
    fuse(fused, plugins.family_of("any", {"model_type": model_type}).fusions)
    assert any("forward" in vars(module) for name, module in fused.named_modules() if name.endswith("query"))
    expected_logits, expected = gradients(plain)
    logits, found = gradients(fused)
    torch.testing.assert_close(logits, expected_logits, rtol=1e-5, atol=1e-6)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6, msg=name)
