"""Maps that weigh borders: what they are, and what they bring in drawing single objects and ones that touch."""

import statistics
import time
from collections.abc import Mapping

import numpy as np
from scipy.ndimage import distance_transform_edt

import steelyard as sy

from ..shapes import pictures
from .claim import Absent, Claim, Conclusion, Finding, Record, Table, exact, paired
from .outlines import CLASSES, KINDS, PLAIN, Part, at_own_cuts, train

STEPS, CROP, SUBSTANTIAL = 110, 48, 0.01
SEEDS = 3
MEASURES = ("Dice", "IoU", "boundary F")


def units(small: bool) -> list[str]:
    if small:
        return ["maps", "shapes 0", "shapes 1"]
    return ["maps", *(f"{data} {seed}" for seed in range(SEEDS) for data in ("shapes", "nuclei"))]


def run(unit: str, small: bool) -> Record:
    if unit == "maps":
        return maps(64 if small else 512, 6 if small else 120)
    data, seed = unit.split()
    training, validation, test = (shapes if data == "shapes" else nuclei)(int(seed), small)
    nets = train(training, 4 if small else STEPS, CROP, int(seed))
    return {name: at_own_cuts(net, validation, test) for name, net in nets.items()}


def shapes(seed: int, small: bool) -> tuple[Part, Part, Part]:
    def part(number: int, many: int) -> Part:
        drawn = pictures(10 * seed + number, 3 if small else many)
        return Part(np.stack([p.grey for p in drawn]), np.stack([p.instances for p in drawn]))

    return part(0, 48), part(1, 24), part(2, 48)


