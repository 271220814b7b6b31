"""Models of the Hugging Face hub: whether it can be reached, and a snapshot of a model in its client's own cache.

In: a hub id. Out: a local folder and the revision it is of. Tokens, mirrors and offline mode are those of `huggingface_hub`.
"""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sonmat.core.errors import ModelError
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.reading.hub_errors import HUB, Wanted, hub_errors

_SECONDS = 2.5
"""How long a hub that does not answer may hold up a run."""
_FILES = ["*.json", "*.jinja", "*.txt", "*.model", "*.safetensors"]
_PICKLED_FILES = [*_FILES[:-1], "pytorch_model*.bin"]


@dataclass(frozen=True)
class Snapshot:
    folder: Path
    revision: str
    """Commit hash."""


def is_offline() -> bool:
    """Whether the user forbids the network by `HF_HUB_OFFLINE`."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def is_reachable() -> bool:
    """Whether the hub answers within a few seconds; asked once a process, and never in offline mode."""
    return False if is_offline() else _answers()


def cached_snapshot(hub_id: str, revision: str | None = None) -> Snapshot | None:
    """The model as a former download left it, without using the network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(hub_id, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError):
        return None
    # The client's cache may hold a few files only, of a download that was broken off.
    weights = [*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")]
    return Snapshot(folder, folder.name) if weights and (folder / "config.json").is_file() else None


def fetch_snapshot(hub_id: str, revision: str | None, emit: Emit) -> Snapshot:
    """Download the model, or what is missing of it.

    Raises:
        ModelError: there is no such model, it must be applied for, or the download failed.
        ResourceError: the disk ran full.
    """
    from huggingface_hub import HfApi, snapshot_download

    noun = Text(en="model", ko="모델")
    with hub_errors(Wanted(hub_id, revision, noun, f"{HUB}/{hub_id}", ModelError)):
        names = [file.rfilename for file in HfApi().model_info(hub_id, revision=revision).siblings or []]
        wanted = _FILES if any(name.endswith(".safetensors") for name in names) else _PICKLED_FILES
        folder = snapshot_download(
            hub_id, revision=revision, allow_patterns=wanted, ignore_patterns="*/*", tqdm_class=_progress_bar(emit)
        )
    return Snapshot(Path(folder), Path(folder).name)


def unreachable(hub_id: str) -> ModelError:
    """The error for a hub model that is not in the cache while the hub cannot be asked."""
    why = (
        Text(en="HF_HUB_OFFLINE forbids the network", ko="HF_HUB_OFFLINE 설정이 네트워크 사용을 막고 있습니다")
        if is_offline()
        else Text(en="the hub does not answer", ko="허브가 응답하지 않습니다")
    )
    return ModelError(
        Text(
            en=f"{hub_id} is on the Hugging Face hub and not in the local cache, and {why.en}.",
            ko=f"{hub_id}은(는) Hugging Face 허브의 모델인데 내려받아 둔 것이 없고, {why.ko}.",
        ),
        Text(
            en="Use a catalogue model, which also comes from the package index (sonmat models list), a local folder or a GGUF "
            "file; or connect to the hub and try again.",
            ko="패키지 저장소에서도 받을 수 있는 목록의 모델(sonmat models list), 내 컴퓨터의 폴더나 GGUF 파일을 쓰거나, 허브에 "
            "연결한 뒤 다시 시도하세요.",
        ),
    )


@cache
def _answers() -> bool:
    from huggingface_hub import constants

    answers: list[bool] = []

    def ask() -> None:
        request = urllib.request.Request(f"{constants.ENDPOINT}/api/models?limit=1", headers={"User-Agent": "sonmat"})
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:
                # A company's block page answers too, but not with JSON.
                answers.append("json" in response.headers.get("Content-Type", ""))
        except (OSError, ValueError, urllib.error.URLError):
            answers.append(False)

    # A thread, because looking up a host name may take longer than any time limit of the request.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_SECONDS)
    return bool(answers and answers[0])


def _progress_bar(emit: Emit) -> type[Any]:
    """A bar for `snapshot_download` that reports bytes as events and draws nothing."""
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    class EventBar(tqdm):  # type: ignore[misc]
        def __init__(self, *positional: Any, **named: Any) -> None:
            self.counts_bytes = named.get("unit") == "B"
            self.said = time.monotonic()
            named.pop("name", None)
            super().__init__(*positional, **{**named, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            self.n += n or 0
            now = time.monotonic()
            if self.counts_bytes and self.total and now - self.said > 0.5:
                self.said = now
                spent = now - self.began
                emit("progress", done=self.n, total=self.total, seconds_left=spent * (self.total - self.n) / max(self.n, 1))
            return None

        began = time.monotonic()

    return EventBar
