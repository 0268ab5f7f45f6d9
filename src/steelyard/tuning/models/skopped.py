"""scikit-learn classifiers as text, without pickle: skops writes what it knows how to rebuild, and reads only types that are trusted.

skops trusts scikit-learn's estimators and NumPy; a file that names other types is refused with their names, as making one of those
runs code of whoever wrote the file.
"""

import base64
import binascii
import importlib
import importlib.util
import warnings
from collections.abc import Collection
from typing import Any

INSTALL = "pip install 'steelyard[skops]'"
OWN = frozenset(
    {
        "sklearn.tree._tree.Tree",  # these two are plain arrays
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "functools.partial",  # of a function that must be trusted itself, such as the next one, by which trees read categories
        "sklearn.utils.validation.check_array",
    }
)


class Refused(ValueError):
    """What keeps a sound file from being read: a package that is not there, or types that nobody trusted yet."""


def missing() -> str:
    """Why there is no file without skops, or ""."""
    if importlib.util.find_spec("skops") is not None:
        return ""
    return (
        f"a scikit-learn classifier is saved by skops, which is not installed: {INSTALL}. In Python study.model serves."
    )


def why_not(estimator: Any) -> str:
    """Why there will be no file of a classifier like this one, or ""."""
    if without := missing():
        return without
    try:
        dumped(estimator)
    except ValueError as error:
        return f"{str(error).removeprefix('model: ')} In Python study.model serves."
    return ""


def dumped(estimator: Any) -> str:
    """Base64 of what skops writes. ValueError for what it cannot write."""
    io: Any = importlib.import_module("skops.io")

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return base64.b64encode(io.dumps(estimator)).decode("ascii")
    except Exception as error:  # of the classifier's own parts: any
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"model: skops cannot write {type(estimator).__name__} ({reason}).") from error


def restored(text: str, trusted: Collection[str] = ()) -> Any:
    """The classifier again. Refused where a type is not trusted, with all such names; ValueError for what skops never writes."""
    if importlib.util.find_spec("skops") is None:
        raise Refused(f"its classifier was saved by skops, which is not installed: {INSTALL}.")
    io: Any = importlib.import_module("skops.io")

    try:
        data = base64.b64decode(text, validate=True)
        unknown = sorted(set(io.get_untrusted_types(data=data)) - OWN - set(trusted))
    except (binascii.Error, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"skops cannot read its classifier: {error}") from None
    except Exception as error:  # zipfile's own and whatever a broken archive meets
        raise ValueError(f"skops cannot read its classifier: {type(error).__name__} {error}") from None
    if unknown:
        names = ", ".join(unknown)
        raise Refused(
            f"its classifier holds types that neither scikit-learn nor NumPy brings: {names}. Making them runs their code; if you trust"
            f" whoever wrote the file, say trusted={unknown!r}, or --trust {','.join(unknown)}."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return io.loads(data, trusted=[*OWN, *trusted])
    except Exception as error:  # a package that is not there, another version of it
        raise ValueError(f"skops cannot make its classifier: {type(error).__name__} {error}") from None
