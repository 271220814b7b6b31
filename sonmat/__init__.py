"""Sonmat: from a file of your own examples to a specialist that is proven on held-out data.

>>> import sonmat
>>> run = sonmat.run("faq.jsonl")
>>> print(run.proof.verdict.sentence)
>>> model = run.best.load()
>>> model.predict("How do I reset my password?")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.3.0"
__all__ = ["Model", "Run", "SonmatError", "__version__", "compare", "load", "open_run", "run"]

if TYPE_CHECKING:
    from sonmat.api import Model, Run, compare, load, open_run, run
    from sonmat.core.errors import SonmatError


def __getattr__(name: str) -> Any:
    # Importing late keeps `import sonmat` and `sonmat --help` under 0.3 s.
    if name in __all__:
        home = "sonmat.core.errors" if name == "SonmatError" else "sonmat.api"
        return getattr(import_module(home), name)
    raise AttributeError(f"module 'sonmat' has no attribute '{name}'")
