"""No file of the user's is overwritten: every command that writes, against everything that may stand where it would write.

Files: cli/targets.py.
"""

import json
import os
import shutil

import numpy as np
import pytest
from tests.report.conftest import _study

import steelyard as sy
from steelyard.cli import main

pytest.importorskip("PIL.Image")
QUICK = ("--repeats", "1", "--folds", "2", "--bootstrap", "100")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with something to read for every command: two.csv, masks/, recipe.json, study/."""
    (tmp_path / "two.csv").write_text("x,y\n" + "".join(f"{i},{'yes' if i % 5 == 0 else 'no'}\n" for i in range(40)))
    (tmp_path / "masks" / "deep").mkdir(parents=True)
    mask = np.zeros((24, 24), np.uint8)
    mask[4:9, 4:9], mask[12:20, 12:20] = 1, 2
    np.save(tmp_path / "masks" / "a.npy", mask)
    np.save(tmp_path / "masks" / "deep" / "b.npy", mask)
    sy.inverse_frequency(sy.Counts.of(32, 8, classes=("no", "yes"))).save(tmp_path / "given.json")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "report.json").write_text(json.dumps(_study()))
    rows = "".join(f"{i * 37 % 101 + i % 3 / 7:.3f},{'yes' if i % 4 == 0 else 'no'}\n" for i in range(120))
    (tmp_path / "table.csv").write_text("x,y\n" + rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


TWO = ("two.csv", "--label", "y")
MAPS = ("maps", "masks", "--kind", "contour", "--preview", "--out", "out")
# {what is written: the command that writes it}
JSON = {
    "counts.json": ("count", *TWO, "--json", "--out", "counts.json"),
    "recipe.json": ("weigh", *TWO, "--json", "--out", "recipe.json"),
    "explained.json": ("explain", "given.json", *TWO, "--json", "--out", "explained.json"),
}
TEXT = {
    "table.txt": ("count", *TWO, "--out", "table.txt"),
    "weights.py": ("weigh", *TWO, "--torch", "--out", "weights.py"),
    "explained.txt": ("explain", "given.json", *TWO, "--out", "explained.txt"),
}
MANY = {
    "out/a.npy": MAPS,
    "out/deep/b.npy": MAPS,
    "out/deep/b.png": MAPS,
    "out/maps.json": MAPS,
    "study/report.html": ("report", "study"),
    "study/compare.html": ("report", "study", "--compare", "study"),
}
TUNE = ("tune", "table.csv", "--label", "y", "--out", "answer", *QUICK)
SLOW = {f"answer/{name}": TUNE for name in ("report.json", "report.html", "recipe.json")}
SECONDS = {"study/report.html", "answer/recipe.json"}  # what takes that long to make
ALL = JSON | TEXT | MANY | SLOW


def written(*tables):
    """The targets of these tables, for tests that let the command run to its end."""
    return [pytest.param(name, marks=pytest.mark.slow if name in SECONDS else ()) for table in tables for name in table]


def snapshot(folder):
    """Every path below a folder with what it is and holds."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else oct(path.stat().st_mode)
        for path in folder.rglob("*")
    }


def foreign(path):
    path.write_bytes(b"years of work")


def linked(to):
    def make(path):
        (path.parents[path.parent.name == "deep"].parent / "theirs").write_bytes(b"years of work")
        path.symlink_to(to)

    return make


def read_only(path):
    path.write_bytes(b"years of work")
    path.chmod(0o444)


# {what stands in the way: (how it is made, what the refusal says)}
NEVER = {
    "a link to another file": (linked("../theirs"), "is a symbolic link to ../theirs"),
    "a link to nothing": (linked("nowhere"), "is a symbolic link to nowhere"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "is a symbolic link"),
    "a link to a device": (linked("/dev/full"), "is a pipe or a device"),
    "a pipe": (os.mkfifo, "is a pipe or a device"),
    "a folder": (os.mkdir, "is a folder"),
    "a read-only file": (read_only, "is read-only"),
}


def refused(capfd, command, *says):
    """Exit code 2, and one paragraph that says all this."""
    assert main(list(command)) == 2
    err = capfd.readouterr().err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    for words in says:
        assert words in err
    return err


@pytest.mark.parametrize("target", ALL)
def test_a_file_that_is_not_ours_is_named_and_stays(place, capfd, target):
    (place / target).parent.mkdir(parents=True, exist_ok=True)
    foreign(place / target)
    before = snapshot(place)
    refused(capfd, ALL[target], target, "exists and", "--overwrite")
    assert snapshot(place) == before


