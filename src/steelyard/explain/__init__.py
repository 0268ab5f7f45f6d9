"""What a recipe, or a map, will do to these data, before anything is trained."""

from .summary import Explanation, Outcome, explain

__all__ = ["Explanation", "Outcome", "explain"]
