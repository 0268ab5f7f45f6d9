"""torch.compile, torch.export and torch.func take the losses without a graph break, and give the same numbers.

Files: ops/compiled.py.
"""

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.func import functional_call, grad, vmap

import steelyard as sy
from steelyard import testing
from steelyard.ops import compiled, native, tables

RECIPES = {
    "softmax": ["plain", "target-rows", "everything"],
    "sigmoid": ["plain", "Asymmetric(gamma_pos=0.0,gamma_neg=4.0,clip=0.05)", "everything"],
}
NAMED = [(link, name) for link, names in RECIPES.items() for name in names]
# a compilation takes seconds: one of each link, the rest in the slow run
FEW = ("target-rows", "everything")
COMPILED = [
    pytest.param(link, name, marks=[] if name == FEW[link == "sigmoid"] else pytest.mark.slow) for link, name in NAMED
]
LINKS = ["softmax", pytest.param("sigmoid", marks=pytest.mark.slow)]


def make(link, recipe, **options):
    return (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(recipe, **options)


def value_and_gradient(loss, call):
    logits = call.logits.detach().clone().requires_grad_()
    out = loss(logits, call.target, weight=call.weight)
    return out.detach(), torch.autograd.grad(out, logits)[0]


@pytest.fixture(autouse=True)
def fresh_dynamo():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize(("link", "name"), COMPILED)
def test_compiled_is_the_same_without_a_graph_break(link, name):
    loss = make(link, testing.recipes(link)[name])
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    for call in testing.calls(link, loss.bound()).values():
        for found, expected in zip(value_and_gradient(compiled, call), value_and_gradient(loss, call), strict=True):
            torch.testing.assert_close(found, expected)


@pytest.mark.slow
@pytest.mark.usefixtures("native_core")
@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_every_recipe_compiles_to_the_native_kernels(link):
    """One op in the graph wherever the kernels know the recipe, and the numbers of the call that was not compiled."""
    for name, recipe in testing.recipes(link).items():
        torch._dynamo.reset()
        loss, graphs = make(link, recipe), []

        def backend(graph, inputs, graphs=graphs):
            graphs.append(graph)
            return graph

        compiled = torch.compile(loss, fullgraph=True, backend=backend)
        call = testing.calls(link, loss.bound())["rows"].to(torch.float32)
        for found, expected in zip(value_and_gradient(compiled, call), value_and_gradient(loss, call), strict=True):
            torch.testing.assert_close(found, expected)
        ops = [str(node.target) for node in graphs[0].graph.nodes]
        known = not native.refusal(call.logits, call.target, loss.bound(), call.weight)
        assert any("steelyard" in op for op in ops) == known, name


@pytest.mark.usefixtures("native_core")
@pytest.mark.parametrize("link", LINKS)
def test_the_op_is_what_torch_expects_of_one(link):
    recipe = testing.recipes(link)["everything"]
    bound = make(link, recipe).bound()
    call = testing.calls(link)["rows"].to(torch.float32)
    curves = [float(x) for c in (bound.yes, bound.no) for x in tables.numbers(c)]
    for weight in (None, call.weight):
        args = (call.logits.requires_grad_(), call.target, weight, bound.tensors, compiled.present(bound))
        torch.library.opcheck(torch.ops.steelyard.loss.default, (*args, link, curves, -100, "mass", 1.0))


@pytest.mark.parametrize("link", LINKS)
def test_learned_tables_compile(link):
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0][: 3 if link == "softmax" else 2], dtype=torch.float64))
    loss = make(link, sy.mix(sy.Recipe(weight=weight), sy.focal(gamma=2.0)))
    call = testing.calls(link)["rows"]
    loss(call.logits, call.target).backward()
    expected, weight.grad = weight.grad, None
    torch.compile(loss, fullgraph=True, backend="eager")(call.logits, call.target).backward()
    torch.testing.assert_close(weight.grad, expected)


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_new_numbers_in_the_buffers_do_not_recompile(link):
    counter = CompileCounter()
    loss = make(link, testing.recipes(link)["everything"])
    compiled = torch.compile(loss, fullgraph=True, backend=counter)
    call = testing.calls(link)["rows"]
    before = compiled(call.logits, call.target)
    for factor in (2.0, 3.0):
        for buffer in loss.buffers():
            buffer.mul_(factor)
        torch.testing.assert_close(compiled(call.logits, call.target), loss(call.logits, call.target))
    assert not torch.equal(compiled(call.logits, call.target), before)
    assert counter.frame_count == 1