@pytest.mark.parametrize("way", NEVER)
@pytest.mark.parametrize("target", ALL)
def test_what_is_no_file_to_replace_stays_whatever_is_allowed(place, capfd, target, way):
    make, says = NEVER[way]
    (place / target).parent.mkdir(parents=True, exist_ok=True)
    make(place / target)
    before = snapshot(place)
    for command in (ALL[target], (*ALL[target], "--overwrite")):
        refused(capfd, command, target, says)
    assert snapshot(place) == before


@pytest.mark.parametrize("target", written(JSON, TEXT, MANY, ["answer/recipe.json"]))
def test_overwrite_names_what_it_replaces_and_does(place, capfd, target):
    (place / target).parent.mkdir(parents=True, exist_ok=True)
    foreign(place / target)
    assert main([*ALL[target], "--overwrite"]) == 0
    assert f"overwrite: replaces {target}" in capfd.readouterr().err
    assert (place / target).read_bytes() != b"years of work"


@pytest.mark.parametrize("target", written(JSON, MANY))
def test_what_the_command_wrote_it_may_write_again_without_being_asked(place, capfd, target):
    for _ in range(2):
        assert main(list(ALL[target])) == 0
        assert "overwrite" not in capfd.readouterr().err
        content = (place / target).read_bytes()
        (place / target).write_bytes(content)  # same content, another time: the second run sees nothing but the file


def test_one_kind_of_ours_is_not_replaced_by_another(place, capfd):
    (place / "counts.json").write_bytes((place / "given.json").read_bytes())
    refused(capfd, JSON["counts.json"], "counts.json exists and is not counts")


@pytest.mark.parametrize("target", JSON | TEXT | SLOW)
def test_nothing_is_read_or_computed_before_the_refusal(place, capfd, target):
    for data in ("two.csv", "table.csv", "given.json"):
        (place / data).unlink()  # reading would be the first to fail
    (place / target).parent.mkdir(exist_ok=True)
    foreign(place / target)
    refused(capfd, ALL[target], target, "exists and")


@pytest.mark.parametrize("target", written(JSON, MANY))
def test_a_full_disk_leaves_the_old_file_and_nothing_else(place, capfd, monkeypatch, target):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    (place / target).parent.mkdir(parents=True, exist_ok=True)
    foreign(place / target)
    before = set(snapshot(place))
    monkeypatch.setattr(os, "fsync", full)
    assert main([*ALL[target], "--overwrite"]) == 2
    assert "No space left on device" in capfd.readouterr().err
    assert (place / target).read_bytes() == b"years of work"
    assert set(snapshot(place)) - before <= {"out/deep"}


@pytest.mark.parametrize("folder", ["out", "answer", "study"])
def test_a_folder_that_the_user_named_may_be_a_link_and_what_is_in_it_is_safe(place, capfd, folder):
    (place / "elsewhere").mkdir()
    target, name = {"out": ("out/a.npy", "a.npy"), "answer": ("answer/recipe.json", "recipe.json")}.get(
        folder, ("study/report.html", "report.html")
    )
    if folder == "study":
        (place / "study").rename(place / "there")
        (place / "there").rename(place / "elsewhere" / "study")
        (place / "study").symlink_to("elsewhere/study")
    else:
        (place / folder).symlink_to("elsewhere")
    foreign(place / folder / name)
    before = snapshot(place)
    refused(capfd, ALL[target], target, "exists and")
    assert snapshot(place) == before


def test_no_folder_below_the_one_that_was_named_is_a_link(place, capfd):
    (place / "elsewhere").mkdir()
    (place / "out").mkdir()
    (place / "out" / "deep").symlink_to(place / "elsewhere")
    before = snapshot(place)
    refused(capfd, [*MAPS, "--overwrite"], "out/deep is a symbolic link")
    assert snapshot(place) == before


