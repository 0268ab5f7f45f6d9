"""steelyard maps: masks in files to maps in files, whole, and only what is missing or changed.

Files: cli/map_files.py, cli/map_places.py, spatial/preview.py.
"""

import json
import os

import numpy as np
import pytest
from tests.spatial.cells import discs

from steelyard import spatial
from steelyard.cli import main, map_places, maps
from steelyard.cli.maps import run
from steelyard.spatial import Cache, Map
from steelyard.spatial.cache import key

pytestmark = pytest.mark.filterwarnings("ignore:border. objects touch")  # many of these masks are crowds

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def masks(tmp_path):
    """Three PNGs of instances of different sizes, one of them in a folder of its own."""
    folder = tmp_path / "masks"
    (folder / "deep").mkdir(parents=True)
    for name, size in (("a", 60), ("b", 48), ("deep/c", 72)):
        Image.fromarray(discs(20, size=size, seed=size).astype(np.uint8)).save(folder / f"{name}.png")
    return folder


def read(folder):
    return {n: np.load(folder / f"{n}.npy", allow_pickle=False) for n in ("a", "b", "deep/c")}


def labels(folder):
    return {n: np.array(Image.open(folder / f"{n}.png")) for n in ("a", "b", "deep/c")}


@pytest.mark.parametrize("kind", maps.KINDS)
def test_every_kind_writes_the_map_of_every_mask(steelyard, masks, tmp_path, kind):
    code, out, err = steelyard("maps", masks, "--kind", kind, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "3 made, 0 kept" in out
    name, fixed, _ = maps.KINDS[kind]
    found = read(tmp_path / "out")
    for n, mask in labels(masks).items():
        assert found[n].dtype == np.float32
        assert np.array_equal(found[n], Map(name, **fixed)(mask))
    files = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert files == {"a.npy", "b.npy", os.path.join("deep", "c.npy"), "maps.json"}


def test_the_share_holds_over_the_set_unless_it_is_asked_of_each_image(steelyard, masks, tmp_path):
    code, out, _ = steelyard(
        "maps", masks, "--kind", "border", "--sigma", "4", "--share", "0.3", "--out", tmp_path / "s"
    )
    assert code == 0
    mine = spatial.calibrate(list(labels(masks).values()), Map("border", sigma=4), share=0.3)
    for n, mask in labels(masks).items():
        assert np.array_equal(read(tmp_path / "s")[n], mine(mask))
    assert "the shape carries 30.0% of the weight" in out
    told = json.loads((tmp_path / "s" / "maps.json").read_text())
    assert Map(told["map"], **told["options"]) == mine
    assert (told["over"], told["masks"]) == ("set", 3)
    share = ["--share", "0.3", "--share-over", "image"]
    steelyard("maps", masks, "--kind", "border", "--sigma", "4", *share, "--out", tmp_path / "i")
    for n, mask in labels(masks).items():
        assert np.array_equal(read(tmp_path / "i")[n], spatial.border(mask, sigma=4, share=0.3))


def test_the_table_is_the_share_of_each_region_over_all_masks(steelyard, masks, tmp_path):
    for share in ("set", "image"):
        flags = ["--share", "0.4", "--share-over", share, "--near", "4"]
        _, out, _ = steelyard("maps", masks, "--kind", "contour", *flags, "--out", tmp_path / share)
        told = json.loads((tmp_path / share / "maps.json").read_text())
        weight = np.concatenate([w.ravel() for w in read(tmp_path / share).values()])
        pixels = np.concatenate([m.ravel() for m in labels(masks).values()])
        assert told["regions"][0]["weight"] == pytest.approx(weight[pixels > 0].sum() / weight.sum(), rel=1e-5)
        assert "near (within 4)" in out


@pytest.mark.parametrize("share_over", ["set", "image"])
def test_a_second_run_makes_only_what_is_missing_changed_or_damaged(steelyard, masks, tmp_path, share_over):
    command = "maps", masks, "--kind", "border", "--share", "0.3", "--share-over", share_over, "--out", tmp_path / "out"
    _, first, _ = steelyard(*command)
    dates = {n: (tmp_path / "out" / f"{n}.npy").stat().st_mtime_ns for n in ("a", "b", "deep/c")}
    _, second, _ = steelyard(*command)
    assert second == first.replace("3 made, 0 kept", "0 made, 3 kept")
    assert dates == {n: (tmp_path / "out" / f"{n}.npy").stat().st_mtime_ns for n in dates}
    maps = read(tmp_path / "out")
    (tmp_path / "out" / "a.npy").unlink()
    damaged = tmp_path / "out" / "b.npy"
    content = bytearray(damaged.read_bytes())
    content[200] ^= 1
    damaged.write_bytes(content)
    _, third, _ = steelyard(*command)
    assert "2 made, 1 kept" in third
    assert all(np.array_equal(maps[n], again) for n, again in read(tmp_path / "out").items())
    Image.fromarray(discs(9, size=60, seed=1).astype(np.uint8)).save(masks / "a.png")
    _, fourth, _ = steelyard(*command)  # over the set w0 is another now, so all of them are
    assert ("3 made" if share_over == "set" else "1 made, 2 kept") in fourth
    assert "3 made" in steelyard(*command, "--base", "2")[1]


def test_a_cache_is_the_one_that_training_reads(steelyard, masks, tmp_path):
    _, out, _ = steelyard("maps", masks, "--kind", "border", "--out", tmp_path / "out", "--cache", tmp_path / "cache")
    assert "cache: 3 maps" in out
    name = key(Map("border"), labels(masks)["a"].astype(np.int64))
    assert np.array_equal(Cache(tmp_path / "cache").get(name), read(tmp_path / "out")["a"])


def test_semantic_masks_void_pixels_and_spacing(steelyard, tmp_path):
    mask = (discs(20, size=60, seed=2) > 0).astype(np.uint8)
    mask[:6] = 255
    np.save(tmp_path / "m.npy", mask)
    flags = ["--objects", "--ignore", "255", "--spacing", "2,0.5"]
    code, _, err = steelyard("maps", tmp_path / "m.npy", "--kind", "border", *flags, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    expected = Map("border", objects=True, ignore=255, spacing=(2, 0.5))(mask)
    assert np.array_equal(np.load(tmp_path / "out" / "m.npy"), expected)
    assert (expected[:6] == 0).all()
    _, out, _ = steelyard(
        "maps", tmp_path / "m.npy", "--kind", "border", "--ignore", "255", "--out", tmp_path / "plain"
    )
    assert "nothing is added in 1 of 1 mask" in out


def test_weight_far_from_objects_is_warned_of(steelyard, tmp_path):
    mask = np.zeros((200, 200), np.uint8)
    mask[10:20, 10:20] = 1
    np.save(tmp_path / "m.npy", mask)
    _, out, _ = steelyard("maps", tmp_path / "m.npy", "--kind", "distance-growing", "--out", tmp_path / "out")
    assert "warning: 98.2% of the weight lies more than 20 from every object" in out or "warning: 99" in out


def test_a_preview_shows_the_map_and_is_made_anew_with_it(steelyard, masks, tmp_path):
    np.save(masks / "v.npy", discs(6, size=20, seed=4, dims=3))
    command = "maps", masks, "--kind", "border", "--out", tmp_path / "out", "--preview"
    steelyard(*command)
    pictures = {p.name: p for p in (tmp_path / "out").rglob("*.png")}
    assert set(pictures) == {"a.png", "b.png", "c.png", "v.png"}
    picture = np.array(Image.open(pictures["a.png"]))
    weights, times = read(tmp_path / "out")["a"], -(-384 // 60)
    at = np.unravel_index(np.where(labels(masks)["a"] == 0, weights, 0).argmax(), weights.shape)
    assert tuple(picture[at[0] * times + times // 2, at[1] * times + times // 2]) == (250, 232, 90)  # the largest
    date = pictures["a.png"].stat().st_mtime_ns
    steelyard(*command)
    assert pictures["a.png"].stat().st_mtime_ns == date
    pictures["b.png"].write_bytes(pictures["b.png"].read_bytes()[:-40])
    steelyard(*command[:-1], "--sigma", "2")
    steelyard(*command, "--sigma", "2")
    assert pictures["a.png"].stat().st_mtime_ns != date
    with Image.open(pictures["b.png"]) as again:
        assert again.size[0] > 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kind", "bordr"], ["there is no kind 'bordr'", "Did you mean border?", "distance-inverted"]),
        (["--kind", "border", "--sgima", "3"], ["border: unknown option --sgima; it takes --w0, --sigma, --base", "--sigma?"]),
        (["--kind", "lesion", "--width", "3"], ["lesion: unknown option --width; it takes --power"]),
        (["--kind", "border", "--sigma", "wide"], ["border: --sigma must be a number, got 'wide'"]),
        (["--kind", "border", "--sigma", "0"], ["border: sigma must be a number above 0"]),
        (["--kind", "border", "--share", "1.5"], ["share must be in [0, 1)"]),
        (["--kind", "border", "--share", "0.3", "--w0", "2"], ["--w0 and --share are two ways"]),
        (["--kind", "border", "--share-over", "set"], ["give --share, too"]),
        (["--kind", "border", "--share", "0.3", "--share-over", "all"], ["must be set or image, got 'all'"]),
        (["--kind", "border", "--share", "0.3", "--base", "0"], ["base is 0"]),
        (["--kind", "border", "--spacing", "1,2,3"], ["a.png: border: spacing must be 2 positive numbers"]),
        (["--kind", "border", "--spacing", "1,x"], ["--spacing must be a number, got 'x'"]),
        (["--kind", "lesion", "--spacing", "1,1"], ["takes no --spacing"]),
        (["--kind", "border", "--near", "-1"], ["--near must be a number from 0"]),
        (["--kind", "border", "--connectivity", "7"], ["connectivity"]),
        ([], ["--kind"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_paragraph_and_writes_nothing(steelyard, masks, tmp_path, arguments, says):
    if "--connectivity" in arguments:
        arguments = [*arguments, "--objects"]
    code, out, err = steelyard("maps", masks, *arguments, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    for words in says:
        assert words in err
    assert not (tmp_path / "out").exists()


def test_masks_that_are_none_are_named(steelyard, masks, tmp_path):
    (masks / "b.png").write_bytes(b"no picture")
    np.save(tmp_path / "float.npy", np.full((3, 3), 0.5))
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object))
    for what, says in (
        (masks, "b.png"),
        (tmp_path / "float.npy", "float.npy"),
        (tmp_path / "object.npy", "object.npy"),
        (tmp_path / "nowhere", "nowhere"),
        (tmp_path / "no*.png", "no*.png"),
    ):
        code, _, err = steelyard("maps", what, "--kind", "border", "--share", "0.3", "--out", tmp_path / "out")
        assert code == 2
        assert says in err
        assert err.count("\n") == 1
        assert not (tmp_path / "out").exists()


def test_maps_never_lie_among_masks_nor_on_one_another(steelyard, masks, tmp_path):
    glob = str(masks / "*.png")
    for what, out in (
        (masks, masks),
        (masks, masks / "out"),
        (masks, tmp_path),
        (glob, masks),
        (masks / "a.png", masks),
    ):
        code, _, err = steelyard("maps", what, "--kind", "border", "--out", out)
        assert code == 2
        assert "lies among the masks" in err
    np.save(masks / "a.npy", np.ones((4, 4), int))
    code, _, err = steelyard("maps", masks, "--kind", "border", "--out", tmp_path / "out")
    assert code == 2
    assert "would both become" in err
    code, _, err = steelyard("maps", glob, "--kind", "border", "--out", masks / "a.png")
    assert code == 2
    assert "not a folder" in err
    assert not (tmp_path / "out").exists()


def test_a_map_cut_short_has_lost_its_mark_and_is_replaced_only_with_overwrite(steelyard, masks, tmp_path):
    command = "maps", masks, "--kind", "border", "--out", tmp_path / "out"
    steelyard(*command)
    cut = tmp_path / "out" / "b.npy"
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-30])
    code, out, err = steelyard(*command)
    assert (code, out) == (2, "")
    assert "b.npy exists and is not a weight map of steelyard's" in err
    assert "2 kept" in steelyard(*command, "--overwrite")[1]
    assert cut.read_bytes() == whole


@pytest.mark.parametrize(
    ("pattern", "flag", "place"),
    [
        ("m*/**/*.png", "--out", "masks/maps"),
        ("**/*.png", "--out", "new/folder"),
        ("masks/*/c.png", "--out", "masks/maps"),
        ("masks/**/*.np*", "--cache", "masks/cache"),
        ("masks", "--cache", "masks/cache"),
    ],
)
def test_the_next_run_never_finds_the_maps_or_the_cache_of_this_one(steelyard, masks, tmp_path, pattern, flag, place):
    if "np" in pattern:
        np.save(masks / "deep" / "d.npy", np.ones((4, 4), int))
    out = [] if flag == "--out" else ["--out", tmp_path / "out"]
    code, _, err = steelyard("maps", tmp_path / pattern, "--kind", "border", flag, tmp_path / place, *out)
    assert code == 2
    assert f"{flag} {tmp_path / place} lies among the masks" in err
    assert not (tmp_path / place).exists()


def test_names_that_differ_by_case_are_one_file_where_the_disk_says_so(steelyard, tmp_path, monkeypatch):
    folder = tmp_path / "masks"
    folder.mkdir()
    for name in ("Ä", "A\u0308".lower(), "b"):
        np.save(folder / f"{name}.npy", np.ones((4, 4), int))
    if len(list(folder.iterdir())) < 3:
        pytest.skip("this disk does not hold both names")
    command = "maps", folder, "--kind", "contour", "--out", tmp_path / "out"
    assert not map_places.folds_case(folder)
    monkeypatch.setattr(map_places, "folds_case", lambda folder: True)
    code, _, err = steelyard(*command)
    assert code == 2
    assert "would both become" in err
    assert not (tmp_path / "out").exists()
    monkeypatch.undo()
    assert steelyard(*command)[0] == 0


def test_help_lists_the_kinds_and_their_options(steelyard):
    code, out, _ = steelyard("maps", "--help")
    assert code == 0
    for kind in maps.KINDS:
        assert f"\n{kind}: --" in out
    assert "--sigma 5" in out
    assert run.__doc__.split(".")[0] in " ".join(out.replace("│", " ").split())


def test_the_spacing_of_a_volume_is_that_of_its_file(steelyard, tmp_path):
    import gzip

    from tests.data.examples import nifti

    mask = np.zeros((9, 8, 4), int)
    mask[1:3, 1:4, 1:3], mask[5:8, 2:6, :2] = 1, 2
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(nifti(mask, "u1", steps=(0.7, 0.75, 3.0))))
    command = ("maps", tmp_path / "a.nii.gz", "--kind", "border", "--sigma", "2")
    assert steelyard(*command, "--out", tmp_path / "own")[0] == 0
    assert np.array_equal(
        np.load(tmp_path / "own" / "a.nii.npy"), Map("border", sigma=2, spacing=(0.7, 0.75, 3.0))(mask)
    )
    assert steelyard(*command, "--spacing", "1,1,1", "--out", tmp_path / "asked")[0] == 0
    assert np.array_equal(np.load(tmp_path / "asked" / "a.nii.npy"), Map("border", sigma=2)(mask))
    assert "1 kept" in steelyard(*command, "--out", tmp_path / "own")[1]


@pytest.mark.parametrize("bad", ["much", "4", "-1GB", "4TB", "1e9"])
def test_memory_is_a_size(tmp_path, capsys, bad):
    np.save(tmp_path / "m.npy", np.eye(4, dtype=np.uint8))
    arguments = ["maps", str(tmp_path / "m.npy"), "--kind", "border", "--out", str(tmp_path / "o"), "--memory", bad]
    assert main(arguments) == 2
    assert "must be a size such as 800MB or 4GB" in capsys.readouterr().err


def test_a_mask_that_is_too_large_is_made_where_more_memory_is_allowed(tmp_path, capsys):
    Image.new("L", (100, 100), 1).save(tmp_path / "m.png")
    command = ["maps", str(tmp_path / "m.png"), "--kind", "distance", "--out", str(tmp_path / "o"), "--memory"]
    assert main([*command, "0.0001GB"]) == 2
    assert "allow more with --memory" in capsys.readouterr().err
    assert main([*command, "1 MB"]) == 0
