"""What is measured here is declared."""

from tests.declared import undeclared_measures

__all__ = ["undeclared_measures"]
