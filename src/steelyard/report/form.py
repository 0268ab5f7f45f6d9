"""The form of report.json, declared once: what a report must hold, what it may, and of which kind; document.py and evidence.py read it.

Names that do not stand here are left alone.
"""

from ..recipe import SCHEMA as RECIPE
from ..schema import Anything, ByName, Either, Flag, Form, Many, Maybe, Number, Numbers, Text, record

NUMBER = Number(-1e100, 1e100)  # sums of rows and products of a few stay finite
WHOLE = Number(-1e100, 1e100, whole=True)
WORDS, SAID = Text(), Text(some=True)
CALLED = Either((WORDS, NUMBER))  # a class, a column or a weighting of one's own may be called 1
NAME = Either((SAID, NUMBER))
COLUMN, ROWS = Numbers(NUMBER, 1, least=1), Numbers(NUMBER, 2, least=2)


def _all(names: str, form: Form) -> dict[str, Form]:
    return dict.fromkeys(names.split(), form)


GROUPS = Many(record(_all("predicted observed rows", NUMBER), {}))
ARM = record(
    {"name": NAME},
    {
        "metrics": ByName(Maybe(record({}, _all("value difference low high", NUMBER)))),
        "recipe": ByName(Anything()),  # read where it is the one to train with
        **_all("equals_plain note", WORDS),
        "at_cut": ByName(Maybe(NUMBER)),
        "factors": COLUMN,
        "reliability": GROUPS,
        "strengths": ByName(WHOLE),
        "threshold": NUMBER,
        "outcomes": Many(record({"weight": NUMBER}, {"loss_share": NUMBER})),
    },
)
DATA = record(
    {},
    {
        "path": WORDS,
        "label": CALLED,
        **_all("rows columns", WHOLE),
        "classes": Many(CALLED),
        "notes": Many(WORDS),
        "counts": COLUMN,
        "digest": record({}, _all("labels all", WORDS)),
        "weight": record({}, {"column": CALLED, "effective": NUMBER, "masses": COLUMN}),
    },
)
SPLITS = record(
    {},
    {
        "kind": WORDS,
        **_all("by group", CALLED),
        **_all("folds repeats judged", WHOLE),
        "events": record({}, {"judged": WHOLE, "class": CALLED}),
    },
)
PATH = record(
    {},
    {
        **_all("ingredient parameter", WORDS),
        "points": Many(record({}, {"arm": CALLED, **_all("x value difference low high", NUMBER)})),
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
SAMPLED = record({**_all("rows of", WHOLE), "unit": NUMBER, **_all("truth times behind", WORDS)}, {})
REPORT = record(
    {
        "data": DATA,
        "metric": SAID,
        "arms": Many(ARM, some=True),
        "verdict": record(
            {"sentence": SAID},
            {
                **_all("case headline", WORDS),
                "winner": CALLED,
                "threshold": NUMBER,
                "factors": COLUMN,
                "ties": Many(CALLED),
                "remarks": Many(WORDS),
            },
        ),
    },
    {
        **_all("version metric_title model made command", WORDS),
        "positive": CALLED,
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
        "skipped": Many(record({}, {"name": CALLED, "reason": WORDS})),
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
        "sampled": ByName(Maybe(SAMPLED)),
        "warnings": Many(WORDS),
    },
)
