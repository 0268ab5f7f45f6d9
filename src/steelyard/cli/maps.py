"""steelyard maps: weight maps of a folder of masks."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .. import marks
from .open_command import KEY, did_you_mean, unknown_option
from .output import tell
from .targets import Overwrite, check_folder, check_targets

if TYPE_CHECKING:
    from ..spatial import Map
    from .map_files import Making
    from .map_places import Task

# {what the command calls it: (map, its `kind`, what it does)}
KINDS: dict[str, tuple[str, dict[str, str], str]] = {
    "border": ("border", {}, "U-Net's map: heavy in the gap where two objects nearly touch."),
    "distance": ("distance", {}, "Falls with the distance to the objects, and is 0 beyond --beta."),
    "distance-inverted": ("distance", {"kind": "inverted"}, "Falls with the distance to the edge, inside and outside."),
    "distance-growing": (
        "distance",
        {"kind": "growing"},
        "Grows with the distance to the objects; seldom what is meant.",
    ),
    "contour": ("contour", {}, "A band of --width on both sides of the edges between labels."),
    "contour-local": ("contour", {"kind": "local"}, "Where the neighbourhood within --width differs from the pixel."),
    "dilate": ("dilate", {}, "A ring --outer around the objects, and --inner within them."),
    "lesion": ("lesion", {}, "Every object the same sum of weights, however small."),
}
MANIFEST, FORMAT = "maps.json", "steelyard.maps/1"
OF_COMMAND = ("share", "objects", "connectivity", "ignore", "spacing", "kind")  # flags of the command, not of a kind


def run(
    ctx: typer.Context,
    masks: Annotated[
        str,
        typer.Argument(
            metavar="MASKS", help="A PNG, TIFF, NPY, NIfTI or NRRD file, a folder or a glob: labels, 0 is background."
        ),
    ],
    kind: Annotated[str, typer.Option("--kind", help="border, distance, contour, dilate or lesion; listed below.")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the maps, a float32 .npy for each mask, and maps.json.")
    ],
    share: Annotated[
        float | None,
        typer.Option(
            "--share", help="Instead of --w0: the part of the weight that the shape of the map carries, in [0, 1)."
        ),
    ] = None,
    share_over: Annotated[
        str | None,
        typer.Option(
            "--share-over", help="set: one w0 gives --share over all masks, the default. image: each has its own."
        ),
    ] = None,
    objects: Annotated[
        bool, typer.Option("--objects", help="The masks are semantic: their connected components are the objects.")
    ] = False,
    connectivity: Annotated[
        int, typer.Option("--connectivity", help="With --objects, 1: neighbours share an edge. 2, 3: or a corner.")
    ] = 1,
    ignore: Annotated[int | None, typer.Option("--ignore", help="The label of void pixels; they get weight 0.")] = None,
    spacing: Annotated[
        str | None,
        typer.Option("--spacing", help="Between neighbouring pixels along each axis, as 2.5,1,1; 1 unless given."),
    ] = None,
    near: Annotated[
        float, typer.Option("--near", help="In the table: how far around objects is near, in the unit of --spacing.")
    ] = 20.0,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder of maps that training reads, too: spatial.Cache.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Beside each map a picture of it, .png.")] = False,
    memory: Annotated[
        str | None,
        typer.Option(
            "--memory",
            help="What the map of a small file may take, as 4GB; 0.9GB, which is 14 million pixels, unless given.",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Make weight maps of masks, and say where their weight lies. A second run makes only what is missing or changed.

    Example: steelyard maps masks --kind border --w0 10 --out maps
    """
    from ..data.masks import mask_files
    from . import map_files, map_places

    taken, flags = ctx.meta[KEY]
    options = {one.name: one.text for one in taken}
    if share is not None and "w0" in options:
        raise ValueError("maps: --w0 and --share are two ways to say how much; choose one.")
    if share is None and share_over is not None:
        raise ValueError("maps: --share-over says over what --share holds; give --share, too.")
    if share_over not in (None, "set", "image"):
        raise ValueError(f"maps: --share-over must be set or image, got {share_over!r}.")
    if not near >= 0:
        raise ValueError(f"maps: --near must be a number from 0, got {near:g}.")
    map = build(
        kind, options, flags, share=share, objects=objects, connectivity=connectivity, ignore=ignore, spacing=spacing
    )
    room = map_files.FLOOR if memory is None else _bytes(memory)
    check_folder("maps", out)
    todo = map_places.tasks(masks, mask_files(masks), out, cache)
    check_targets("maps", [*map_places.targets(todo, preview), (out / MANIFEST, marks.MAPS)], overwrite, below=out)
    from ..spatial import Cache

    kept = None if cache is None else Cache(cache)
    over_set = share is not None and share_over != "image"
    making = map_files.make(
        todo,
        map,
        out,
        over_set=over_set,
        near=near,
        cache=kept,
        preview=preview,
        watch=_watch,
        overwrite=overwrite,
        memory=room,
    )
    _tell(making, near, out, over_set, overwrite)
    if kept is not None:
        tell(f"cache: {len(kept):,} maps, {kept.nbytes / 1e6:,.1f} MB in {cache}")


