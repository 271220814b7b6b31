"""Quirks of model families: one file each."""
