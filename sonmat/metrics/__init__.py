"""Measures of answers: one file each."""
