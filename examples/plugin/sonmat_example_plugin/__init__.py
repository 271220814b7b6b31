"""An example of a package that extends Sonmat; see docs/extending.md."""
