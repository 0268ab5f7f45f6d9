"""A recipe bound to a module or a function, and what its sum is divided by, over micro-batches and ranks too."""
