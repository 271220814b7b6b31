"""The parts of a transformer that take longest, each computed with less work and memory than its textbook form, and the same
results: outputs and gradients equal those of the modules that they stand in for (tests compare both)."""
