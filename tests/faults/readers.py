"""Every format that is read, as hypothesis makes files of it: any bytes, whole files with changes, and whole containers of odd content."""

import gzip
import io
import json
import random
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from hypothesis import assume
from hypothesis import strategies as st
from PIL import Image
from tests.data.test_fuzz import CSV, FRAME, PARQUET, TYPES, damaged
from tests.faults import valid
from tests.faults.damage import mutated
from tests.faults.hostile import coco, nifti, nrrd

import steelyard as sy
from steelyard.data import count_path
from steelyard.data.masks import read_mask
from steelyard.data.tables import read_table
from steelyard.tuning.data.problem import problem

CELLS = [
    *("", " ", "a", "b", "yes", "no", "0", "1", "-1", "1.5", "1,5", "1e400", "-inf", "nan", "?", "NA", "null", "None", "true"),
    *("9" * 400, "0x10", "1_000", "2020-01-01", "31/12/1999", "12:30", "1:2:3:4", "1 kg", "$5", "50%", "a|b", "a, b", "[1, 2]"),
    *("'", '"', '""', '"a', 'a"b', "\\", "\t", "\0", "\x1a", "\u2028", "\ufeff", "\u202e", "\ud800", "é", "日本", "😀", "x" * 3000),
    *("{", "{1 a}", "{0 b, 0 c}", "%", "@data", "1:2", "2:x", "1:2:3", "-1:1", "999999999999:1", "#", "-DOCSTART-", "B-PER", "I-"),
]  # fmt: skip
CELL = st.one_of(st.sampled_from(CELLS), st.sampled_from(["a", "b", "1", "2"]), st.text(max_size=4))
ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1", "utf-32"])


def encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, errors="surrogatepass" if encoding.startswith("utf") else "replace")


@st.composite
def rows_of(draw: Any, between: str, head: str = "") -> bytes:
    """Lines of a few cells; most as long as the first."""
    wide = draw(st.integers(1, 4))
    lines = draw(st.lists(st.lists(CELL, min_size=wide, max_size=wide), min_size=0, max_size=8))
    if lines and draw(st.booleans()):
        lines[-1] = lines[-1] * 2
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    return encoded(head + end.join(between.join(line) for line in lines), draw(ENCODINGS))


JSONS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(CELLS)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["y", "x", "", "a.b", "é"]), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
RECORD = st.one_of(
    JSONS, st.fixed_dictionaries({"y": st.one_of(st.sampled_from(["a", "b", 1, None, ["a"], {"k": 1}]), JSONS)})
)


