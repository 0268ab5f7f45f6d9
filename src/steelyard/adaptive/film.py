"""Layers that tell a model which member of a Family it is."""

from collections.abc import Sequence

from torch import Tensor, nn

from .family import Family

SIZES = ("out_features", "out_channels", "num_features", "num_channels")


class FiLM(nn.Module):
    """Any module with its features scaled and moved by the family's value:

        h = module(...)      gamma(v) h + beta(v)      (gamma, beta) = a net of one hidden layer

    At the start gamma = 1 and beta = 0, so the model is what it was.

    module    returns a tensor [N, F, *space]; `dim` names another feature axis
    features  F; read off the module's last layer where that says it
    hidden    width of the net

    In evaluation a value must be held (`family.at`, `family.set`), or it is a ValueError: the last one drawn means
    nothing. With activation checkpointing put the FiLM outside of what is recomputed, which is after the next draw.

    Source: Perez et al. 2018, arXiv:1709.07871 (FiLM); conditioned on a loss weight as in Dosovitskiy & Djolonga 2020.

    >>> import torch, steelyard as sy
    >>> family = sy.adaptive.Family(lambda b: sy.inverse_frequency(sy.Counts.of(900, 100), beta=b), low=0.0, high=1.0)
    >>> layer = FiLM(nn.Linear(4, 8), family)
    >>> x = torch.ones(2, 4)
    >>> torch.equal(layer(x), layer.module(x))
    True
    """

    def __init__(
        self, module: nn.Module, family: Family, *, hidden: int = 16, features: int | None = None, dim: int = 1
    ):
        super().__init__()
        if not isinstance(module, nn.Module):
            raise TypeError(f"FiLM: module must be an nn.Module, got {type(module).__name__}.")
        if not isinstance(family, Family):
            raise TypeError(f"FiLM: family must be an adaptive.Family, got {type(family).__name__}.")
        if features is None:
            features = _features(module)
        if isinstance(hidden, bool) or not isinstance(hidden, int) or hidden < 1:
            raise ValueError(f"FiLM: hidden must be a whole number >= 1, got {hidden!r}.")
        self.module, self.features, self.dim = module, features, dim
        self._family = (family,)  # it belongs to the loss: its state is there, and model.eval() does not reach it
        self.net = nn.Sequential(nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, 2 * features))
        nn.init.zeros_(self.net[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.net[2].bias)  # type: ignore[arg-type]
        like = next(module.parameters(), None)
        if like is not None and like.is_floating_point():
            self.net.to(like.device, like.dtype)

    @property
    def family(self) -> Family:
        return self._family[0]

    def forward(self, *args, **kwargs) -> Tensor:
        family = self._family[0]
        if not self.training and not family.holding:
            raise ValueError(
                "FiLM: in evaluation say which weighting the model is to stand for: with family.at(1.0): model(x), or"
                " family.set(1.0)."
            )
        h = self.module(*args, **kwargs)
        if h.dim() <= self.dim or h.shape[self.dim] != self.features:
            raise ValueError(
                f"FiLM: the module returns {list(h.shape)}, but axis {self.dim} was to have {self.features} features; see"
                " features= and dim=."
            )
        like = next(self.net.parameters())
        scale, shift = self.net(family.position.to(like.device, like.dtype).reshape(1)).to(h.dtype).chunk(2)
        axis = self.dim % h.dim()
        shape = [1] * axis + [-1] + [1] * (h.dim() - axis - 1)
        return h * (1 + scale.reshape(shape)) + shift.reshape(shape)

    def extra_repr(self) -> str:
        return f"{self.features} features on axis {self.dim}, family {self._family[0].extra_repr()}"


def condition(
    model: nn.Module,
    family: Family,
    *,
    at: Sequence[str],
    hidden: int = 16,
    features: int | None = None,
    dim: int = 1,
) -> nn.Module:
    """Put a `FiLM` around the layers named in `at`, in place, and return the model. Before the optimiser is made.

    at  names as in `model.named_modules()`, such as ["layer3", "layer4"]; late features are where it matters

    The layers' parameters are then called "layer3.module...." in the state_dict. Raises ValueError for a name that is
    not there or given twice.

    >>> import steelyard as sy
    >>> family = sy.adaptive.Family(lambda b: sy.inverse_frequency(sy.Counts.of(900, 100), beta=b), low=0.0, high=1.0)
    >>> model = condition(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), family, at=["0"])
    >>> model[0].features
    8
    """
    names = [at] if isinstance(at, str) else list(at)
    there = [n for n, _ in model.named_modules() if n]
    for name in names:
        if name not in there:
            shown = ", ".join(there[:12]) + (", ..." if len(there) > 12 else "")
            raise ValueError(f"condition: the model has no layer {name!r}; there are {shown}.")
        if names.count(name) > 1 or isinstance(model.get_submodule(name), FiLM):
            raise ValueError(f"condition: layer {name!r} is conditioned twice.")
    layers = {n: FiLM(model.get_submodule(n), family, hidden=hidden, features=features, dim=dim) for n in names}
    for name in sorted(layers, reverse=True):  # what is inside another one first
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, layers[name])
    return model


def _features(module: nn.Module) -> int:
    for layer in reversed(list(module.modules())):
        for size in SIZES:
            found = getattr(layer, size, None)
            if isinstance(found, int):
                return found
    raise ValueError(f"FiLM: {type(module).__name__} does not say how many features it returns; pass features=.")
