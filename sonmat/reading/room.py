"""How much may be unpacked: limits against files that are small when packed and take the whole disk when unpacked.

In: the size of a packed file and the folder to unpack into. Out: an `Allowance` that raises when it is used up. What a header
says about a size is not believed; only what comes out counts.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sonmat.core.errors import DataError, ResourceError
from sonmat.core.text import Text

MOST_TIMES = 200
"""Unpacked bytes for one packed. Text packs to a tenth or a fiftieth; only emptiness packs to less than a two-hundredth."""
ALWAYS_ALLOWED = 256 << 20
"""Bytes below which no ratio is suspicious."""
_KEPT_FREE = 0.10
"""Share of the free space that is left for others."""


class Allowance:
    """Bytes that may come out of `path` into `folder`; call `spend` for each piece before it is kept."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.ratio_limit = max(ALWAYS_ALLOWED, MOST_TIMES * path.stat().st_size)
        self.room = int(shutil.disk_usage(folder).free * (1 - _KEPT_FREE))
        self.spent = 0

    def spend(self, count: int) -> None:
        """Count `count` more bytes.

        Raises:
            DataError: more came out than any honest file of that size holds.
            ResourceError: the disk has no room for more.
        """
        self.spent += count
        if self.spent > self.ratio_limit:
            raise self._bomb()
        if self.spent > self.room:
            raise self._no_room()

    def _bomb(self) -> DataError:
        packed = self.path.stat().st_size
        return DataError(
            Text(
                en=f"{self.path} was not unpacked: its {packed:,} bytes unpack to more than {self.ratio_limit:,}, "
                "as files do that are made to fill a disk.",
                ko=f"{self.path}의 압축을 풀지 않았습니다. {packed:,}바이트가 {self.ratio_limit:,}바이트를 넘게 풀립니다. "
                "디스크를 채우려고 만든 파일일 수 있습니다.",
            ),
            Text(
                en="If you trust it, unpack it yourself and name what came out.",
                ko="믿을 수 있는 파일이면 직접 푼 뒤 나온 파일이나 폴더를 지정하세요.",
            ),
        )

    def _no_room(self) -> ResourceError:
        return ResourceError(
            Text(
                en=f"{self.path} does not fit when unpacked: {self.folder} has room for {self.room:,} bytes.",
                ko=f"{self.path}의 압축을 풀 자리가 없습니다. {self.folder}에는 {self.room:,}바이트만 쓸 수 있습니다.",
            ),
            Text(
                en="Free some space, or set TMPDIR to a folder on a larger disk.",
                ko="공간을 비우거나 TMPDIR을 더 큰 디스크의 폴더로 정하세요.",
            ),
        )
