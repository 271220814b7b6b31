"""Where what outlives a run is kept: base models, compiled kernels, what was measured about this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """`SONMAT_CACHE`, else the platform's place for caches."""
    named = os.environ.get("SONMAT_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sonmat"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "sonmat"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sonmat"
