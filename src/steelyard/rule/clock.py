"""How far training is, as a schedule was told."""

import warnings

import torch
from torch import Tensor, nn


class Clock(nn.Module):
    """How far training is, as `advance` was told; checkpointed. -1 (metric: NaN): never told."""

    epoch: Tensor
    step: Tensor
    metric: Tensor

    def __init__(self, *, needed: bool = True):
        super().__init__()
        self.register_buffer("epoch", torch.tensor(-1))
        self.register_buffer("step", torch.tensor(-1))
        self.register_buffer("metric", torch.tensor(float("nan"), dtype=torch.float64))
        self._quiet = not needed

    def advance(self, epoch: int | None, step: int | None, metric: float | None) -> None:
        for name, value in (("epoch", epoch), ("step", step), ("metric", metric)):
            if value is not None:
                getattr(self, name).fill_(float(value) if name == "metric" else int(value))
        self._quiet = True

    def known(self) -> dict[str, float]:
        """{name: value} of what was told so far."""
        now = {"epoch": int(self.epoch), "step": int(self.step), "metric": float(self.metric)}
        return {name: v for name, v in now.items() if v == v and (v >= 0 or name == "metric")}

    def check(self, name: str) -> None:
        """Warn once where training goes on and nobody says how far it is."""
        if self._quiet or torch.compiler.is_compiling():
            return
        self._quiet = True
        if not self.known():
            warnings.warn(
                f"{name}: the schedule was never advanced, so it stands at its beginning. Call"
                " loss.advance(epoch=epoch) at the start of every epoch (or step=, metric=).",
                stacklevel=6,
            )