def nuclei(seed: int, small: bool, size: int = 160) -> tuple[Part, Part, Part]:
    """The middle of each image; half of one fold is tested, and some of the other images validate."""
    from examples.nuclei import data

    try:
        photos = [p for p in data.load(data.folder_of_images()) if min(p.grey.shape) >= size]
    except SystemExit:
        raise Absent(
            f"the images of nuclei are not here; examples/nuclei/README.md says where they are from, {data.HOME} names their folder"
        ) from None

    def part(photos: list[data.Photo]) -> Part:
        corners = [((p.grey.shape[0] - size) // 2, (p.grey.shape[1] - size) // 2) for p in photos]
        cut = [(slice(y, y + size), slice(x, x + size)) for y, x in corners]
        return Part(
            np.stack([p.grey[c] for p, c in zip(photos, cut, strict=True)]),
            np.stack([p.nuclei[c] for p, c in zip(photos, cut, strict=True)]),
        )

    fold = data.split(photos, seed)
    return (
        part(fold.train),
        part(fold.validation[::2]),
        part(fold.test[::2]),
    )  # a fold is sorted by how many nuclei touch


def maps(size: int, cells: int) -> Record:
    """U-Net's map beside one transform for each cell; and where two readings of a distance map put the weight, three discs in 256 x 256."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    instances = np.zeros((size, size), np.int64)
    for k in range(1, cells + 1):
        cy, cx = rng.integers(10, size - 10, size=2)
        instances[np.hypot(y - cy, x - cx) <= rng.uniform(4, 9)] = k
    instances = sy.spatial.separate(np.unique(instances, return_inverse=True)[1].reshape(size, size))
    each = np.sort([distance_transform_edt(instances != k) for k in np.unique(instances)[1:]], axis=0)
    brute = 1 + 10 * np.exp(-((each[0] + each[1]) ** 2) / 50) * (instances == 0)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        found = sy.spatial.border(instances, w0=10, sigma=5)
        seconds.append(time.process_time() - start)
    y, x = np.mgrid[:256, :256]
    discs = np.zeros((256, 256), np.int64)
    for k, (cy, cx) in enumerate(((70, 60), (150, 170), (200, 90)), start=1):
        discs[np.hypot(y - cy, x - cx) <= 15] = k
    literal = 1 + distance_transform_edt(discs == 0) * (discs == 0)
    far = distance_transform_edt(discs == 0) > 20
    truncated = sy.spatial.distance(discs, beta=20)
    return {
        "cells": len(np.unique(instances)) - 1,
        "error": float(np.abs(found - brute).max()),
        "milliseconds": 1000 * statistics.median(seconds),
        "literal": float(literal[far].sum() / literal.sum()),
        "truncated": float(truncated[far].sum() / truncated.sum()),
    }


def conclude(records: Mapping[str, Record]) -> Conclusion:
    made = records["maps"]
    findings = [
        exact(
            "largest error of U-Net's map, of weights up to 11", (None, 1e-5), made["error"], f"{made['cells']} cells"
        ),
        exact(
            "weight of “w0 + distance”, read literally, more than 20 pixels from every object",
            (0.9, None),
            made["literal"],
            "three discs",
        ),
        exact("the same of the truncated distance map", (None, 0.01), made["truncated"], "three discs"),
    ]
    tables = []
    for data in dict.fromkeys(unit.split()[0] for unit in records if unit != "maps"):
        runs = [found for unit, found in records.items() if unit.startswith(data)]
        of = f"{len(runs)} seeds"
        for where in ("single", "touching"):
            findings += gains(data, where, runs, of)
        findings.append(
            paired(
                f"{data}: touching objects found, border 30% minus plain",
                (SUBSTANTIAL, None),
                apart(runs, "border 30%", PLAIN, "touching objects found"),
                of,
            )
        )
        tables += [drawing(data, where, runs) for where in ("single", "touching")] + [finding_objects(data, runs)]
    return Conclusion(findings, tables)


def gains(data: str, where: str, runs: list[Record], of: str) -> list[Finding]:
    """What a map with 30 % of the weight brings on top of class weights."""
    return [
        paired(
            f"{data}, {where}: {measure}, class weights and {kind} 30% minus class weights",
            (SUBSTANTIAL, None),
            apart(runs, f"class weights and {kind} 30%", CLASSES, f"{measure}, {where}"),
            of,
        )
        for kind in KINDS
        for measure in ("Dice", "boundary F")
    ]


def apart(runs: list[Record], arm: str, other: str, measure: str) -> list[float]:
    return [run[arm][measure] - run[other][measure] for run in runs]


def drawing(data: str, where: str, runs: list[Record]) -> Table:
    rows = [[arm, *(cell(runs, arm, f"{m}, {where}") for m in MEASURES)] for arm in runs[0]]
    title = f"{data}, around {where} objects: mean over seeds, and in brackets the difference from class weights with its 95 % interval"
    return Table(title, ("weights", *MEASURES), rows)


def finding_objects(data: str, runs: list[Record]) -> Table:
    columns = ("touching objects found", "object F1")
    cuts = [
        f"{statistics.median(r[arm]['cut for Dice, all'] for r in runs):g}, {statistics.median(r[arm]['cut for object F1'] for r in runs):g}"
        for arm in runs[0]
    ]
    rows = [[arm, *(cell(runs, arm, m) for m in columns), cut] for arm, cut in zip(runs[0], cuts, strict=True)]
    return Table(f"{data}, objects: the same", ("weights", *columns, "cuts for Dice and for objects, medians"), rows)


def cell(runs: list[Record], arm: str, measure: str) -> str:
    mean = f"{statistics.mean(r[arm][measure] for r in runs):.3f}"
    if arm == CLASSES or len(runs) < 2:
        return mean
    found = paired("difference", (0, None), apart(runs, arm, CLASSES, measure), "seeds")
    assert found.interval is not None
    return f"{mean} ({found.estimate:+.3f}; {found.interval[0]:+.3f} to {found.interval[1]:+.3f})"


CLAIM = Claim(
    name="delineation",
    title="Weighing borders: what it brings in drawing objects",
    says="Class weights combined with a spatial prior (a border map, a band along the contour, a dilated band) bring substantial gains, a point or more, "
    "in Dice and in boundary F, around single objects and around ones that touch; a border map finds more of the objects that touch.",
    source="A widely copied article on weighted cross-entropy, for “distance maps, contour masks, or dilated regions”; the border map is eq. 2 of "
    "Ronneberger et al. 2015, arXiv:1505.04597.",
    done="A small U-Net (three halvings, 6 channels at the top), 110 steps of six crops of 48 x 48, for each of fourteen weightings: plain, class weights "
    "(`sy.inverse_frequency` of the training pixels), a border, contour or dilated band map with 10, 30 and 50 % of the weight, and class weights with each "
    "map at 30 %. First weights and crops are the same for all, and the mean weight is 1. Two kinds of pictures: *shapes*, from a generator "
    "([benchmarks/shapes.py](../../benchmarks/shapes.py)): ellipses, half of them against another, blurred, noisy, among soft spots and lines that are no "
    "object; and *nuclei*, real cells of the Data Science Bowl 2018, the middle 160 x 160 of each image, each seed another fold. Nets learn a line "
    "of background between objects that touch. Every arm has its own cuts, chosen on validation pictures: one for Dice and IoU, one for boundary F "
    "(borders within a pixel), one for objects (components at IoU above 1/2). A pixel belongs to the nearest blob, of one object or of several. IoU is a "
    "function of Dice, and so has no finding of its own. Nets are small and trained shortly, and three seeds are few: the intervals are wide.",
    seeds=f"{SEEDS} seeds of shapes, {SEEDS} folds of nuclei, each with nets of its own",
    units=units,
    run=run,
    conclude=conclude,
)
