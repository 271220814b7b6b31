"""The run directory: the truth about a run, in files that can be copied, compared and read in ten years."""

from sonmat.runs.events import EventLog, read_events
from sonmat.runs.files import Header, atomic_write, read_rows, read_value, sha256_of, write_rows, write_value
from sonmat.runs.folder import STEP_FILES, RunFolder, list_runs

__all__ = [
    "STEP_FILES",
    "EventLog",
    "Header",
    "RunFolder",
    "atomic_write",
    "list_runs",
    "read_events",
    "read_rows",
    "read_value",
    "sha256_of",
    "write_rows",
    "write_value",
]
