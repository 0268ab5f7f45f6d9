"""The numbers of a Recipe's tables as tensors, one per factor and by field, and where a module keeps them."""

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..recipe import COMBINE, Recipe
from ..table import Factor, Rows, Table, as_numpy, is_live

FIELDS = (*COMBINE, "target")
Tables = Mapping[str, tuple[Tensor, ...]]  # of a Recipe: in the order of `Table.factors`; target: the rows, if any


def factors(recipe: Recipe) -> Tables:
    """Every factor of every table; what is learned is the tensor itself, not a copy."""
    tables: dict[str, tuple[Factor | Rows, ...]] = {
        f: table.factors for f in COMBINE if (table := getattr(recipe, f)) is not None
    }
    if isinstance(recipe.target, Rows):
        tables["target"] = (recipe.target,)
    return {f: tuple(_tensor(factor.values) for factor in those) for f, those in tables.items()}


def _tensor(values: Any) -> Tensor:
    return values if is_live(values) else torch.from_numpy(as_numpy(values).copy())


def snapshot(structure: Recipe, tables: Tables) -> Recipe:
    """The Recipe that `structure` is with these numbers: frozen copies."""
    fields: dict[str, Any] = {}
    for field, numbers in tables.items():
        if field == "target":
            fields[field] = Rows(numbers[0].detach())
            continue
        table = getattr(structure, field)
        copies = [
            Table.of(field, values.detach().reshape(f.shape), (f.source,) if f.source else ())
            for values, f in zip(numbers, table.factors, strict=True)
        ]
        fields[field] = Table(table.operation, tuple(f for copy in copies for f in copy.factors))
    return dataclasses.replace(structure, **fields)


def mapped(change: Callable[..., Tensor], *tables: Tables) -> Tables:
    """The same structure, each number from those at its place."""
    return {f: tuple(change(*those) for those in zip(*(t[f] for t in tables), strict=True)) for f in tables[0]}


def wide(fn: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """`fn` of `nn.Module._apply`, but floats stay in float32 or wider: `model.half()` must not round weights, nor make
    1e5 infinite."""

    def keep(tensor: Tensor) -> Tensor:
        try:
            moved = fn(tensor)
        except TypeError:  # MPS has no float64
            moved = fn(tensor.float())
        narrow = moved.is_floating_point() and moved.dtype.itemsize < 4
        return tensor.to(moved.device, torch.promote_types(moved.dtype, torch.float32)) if narrow else moved

    return keep


class Held:
    """Tables that a module keeps: as buffers, and as parameters where they are learned. Their names are made here alone."""

    def __init__(self, module: nn.Module, tables: Tables, prefix: str = ""):
        self.names = {f: tuple(f"{prefix}{f}_{i}" for i in range(len(numbers))) for f, numbers in tables.items()}
        self._all = [name for names in self.names.values() for name in names]
        for field, numbers in tables.items():
            for name, tensor in zip(self.names[field], numbers, strict=True):
                if isinstance(tensor, nn.Parameter):
                    module.register_parameter(name, tensor)
                else:
                    module.register_buffer(name, tensor)
        module.register_load_state_dict_pre_hook(functools.partial(_rename, prefix, self.names))

    def of(self, module: nn.Module) -> Tables:
        """What the module holds now."""
        return {f: tuple([getattr(module, name) for name in names]) for f, names in self.names.items()}

    def flat(self, module: nn.Module) -> list[Tensor]:
        """The same in one list, which is faster."""
        return [getattr(module, name) for name in self._all]

    def put(self, module: nn.Module, tables: Tables) -> None:
        """Replace, not write to: a graph that waits for its backward pass keeps its numbers."""
        for field, names in self.names.items():
            for name, tensor in zip(names, tables[field], strict=True):
                setattr(module, name, tensor)


def _rename(prefix: str, names: Mapping[str, tuple[str, ...]], module: nn.Module, state: dict, where: str, *_: Any):
    """Checkpoints from before called the factors of a field weight_row, weight_column, weight_row_1, ... in their order."""
    for field, now in names.items():
        old = re.compile(re.escape(f"{where}{prefix}{field}") + r"_(row|column|full|rows|amount|toward)(_\d+)?")
        kept = [key for key in state if old.fullmatch(key)]
        if len(kept) == len(now):
            # parameters come first in a checkpoint
            for key, name in zip(kept, sorted(now, key=lambda n: n not in module._parameters), strict=True):
                state[where + name] = state.pop(key)
