"""An array of another library under the names that curves use of a torch tensor, so that a curve is written once."""

from typing import Any


class AsTensor:
    """An array under the names that curves use of a torch tensor."""

    def __init__(self, array: Any, np: Any):
        self.array, self._np = array, np

    def _new(self, array: Any) -> "AsTensor":
        return AsTensor(array, self._np)

    def exp(self) -> "AsTensor":
        return self._new(self._np.exp(self.array))

    def log(self) -> "AsTensor":
        return self._new(self._np.log(self.array))

    def log1p(self) -> "AsTensor":
        return self._new(self._np.log1p(self.array))

    def expm1(self) -> "AsTensor":
        return self._new(self._np.expm1(self.array))

    def square(self) -> "AsTensor":
        return self._new(self.array * self.array)

    def clamp(self, min: float | None = None, max: float | None = None) -> "AsTensor":
        low = self.array if min is None else self._np.maximum(self.array, min)
        return self._new(low if max is None else self._np.minimum(low, max))

    def masked_fill(self, mask: "AsTensor", value: float) -> "AsTensor":
        return self._new(self._np.where(mask.array, value, self.array))

    def __pow__(self, power: float) -> "AsTensor":
        if power == 0:  # some libraries differentiate 0 ** 0 to NaN
            return self._new(self._np.ones_like(self.array))
        return self._new(self.array**power)

    def __neg__(self) -> "AsTensor":
        return self._new(-self.array)

    def __add__(self, other: Any) -> "AsTensor":
        return self._new(self.array + _bare(other))

    def __sub__(self, other: Any) -> "AsTensor":
        return self._new(self.array - _bare(other))

    def __rsub__(self, other: Any) -> "AsTensor":
        return self._new(_bare(other) - self.array)

    def __mul__(self, other: Any) -> "AsTensor":
        return self._new(self.array * _bare(other))

    def __truediv__(self, other: Any) -> "AsTensor":
        return self._new(self.array / _bare(other))

    def __rtruediv__(self, other: Any) -> "AsTensor":
        return self._new(_bare(other) / self.array)

    def __le__(self, other: Any) -> "AsTensor":
        return self._new(self.array <= _bare(other))

    def __lt__(self, other: Any) -> "AsTensor":
        return self._new(self.array < _bare(other))

    def __ge__(self, other: Any) -> "AsTensor":
        return self._new(self.array >= _bare(other))

    def __gt__(self, other: Any) -> "AsTensor":
        return self._new(self.array > _bare(other))

    def __eq__(self, other: object) -> Any:
        return self._new(self.array == _bare(other))

    __hash__ = None  # type: ignore[assignment]
    __radd__, __rmul__ = __add__, __mul__


def _bare(value: Any) -> Any:
    return value.array if isinstance(value, AsTensor) else value