def lines(rows: list[Any]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def changed(make: Callable[[], str]) -> st.SearchStrategy[bytes]:
    """JSON with some of its parts gone, replaced, doubled, nested or cut."""
    return st.integers(0, 2**32).map(lambda seed: mutated(make(), random.Random(seed)).encode("utf-8", "surrogatepass"))


# tables of types -------------------------------------------------------------------------------------------------------

SIX: list[tuple[Any, list[Any]]] = [
    (pa.int64(), [0, 1, None, 2**63 - 1, -(2**63), 3]),
    (pa.uint64(), [0, 1, None, 2**64 - 1, 2, 3]),
    (pa.float64(), [0.5, float("nan"), None, float("inf"), 1e308, -0.0]),
    (pa.float16(), [0.5, float("nan"), None, float("inf"), 1.0, -0.0]),
    (pa.string(), ["a", "b", None, "", "a", "\u202e"]),
    (pa.large_string(), ["a", "b", None, "", "a", "😀"]),
    (pa.string_view(), ["a", "b", None, "", "a", "b" * 99]),
    (pa.binary(), [b"a", b"\xff", None, b"", b"a", b"b"]),
    (pa.binary(2), [b"aa", b"\xff\xff", None, b"bb", b"aa", b"bb"]),
    (pa.bool_(), [True, False, None, True, True, False]),
    (pa.null(), [None] * 6),
    (pa.date32(), [0, 1, None, 2**31 - 1, -(2**31), 3]),
    (pa.date64(), [0, 86_400_000, None, 2**53 // 86_400_000 * 86_400_000, 0, 0]),
    (pa.timestamp("ns"), [0, 1, None, 2**63 - 1, -(2**63) + 1, 3]),
    (pa.timestamp("s", "Europe/Berlin"), [0, 1, None, 253402300800, -(10**11), 3]),
    (pa.time64("ns"), [0, 1, None, 86_399_999_999_999, 5, 3]),
    (pa.duration("s"), [0, 1, None, 2**62, -5, 3]),
    (pa.decimal128(38, 10), [None, 1, 2, 3, 4, 5]),
    (pa.decimal256(76, 0), [None, 1, 2, 3, 4, 10**75]),
    (pa.list_(pa.string()), [["a"], ["a", "b"], None, [], ["a", None], ["b"]]),
    (pa.list_(pa.int64(), 2), [[1, 2], [1, 1], None, [0, 0], [1, None], [2, 2]]),
    (pa.list_(pa.list_(pa.int8())), [[[1]], [], None, [[]], [None], [[1, 2]]]),
    (pa.struct([("k", pa.int64())]), [{"k": 1}, {"k": 2}, None, {"k": None}, {"k": 1}, {"k": 1}]),
    (pa.map_(pa.string(), pa.int64()), [[("a", 1)], [], None, [("b", 2)], [("a", None)], []]),
    (pa.month_day_nano_interval(), [None, (1, 2, 3), None, (0, 0, 0), None, None]),
    (pa.dictionary(pa.int8(), pa.string()), ["a", "b", None, "", "a", "b"]),
    (pa.dictionary(pa.int32(), pa.float64()), [1.0, None, 2.0, float("nan"), 1.0, 2.0]),
]
COLUMN = st.builds(
    lambda kind, turn: pa.array([*kind[1][turn:], *kind[1][:turn]], kind[0]), st.sampled_from(SIX), st.integers(0, 5)
)
NAMES = st.sampled_from(["y", "y", "x", "", "a.b", "é", "__index_level_0__", "x" * 300, "\0", "\ud800".encode("utf-8", "replace").decode()])  # fmt: skip


@st.composite
def typed(draw: Any, write: Callable[[Any, Any], Any]) -> bytes:
    columns = draw(st.lists(COLUMN, min_size=1, max_size=4))
    names = [draw(NAMES) for _ in columns]
    table = pa.Table.from_arrays(columns, names=names)
    out = io.BytesIO()
    try:
        write(table.slice(0, draw(st.sampled_from([6, 6, 0, 1]))), out)
    except (pa.ArrowException, ValueError):  # the format has no such type
        assume(False)
    return out.getvalue()


def streamed(table: Any, out: Any) -> None:
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


def written(table: Any, write: Callable[[Any, Any], Any]) -> bytes:
    out = io.BytesIO()
    write(table, out)
    return out.getvalue()


# masks -----------------------------------------------------------------------------------------------------------------

KINDS = ["u1", "i1", "u2", ">u2", "i4", "u8", ">u8", "f2", "f4", "f8", "?", "c8", "M8[s]", "S2", "U1", "V3"]


@st.composite
def arrays(draw: Any) -> np.ndarray:
    shape = draw(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5]), max_size=4))
    kind = np.dtype(draw(st.sampled_from(KINDS)))
    count = int(np.prod(shape)) * kind.itemsize
    data = draw(st.one_of(st.just(bytes(count)), st.just(b"\xff" * count), st.binary(min_size=count, max_size=count)))
    return np.frombuffer(data, kind).reshape(shape) if count else np.zeros(shape, kind)


def saved(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def zipped(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, array)
    return out.getvalue()


MODES = {"PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"], "BMP": ["1", "L", "P", "RGB"]}
MODES |= {"TIFF": [*MODES["PNG"], "F", "CMYK", "YCbCr", "LAB"], "GIF": ["L", "P", "RGB"], "WEBP": ["RGB", "RGBA"], "PPM": ["1", "L", "RGB"]}  # fmt: skip
PACKED = {"TIFF": [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}, {"compression": "packbits"}]}


@st.composite
def pictures(draw: Any, form: str, pages: int = 1) -> bytes:
    images = []
    for _ in range(draw(st.integers(1, pages))):
        mode, size = draw(st.sampled_from(MODES[form])), draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
        shade = draw(st.one_of(st.just(0), st.just(255), st.integers(0, 2**16)))
        image = Image.new("L" if mode in ("P", "1") else mode, size)
        try:
            image.putpixel((0, 0), shade if len(image.getbands()) == 1 else (shade % 256,) * len(image.getbands()))
        except (TypeError, ValueError, OverflowError):
            assume(False)
        images.append(image.convert(mode) if mode in ("P", "1") else image)
    options = draw(st.sampled_from(PACKED.get(form, [{}])))
    if len(images) > 1:
        options = {**options, "save_all": True, "append_images": images[1:]}
    if form == "PNG" and images[0].mode == "P" and draw(st.booleans()):
        options = {**options, "transparency": 0}
    out = io.BytesIO()
    try:
        images[0].save(out, form, **options)
    except (OSError, ValueError, KeyError):
        assume(False)
    return out.getvalue()


