"""Every pair of docs/reference/migration.md: their call and ours give the same number.

A section's blocks set `theirs` once and then `ours`, as often as there are ways. Blocks that need a peer are run where it is installed.
"""

import re

import numpy as np
import pytest
import torch
from tests.docs.test_blocks import ROOT, blocks
from tests.integrations import torchvision_on_cpu  # noqa: F401

PAGE = ROOT / "docs" / "reference" / "migration.md"
PARTS = re.split(r"^### (.+)\n", PAGE.read_text("utf-8"), flags=re.MULTILINE)
SETUP, PAIRS = PARTS[0], dict(zip(PARTS[1::2], PARTS[2::2], strict=True))
NEEDS = re.compile(r"no-run: needs (\w+); tests/integrations/test_migration\.py runs it")
PEERS = {"torchvision", "monai", "kornia", "segmentation_models_pytorch", "balanced_loss", "sklearn", "imblearn"}
pytestmark = pytest.mark.filterwarnings("ignore")


def run(code: str, names: dict[str, object]) -> None:
    exec(compile(code, str(PAGE), "exec"), names)


@pytest.mark.parametrize("pair", PAIRS)
def test_their_call_and_ours_give_the_same_number(pair):
    names: dict[str, object] = {"__name__": "__docs__"}
    for block in blocks(SETUP):
        run(block.body, names)
    compared = 0
    for block in blocks(PAIRS[pair]):
        if needed := NEEDS.search(block.info):
            pytest.importorskip(needed[1])
        before = names.get("ours")
        run(block.body, names)
        if names.get("ours") is not before:
            theirs, ours = (torch.as_tensor(np.asarray(names[n])).double() for n in ("theirs", "ours"))
            torch.testing.assert_close(ours, theirs, rtol=2e-6, atol=1e-7)
            assert ours.isfinite().all()
            compared += 1
    assert compared >= 1, f"{pair} compares nothing"


def test_every_peer_has_a_pair():
    assert {m[1] for m in NEEDS.finditer(PAGE.read_text("utf-8"))} == PEERS
