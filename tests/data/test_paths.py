"""Which files of a folder are data."""

from steelyard.data.paths import inside


def test_hidden_is_what_begins_with_a_dot_and_what_programs_keep(tmp_path):
    seen = ("a.png", "_DSC0001.png", "_annotations.coco.json", "_x/b.png")
    for name in (
        *seen,
        ".a.png",
        "._a.png",
        "__MACOSX/a.png",
        "x/__MACOSX/._b.png",
        ".git/c.png",
        "_delta_log/d.parquet",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(str(f.relative_to(tmp_path)) for f in inside(tmp_path)) == sorted(seen)
