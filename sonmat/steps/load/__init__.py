"""The load step: a path becomes typed examples in the run directory. `load` does it, `data_fingerprint` notices changes."""

from sonmat.steps.load.container import data_fingerprint, find_format
from sonmat.steps.load.load import load

__all__ = ["data_fingerprint", "find_format", "load"]
