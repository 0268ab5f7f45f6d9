"""The form of report.json, declared once: what a report must hold, what it may, and of which kind; document.py and evidence.py read it.

Names that do not stand here are left alone.
"""

from ..recipe import SCHEMA as RECIPE
from ..schema import Anything, ByName, Either, Flag, Form, Many, Maybe, Number, Numbers, Text, record

NUMBER = Number(-1e100, 1e100)  # sums of rows and products of a few stay finite
WHOLE = Number(-1e100, 1e100, whole=True)
WORDS = Either((Text(), NUMBER))  # a class or a column may be called 1
NAME = Either((Text(some=True), NUMBER))
COLUMN, ROWS = Numbers(NUMBER, 1, least=1), Numbers(NUMBER, 2, least=2)


def _all(names: str, form: Form) -> dict[str, Form]:
    return dict.fromkeys(names.split(), form)


ARM = record(
    {"name": NAME},
    {
        "metrics": ByName(Maybe(record({}, _all("value difference low high", NUMBER)))),
        "recipe": ByName(Anything()),  # read where it is the one to train with
        **_all("equals_plain note", WORDS),
        "at_cut": ByName(Maybe(NUMBER)),
        "strengths": ByName(WHOLE),
        "threshold": NUMBER,
    },
)
DATA = record(
    {},
    {
        **_all("path label", WORDS),
        **_all("rows columns", WHOLE),
        **_all("classes notes", Many(WORDS)),
        "counts": COLUMN,
        "digest": record({}, _all("labels all", WORDS)),
        "weight": record({}, {"column": WORDS, "effective": NUMBER, "masses": COLUMN}),
    },
)
SPLITS = record(
    {},
    {
        **_all("kind by group", WORDS),
        **_all("folds repeats judged", WHOLE),
        "events": record({}, {"judged": WHOLE, "class": WORDS}),
    },
)
PATH = record(
    {},
    {
        **_all("ingredient parameter", WORDS),
        "points": Many(record({}, {"arm": WORDS, **_all("x value difference low high", NUMBER)})),
    },
)
SEARCH = record(
    {},
    {
        **_all("ingredient parameter", WORDS),
        "trials": Many(record({}, _all("x value", NUMBER))),
        "best": NUMBER,
    },
)
GROUPS = Many(record(_all("predicted observed rows", NUMBER), {}))
CURVES = record(
    {},
    {
        "thresholds": record({}, _all("threshold tp fp fn tn", COLUMN)),
        "reliability": record({}, _all("before after", GROUPS)),
        "recalibrated": GROUPS,
        "scores": record({}, _all("edges positive negative", COLUMN)),
        "confusion": ROWS,
    },
)
REPORT = record(
    {
        "data": DATA,
        "metric": NAME,
        "arms": Many(ARM, some=True),
        "verdict": record(
            {"sentence": NAME},
            {
                **_all("case winner headline", WORDS),
                "threshold": NUMBER,
                "factors": COLUMN,
                **_all("ties remarks", Many(WORDS)),
            },
        ),
    },
    {
        **_all("version positive metric_title model made command", WORDS),
        **_all("seed bootstrap", WHOLE),
        **_all("margin seconds", NUMBER),
        "metric_higher": Flag(),
        "splits": SPLITS,
        "axis": record({}, _all("name title", WORDS)),
        "strengths": COLUMN,
        "costs": record({}, {**_all("fn fp", NUMBER), "matrix": ROWS}),
        "capacity": record({}, _all("rows per", NUMBER)),
        "gate": record({}, {"name": WORDS, **_all("value low chance", NUMBER)}),
        "baselines": Many(ARM),
        "skipped": Many(record({}, _all("name reason", WORDS))),
        "paths": Many(PATH),
        "search": SEARCH,
        "final": record({}, {"strength": NUMBER, "threshold_rule": WORDS, "recipe": RECIPE}),
        "stopped": record({}, {"why": WORDS, **_all("repeats_done repeats_planned", WHOLE)}),
        "priced": Many(record(_all("miss threshold found missed alarms", NUMBER), {})),
        "fits": record({}, _all("new reused", WHOLE)),
        "curves": ByName(Maybe(CURVES)),
        "per_class": ByName(
            Maybe(Many(record({"class": NAME}, _all("rows precision recall f1", NUMBER)))),
        ),
        "warnings": Many(WORDS),
    },
)
