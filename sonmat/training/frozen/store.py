"""Tensors of rows on disk, read through memory mapping, by what they were computed from.

In: a key (all that the tensors depend on besides the row), fields, and per row a digest and its tensors. Out: the tensors again. A
folder holds numbered pairs of files: `NAME.bin`, the rows' bytes one behind the other, and `NAME.json`, written last, which says whose
they are, where each begins, and their checksum. A pair that is not whole, or not of this key, counts as not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sonmat.runs.files import atomic_write, replacing, sha256_of_file
from sonmat.training.frozen.cut import Field

_SEGMENT_BYTES = 64 << 20
"""So much is collected before it is written: what a kill can lose."""


class FeatureStore:
    """Kept tensors of one key."""

    def __init__(self, folder: Path, key: str, fields: Sequence[Field]) -> None:
        self.folder, self.key, self.fields = folder / key[:32], key, tuple(fields)
        self._places: dict[str, tuple[Any, int, int]] = {}
        """Of each row's digest: the file's bytes, where the row begins, its tokens."""
        self._new: list[tuple[str, int, bytes]] = []
        self._new_bytes = 0
        self.bytes = 0

    def __contains__(self, digest: str) -> bool:
        return digest in self._places

    def open(self) -> None:
        """Take what the folder holds; called again, what others have added since."""
        for index in sorted(self.folder.glob("*.json")):
            self._read(index)

    def row_bytes(self, tokens: int) -> int:
        return sum(field.numbers(tokens) * field.dtype.itemsize for field in self.fields)

    def row(self, digest: str) -> list[Tensor]:
        """One tensor a field."""
        content, at, tokens = self._places[digest]
        found: list[Tensor] = []
        for field in self.fields:
            size = field.numbers(tokens) * field.dtype.itemsize
            part = torch.from_numpy(content[at : at + size]).view(field.dtype)
            found.append(part.view(field.kept_shape(tokens)) if size else part)
            at += size
        return found

    def add(self, rows: Iterable[tuple[str, int, Sequence[Tensor]]]) -> None:
        """Digest, tokens and one tensor a field of each row; they can be read back after `save`."""
        for digest, tokens, tensors in rows:
            content = b"".join(_bytes(tensor) for tensor in tensors)
            self._new.append((digest, tokens, content))
            self._new_bytes += len(content)
        if self._new_bytes >= _SEGMENT_BYTES:
            self.save()

    def save(self) -> None:
        """Write what was added since the last time.

        Raises:
            OSError: the disk is full; what was written before stays.
        """
        if not self._new:
            return
        name = hashlib.sha256("".join(digest for digest, _, _ in self._new).encode()).hexdigest()[:16]
        file, checksum = self.folder / f"{name}.bin", hashlib.sha256()
        with replacing(file, binary=True) as stream:
            for _, _, content in self._new:
                stream.write(content)
                checksum.update(content)
        index = {
            "key": self.key,
            "sha256": checksum.hexdigest(),
            "rows": [[digest, tokens] for digest, tokens, _ in self._new],
        }
        atomic_write(file.with_suffix(".json"), json.dumps(index))
        self._take(file, index["rows"])
        self._new, self._new_bytes = [], 0

    def _read(self, index: Path) -> None:
        file = index.with_suffix(".bin")
        try:
            stored = json.loads(index.read_text(encoding="utf-8"))
            rows = [(str(digest), int(tokens)) for digest, tokens in stored["rows"]]
            if all(digest in self._places for digest, _ in rows):
                return
            size = sum(self.row_bytes(tokens) for _, tokens in rows)
            whole = stored["key"] == self.key and file.stat().st_size == size and sha256_of_file(file) == stored["sha256"]
        except (OSError, ValueError, KeyError, TypeError):
            return  # computed anew
        if whole:
            self._take(file, rows)

    def _take(self, file: Path, rows: Sequence[Sequence[Any]]) -> None:
        # "c": writes, of which there are none, would stay in memory; PyTorch warns of memory that cannot be written.
        content = np.asarray(np.memmap(file, dtype=np.uint8, mode="c")) if file.stat().st_size else np.empty(0, np.uint8)
        at = 0
        for digest, tokens in rows:
            self._places[digest] = (content, at, tokens)
            at += self.row_bytes(tokens)
        self.bytes += at


def _bytes(tensor: Tensor) -> bytes:
    found: bytes = tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
    return found
