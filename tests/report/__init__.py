"""Tests of the report step, on made run folders."""