@pytest.mark.parametrize("kind", ["CrossEntropyLoss", "BCEWithLogitsLoss"])
def test_the_drop_ins_compile(kind):
    link = "softmax" if kind == "CrossEntropyLoss" else "sigmoid"
    options = {"weight": torch.tensor([1.0, 2.0, 3.0]), "label_smoothing": 0.1} if link == "softmax" else {"pos_weight": torch.tensor([1.0, 2.0, 3.0])}  # fmt: skip
    loss = getattr(sy, kind)(**options)
    call = testing.calls(link)["rows"]
    target = call.target if link == "softmax" else call.target.double()
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(call.logits, target), loss(call.logits, target))


@pytest.mark.slow
@pytest.mark.usefixtures("compiler")
def test_inductor_gives_the_same_numbers():
    loss = sy.CrossEntropy(sy.mix(sy.Recipe(weight=[0.5, 1.0, 3.0]), sy.focal(gamma=2.0), sy.smooth(0.1)))
    call = testing.calls("softmax")["image"].to(torch.float32)
    compiled = torch.compile(loss, fullgraph=True)
    for found, expected in zip(value_and_gradient(compiled, call), value_and_gradient(loss, call), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("link", "name"), COMPILED)
def test_exported_is_the_same(link, name):
    loss = make(link, testing.recipes(link)[name])
    call = testing.calls(link)["rows"]
    exported = torch.export.export(loss, (call.logits, call.target)).module()
    other = testing.calls(link, seed=9)["rows"]
    torch.testing.assert_close(exported(other.logits, other.target), loss(other.logits, other.target))


@pytest.mark.parametrize(("link", "name"), NAMED)
def test_vmap_of_grad_is_a_gradient_per_item(link, name):
    loss = make(link, testing.recipes(link)[name], reduction="sum")
    call = testing.calls(link)["rows"]
    together = value_and_gradient(loss, call)[1]
    torch.testing.assert_close(grad(loss)(call.logits, call.target), together)
    alone = vmap(grad(lambda z, y: loss(z.unsqueeze(0), y.unsqueeze(0))))(call.logits, call.target)
    torch.testing.assert_close(alone, together)
    values = vmap(lambda z, y: loss(z.unsqueeze(0), y.unsqueeze(0)))(call.logits, call.target)
    torch.testing.assert_close(values.sum(), loss(call.logits, call.target))


def test_gradients_per_item_of_a_model():
    model = torch.nn.Linear(4, 3).double()
    loss = sy.CrossEntropy(sy.mix(sy.Recipe(weight=[0.5, 1.0, 3.0]), sy.focal(gamma=2.0)))
    x, y = torch.randn(5, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 1, 0])
    parameters = dict(model.named_parameters())

    def of_one(parameters, x, y):
        return loss(functional_call(model, parameters, (x.unsqueeze(0),)), y.unsqueeze(0))

    each = vmap(grad(of_one), in_dims=(None, 0, 0))(parameters, x, y)
    for i in range(5):
        expected = torch.autograd.grad(of_one(parameters, x[i], y[i]), parameters.values())
        for found, e in zip(each.values(), expected, strict=True):
            torch.testing.assert_close(found[i], e)


def test_learned_tables_through_functional_call():
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    loss = sy.CrossEntropy(sy.Recipe(weight=weight))
    call = testing.calls("softmax")["rows"]
    other = {"weight_0": 2 * weight.detach()}
    found = grad(lambda tables: functional_call(loss, tables, (call.logits, call.target)))(other)
    loss(call.logits, call.target).backward()
    torch.testing.assert_close(found["weight_0"], weight.grad)  # linear in the weight


@pytest.mark.usefixtures("compiler")
@pytest.mark.slow
@pytest.mark.parametrize(
    "values", [[3.0, 5.0, 7.5, 2.25, 9.0, 0.0, 1.5, 4.0, 11.0, 13.0], [3, 5, 7, 2, 9, 0, 15, 4, 11, 13]]
)
@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_normalizer_that_changes_every_step_compiles_twice_at_most(link, values):
    """A number of positives, say: the second graph leaves it open, as torch's own losses do."""
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()
    softmax = link == "softmax"
    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 2.0, 3.0])) if softmax else sy.BinaryCrossEntropy(sy.focal(gamma=2.0))
    step = torch.compile(lambda z, y, n: loss(z, y, normalizer=n), fullgraph=True)
    for number in values:
        z = torch.randn(8, 3, requires_grad=True) if softmax else torch.randn(8, requires_grad=True)
        y = torch.randint(3 if softmax else 2, (8,))
        found = step(z, y, number)
        (gradient,) = torch.autograd.grad(found, z)
        expected = loss(z, y, normalizer=number)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(gradient, torch.autograd.grad(expected, z)[0])
    assert counters["stats"]["unique_graphs"] <= 2
