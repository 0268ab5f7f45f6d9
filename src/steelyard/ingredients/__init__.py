"""The menu: each ingredient is a function that returns a Recipe."""

from .effective_number import effective_number

__all__ = ["effective_number"]
