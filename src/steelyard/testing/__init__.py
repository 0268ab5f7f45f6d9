"""The laws, usable by others: your own ingredient, backend or rule is held to what ours are held to.

    def test_my_ingredient():
        steelyard.testing.check_ingredient(my_ingredient, beta=0.9)

    def test_my_backend():
        steelyard.testing.check_backend(my_terms)

    def test_my_rule():
        steelyard.testing.check_rule(MyRule)

A broken law raises AssertionError with one sentence that says where. `recipes` and `calls` are the material they use.
"""

from .checks import check_backend as check_backend
from .checks import check_ingredient as check_ingredient
from .material import Call as Call
from .material import calls as calls
from .material import recipes as recipes
from .rules import check_rule as check_rule
