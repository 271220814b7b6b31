"""Data sets of the Hugging Face hub as local folders: `hub:OWNER/NAME`, with `/FOLDER` for one of several and `@REVISION`.

In: an entry of the recipe's data. Out: a path that is there. Anything else than a hub name is taken as a path. Downloads lie in
the cache of `huggingface_hub`, whose tokens, mirrors and offline mode hold; code of a data set is neither fetched nor run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.reading.hub_errors import HUB, Wanted, hub_errors

_HUB = "hub:"
_NAME = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?P<folder>(?:/[^/@]+)*)(?:@(?P<revision>[\w./-]+))?")
_NOT_FETCHED = ["*.py", "*.bin", "*.safetensors", "*.pt", "*.pkl", "*.pickle"]
"""Code, and weights of models that somebody keeps beside the data."""


@cache
def local_path(data: str) -> Path:
    """Where the data lies; a data set of the hub is fetched first, once a process.

    Raises:
        DataError: the name is no name, there is no such data set, or it cannot be fetched.
        ResourceError: the disk ran full.
    """
    if not data.startswith(_HUB):
        return Path(data)
    name = _parsed(data)
    folder = _fetched(name) / name.folder
    if not folder.is_dir():
        raise DataError(
            Text(
                en=f"The data set {name.id} has no folder {name.folder}.",
                ko=f"데이터 세트 {name.id}에 {name.folder} 폴더가 없습니다.",
            ),
            Text(
                en=f"Look at {HUB}/datasets/{name.id}/tree/main.",
                ko=f"{HUB}/datasets/{name.id}/tree/main 을 살펴보세요.",
            ),
        )
    return folder


@dataclass(frozen=True)
class _HubName:
    id: str
    folder: str
    """Below the data set's own; '' for all of it."""
    revision: str | None

    @property
    def whole(self) -> str:
        return f"{self.id}@{self.revision}" if self.revision else self.id


def _parsed(data: str) -> _HubName:
    found = _NAME.fullmatch(data.removeprefix(_HUB))
    folder = found["folder"].strip("/") if found else ""
    if found is None or ".." in folder.split("/"):
        raise DataError(
            Text(en=f"'{data}' names no data set of the hub.", ko=f"'{data}'은(는) 허브 데이터 세트의 이름이 아닙니다."),
            Text(
                en="Write hub:OWNER/NAME or hub:OWNER/NAME@REVISION.",
                ko="hub:소유자/이름 또는 hub:소유자/이름@리비전으로 쓰세요.",
            ),
        )
    return _HubName(found["id"], folder, found["revision"])


def _fetched(name: _HubName) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    folders = [f"{name.folder}/**"] if name.folder else None
    noun = Text(en="data set", ko="데이터 세트")
    with hub_errors(Wanted(name.id, name.revision, noun, f"{HUB}/datasets/{name.id}", DataError)):
        try:
            return Path(
                snapshot_download(
                    name.id,
                    repo_type="dataset",
                    revision=name.revision,
                    allow_patterns=folders,
                    ignore_patterns=_NOT_FETCHED,
                )
            )
        except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
            raise _unreachable(name) from error


def _unreachable(name: _HubName) -> DataError:
    return DataError(
        Text(
            en=f"{name.whole} is on the Hugging Face hub and not in the local cache, and the hub cannot be reached.",
            ko=f"{name.whole}은(는) Hugging Face 허브에 있고 내려받아 둔 것이 없는데, 허브에 연결할 수 없습니다.",
        ),
        Text(
            en="Connect and try again (HF_HUB_OFFLINE must not be set), or name a file or folder of your own.",
            ko="연결한 뒤 다시 시도하거나(HF_HUB_OFFLINE 설정이 없어야 합니다) 내 컴퓨터의 파일이나 폴더를 지정하세요.",
        ),
    )
