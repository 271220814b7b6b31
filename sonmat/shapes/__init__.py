"""Conventions for the fields of a row: one file each."""
