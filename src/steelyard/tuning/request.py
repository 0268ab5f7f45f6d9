"""What a study is asked for, in four records. `tune` takes their fields as keywords; `steelyard tune` makes its flags of them:
a field that is annotated with a sentence is a flag with that help, in the panel that the record's docstring names.

Imports nothing, so that `steelyard --help` need not wait for what fits.
"""

import dataclasses
import os
from typing import Annotated, Any


@dataclasses.dataclass(frozen=True)
class Data:
    """The data"""

    label: Annotated[Any, "The label column: its name, or its number (-1 is the last)."] = None
    positive: Annotated[Any, "The positive of two classes; the rarer one unless said."] = None
    group: Annotated[Any, "Column whose equal values stay together, such as a patient."] = None
    time: Annotated[Any, "Column to order the rows by: nothing is learned from what comes later."] = None
    gap: Annotated[int, "With --time: rows whose label is not known yet."] = 0
    classes: Annotated[Any, "Names of the classes between commas, or 0=no,1=yes; what they name is never missing."] = (
        None
    )
    ignore: Annotated[list[str] | None, "A label whose rows are left out."] = None
    missing: Annotated[
        list[str] | None,
        "Text that stands for no label, instead of ?, NA, null and their like, and is missing in the other columns beside them; none: no text"
        " stands for no label.",
    ] = None
    same_case: Annotated[
        bool, "Labels, and they alone, that differ by case, blanks, a final dot or .0 are one class."
    ] = False
    drop: Annotated[list[str] | None, "A column that is not learned from."] = None
    categorical: Annotated[
        list[str] | None, "A column of categories that are spelled as numbers, such as zip codes."
    ] = None
    weight: Annotated[Any, "Column that says how much each row counts, such as a survey weight."] = None


@dataclasses.dataclass(frozen=True)
class Goal:
    """What decides"""

    metric: Annotated[
        str | None,
        "What alone decides: average_precision (two classes), roc_auc, balanced_accuracy (more), f1, macro_f1, mcc,"
        " log_loss, brier, expected_cost, recall_at_capacity.",
    ] = None
    cost_fn: Annotated[float | None, "Cost of a missed positive."] = None
    cost_fp: Annotated[float | None, "Cost of a false alarm."] = None
    cost_matrix: Annotated[
        Any, "Costs, rows = truth, columns = decision: '0,1;5,0' in the order of the classes, or a CSV file."
    ] = None
    exchange: Annotated[float | None, "False alarms you would accept for one more positive found."] = None
    capacity: Annotated[float | str | None, "How many rows can be checked, as 200/10000: 200 of 10,000."] = None


@dataclasses.dataclass(frozen=True)
class Fits:
    """The fits"""

    model: Annotated[
        str, "linear, mlp, boosting, lightgbm, or a scikit-learn classifier such as sklearn.naive_bayes.GaussianNB."
    ] = "linear"
    search: Annotated[int, "Further values to try around the best strategy of the grid."] = 0
    folds: Annotated[int, "Folds of each cross-validation."] = 5
    repeats: Annotated[int | None, "Cross-validations, each with other folds; 5 unless said, 3 above 50,000 rows."] = (
        None
    )
    bootstrap: Annotated[int | None, "Draws of rows behind the intervals; 1000 unless said, 400 above 50,000 rows."] = (
        None
    )
    seed: Annotated[int, "Of folds and bootstrap draws."] = 0
    epochs: int | None = None
    baselines: bool = True


@dataclasses.dataclass(frozen=True)
class Run:
    """Time and machines"""

    folder: Annotated[
        str | os.PathLike[str] | None, "Folder for report.html, report.json, recipe.json and study.db."
    ] = None
    fresh: Annotated[bool, "Start anew and delete the finished fits in the folder, instead of going on with them."] = (
        False
    )
    budget: Annotated[float | str | None, "Have an answer in this time, such as 10m, from what is done by then."] = None
    storage: Annotated[
        Any,
        "Where finished fits are kept: sqlite:///FILE or postgresql://HOST/NAME, for many machines; study.db in the"
        " folder unless said.",
    ] = None
    engine: Annotated[str, "Where fits run: local or ray."] = "local"
    progress: Any = False
    stage: Any = None
