"""Attention is chosen once, kept, taken again by a resumed training, and changes nothing but rounding."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import BertConfig

from sonmat.core.protocols import FitJob
from sonmat.training import attention_choice
from sonmat.training.attention_choice import FILE, LENGTHS, choose_attention
from sonmat.training.fused import attention, encoder
from sonmat.training.fused.attention import Limits
from sonmat.training.fused.native import library
from tests.training.tiny_jobs import tiny_job


class Model(nn.Module):
    config = BertConfig(hidden_size=16, num_attention_heads=2)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FitJob:
    monkeypatch.setenv("SONMAT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SONMAT_ATTENTION", raising=False)
    monkeypatch.setattr(attention._InUse, "limits", Limits())
    return tiny_job("text-classification", "full", tmp_path)


def measured_as(monkeypatch: pytest.MonkeyPatch, *limits: Limits) -> None:
    answers = iter(limits)
    monkeypatch.setattr(attention_choice, "_measured", lambda *_: next(answers))


def test_a_machine_is_measured_once_and_a_resumed_training_goes_on_as_it_began(
    job: FitJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured_as(monkeypatch, Limits(256, 512), Limits(1024, 128))
    assert choose_attention(job, Model(), 300) == Limits(256, 512)
    assert attention._InUse.limits == Limits(256, 512)
    # Another job of the same machine reads; the first one's folder holds what it began with, whatever is measured later.
    assert choose_attention(replace(job, work=tmp_path / "other"), Model(), 300) == Limits(256, 512)
    for kept in (tmp_path / "cache").rglob("*.json"):
        kept.unlink()
    assert choose_attention(job, Model(), 300) == Limits(256, 512)
    assert choose_attention(replace(job, work=tmp_path / "third"), Model(), 300) == Limits(1024, 128)


def test_a_machine_with_other_kernels_or_none_is_measured_for_them(
    job: FitJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured_as(monkeypatch, Limits(1024, 1024), Limits(256, 256), Limits(512, 512))
    found = []
    for number, kernels in enumerate(["one source", None, "another source", None, "one source"]):
        monkeypatch.setattr(library, "fingerprint", lambda of=kernels: of)
        found.append(choose_attention(replace(job, work=tmp_path / str(number)), Model(), 300))
    assert found == [Limits(1024, 1024), Limits(256, 256), Limits(512, 512), Limits(256, 256), Limits(1024, 1024)]


def test_kernels_that_are_switched_off_have_no_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    there = library.fingerprint()
    library.library.cache_clear()
    monkeypatch.setenv("SONMAT_KERNELS", "off")
    try:
        assert library.fingerprint() is None
    finally:
        library.library.cache_clear()
        monkeypatch.delenv("SONMAT_KERNELS")
    assert library.fingerprint() == there


def test_a_damaged_file_is_measured_again(job: FitJob, monkeypatch: pytest.MonkeyPatch) -> None:
    measured_as(monkeypatch, Limits(256, 256))
    job.work.mkdir(parents=True)
    (job.work / FILE).write_text('{"plain": 3', encoding="utf-8")
    assert choose_attention(job, Model(), 300) == Limits(256, 256)
    assert json.loads((job.work / FILE).read_text(encoding="utf-8")) == {"plain": 256, "masked": 256}


@pytest.mark.parametrize(("said", "limit"), [("products", LENGTHS[-1]), ("sdpa", 0)])
def test_what_is_said_is_taken_without_measuring(
    said: str, limit: int, job: FitJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured_as(monkeypatch)
    monkeypatch.setenv("SONMAT_ATTENTION", said)
    for longest in (8, 300):
        assert choose_attention(job, Model(), longest) == Limits(limit, limit, tiles=False)


def test_nothing_is_measured_where_encoders_have_kernels(job: FitJob, monkeypatch: pytest.MonkeyPatch) -> None:
    measured_as(monkeypatch)
    monkeypatch.setattr(encoder, "attends_in_tiles", lambda model, dtype: True)
    assert choose_attention(job, Model(), 300) is None


def test_nothing_is_measured_for_short_rows(job: FitJob, monkeypatch: pytest.MonkeyPatch) -> None:
    measured_as(monkeypatch)
    assert choose_attention(job, Model(), LENGTHS[0]) is None


def test_products_are_taken_up_to_where_they_are_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_choice, "TOKENS", 1)
    seconds = iter([1.0, 2.0, 1.0, 2.0, 3.0, 2.0])
    monkeypatch.setattr(attention_choice, "_seconds", lambda compute: next(seconds))
    heads = attention_choice.Heads(2, 1, 8)
    assert attention_choice._longest_that_wins(heads, torch.float32, masked=False) == 512


def test_a_real_measurement_gives_one_of_the_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_choice, "TOKENS", 1)
    monkeypatch.setattr(attention_choice, "LENGTHS", (8, 16, 32))
    found = attention_choice._measured(attention_choice.Heads(2, 1, 8), torch.float32)
    assert {found.plain, found.masked} <= {8, 16, 32}


@pytest.mark.parametrize("masked", [True, False])
def test_models_whose_queries_share_keys_can_be_measured_too(masked: bool) -> None:
    query, key, value = (torch.randn(1, heads, 40, 8) for heads in (6, 2, 2))
    mask = torch.ones(1, 1, 40, 40, dtype=torch.bool).tril_() if masked else None
    own, pytorchs = (attention.attend_within(limit, query, key, value, mask) for limit in (40, 0))
    torch.testing.assert_close(own, pytorchs)


@pytest.mark.parametrize("masked", [False, True])
def test_the_choice_changes_nothing_but_rounding(masked: bool) -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 4, 40, 8, dtype=torch.float64, requires_grad=True) for _ in range(3))
    mask = torch.ones(2, 1, 40, 40, dtype=torch.bool).tril_() if masked else None
    results = []
    for limit in (0, 64):
        mixed = attention.attend_within(limit, query, key, value, mask)
        results.append((mixed, *torch.autograd.grad(mixed.square().sum(), (query, key, value))))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)
