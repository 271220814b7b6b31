"""Kinds of problem: one file each."""
