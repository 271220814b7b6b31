"""Rows of any shape written as any other, in any format, with every loss listed. `convert` does it."""

from sonmat.converting.convert import convert
from sonmat.converting.losses import Conversion, Loss

__all__ = ["Conversion", "Loss", "convert"]
