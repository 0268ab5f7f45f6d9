"""What a user's function does, as far as its own code tells: a changed function must not be given the fits of the old one."""

import functools
import hashlib
from collections.abc import Callable
from types import CodeType
from typing import Any

PLAIN = (int, float, complex, str, bytes, bool, type(None))


def written(function: Callable[..., Any]) -> str:
    """A digest of its code, constants, defaults and the plain values around it; 16 hexadecimal digits.

    What it calls is known by name only: a change there, or in data that it reads by itself, is not seen.
    """
    digest = hashlib.sha256()
    for part in _parts(function, set()):
        digest.update(part)
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _parts(function: Any, seen: set[int]) -> list[bytes]:
    """`seen` has the functions that are being read: one may stand in its own closure."""
    if id(function) in seen:
        return []
    seen = seen | {id(function)}
    if isinstance(function, functools.partial):
        values = [*function.args, *sorted(function.keywords.items())]
        return [*_parts(function.func, seen), *(_plain(v) for v in values)]
    own = (
        _plain(sorted(vars(owner).items()))
        if hasattr(owner := getattr(function, "__self__", function), "__dict__")
        else b""
    )
    function = getattr(function, "__func__", function)  # of a method
    code = getattr(function, "__code__", None)
    if code is None:  # an object that is called, or a builtin
        call = getattr(type(function), "__call__", None)  # noqa: B004  # its code, not whether there is one
        inner = getattr(call, "__code__", None)
        name = f"{type(function).__module__}.{type(function).__qualname__}".encode()
        return [name, own] if inner is None else [name, own, *_code(inner)]
    around = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
    inside = [p for value in around for p in (_parts(value, seen) if callable(value) else [_plain(value)])]
    return [own, *_code(code), *(_plain(v) for v in function.__defaults__ or ()), *inside]


def _code(code: CodeType) -> list[bytes]:
    consts = [p for c in code.co_consts for p in (_code(c) if isinstance(c, CodeType) else [_plain(c)])]
    return [code.co_code, "\0".join((*code.co_names, *code.co_varnames)).encode(), *consts]


def _plain(value: Any) -> bytes:
    """The value where its text is all of it, else what it is."""
    if isinstance(value, (tuple, list)):
        return b"(" + b",".join(_plain(v) for v in value) + b")"
    if isinstance(value, frozenset):
        return b"{" + b",".join(sorted(_plain(v) for v in value)) + b"}"
    return repr(value).encode() if isinstance(value, PLAIN) else type(value).__qualname__.encode()


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # raises where the variable has no value yet
    except ValueError:
        return False
    return True
