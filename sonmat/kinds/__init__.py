"""Rows that are read, audited, split and converted although no task learns from them yet: one file each."""