@pytest.mark.parametrize(
    ("command", "replaced"),
    [
        (("count", "two.csv", "--label", "y", "--json", "--out", "two.csv"), "two.csv"),
        (("count", "./masks/../two.csv", "--label", "y", "--out", "two.csv"), "two.csv"),
        (("count", "two.csv", "--label", "y", "--out", "hard.csv"), "hard.csv"),
        (("count", "t*.csv", "--label", "y", "--out", "two.csv"), "two.csv"),
        (("count", "masks", "--json", "--out", "masks/deep/b.npy"), "masks/deep/b.npy"),
        (("weigh", "two.csv", "--label", "y", "--torch", "--out", "two.csv"), "two.csv"),
        (("weigh", "counts.json", "--json", "--out", "counts.json"), "counts.json"),
        (("count", "counts.json", "--json", "--out", "counts.json"), "counts.json"),
        (("explain", "given.json", "two.csv", "--label", "y", "--json", "--out", "given.json"), "given.json"),
        (("explain", "given.json", "two.csv", "--label", "y", "--out", "two.csv"), "two.csv"),
    ],
)
def test_what_is_read_is_never_replaced_not_even_with_overwrite(place, capfd, command, replaced):
    os.link(place / "two.csv", place / "hard.csv")
    sy.Counts.of(3, 4).save(place / "counts.json")
    before = snapshot(place)
    for more in ((), ("--overwrite",)):
        refused(capfd, (*command, *more), replaced, "would replace what is read")
    assert snapshot(place) == before


def test_maps_do_not_replace_the_pictures_they_were_made_of(place, capfd):
    (place / "images").mkdir()
    for name in ("a.npy", "a.png"):
        foreign(place / "images" / name)
    before = snapshot(place)
    err = refused(capfd, [*MAPS[:-1], "images"], "images/a.npy exists", "1 others", "images/a.png")
    assert "--overwrite" in err
    assert snapshot(place) == before


# the library -----------------------------------------------------------------------------------------------------------------


def savers(place, counts, recipe):
    history = sy.rule.history.History(({"epoch": 1.0, "weight": 2.0},))
    return {"a.json": counts.save, "b.json": recipe.save, "c.csv": history.to_csv, "d.svg": history.plot}


@pytest.mark.parametrize("name", ["a.json", "b.json", "c.csv", "d.svg"])
def test_save_replaces_its_own_and_nothing_else_unless_it_is_allowed(place, name):
    import steelyard.rule.history  # noqa: F401

    if name == "d.svg":
        pytest.importorskip("vl_convert")
    counts = sy.Counts.of(3, 4)
    save = savers(place, counts, sy.inverse_frequency(counts))[name]
    save(name)
    first = (place / name).read_bytes()
    save(name)
    assert (place / name).read_bytes() == first
    foreign(place / name)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save(name)
    assert (place / name).read_bytes() == b"years of work"
    save(name, overwrite=True)
    assert (place / name).read_bytes() == first
    link = place / f"link{name[1:]}"
    link.symlink_to(name)
    with pytest.raises(FileExistsError, match="symbolic link"):
        save(link, overwrite=True)


def test_a_cache_of_maps_is_made_through_no_link_to_nothing(place):
    (place / "cache").symlink_to("nowhere")
    with pytest.raises(OSError, match="is a link to nothing, not a folder"):
        sy.spatial.Cache(place / "cache")
    assert not (place / "nowhere").exists()


def test_an_answer_about_other_data_is_kept_and_named(place, capfd):
    (place / "answer").mkdir()
    shutil.copy(place / "study" / "report.json", place / "answer")
    before = (place / "answer" / "report.json").read_bytes()
    (place / "table.csv").write_text("x,y\n" + "1,c\n2,d\n" * 30)
    for more in ((), ("--resume",)):
        assert main([*TUNE, *more]) == 2
        said = capfd.readouterr().err
        assert "report.json is the answer of other data: " in said
        assert "table.csv, column" in said
        assert "--fresh" in said
        assert (place / "answer" / "report.json").read_bytes() == before
    assert main([*TUNE, "--resume", "--fresh"]) == 2
    assert "give one of them" in capfd.readouterr().err


def test_a_cache_of_maps_writes_through_no_link(place):
    cache = sy.spatial.Cache(place / "cache")
    mask = np.load(place / "masks" / "a.npy")
    made = sy.spatial.Map("contour")
    name = sy.spatial.cache.key(made, mask)
    foreign(place / "theirs")
    (place / "elsewhere").mkdir()
    (place / "cache" / name[:2]).symlink_to(place / "elsewhere")
    with pytest.warns(UserWarning, match="keeps nothing more.*is a symbolic link"):
        assert np.array_equal(cache.weights(made, mask), made(mask))
    (place / "cache" / name[:2]).unlink()
    (place / "cache" / name[:2]).mkdir()
    (place / "cache" / name[:2] / f"{name}.npy").symlink_to(place / "theirs")
    with pytest.warns(UserWarning, match="keeps nothing more.*is a symbolic link"):
        assert np.array_equal(cache.weights(made, mask), made(mask))
    assert (place / "theirs").read_bytes() == b"years of work"
    assert not list((place / "elsewhere").iterdir())
