"""Probes: one file each, found by name. See `core.probing.Probe`."""
