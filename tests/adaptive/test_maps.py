"""CalibratedMaps: the strength by hand, the share reached by a net that learns, boundaries counted by hand."""

import functools

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import adaptive
from steelyard.adaptive.maps import boundary, f_score, hits


def edges(y):
    """A weight map in torch: 6 where a neighbour has another label, else 1."""
    return 1 + 5 * boundary(y, torch.ones_like(y, dtype=torch.bool))


def discs(seed=0, n=8, size=24):
    """Noisy images of a disc and their labels."""
    random = torch.Generator().manual_seed(seed)
    axis = torch.arange(size)
    middle = torch.rand(n, 2, generator=random) * 8 + 8
    far = (axis[None, :, None] - middle[:, 0, None, None]) ** 2 + (axis[None, None, :] - middle[:, 1, None, None]) ** 2
    y = (far < 36).long()
    return y[:, None] + 0.7 * torch.randn(n, 1, size, size, generator=random), y


def segment(loss, steps=150, link="softmax"):
    torch.manual_seed(0)
    outputs = 2 if link == "softmax" else 1
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 5, padding=2), torch.nn.ReLU(), torch.nn.Conv2d(8, outputs, 5, padding=2)
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for step in range(steps):
        x, y = discs(step)
        optimizer.zero_grad()
        loss(net(x), y if link == "softmax" else y[:, None]).backward()
        optimizer.step()
    return net


@pytest.mark.parametrize("share", [0.15, 0.6])
def test_the_share_of_the_loss_is_what_was_asked_while_a_net_learns(share):
    rule = adaptive.CalibratedMaps(edges, share=share)
    segment(sy.CrossEntropy(rule))
    history = rule.history()
    reached = np.array(history.column("share"))
    assert abs(reached[0] - share) > 0.08  # at strength 1 it is another
    assert np.abs(reached[20:] - share).max() < 0.12  # it lags by its memory while the loss falls tenfold
    assert np.abs(reached[60:] - share).max() < 0.04
    assert reached[60:].mean() == pytest.approx(share, abs=0.01)
    strength = history.column("strength")
    assert max(strength[20:]) > 1.1 * min(strength[20:])  # a fixed strength would not have kept it


def test_the_share_is_of_the_loss_with_its_own_recipe():
    rule = adaptive.CalibratedMaps(edges, sy.focal(gamma=2.0), share=0.4, momentum=0.0)
    loss = sy.CrossEntropy(rule, reduction="none")
    _, y = discs()
    z = torch.randn(8, 2, 24, 24, generator=torch.Generator().manual_seed(1))
    loss(z, y)
    plain = sy.CrossEntropy(sy.focal(gamma=2.0), reduction="none")(z, y)
    whole = loss(z, y)
    assert float((whole - plain).sum() / whole.sum()) == pytest.approx(0.4, abs=1e-6)


def test_the_strength_by_hand():
    rule = adaptive.CalibratedMaps(lambda y: 1.0 + 2.0 * (y == 1), share=0.5, momentum=0.5)
    loss = sy.CrossEntropy(rule)
    loss(torch.zeros(1, 2, 4), torch.tensor([[0, 0, 0, 1]]))  # A = 4 log 2, B = 2 log 2
    assert float(rule.strength) == pytest.approx(2)
    assert float(rule.reached) == pytest.approx(2 / 6)
    assert rule.weigh(torch.zeros(1, 2, 4), torch.tensor([[0, 0, 0, 1]])).tolist() == [[1, 1, 1, 5]]
    loss(torch.zeros(1, 2, 4), torch.tensor([[0, 1, 1, 1]]))  # (A, B) = 1/4 (4, 2) + 1/2 (4, 6)
    assert float(rule.strength) == pytest.approx(3 / 3.5)
    assert float(rule.reached) == pytest.approx(12 / 16)


