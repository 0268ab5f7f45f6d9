"""With the C++ core and without it."""

import pytest

from steelyard.spatial import transforms


@pytest.fixture(params=["native", "scipy"])
def backend(request, monkeypatch):
    """The C++ core, and what stands in for it."""
    if request.param == "scipy":
        monkeypatch.setattr(transforms, "_native", None)
    else:
        request.getfixturevalue("native_core")
    return request.param
