"""steelyard doctor: what is installed, which backend runs, what is missing."""

import os
import platform
import sys

from .. import __version__, core
from .output import tell

EXTRAS = {
    "tables": ("pyarrow",),
    "cli": ("typer", "rich"),
    "tune": ("scikit-learn", "scipy", "jinja2"),
}


def run() -> None:
    """Say what is installed, which backend computes, and what is missing."""
    tell(f"steelyard  {__version__}")
    tell(f"python     {platform.python_version()} ({platform.system()} {platform.machine()}, {sys.executable})")
    tell(f"numpy      {installed('numpy') or 'missing: pip install steelyard'}")
    torch_lines()
    tell(f"backend    {backend()}")
    missing = {}
    for extra, packages in EXTRAS.items():
        versions = [f"{name} {installed(name) or 'missing'}" for name in packages]
        missing |= {name: extra for name in packages if installed(name) is None}
        tell(f"[{extra}]".ljust(10) + " " + ", ".join(versions))
    for name, extra in missing.items():
        tell(f"note: {name} is missing; pip install 'steelyard[{extra}]' brings it.")
    if not missing:
        tell("Nothing is missing.")


def backend() -> str:
    """What computes on the CPU."""
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


def installed(name: str) -> str | None:
    """The version of a distribution, without importing it."""
    from importlib import metadata  # slow to import, and --help loads this file

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
