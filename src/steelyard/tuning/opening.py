"""Where the fits of a study are kept, and what says that they are still the same study's."""

from typing import Any

from .data.problem import Problem
from .metric import METRICS, Metric
from .models.function import FunctionModel
from .models.model import Model
from .split import Split
from .store.fits import Memory, Store

FORMAT = 1  # of what a stored fit means


def opened(storage: str | Store | None, fingerprint: dict[str, Any], name: str, fresh: bool, search: int) -> Store:
    """Where the fits are kept; a Store of the caller's own as it is."""
    if storage is None:
        return Memory()
    if not isinstance(storage, str):
        return storage
    from .store import address, ownership  # SQLAlchemy is slow to import
    from .store.database import Database
    from .store.fallback import Fallback

    where = address.address(storage)
    if search:
        ownership.check_trials(where)
    return Fallback(Database(storage, fingerprint, name=name, fresh=fresh), where.file)


def fingerprint(task: Problem, model: Model, split: Split, seed: int, gap: int) -> dict[str, Any]:
    """All that a stored fit depends on, but for its part and its arm; more repetitions or another metric reuse what is there."""
    weighted = {} if task.weight is None else {"weight": task.weight}
    return {
        "format": FORMAT,
        "table": {
            "rows": len(task.y),
            "columns": task.read[1],
            "label": task.label,
            "classes": list(task.counts.classes),
            "labels": task.labels_digest(),
        },
        "data": {**weighted, "content": task.digest()},
        "model": f"{model.name} {model.written}" if isinstance(model, FunctionModel) else model.name,
        "splits": {
            "kind": split.kind,
            "by": " and ".join(n for n in (task.group, task.time) if n) or None,
            "folds": split.folds,
            "gap": gap,
        },
        "seed": seed,
    }


def judged_before(store: Store, metric: Metric) -> list[str]:
    """A warning where the same fits were judged by another metric."""
    before = [METRICS[name].title for name in store.notes("metric") if name != metric.name and name in METRICS]
    if not before:
        return []
    return [
        f"these fits were judged before by {' and '.join(before)}: to judge the same rows by more than one metric and keep the"
        " verdict one likes is several tests, not one; name the metric before the run"
    ]
