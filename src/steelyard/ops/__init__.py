"""Kernels behind one function: `terms(logits, target, bound, weight) -> Terms`."""

from . import alike
from .bind import bind
from .bound import Bound
from .plan import BACKENDS, Plan, plan, terms, total
from .reference import Terms

__all__ = ["BACKENDS", "Bound", "Plan", "Terms", "alike", "bind", "plan", "terms", "total"]
