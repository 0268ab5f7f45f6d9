"""Kernels behind one function: `terms(logits, target, bound, weight) -> Terms`."""

from .bind import Bound, bind
from .plan import BACKENDS, Plan, plan, terms
from .reference import Terms

__all__ = ["BACKENDS", "Bound", "Plan", "Terms", "bind", "plan", "terms"]