def test_boundaries_by_hand():
    labels = torch.tensor([[0, 0, 0, 1, 1, 1]])
    valid = torch.ones_like(labels, dtype=torch.bool)
    assert boundary(labels, valid).tolist() == [[0, 0, 1, 1, 0, 0]]
    hidden = valid.clone()
    hidden[0, 3] = False
    assert boundary(labels, hidden).tolist() == [[0] * 6]
    moved = torch.tensor([[0, 1, 1, 1, 1, 1]])  # boundary at 0 and 1
    assert hits(moved, labels, valid, 0, torch.float64).tolist() == [0, 2, 0, 2]
    assert hits(moved, labels, valid, 1, torch.float64).tolist() == [1, 2, 1, 2]
    assert float(f_score(hits(moved, labels, valid, 1, torch.float64))) == pytest.approx(0.5)
    assert float(f_score(torch.zeros(4))) == 1.0
    assert float(f_score(torch.tensor([0.0, 0.0, 0.0, 5.0]))) == 0.0


def test_boundaries_are_those_of_a_loop():
    random = np.random.default_rng(0)
    labels, other = random.integers(0, 3, (2, 2, 7, 6))
    valid = random.random((2, 7, 6)) > 0.2

    def near(image, i, j, radius, of):
        rows, columns = (
            range(max(i - radius, 0), min(i + radius + 1, 7)),
            range(max(j - radius, 0), min(j + radius + 1, 6)),
        )
        return any(of(r, c) for r in rows for c in columns)

    def outline(image, ok):
        found = np.zeros((7, 6), bool)
        for i, j in zip(*np.nonzero(ok), strict=True):
            found[i, j] = near(image, i, j, 1, lambda r, c, mine=image[i, j]: ok[r, c] and image[r, c] != mine)
        return found

    expected = np.zeros(4)
    for n in range(2):
        ours, theirs = outline(other[n], valid[n]), outline(labels[n], valid[n])
        for k, (a, b) in enumerate(((ours, theirs), (theirs, ours))):
            close = [near(a, i, j, 1, lambda r, c, b=b: b[r, c]) for i, j in zip(*np.nonzero(a), strict=True)]
            expected[2 * k : 2 * k + 2] += sum(close), a.sum()
    tensors = (torch.from_numpy(t) for t in (other, labels, valid))
    assert hits(*tensors, 1, torch.float64).tolist() == expected.tolist()


def test_the_map_grows_while_boundaries_are_worse_than_asked_and_shrinks_where_they_are_better():
    _, y = discs()
    for boundary_f, better in ((0.9, False), (0.5, True)):
        rule = adaptive.CalibratedMaps(edges, boundary_f=boundary_f, momentum=0.0, gain=0.1)
        loss = sy.CrossEntropy(rule)
        right = torch.nn.functional.one_hot(y, 2).movedim(-1, 1) * 4.0
        loss(right if better else -right.roll(9, dims=2), y)
        f = float(rule.score)
        assert f == pytest.approx(1.0) if better else f < 0.9
        assert float(rule.strength) == pytest.approx(np.exp(0.1 * (boundary_f - f)))


def test_a_flat_target_teaches_no_boundary():
    rule = adaptive.CalibratedMaps(edges, boundary_f=0.9)
    y = torch.zeros(1, 5, 5).long()
    sy.CrossEntropy(rule)(torch.zeros(1, 2, 5, 5), y)
    assert float(rule.strength) == 1.0


def test_maps_may_be_brought_ready_made():
    made = adaptive.CalibratedMaps(edges, share=0.3)
    brought = adaptive.CalibratedMaps(share=0.3)
    one, two = sy.CrossEntropy(made), sy.CrossEntropy(brought)
    z = torch.randn(8, 2, 24, 24, generator=torch.Generator().manual_seed(1))
    for step in range(3):
        _, y = discs(step)
        torch.testing.assert_close(two(z, y, weight=brought(edges(y).numpy())), one(z, y))
    assert float(brought.strength) == float(made.strength)
    with pytest.raises(ValueError, match="every call in training needs its maps"):
        two(z, y)
    with pytest.raises(ValueError, match="they must be the same"):
        two(z, y, weight=brought(edges(y)[:, :, :1]).expand(8, 24, 24))
    with pytest.raises(ValueError, match="made by `make`"):
        made(edges(y))
    two.eval()
    two(z, y)


