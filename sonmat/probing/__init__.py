"""Engines of the probes: panels of questions, perturbations, counting what answers hold."""
