"""Which process is at work, and whether another one still lives."""

import dataclasses
import functools
import os
import socket
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Worker:
    """A process: the place whose process numbers these are (machine, boot, container), its number, when it was born.

    A number is given out again some day; together with the birth, in ticks since the boot, it is unique.
    """

    place: str
    process: int
    born: str

    @property
    def name(self) -> str:
        return f"{self.place} {self.process} {self.born}"

    @property
    def dead(self) -> bool:
        """True where this can be known: it worked in this place, and no such process is left."""
        if self.place != _place():
            return False
        if Path("/proc/self/stat").exists():
            return _born(self.process) != self.born
        if os.name != "posix":  # os.kill(_, 0) would end it there
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except OSError:  # it is somebody else's
            return False
        return False


def me() -> Worker:
    return Worker(_place(), os.getpid(), _born(os.getpid()))


@functools.cache
def _place() -> str:
    boot, space = "", ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux
        pass
    return " ".join(part for part in (socket.gethostname(), boot, space) if part)


def _born(process: int) -> str:
    """Ticks since the boot, or "" where there is no such process any more, or no way to know."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]  # killed, but its parent has not looked yet