def test_spatial_maps_go_in_as_they_are():
    pytest.importorskip("scipy")
    _, y = discs()
    y[:, :2] = -100
    z = torch.zeros(8, 2, 24, 24)
    expected = torch.stack([sy.spatial.contour(image, w0=3.0, ignore=-100) for image in y])
    for make in (
        sy.spatial.Map("contour", w0=3.0, ignore=-100),
        functools.partial(sy.spatial.contour, w0=3.0, ignore=-100),
    ):
        rule = adaptive.CalibratedMaps(make, share=0.3)
        valid = y != -100
        torch.testing.assert_close(rule.weigh(z, y)[valid], expected[valid])
        loss = sy.CrossEntropy(rule)
        loss(z, y)
        assert not rule.warnings()
    labels = sy.BinaryCrossEntropy(adaptive.CalibratedMaps(make, share=0.3))
    found = labels.rule.weigh(z, torch.stack([y, y], dim=1))
    torch.testing.assert_close(found[:, 1][valid], expected[valid])


def test_probabilities_come_as_labels():
    _, y = discs()
    z = torch.randn(8, 2, 24, 24, generator=torch.Generator().manual_seed(1))
    soft = torch.nn.functional.one_hot(y, 2).movedim(-1, 1).float() * 0.8 + 0.1
    rule = adaptive.CalibratedMaps(edges, share=0.3)
    sy.CrossEntropy(rule)(z, soft)
    torch.testing.assert_close(rule.weigh(z, soft), rule.weigh(z, y))


def test_it_says_what_keeps_it_from_its_goal():
    y = torch.tensor([[0, 0, 0, 1]])
    for make, key in (
        (lambda y: torch.ones_like(y), "flat"),
        (lambda y: 1 + 1e-6 * (y == 1), "largest"),
        (lambda y: 1 - 0.5 * (y == 0), "below"),
    ):
        rule = adaptive.CalibratedMaps(make, share=0.5)
        value = sy.CrossEntropy(rule)(torch.zeros(1, 2, 4), y)
        assert key in rule.warnings()
        assert float(value) >= 0.69  # values below base count as base
    rule = adaptive.CalibratedMaps(edges, boundary_f=0.01, gain=5.0)
    _, y = discs()
    sy.CrossEntropy(rule)(torch.nn.functional.one_hot(y, 2).movedim(-1, 1) * 4.0, y)
    assert "smallest" in rule.warnings()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: adaptive.CalibratedMaps(edges), "either share= or boundary_f="),
        (lambda: adaptive.CalibratedMaps(edges, share=0.3, boundary_f=0.9), "either share= or boundary_f="),
        (lambda: adaptive.CalibratedMaps(edges, share=1.0), r"share must be in \[0, 1\)"),
        (lambda: adaptive.CalibratedMaps(edges, boundary_f=0.0), r"boundary_f must be in \(0, 1\]"),
        (lambda: adaptive.CalibratedMaps(edges, share=0.3, momentum=1.0), "momentum must be"),
        (lambda: adaptive.CalibratedMaps(edges, share=0.3, radius=-1), "radius must be"),
        (lambda: adaptive.CalibratedMaps(edges, share=0.3, gain=0.0), r"gain must be in \(0, inf\)"),
        (lambda: adaptive.CalibratedMaps(edges, share=0.3, largest=1.0), r"largest must be in \(1, inf\)"),
        (lambda: adaptive.CalibratedMaps(edges, share=0.3, start=-1.0), "start must be in"),
        (lambda: adaptive.CalibratedMaps(torch.ones(3), share=0.3), "make must be callable"),
        (lambda: adaptive.CalibratedMaps(edges, edges, share=0.3), "recipe must be a Recipe"),
        (
            lambda: sy.CrossEntropy(adaptive.CalibratedMaps(lambda y: y[:, :1], share=0.3))(
                torch.zeros(2, 2, 4), torch.zeros(2, 4).long()
            ),
            "make gave a map of shape",
        ),
        (
            lambda: sy.CrossEntropy(adaptive.CalibratedMaps(lambda y: y + 1, boundary_f=0.9))(
                torch.zeros(2, 2), torch.zeros(2).long()
            ),
            "boundary_f needs pixels",
        ),
    ],
)
def test_what_cannot_be_is_said(make, match):
    with pytest.raises((ValueError, TypeError), match=match):
        make()
