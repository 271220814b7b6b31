"""A package index in a folder, a tiny model in a wheel, and a cache of their own for every test."""

from __future__ import annotations

import hashlib
import random
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.text import Text
from sonmat.models import hub, lookup
from sonmat.models.entry import CatalogueEntry, Golden, Wheel
from sonmat.models.golden import ask

MEMBER_FOLDER = "tiny_model/weights"


@dataclass
class Events:
    """Keeps what was emitted; `stop_at` a kind raises as a Ctrl-C there would."""

    kept: list[tuple[str, Text | None, dict[str, Any]]] = field(default_factory=list)
    stop_at: str | None = None

    def __call__(self, kind: str, message: Text | None = None, /, **data: Any) -> None:
        self.kept.append((kind, message, data))
        if kind == self.stop_at:
            raise KeyboardInterrupt

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.kept]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for known, _, data in self.kept if known == kind]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path | None:
    """An empty cache, no hub and no package index; real tests use what is there."""
    if request.node.get_closest_marker("real"):
        return None
    folder = tmp_path / "cache"
    monkeypatch.setenv("SONMAT_CACHE", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setattr(hub, "is_reachable", lambda: False)
    monkeypatch.setattr(hub, "cached_snapshot", lambda hub_id, revision=None: None)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of a few kilobytes with a tokenizer, saved by Transformers."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny") / "tiny-bert"
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=8,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder)
    words = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "day", "."])}
    backend = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class Index:
    """A folder of wheels that pip is told to look into."""

    folder: Path

    def add(self, name: str, files: Mapping[str, bytes], version: str = "1.0") -> Path:
        wheel = self.folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        about = f"{name.replace('-', '_')}-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, content in files.items():
                archive.writestr(path, content)
            archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            archive.writestr(
                f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{about}/RECORD", "")
        return wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return Index(folder)


@pytest.fixture
def entry(index: Index, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogueEntry:
    """A catalogue of one model, 'tiny-bert', whose wheel is in the index."""
    names = [file.name for file in sorted(tiny_model.iterdir())]
    # pip shows no progress below half a megabyte.
    files = {"tiny_model/ballast.bin": random.Random(0).randbytes(1_000_000)}
    wheel = index.add("tiny-model", files | {f"{MEMBER_FOLDER}/{name}": (tiny_model / name).read_bytes() for name in names})
    question = Golden(kind="mean-embedding", text="good day .", values=(), tolerance=1e-3)
    made = CatalogueEntry(
        name="tiny-bert",
        title=Text(en="Tiny", ko="작은 모델"),
        licence="MIT",
        licence_url="https://example.org/licence",
        licence_summary=Text(en="Do what you like.", ko="마음대로 쓰세요."),
        parameters=4_000,
        languages=("en",),
        modality="text",
        kind="encoder",
        hub_id="nobody/tiny-bert",
        wheels=(
            Wheel(
                name="tiny-model",
                version="1.0",
                sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
                size=wheel.stat().st_size,
                members=tuple(f"{MEMBER_FOLDER}/{name}" for name in names),
            ),
        ),
        converter="transformers-folder",
        golden=ask(tiny_model, question),
    )
    use_entry(made, monkeypatch)
    return made


def use_entry(made: CatalogueEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `made` the whole catalogue."""
    monkeypatch.setattr(lookup, "ENTRIES", (made,))
