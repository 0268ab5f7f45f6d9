"""A net with its undo inside, in ONNX: the probabilities are those of eager torch."""

import numpy as np
import pytest
import torch
from torch import nn

import steelyard as sy
from steelyard.calibrate import Posterior, fold

pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the exporter, about itself

COUNTS = sy.Counts([70, 20, 10])
RECIPES = {
    "weights": sy.inverse_frequency(COUNTS),
    "focal": sy.mix(sy.inverse_frequency(COUNTS), sy.focal(gamma=2.0)),
    "yes or no": sy.mix(sy.Recipe(weight=[[1.0, 1.0, 2.0], [9.0, 3.0, 1.0]], kind="multilabel"), sy.focal(gamma=2.0)),
}


@pytest.mark.parametrize("name", RECIPES)
def test_onnx_gives_the_posterior(tmp_path, name):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    x = torch.randn(7, 6)
    whole = [nn.Sequential(net, Posterior(RECIPES[name]))]
    if name == "weights":
        whole.append(nn.Sequential(*net[:-1], fold(net[-1], RECIPES[name]), nn.Softmax(dim=1)))
    expected = sy.posterior(net(x).detach(), RECIPES[name])
    for model in whole:
        path = tmp_path / "net.onnx"
        torch.onnx.export(model, (torch.randn(3, 6),), path, dynamic_shapes=({0: "rows"},), dynamo=True, verbose=False)
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
