"""How the cells of a column were read, as plain data: what its cells decided together, so that others can be read alike."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from ..schema import Flag, Record, Text

PLAIN, COMMA, DRESSED, CLOCK, DURATION, DATE, BOOLEAN, NAME = KINDS = (
    "plain",
    "comma",
    "dressed",
    "clock",
    "duration",
    "date",
    "boolean",
    "name",
)
FACTORS = ("", "magnitudes", "bytes")


@dataclasses.dataclass(frozen=True)
class Spelling:
    """
    how        "plain" numbers; "comma": the decimal comma alone; "dressed" (see numbers.py); "clock" and "duration" (durations.py);
               "date"; "boolean"; "name": text as it stands
    thousands  their separator, "point" the decimal sign, `unit` what is taken off, `factors` what k, M or MB multiply by; dressed
    minutes    of a clock without hours
    order      of the three numbers of a date that say nothing of it themselves, such as "dmy"
    """

    how: str = NAME
    thousands: str = ""
    point: str = "."
    unit: str = ""
    factors: str = ""
    minutes: bool = False
    order: str = "ymd"

    def to_dict(self) -> dict[str, Any]:
        """What differs from the defaults, and `how`."""
        rest = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if getattr(self, f.name) != f.default}
        return {**rest, "how": self.how}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """From data of the form FORM."""
        return cls(**{field.name: data[field.name] for field in dataclasses.fields(cls) if field.name in data})


FORM = Record(
    {
        "how": Text(KINDS),
        **dict.fromkeys(("thousands", "point", "unit"), Text()),
        "factors": Text(FACTORS),
        "minutes": Flag(),
        "order": Text(("ymd", "dmy", "mdy")),
    },
    optional=("thousands", "point", "unit", "factors", "minutes", "order"),
)
AS_IT_STANDS = Spelling()
