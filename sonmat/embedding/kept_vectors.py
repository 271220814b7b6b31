"""Vectors on disk by what they were computed from, so that nothing is computed twice.

In: keys (digests of texts) and their vectors. Out: the vectors again. A folder holds numbered files, each whole or not there; a
damaged one counts as not there. Texts themselves are not kept.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sonmat.runs.files import atomic_write

_KEY_BYTES = 16


def key_of(content: bytes) -> bytes:
    """The first 16 bytes of the SHA-256 of `content`."""
    return hashlib.sha256(content).digest()[:_KEY_BYTES]


class KeptVectors:
    """The vectors of one model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._vectors: dict[bytes, NDArray[np.float32]] = {}
        self._new: list[bytes] = []
        for file in sorted(folder.glob("*.npz")):
            self._read(file)

    def __contains__(self, key: bytes) -> bool:
        return key in self._vectors

    def of(self, keys: Sequence[bytes]) -> NDArray[np.float32]:
        """The vectors of `keys`, all of which are there; shape (keys, width)."""
        return np.stack([self._vectors[key] for key in keys]) if keys else np.empty((0, 1), np.float32)

    def add(self, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        for key, vector in zip(keys, vectors, strict=True):
            self._vectors[key] = vector
            self._new.append(key)

    def save(self) -> None:
        """Write what was added since the last time into a file of its own."""
        if not self._new:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        keys = np.frombuffer(b"".join(self._new), dtype=np.uint8).reshape(-1, _KEY_BYTES)
        np.savez(content, keys=keys, vectors=self.of(self._new))
        name = hashlib.sha256(b"".join(self._new)).hexdigest()[:16]
        atomic_write(self._folder / f"{name}.npz", content.getvalue())
        self._new = []

    def _read(self, file: Path) -> None:
        try:
            # Of a damaged file that it opens itself, NumPy leaves the handle open.
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                keys, vectors = stored["keys"], stored["vectors"]
        except (OSError, ValueError, KeyError, BadZipFile, EOFError):
            return  # computed anew
        self._vectors.update(zip((key.tobytes() for key in keys), vectors, strict=True))
