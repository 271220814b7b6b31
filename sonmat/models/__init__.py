"""Where base models come from, and saved folders back into predictors."""

from sonmat.models.encoding import row_encoder, spec_for
from sonmat.models.entry import CatalogueEntry
from sonmat.models.facts import facts_of_folder
from sonmat.models.lookup import catalogue, default_bases, find_entry
from sonmat.models.resolving import installed, resolve
from sonmat.runs.cache import cache_folder

__all__ = [
    "CatalogueEntry",
    "cache_folder",
    "catalogue",
    "default_bases",
    "facts_of_folder",
    "find_entry",
    "installed",
    "resolve",
    "row_encoder",
    "spec_for",
]
