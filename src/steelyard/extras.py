"""What each extra brings, by package: for `steelyard doctor`, docs/install.md and whoever meets an import that fails."""

EXTRAS: dict[str, dict[str, str]] = {  # what each brings, by package
    "tables": {"pyarrow": "tables: CSV, Parquet and DataFrames"},
    "cli": {"typer": "the commands", "rich": "tables and bars in the terminal"},
    "tune": {
        "scikit-learn": "the tuner's models and metrics",
        "scipy": "the tuner, and distances of maps",
        "optuna": "the tuner's --search",
        "altair": "pictures of a report",
        "vl-convert-python": "pictures of a report",
        "jinja2": "report.html",
        "sqlalchemy": "fits that are kept, so that a study goes on",
        "threadpoolctl": "one thread for each fit",
    },
    "boosting": {"lightgbm": "tune --model lightgbm"},
    "skops": {"skops": "model.json of scikit-learn classifiers"},
    "postgres": {"psycopg": "tune --storage postgresql://..."},
    "plot": {"altair": "sy.plot's charts", "vl-convert-python": "sy.plot's charts as PNG and SVG"},
    "spatial": {"scipy": "distances of maps, where there is no compiled core"},
    "images": {"pillow": "count and maps of PNG and TIFF masks", "pyyaml": "YOLO's data.yaml"},
    "ray": {"ray": "--engine ray: many machines"},
    "triton": {"triton": "kernels on a GPU; torch for CUDA brings it along"},
}


IMPORTED = {  # under another name than it is installed
    "PIL": "pillow",
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "vl_convert": "vl-convert-python",
}


def brings(module: str) -> str:
    """The sentence about a module that is missing, with what to install, or "" where no extra has it."""
    package = IMPORTED.get(root := module.partition(".")[0], root)
    for extra, packages in EXTRAS.items():
        if package in packages:
            return f"this needs {package} ({packages[package]}), which is not installed; pip install 'steelyard[{extra}]' brings it."
    return ""
