"""The contracts of plug-ins as functions to call from a test: `check_format`, `check_shape` and the like."""
