"""nnU-Net's data sets: names, regions, and the label that is ignored."""

import pytest
from tests.data.examples import nnunet

from steelyard import count


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


@pytest.mark.parametrize(
    "labels",
    [
        {"background": 0, "liver": 1, "tumour": 2, "bone": 3},
        {"0": "background", "1": "liver", "2": "tumour", "3": "bone"},
    ],
)
def test_nnunets_data_sets_are_counted_by_their_names(tmp_path, labels):
    folder = nnunet(tmp_path / "Dataset001_Liver", labels)
    for where in (folder, folder / "dataset.json", folder / "labelsTr"):
        counts = count(where)
        assert as_dict(counts) == {"background": 42, "liver": 4, "tumour": 2, "bone": 0}
        assert counts.items == 2
    assert as_dict(count(folder, classes=[0, 1, 2])) == {"0": 42, "1": 4, "2": 2}


def test_the_ignore_label_does_not_count(tmp_path):
    folder = nnunet(tmp_path / "d", {"background": 0, "liver": 1, "ignore": 2})
    assert as_dict(count(folder)) == {"background": 42, "liver": 4}
    with pytest.raises(ValueError, match="is not one of the classes"):
        count(nnunet(tmp_path / "e", {"background": 0, "liver": 1}))


@pytest.mark.parametrize(
    ("labels", "says"),
    [({"background": 0, "whole": [1, 2]}, "is a region"), ({}, "no 'labels'"), ({"a": 0, "b": 0}, "none of its own")],
)
def test_a_dataset_json_that_names_no_labels_is_told(tmp_path, labels, says):
    with pytest.raises(ValueError, match=says):
        count(nnunet(tmp_path / "d", labels))