def picture(form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.arange(42, dtype=np.uint8).reshape(6, 7) % 3).save(out, form, **options)
    return out.getvalue()


FIELDS = st.sampled_from(["type: uchar", "type: double", "type: block", "sizes: 2 2", "sizes: 0", "sizes: 2 -2", "sizes: 9 9 9 9 9 9 9 9", "encoding: raw", "encoding: gzip", "encoding: ascii", "encoding: hex", "endian: big", "dimension: 2", "spacings: nan x", "data file: /etc/hosts", "data file: LIST", "byte skip: -1", "line skip: 9"])  # fmt: skip


# boxes -----------------------------------------------------------------------------------------------------------------

TAGS = st.sampled_from(["annotation", "object", "name", "bndbox", "xmin", "ymin", "xmax", "ymax", "difficult", "part", "size", "labels", "label"])  # fmt: skip
WORDS = st.sampled_from(["", "cat", "1", "-5", "nan", "1e400", "9" * 5000, "1 2", "&lt;", "<![CDATA[cat]]>", "&cat;", "\x01", "<!-- -->", "<?x y?>", "é"])  # fmt: skip
TREES = st.recursive(
    WORDS,
    lambda inner: st.builds(
        lambda tag, name, parts: f"<{tag}{name}>{''.join(parts)}</{tag}>",
        TAGS,
        st.sampled_from(["", " name='a1'", " name='y'", " name='y' name='x'", " xmlns='u'", " name=''"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)
BOX = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>1</ymin><xmax>{}</xmax><ymax>5</ymax></bndbox></object>"
VOC = "<annotation><filename>a.jpg</filename>{}</annotation>"
OBJECTS = st.lists(st.builds(BOX.format, WORDS, WORDS, WORDS), max_size=3).map("".join)
YAMLS = st.recursive(
    st.sampled_from(["1", "cat", "''", "null", "~", "true", "1.5", "2001-01-01", "0x1", "1:2:3", "&a [1]", "*a", "!!int x", "!!python/none x", "'", "@", "|", "<<", "é", ".nan", "images", "../.."]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.lists(st.tuples(inner, inner), max_size=3).map(lambda parts: f"{{{', '.join(f'{k}: {v}' for k, v in parts)}}}"),
    ),
    max_leaves=6,
)  # fmt: skip
KEYS = st.sampled_from(["names", "names", "nc", "train", "val", "path", "? x", ""])
YAML = st.lists(st.tuples(KEYS, YAMLS), max_size=4).map(
    lambda parts: "\n".join(["train: images", *(f"{k}: {v}" for k, v in parts)]).encode()
)
MULAN = b"@relation r\n@attribute a1 {0,1}\n@attribute y {0,1}\n@attribute x numeric\n@data\n1,0,2\n0,1,3\n"


# readers ---------------------------------------------------------------------------------------------------------------


def clear(error: Exception, place: Path) -> None:
    """AssertionError where it is not one sentence that says where."""
    said = str(error)
    ours = str(place) in said or said.startswith(("count: ", "tune: "))
    if not ours or "\n" in said or len(said) > 2000:
        raise AssertionError(f"not one clear sentence: {said[:300]!r}") from error


def told(path: Path, *calls: Callable[[], Any]) -> None:
    """Of what was read, more: each is done, or says why not."""
    for call in calls:
        try:
            call()
        except (ValueError, OSError) as error:
            clear(error, path.parent)


def table(path: Path) -> None:
    """Read, learned from and counted, by its first and last column."""
    held = read_table(path)
    for name in {*held.names[:1], *held.names[-1:]}:
        told(path, lambda name=name: count_path(path, name, workers=1), lambda name=name: problem(held, name))


def conll(path: Path) -> None:
    count_path(path, -1, workers=1)
    told(path, lambda: count_path(path, -1, kind="exclusive", workers=1), lambda: count_path(path, 0, workers=1))


def mask(path: Path) -> None:
    count_path(path, workers=1)
    told(path, lambda: read_mask(path))


def counted(path: Path) -> None:
    count_path(path, workers=1)


def folder(path: Path) -> None:
    count_path(path.parent, workers=1)


def labels_of(path: Path) -> None:
    count_path(path.with_suffix(".arff"), workers=1)


def recipe(path: Path) -> None:
    sy.Recipe.load(path)


def report(path: Path) -> None:
    sy.report.text(sy.report.read(path))


def study(path: Path) -> None:
    from steelyard.tuning.store.database import Database

    with Database(f"sqlite:///{path}", {"data": "x"}) as store:
        store.load((0, 0), [("plain", 1.0)])
        store.notes("table")


def database() -> bytes:
    from steelyard.tuning.store.database import Database

    place = Path(_scratch()) / "study.db"
    with Database(f"sqlite:///{place}", {"data": "x"}, fresh=True) as store:
        store.save((0, 0), {("plain", 1.0): {"scores": np.zeros(3)}})
    return place.read_bytes()


def _scratch() -> str:
    import tempfile

    return tempfile.mkdtemp(prefix="steelyard-fuzz-")


@st.composite
def edited(draw: Any) -> bytes:
    """A database of ours in which somebody wrote."""
    place = Path(_scratch()) / "study.db"
    place.write_bytes(draw(st.just(STUDY())))
    value = draw(st.sampled_from(["NULL", "'x'", "x'ff'", "-1", "1e300", "''", "'{'", "'[1]'", "zeroblob(9)", "9223372036854775807"]))  # fmt: skip
    where = draw(st.sampled_from(["study.format", "study.describe", "study.id", "study.fingerprint", "fit.arrays", "fit.arm", "fit.setting", "fit.repetition", "note.value", "note.name"]))  # fmt: skip
    name, column = where.split(".")
    with sqlite3.connect(place) as connection:
        try:
            connection.execute(f"UPDATE steelyard_{name} SET {column} = {value}")
            if draw(st.booleans()):
                connection.execute(draw(st.sampled_from(["DROP TABLE steelyard_fit", "DELETE FROM steelyard_study", "ALTER TABLE steelyard_note RENAME TO other", "CREATE VIEW v AS SELECT 1", "PRAGMA application_id = 7", "PRAGMA user_version = 99"])))  # fmt: skip
        except sqlite3.Error:
            assume(False)
    connection.close()
    content = place.read_bytes()
    place.unlink()
    place.parent.rmdir()
    return content


_study: list[bytes] = []


def STUDY() -> bytes:
    if not _study:
        _study.append(database())
    return _study[0]


@dataclass(frozen=True)
class Reader:
    """`file` is damaged, `beside` are whole; `odd` makes whole containers of odd content; `share` of the inputs of a run."""

    file: str
    read: Callable[[Path], None]
    seeds: Callable[[], list[bytes]]
    odd: st.SearchStrategy[bytes]
    share: float = 1.0
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def files(self) -> st.SearchStrategy[bytes]:
        changes = st.deferred(lambda: damaged(self.seeds()))
        return st.one_of(changes, self.odd, changes, self.odd, st.binary(max_size=300))

    def write(self, place: Path, content: bytes) -> Path:
        for name, whole in {**self.beside, self.file: content}.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(whole)
        return place / self.file


TSV = FRAME.to_csv(index=False, sep="\t").encode()
SPACES = b"1.5  2 a\n2.5 3  b\n3.5 4 a\n"
ARFF = b"% c\n@relation 'r s'\n@attribute x real\n@attribute 'w z' string\n@attribute d date 'yyyy'\n@attribute y {a,'b c'}\n@data\n1,'q',?,a\n?,\"r\",2001,'b c'\n{0 2, 3 'b c'}\n{}\n"
SVM = b"+1 1:0.5 3:2 # c\n-1 2:1e-3\n+1 qid:3 1:1\n1,2 4:1\n"
CONLL = b"-DOCSTART- O\n\nEU B-ORG\nrejects O\n\nPeter B-PER\nBlackburn I-PER\n"
UNIVERSAL = b"# text = a\n1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\t_\n2-3\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
READERS = {
    "CSV": Reader("t.csv", table, lambda: CSV, st.one_of(rows_of(","), rows_of(";")), 1.5),
    "TSV": Reader("t.tsv", table, lambda: [TSV], rows_of("\t")),
    "text between blanks": Reader("t.txt", table, lambda: [SPACES, TSV], rows_of(" ")),
    "packed CSV": Reader("t.csv.gz", table, lambda: [gzip.compress(CSV[0], mtime=0)], rows_of(",").map(gzip.compress), 0.7),
    "ARFF": Reader("t.arff", table, lambda: [ARFF], rows_of(",", ARFF.decode())),
    "LIBSVM": Reader("t.libsvm", table, lambda: [SVM], rows_of(" ", "+1 1:1 2:2\n")),
    "JSON table": Reader("t.json", table, lambda: [as_json([{"y": "a", "x": 1}, {"y": "b", "x": None}])], st.lists(RECORD, max_size=5).map(as_json)),
    "JSON Lines": Reader("t.jsonl", table, lambda: [lines([{"y": "a", "x": 1}, {"y": ["b"], "x": None}])], st.lists(RECORD, max_size=5).map(lines)),
    "Parquet": Reader("t.parquet", table, lambda: PARQUET, typed(lambda t, out: pq.write_table(t, out)), 1.2),
    "Feather": Reader("t.feather", table, lambda: [written(TYPES, feather.write_feather)], typed(feather.write_feather)),
    "Arrow stream": Reader("t.arrow", table, lambda: [written(TYPES, streamed)], typed(streamed), 0.7),
    "CoNLL": Reader("t.conll", conll, lambda: [CONLL, UNIVERSAL], rows_of("\t", "a\tO\n")),
    "NPY": Reader("a.npy", mask, lambda: [saved(np.arange(42).reshape(6, 7) % 3), saved(np.zeros((3, 4), "f8"))], arrays().map(saved)),
    "NPZ": Reader("a.npz", mask, lambda: [zipped(np.zeros((3, 4)))], arrays().map(zipped), 0.3),
    "PNG": Reader("a.png", mask, lambda: [picture("PNG")], pictures("PNG")),
    "TIFF": Reader("a.tif", mask, lambda: [picture("TIFF"), picture("TIFF", compression="tiff_lzw")], pictures("TIFF", 3)),
    "BMP": Reader("a.bmp", mask, lambda: [picture("BMP")], pictures("BMP"), 0.6),
    "GIF": Reader("a.png", mask, lambda: [picture("GIF")], pictures("GIF", 2), 0.4),
    "NIfTI": Reader("a.nii", mask, lambda: [nifti((2, 3), bytes(6))], arrays().map(lambda a: nifti(a.shape[:7], a.tobytes())), 0.6),
    "NRRD": Reader("a.nrrd", mask, lambda: [nrrd("type: uchar\nencoding: raw\nsizes: 2 3", bytes(6))], st.lists(FIELDS, max_size=6).map(lambda some: nrrd("\n".join(some), bytes(9))), 0.6),
    "COCO": Reader("a.json", counted, lambda: [coco(more=[1]), valid.lvis().encode()], st.one_of(changed(valid.lvis), changed(valid.panoptic), JSONS.map(as_json)), 1.2),
    "labelme": Reader("a.json", counted, lambda: [valid.labelme().encode()], changed(valid.labelme), 0.6),
    "VOC": Reader("a.xml", counted, lambda: [VOC.format(BOX.format("cat", 1, 9)).encode()], st.one_of(TREES.map(str.encode), OBJECTS.map(lambda some: VOC.format(some).encode()))),
    "YOLO": Reader("labels/a.txt", lambda path: count_path(path.parents[1], workers=1) and None, lambda: [b"0 .5 .5 .1 .2\n1 0 0 .5 0 .5 .5 0 .5\n"], rows_of(" ", "0 .5 .5 .1 .1\n"), 1.0, {"data.yaml": b"train: images\nnames: [cat, dog]\n", "images/a.jpg": b""}),
    "data.yaml": Reader("data.yaml", counted, lambda: [b"train: images\nnc: 2\nnames: {0: cat, 1: dog}\n"], YAML, 1.0, {"labels/a.txt": b"0 .5 .5 .1 .2\n", "images/a.jpg": b""}),
    "classes.txt": Reader("classes.txt", folder, lambda: [b"cat\ndog\n"], rows_of(" "), 0.5, {"a.txt": b"0 .5 .5 .1 .2\n"}),
    "Mulan's labels": Reader("t.xml", labels_of, lambda: [b"<labels><label name='y'><label name='a1'/></label></labels>"], TREES.map(lambda some: f"<labels>{some}</labels>".encode()), 0.6, {"t.arff": MULAN}),
    "nnU-Net's labels": Reader("dataset.json", folder, lambda: [valid.nnunet().encode()], changed(valid.nnunet), 0.4, {"labelsTr/a.npy": saved(np.array([[0, 1], [2, 1]], np.uint8))}),
    "counts": Reader("a.json", counted, lambda: [valid.counts().encode()], changed(valid.counts), 0.6),
    "recipe": Reader("a.json", recipe, lambda: [valid.recipe().encode()], changed(valid.recipe), 0.6),
    "report": Reader("report.json", report, lambda: [valid.of_two_classes().encode()], changed(valid.of_three_classes), 0.5),
    "study": Reader("study.db", study, lambda: [STUDY()], edited(), 0.4),
}  # fmt: skip
