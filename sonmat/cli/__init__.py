"""The command line: parses, calls the Python API, prints. A file a command; it decides nothing about models or data."""

from sonmat.cli.entry import main

__all__ = ["main"]