def _bytes(memory: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([MG])B", memory.strip(), re.IGNORECASE)
    if found is None:
        raise ValueError(f"maps: --memory must be a size such as 800MB or 4GB, got {memory!r}.")
    return int(float(found[1]) * {"M": 1e6, "G": 1e9}[found[2].upper()])


def _tell(making: "Making", near: float, out: Path, over_set: bool, overwrite: bool) -> None:
    from ..explain.maps import explained
    from ..files import write_text_atomically

    explanation = explained(making.final, making.sums, near)
    about = {
        "format": FORMAT,
        "map": making.final.name,
        "options": making.final.options,
        "over": "set" if over_set else "image",
    }
    text = json.dumps({**about, **explanation.to_dict()}, indent=1, allow_nan=False) + "\n"
    write_text_atomically(out / MANIFEST, text, marks.MAPS, overwrite=overwrite)
    tell(str(explanation))
    tell(f"{making.made:,} made, {making.kept:,} kept in {out}")


def _watch(tasks: "Sequence[Task]", title: str) -> "Iterable[Task]":
    from ..progress import counted

    return counted(tasks, title, "masks", shown=sys.stderr.isatty())


def build(
    kind: str, options: Mapping[str, str], flags: set[str], *, spacing: str | None = None, **common: Any
) -> "Map":
    """ValueError, with the nearest name, for a kind or an option that does not exist, and for values out of range."""
    from ..spatial import Map

    if kind not in KINDS:
        raise ValueError(
            f"maps: there is no kind {kind!r}.{did_you_mean(kind, list(KINDS), '{}')} The kinds are {', '.join(KINDS)}."
        )
    takes = own_options(kind)
    for option in options:
        if option not in takes:
            raise ValueError(unknown_option(kind, option, list(takes), flags))
    values: dict[str, Any] = {option: _number(kind, option, text) for option, text in options.items()}
    if spacing is not None:
        if kind == "lesion":
            raise ValueError("lesion: it counts pixels and takes no --spacing; leave it out.")
        values["spacing"] = [_number(kind, "spacing", part) for part in spacing.split(",")]
    name, fixed, _ = KINDS[kind]
    return Map(name, **fixed, **values, **common)


def own_options(kind: str) -> dict[str, Any]:
    """{option: default}"""
    from ..spatial.map import takes

    return {k: default for k, default in takes(KINDS[kind][0]).items() if k not in OF_COMMAND}


def listing() -> str:
    """Two lines for each kind: its options with their defaults, and what it does."""
    return "\n".join(_line(kind) for kind in KINDS)


def _line(kind: str) -> str:
    options = ", ".join(f"--{k} {default:g}" for k, default in own_options(kind).items())
    return f"{kind}: {options}\n    {KINDS[kind][2]}"


def _number(kind: str, option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{kind}: --{option} must be a number, got {text!r}.") from None
