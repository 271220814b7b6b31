"""The load step: paths become typed examples in the run directory. `load` does it, `data_fingerprint` notices changes, `look` tells
what paths hold without writing anything."""

from sonmat.steps.load.container import find_format, writing_format
from sonmat.steps.load.load import load
from sonmat.steps.load.look import Looked, look
from sonmat.steps.load.sources import data_fingerprint

__all__ = ["Looked", "data_fingerprint", "find_format", "load", "look", "writing_format"]
