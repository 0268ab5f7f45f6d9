"""Tables whose cells have a type, besides Parquet: JSON Lines, a JSON array of rows, and Arrow's own files (Feather)."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import classes
from .classes import CELLS
from .column_names import distinct_names, find_column, without_row_names
from .formats import open_bytes, position
from .gather import Gather
from .limits import refuse_beyond
from .paths import ARROW, ends_in
from .source import Tell, add_notes
from .tally import holds_label_lists, pyarrow, refuse_too_many

ROWS = 1 << 16  # that are held at once where a column is counted
LARGEST = 1 << 30  # bytes of a .json that is one array: it is held whole
FIRST = 1000  # rows that usually hold all keys
KEYS = 10_000  # of all rows together
CELL, ROOM = 16, 1024  # bytes of a cell while it is read, and how many times its file a table with gaps may be
ORIENTED = ({"columns", "index", "data"}, {"columns", "data"}, {"schema", "data"})


def column_names(file: Path) -> tuple[str, ...]:
    if ends_in(file, ARROW):
        return distinct_names(without_row_names(_arrow(file).schema.names, []), [])
    return tuple(_keys(file, FIRST))


def _keys(file: Path, rows: int | None = None) -> dict[str, str]:
    """{name: key} of the first rows, or of all."""
    keys: dict[str, None] = {}
    for row in itertools.islice(_rows(file, lambda size: None), rows):
        keys.update(dict.fromkeys(row))
    used = without_row_names(list(keys), [])
    return dict(zip(distinct_names(used, []), used, strict=True))


def read(file: Path, columns: Sequence[str | int] | None, notes: list[str]) -> Any:
    """pyarrow.Table. A key that some rows lack is missing there; one that has numbers and text is text, which is said."""
    if ends_in(file, ARROW):
        table = _arrow(file)
        renamed: list[str] = []
        table = (
            table.select(without_row_names(table.column_names, renamed))
            if len(set(table.column_names)) == table.num_columns
            else table
        )
        table = table.rename_columns(distinct_names(table.column_names, renamed))
        add_notes(notes, renamed)
        return (
            table if columns is None else table.select([find_column(table.column_names, c, str(file)) for c in columns])
        )
    gathered: dict[str, list[Any]] = {}
    n = 0
    for n, row in enumerate(_rows(file, lambda size: None), 1):
        for key, value in row.items():
            if key not in gathered:
                if len(gathered) >= KEYS:
                    raise ValueError(
                        f"{file}: the rows have over {KEYS:,} different keys; give each row the same keys."
                    )
                gathered[key] = []
            cells = gathered[key]
            cells.extend([None] * (n - 1 - len(cells)))
            cells.append(value)
    what = f"{n:,} rows of {len(gathered):,} keys"
    refuse_beyond(file, n * len(gathered) * CELL, file.stat().st_size, what, "give each row the same keys", times=ROOM)
    pa = pyarrow()
    said: list[str] = []
    used = without_row_names(list(gathered), said)
    names = distinct_names(used, said)
    add_notes(notes, said)
    wanted = names if columns is None else tuple(find_column(names, c, str(file)) for c in columns)
    kept = {name: cells for name, cells in zip(names, (gathered[key] for key in used), strict=True) if name in wanted}
    arrays = []
    for name in wanted:
        cells = kept[name]
        cells.extend([None] * (n - len(cells)))
        array, more = _typed(cells, f"{file}: column {name!r}", name)
        add_notes(notes, more)
        arrays.append(array)
    return pa.Table.from_arrays(arrays, names=list(wanted))


def tally_column(file: Path, label: str | int, into: Gather, notes: list[str], tell: Tell) -> str:
    """The name of the column, whose cells go `into` what collects them, in a stream where the file allows it."""
    if ends_in(file, ARROW):
        name = find_column(column_names(file), label, str(file))
        what = f"{file}: column {name!r}"
        array = read(file, [name], notes)[name]
        if holds_label_lists(array.type):
            into.add_lists(array, what)
        else:
            into.add_cells(classes.of_arrow(array, what), what)
        return name
    keys = _keys(file, FIRST)
    if label not in keys:  # a number, or a key that comes late
        keys = _keys(file)
    name = find_column(list(keys), label, str(file))
    key, what = keys[name], f"{file}: column {name!r}"
    times: Counter[tuple[type, Any]] = Counter()
    kinds: set[type] = set()
    nested = 0
    for row in _rows(file, tell):
        value = row.get(key)
        if isinstance(value, (list, dict)):
            if isinstance(value, dict) or any(isinstance(v, (list, dict, float, bool)) for v in value):
                nested += 1
            else:
                kinds.update(map(type, value))
                into.add_rows([value], what)
            continue
        times[type(value), value] += 1
        if len(times) % 1024 == 0:
            refuse_too_many(times, what)
    if nested:
        raise ValueError(f"{what} holds nested values, which are no labels; choose another key, or write it as text.")
    plain = {value: n for (kind, value), n in times.items() if kind is not type(None)}
    if into.lists:
        if plain:
            raise ValueError(f"{what} holds lists in some rows and single values in others; write lists everywhere.")
        if {int, str} <= kinds:
            raise ValueError(f"{what} holds lists of numbers and of text; write one kind everywhere.")
        into.tokens.unknown += sum(times.values())
        return name
    array, said = _typed([v for (_, v) in times], what, name)
    add_notes(notes, said)
    cells = classes.of_arrow(array, what)
    if array.type != pyarrow().null():
        spelled = array.to_pylist()
        cells.times = Counter()
        for cell, n in zip(spelled, times.values(), strict=True):
            cells.times[cell] += n
    else:
        cells.times = Counter({None: sum(times.values())})
    if said and array.type == pyarrow().string():
        cells.kind = CELLS
    into.add_cells(cells, what)
    return name


def _typed(cells: list[Any], what: str, name: str) -> tuple[Any, list[str]]:
    """(Arrow array, notes): the kind that all cells have; where they have several, numbers if the texts spell numbers just as
    JSON does, else text."""
    pa = pyarrow()
    kinds = {type(c) for c in cells if c is not None}
    if kinds & {list, dict} and len(kinds) > 1:
        return pa.array([None if c is None else {"json": json.dumps(c)} for c in cells]), []
    notes = []
    names = {int: "numbers", float: "numbers", bool: "true and false", str: "text"}
    held = " and ".join(dict.fromkeys(names[k] for k in names if k in kinds))
    if str in kinds and kinds <= {int, float, str} and len(kinds) > 1 and all(map(_spells_number, cells)):
        cells = [json.loads(c) if isinstance(c, str) else c for c in cells]
        kinds, notes = (
            {type(c) for c in cells if c is not None},
            [f"the column {name!r} holds {held}; it was read as numbers"],
        )
    try:
        if kinds == {int, float} and all(c is None or isinstance(c, float) or abs(c) <= 2**53 for c in cells):
            return pa.array([None if c is None else float(c) for c in cells], pa.float64()), notes
        if len(kinds) <= 1:
            return pa.array(cells), notes
    except UnicodeEncodeError:
        raise ValueError(f"{what} holds half a character (a lone surrogate); write the text as UTF-8.") from None
    except (pa.ArrowException, OverflowError) as error:
        if not kinds <= {int, float}:
            raise ValueError(
                f"{what} holds lists or objects of several kinds ({' '.join(str(error).split())[:80]})."
            ) from None
    texts = [None if c is None else c if isinstance(c, str) else json.dumps(c) for c in cells]
    try:
        array = pa.array(texts, pa.string())
    except UnicodeEncodeError:
        raise ValueError(f"{what} holds half a character (a lone surrogate); write the text as UTF-8.") from None
    why = (
        f"holds {held}; it was read as text"
        if str in kinds or bool in kinds
        else "holds numbers that are too long; they stay text"
    )
    return array, [f"the column {name!r} {why}"]


def _spells_number(cell: Any) -> bool:
    if not isinstance(cell, str):
        return True
    try:
        value = json.loads(cell)
    except ValueError:
        return False
    return isinstance(value, (int, float)) and not isinstance(value, bool) and json.dumps(value) == cell


def _rows(file: Path, tell: Tell) -> Iterator[dict[str, Any]]:
    """The rows of JSON Lines, or of a JSON array. ValueError with the line where one cannot be read."""
    try:
        with open_bytes(file, held=True) as opened:
            first, second = opened.readline(), opened.readline()
            while first and not first.strip(b"\xef\xbb\xbf \t\r\n"):
                first, second = second, opened.readline()
    except (EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{file}: the file is damaged ({error}); fetch it again.") from None
    if not first:
        raise ValueError(f"{file}: the file is empty; give JSON Lines, a row on each line.")
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    is_one = first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
    if not is_one and ".json" in [s.lower() for s in file.suffixes]:
        is_one = not second.strip() or not _is_whole(first)
    yield from _array_rows(file, decoder) if is_one else _line_rows(file, decoder, tell)


def _line_rows(file: Path, decoder: json.JSONDecoder, tell: Tell) -> Iterator[dict[str, Any]]:
    number = 0
    try:
        with open_bytes(file, held=True) as opened:
            for number, line in enumerate(opened, 1):
                text = line.decode("utf-8-sig").strip("\x00 \t\r\n\x1e,")
                if text:
                    row = decoder.decode(text)
                    if not isinstance(row, dict):
                        raise ValueError(
                            f"{file}: line {number:,} is no row {{...}} but {text[:60]!r}; write an object on each line."
                        )
                    yield row
                if number % ROWS == 0:
                    tell(position(opened))
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: line {number:,} is no JSON ({error}); write one object on each line.") from None
    except UnicodeDecodeError:
        raise ValueError(
            f"{file}: line {number:,} is not UTF-8; convert it: iconv -f NAME -t UTF-8 {file} > new.jsonl."
        ) from None
    except RecursionError:
        raise ValueError(f"{file}: line {number:,} is nested too deep; write a flat object on each line.") from None
    except _Twice as twice:
        raise ValueError(f"{file}: line {number:,} has the key {str(twice)!r} twice; keep one.") from None
    except (EOFError, OSError) as error:
        raise ValueError(f"{file}: the file is damaged ({error}); fetch it again.") from None


def _array_rows(file: Path, decoder: json.JSONDecoder) -> Iterator[dict[str, Any]]:
    lines = f"pandas.read_json({str(file)!r}, ...).to_json('new.jsonl', orient='records', lines=True)"
    if file.stat().st_size > LARGEST:
        raise ValueError(f"{file}: this JSON is one value of over 1 GB; write a row on each line: {lines}.")
    try:
        with open_bytes(file, held=True) as opened:
            data = decoder.decode(opened.read().decode("utf-8-sig").strip())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file}: this is no JSON ({error}); write a row on each line: {lines}.") from None
    except _Twice as twice:
        raise ValueError(f"{file}: an object has the key {str(twice)!r} twice; keep one.") from None
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        orient = "split" if isinstance(data, dict) and any(part <= set(data) for part in ORIENTED) else "columns"
        what = "is no list of rows [{...}, {...}]"
        hint = lines.replace("...", f"orient={orient!r}") if isinstance(data, dict) else lines.replace(", ...", "")
        raise ValueError(f"{file}: this JSON {what}; write one row on each line: {hint}.")
    yield from data


class _Twice(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise _Twice(next(k for k, n in Counter(k for k, _ in pairs).items() if n > 1))
    return row


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line.decode("utf-8-sig"))
    except ValueError:
        return False
    return True


def _arrow(file: Path) -> Any:
    pa = pyarrow()
    import pyarrow.feather as feather

    try:
        if ends_in(file, (".feather",)):
            return feather.read_table(file)
        with file.open("rb") as opened:
            is_file = opened.read(6) == b"ARROW1"
        with pa.memory_map(str(file)) as source:
            return (pa.ipc.open_file if is_file else pa.ipc.open_stream)(source).read_all()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(
            f"{file}: this Arrow file cannot be read ({' '.join(str(error).split())[:160]}); write it again."
        ) from None
