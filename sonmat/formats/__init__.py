"""Containers of rows: one file each."""
