"""Intervals, paired tests and resampling. Knows numbers, not models."""
