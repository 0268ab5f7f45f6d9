"""steelyard doctor: what is installed, which backend runs, what is missing."""

import os
import platform
import sys
from typing import Any

from .. import __version__, core
from ..extras import EXTRAS
from .tell import tell


def run() -> None:
    """Say what is installed, which backend computes, and what is missing and would give what.

    Example: steelyard doctor
    """
    tell(f"steelyard  {__version__}")
    tell(f"python     {platform.python_version()} ({platform.system()} {platform.machine()}, {sys.executable})")
    tell(f"numpy      {installed('numpy') or 'missing: pip install steelyard'}")
    torch_lines()
    tell(f"backend    {backend()}")
    missing = []
    for extra, packages in EXTRAS.items():
        versions = [f"{name} {installed(name) or 'missing'}" for name in packages]
        missing += [(name, extra, gives) for name, gives in packages.items() if installed(name) is None]
        tell(f"[{extra}]".ljust(12) + " " + ", ".join(versions))
    for name, extra, gives in missing:
        tell(f"note: {name} is missing; pip install 'steelyard[{extra}]' brings it. It gives: {gives}.")
    if not missing:
        tell("Nothing is missing.")


def backend() -> str:
    """What computes on the CPU."""
    named = os.environ.get("STEELYARD_BACKEND", "auto") or "auto"
    if named != "auto":
        return f"STEELYARD_BACKEND={named} chooses what computes"
    native = core.load()
    if native is None:
        return "pure torch; the native core is not built: install with a C++ compiler to have it (several times faster)"
    return f"native core, {native.current()} (built for {', '.join(native.sets())})"


def torch_lines() -> None:
    """Version, threads and devices of torch, or why it does not work."""
    try:
        import torch
    except Exception as error:  # a broken install raises OSError, ImportError, RuntimeError, ...
        tell(f"torch      does not work: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
        return
    tell(f"torch      {torch.__version__}")
    tell(f"threads    {torch.get_num_threads()} of {os.cpu_count()} cores")
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
        triton = installed("triton")
        tell(f"on cuda    {f'Triton {triton}' if triton else 'pure torch; Triton is missing: pip install triton'}")
    if torch.backends.mps.is_available():
        devices.append("mps")
    tell(f"devices    {', '.join(devices)}")
    for name in devices:
        kernel_lines(torch.device(name.split()[0]))


def kernel_lines(device: Any) -> None:
    """Every family of kernels of a device: what was found wrong, else how long a call of a hundred thousand logits takes."""
    import warnings

    from ..ops import families

    wrong, times = [], {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the lines below say the same
        try:
            for one in families.tried(device):
                if one.wrong:
                    wrong.append(one)
                times.setdefault((one.link, one.shape), []).append(one.later)
        except (RuntimeError, ValueError) as error:  # a device that does not work at all, a backend that is not there
            tell(f"kernels    {device}: not tried: {' '.join(str(error).split())[:200]}")
            return
    for (link, shape), found in times.items():
        right = [seconds for seconds in found if seconds == seconds]
        span = f", {1000 * min(right):.2g} to {1000 * max(right):.2g} ms" if right else ""
        tell(f"kernels    {device} {link}, {shape}: {len(right)} of {len(found)} right{span}")
    for one in wrong:
        tell(
            f"note: {device} {one.link}, {one.shape}, {one.form}, {one.dtype}: {one.wrong}. Torch's operations are used; please report this."
        )


def installed(name: str) -> str | None:
    """The version of a distribution, without importing it."""
    from importlib import metadata  # slow to import, and --help loads this file

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
