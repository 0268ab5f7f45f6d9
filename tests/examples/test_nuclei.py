"""Four weightings on nuclei that touch: what is counted, that the arms differ in nothing else, and the whole program in a small way."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("PIL", reason="pip install pillow")

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def from_the_checkout():
    """`examples` is a folder of the checkout, not of what is installed."""
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


def discs(seed, shape=(72, 80), many=8):
    """Labels of discs, some of which touch, and a noisy picture of them."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.int64)
    for number in range(1, many + 1):
        y, x = rng.integers(8, shape[0] - 8), rng.integers(8, shape[1] - 8)
        labels[((rows - y) ** 2 + (columns - x) ** 2 < 49) & (labels == 0)] = number
    return labels, np.clip((labels > 0) * 150 + rng.normal(30, 10, shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("nuclei")
    for name in ("images", "labels"):
        (home / name).mkdir()
    for seed in range(10):
        labels, grey = discs(seed)
        Image.fromarray(255 - grey if seed % 3 == 0 else grey).save(home / "images" / f"{seed:02}.png")
        Image.fromarray(labels.astype(np.uint16)).save(home / "labels" / f"{seed:02}.png")
    return home


@pytest.fixture(scope="module")
def photos(folder):
    from examples.nuclei.data import load

    return load(folder)


def photo(nuclei):
    from examples.nuclei.data import Photo

    nuclei = np.array(nuclei)
    return Photo("a", np.zeros(nuclei.shape, np.float32), nuclei)


def test_touching_nuclei_are_parted_by_background_and_nothing_else_is_lost(photos):
    import steelyard as sy

    for each in photos:
        whole = [n for n in np.unique(each.nuclei)[1:] if n not in each.touching]
        assert np.array_equal(np.isin(each.parted, whole), np.isin(each.nuclei, whole))
        alone = sy.spatial.objects((each.parted > 0).astype(int), connectivity=2)
        assert all(len(np.unique(each.parted[alone == k])) == 1 for k in range(1, alone.max() + 1))
    assert sum(len(each.touching) for each in photos) > 20  # the generator makes what the test is about


def test_bright_backgrounds_are_turned_round(photos):
    assert all(each.grey[each.nuclei > 0].mean() > 0.7 > 0.3 > each.grey[each.nuclei == 0].mean() for each in photos)


def test_folds_test_every_image_once_and_never_one_that_was_trained_or_chosen_on(photos):
    from examples.nuclei.data import FOLDS, split

    folds = [split(photos, fold) for fold in range(FOLDS)]
    assert sorted(p.name for fold in folds for p in fold.test) == [p.name for p in photos]
    for fold in folds:
        parts = [{p.name for p in part} for part in (fold.train, fold.validation, fold.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == len(photos)


def test_every_arm_weighs_one_on_average_and_the_share_is_that_of_the_whole_set(photos):
    from examples.nuclei.data import VOID, stack
    from examples.nuclei.weights import NAMES, arms

    training = stack([*photos[:3], photo(np.zeros((90, 60), int))])
    inside = training.parted != VOID
    found = {arm.name: arm for arm in arms(training)}
    assert tuple(found) == NAMES
    target = torch.from_numpy(training.target)
    for arm in found.values():
        each = arm.loss.terms(torch.zeros(len(target), 2, *target.shape[1:]), target, weight=arm.map)
        assert float(each.loss.sum()) / np.log(2) / inside.sum() == pytest.approx(1.0, rel=1e-5)
    assert found[NAMES[2]].facts["w0"] == pytest.approx(10)
    shared = found[NAMES[3]]
    assert shared.map is not None
    floor = shared.map[torch.from_numpy(inside)].min()
    assert float(floor) == pytest.approx(0.7, rel=1e-5)  # 30 % of a mean weight of 1 lies above it
    assert not shared.map[torch.from_numpy(~inside)].any()


def test_all_arms_begin_alike_and_see_the_same_crops(photos):
    from examples.nuclei.data import stack
    from examples.nuclei.train import Settings, train
    from examples.nuclei.weights import Arm, loss

    training = stack(photos[:4])
    ones = torch.ones(training.parted.shape)
    twins = [Arm("plain", loss()), Arm("map of ones", loss(), ones)]
    few = Settings(steps=3, width=4, crop=32, batch=2, checks=1)
    plain, mapped = train(training, photos[4:5], twins, few, seed=0).values()
    for a, b in zip(plain.net.parameters(), mapped.net.parameters(), strict=True):
        assert torch.equal(a, b)


def test_one_object_over_two_nuclei_finds_neither_and_is_merged():
    from examples.nuclei.measure import COUNTS, measures, tally

    two = photo(np.kron([[1, 2]], np.ones((6, 6), int)))
    assert two.touching.tolist() == [1, 2]
    together = measures(tally(two, np.ones((6, 12), int))[None])
    assert (together["merged"][0], together["boundary F"][0]) == (1, 0)
    assert together["recall 0.5"][0] == 0.5  # each is half of the object, which can be that of one only
    apart = dict(zip(COUNTS, tally(two, two.parted), strict=True))
    assert (apart["hit50"], apart["hit75"], apart["touching50"], apart["merged"]) == (2, 2, 2, 0)
    assert measures(tally(two, two.parted)[None])["Dice"][0] == 1


def test_nothing_found_is_zero_and_no_division():
    from examples.nuclei.measure import measures, tally

    empty = measures(tally(photo(np.eye(12, dtype=int)), np.zeros((12, 12), int))[None])
    assert all(value[0] == 0 for value in empty.values())


def test_specks_are_no_objects():
    from examples.nuclei.measure import instances

    probability = np.zeros((12, 12))
    probability[0, :9], probability[4:8, 4:8] = 1, 0.6
    assert np.unique(instances(probability, 0.5)).tolist() == [0, 1]
    assert instances(probability, 0.5)[5, 5] == 1
    assert not instances(probability, 0.7).any()


def test_the_verdict_follows_from_the_intervals():
    from examples.nuclei.compare import verdict

    def said(seeds, images, mean=0.1):
        return verdict({"mean": mean, "over seeds": seeds, "over images": images})

    assert said([0.05, 0.15], [0.01, 0.2]).startswith("a gain (neither")
    assert said([-0.15, -0.05], [-0.2, -0.01], -0.1).startswith("a loss (neither")
    assert said([-0.05, 0.25], [0.01, 0.2]) == "a gain over images, but the interval over seeds includes zero"
    assert said([-0.05, 0.25], [-0.01, 0.2]).startswith("no clear difference")
    assert said(None, [-0.01, 0.2]).endswith("(the interval includes zero)")


def test_both_intervals_of_a_constant_difference_are_that_difference():
    from examples.nuclei.compare import difference
    from examples.nuclei.measure import COUNTS

    counts = np.full((6, len(COUNTS)), 10.0)
    fewer = counts.copy()
    fewer[:, COUNTS.index("hit50")] = 8
    found = difference([counts, counts], [fewer, fewer])["recall 0.5"]
    assert found["mean"] == pytest.approx(0.2)
    assert [*found["over seeds"], *found["over images"]] == pytest.approx([0.2] * 4)


@pytest.mark.slow
def test_the_quick_program_writes_results_table_and_picture(folder, tmp_path, capsys):
    from examples.nuclei.__main__ import main

    assert main([str(folder), "--quick", "--out", str(tmp_path)]) == tmp_path
    results = json.loads((tmp_path / "results.json").read_text())
    for mode in results["comparison"]["means"].values():
        for row in mode.values():
            assert all(0 <= value <= 1 for value in row.values())
            assert row["Dice"] > 0.2
        assert (
            max(row["Dice"] for row in mode.values()) > 0.5
        )  # to call all pixels nuclei has 0.29: something is learned
    table = (tmp_path / "README.md").read_text()
    assert "Touching nuclei found" in table
    assert table.strip().splitlines()[3:-1] == capsys.readouterr().out.strip().splitlines()[2:]
    with Image.open(tmp_path / "picture.png") as image:
        assert image.size[0] > image.size[1]


def test_without_images_the_program_says_what_to_download(tmp_path, monkeypatch):
    from examples.nuclei.__main__ import main

    monkeypatch.setenv("STEELYARD_NUCLEI", str(tmp_path))
    with pytest.raises(SystemExit, match="dsbowl-2018-dataset-fixes"):
        main([])


def test_the_readme_says_what_results_json_says():
    from examples.nuclei.table import BEGIN, END, section

    here = ROOT / "examples" / "nuclei"
    written = (here / "README.md").read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    assert written.strip() == section(json.loads((here / "results.json").read_text(encoding="utf-8"))).strip()


@pytest.mark.slow
def test_on_real_nuclei(shared_data, tmp_path):
    folder = shared_data / "segmentation" / "dsb2018_nuclei"
    if not folder.is_dir():
        pytest.skip("the images of nuclei are absent")
    command = [sys.executable, "-m", "examples.nuclei", str(folder), "--quick", "--jobs", "2", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    published = json.loads((ROOT / "examples" / "nuclei" / "results.json").read_text())
    assert results["data"]["fingerprint"] == published["data"]["fingerprint"]
    assert results["seeds"][0]["weights"]["border map, share 30 %"]["share of the weight"] == pytest.approx(
        0.3, abs=1e-4
    )
