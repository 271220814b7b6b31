"""The only optimisation loop, its batches, precision, checkpoints, and choosing which weights train."""
