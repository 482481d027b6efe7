"""The graph of the chapter autograd against torch's own differentiation, and what it says of mistakes."""

import re
from itertools import pairwise

import autograd
import pytest
import torch
from autograd import (
    Node,
    add,
    matmul,
    mean,
    multiply,
    repeat,
    sigmoid,
    subtract,
    tanh,
    transpose,
)
from bench.peers import GraphOfTensors
from networks import gradients, make_problem
from sources import ROOT, text
from test_network import forbidden_names
from torch.utils.flop_counter import FlopCounterMode

PACKAGE = sorted((ROOT / "code" / "autograd").glob("*.py"))
GENERATOR = torch.Generator()


def drawn(*shape):
    return torch.randn(shape, generator=GENERATOR, dtype=torch.float64)


@pytest.fixture(autouse=True)
def seeded():
    GENERATOR.manual_seed(0)


def weighted(node):
    """One number of a node that treats no two of its elements alike."""
    return mean(multiply(node, Node(drawn(*node.value.shape))))


# Each operation: ours, torch's, and the shapes that go in.
OPERATIONS = {
    "add": (add, torch.add, [(3, 2), (3, 2)]),
    "subtract": (subtract, torch.sub, [(3, 2), (3, 2)]),
    "multiply": (multiply, torch.mul, [(3, 2), (3, 2)]),
    "matmul": (matmul, torch.matmul, [(4, 3), (3, 2)]),
    "repeat": (lambda b: repeat(b, 4), lambda b: b + torch.zeros(4, 1), [(3,)]),
    "transpose": (transpose, lambda a: a.T, [(3, 2)]),
    "tanh": (tanh, torch.tanh, [(3, 2)]),
    "sigmoid": (sigmoid, torch.sigmoid, [(3, 2)]),
    "mean": (mean, torch.mean, [(3, 2)]),
}


def test_every_operation_is_tried():
    assert {"Node", *OPERATIONS} == set(autograd.__all__)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_rule_of_an_operation(name):
    ours, theirs, shapes = OPERATIONS[name]
    values = [drawn(*shape) for shape in shapes]
    with torch.inference_mode():  # which torch's own differentiation does not bear
        nodes = [Node(value) for value in values]
        result = ours(*nodes)
        factor = drawn(*result.value.shape)
        mean(multiply(result, Node(factor))).backward()
    leaves = [value.clone().requires_grad_() for value in values]
    right = theirs(*leaves)
    torch.testing.assert_close(result.value.clone(), right.detach())
    expected = torch.autograd.grad((right * factor.clone()).mean(), leaves)
    for node, leaf in zip(nodes, expected, strict=True):
        assert node.grad.shape == leaf.shape
        torch.testing.assert_close(node.grad.clone(), leaf, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("operation", [add, subtract, multiply])
def test_both_inputs_can_be_one_node(operation, shape):
    a = Node(drawn(*shape))
    mean(operation(a, a)).backward()
    leaf = a.value.clone().requires_grad_()
    theirs = {add: torch.add, subtract: torch.sub, multiply: torch.mul}[operation]
    (expected,) = torch.autograd.grad(theirs(leaf, leaf).mean(), leaf)
    torch.testing.assert_close(a.grad, expected)


@pytest.mark.parametrize("hidden", [[], [4], [5, 3]])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("n", [1, 7])
def test_a_recorded_network_has_the_gradients_of_the_book(hidden, outputs, n):
    net, x, y = make_problem(n, 2, outputs, hidden, seed=1)
    net.backward(x, y)
    graph = GraphOfTensors(net, x, y, lr=0.1)
    loss = graph.record()
    loss.backward()
    torch.testing.assert_close(loss.value, net.get_loss(x, y))
    for node, g in zip(graph.parameters, gradients(net), strict=True):
        torch.testing.assert_close(node.grad, g, rtol=1e-10, atol=1e-15)


def test_a_block_with_a_shortcut_and_a_shared_weight():
    h, v, b = Node(drawn(5, 3)), Node(drawn(3, 2)), Node(drawn(2))
    f = tanh(add(matmul(h, v), repeat(b, 5)))
    weighted(add(h, matmul(f, transpose(v)))).backward()
    GENERATOR.manual_seed(0)
    th, tv, tb = (drawn(*s).requires_grad_() for s in ((5, 3), (3, 2), (2,)))
    block = th + torch.tanh(th @ tv + tb) @ tv.T
    expected = torch.autograd.grad((block * drawn(5, 3)).mean(), (th, tv, tb))
    for node, g in zip((h, v, b), expected, strict=True):
        torch.testing.assert_close(node.grad, g, rtol=1e-12, atol=1e-15)


def test_a_second_walk_begins_from_zeros():
    a = Node(drawn(3))
    loss = mean(multiply(a, a))
    loss.backward()
    first = a.grad
    loss.backward()
    torch.testing.assert_close(a.grad, first)
    mean(a).backward()
    torch.testing.assert_close(a.grad, torch.full((3,), 1 / 3).double())


def test_each_rule_is_called_once_however_many_paths_there_are():
    called = []

    def noted(node):
        rule = node.rule
        node.rule = lambda g: called.append(node) or rule(g)
        return node

    start = node = Node(torch.tensor(1.0, dtype=torch.float64))
    for _ in range(50):
        node = noted(add(node, node))
    node.backward()
    assert len(called) == len(set(called)) == 50
    assert start.grad == 2**50


def test_a_long_chain_needs_no_recursion():
    node = start = Node(torch.tensor(0.5))
    for _ in range(5000):
        node = add(node, start)
    node.backward()
    assert start.grad == 5001


@pytest.mark.parametrize("sizes", [[2, 5, 3, 1], [2, 60, 40, 1]])
def test_the_walk_multiplies_twice_as_much_as_the_recording(sizes):
    layers = [(Node(drawn(a, b)), Node(drawn(b))) for a, b in pairwise(sizes)]
    z = Node(drawn(7, 2))
    with FlopCounterMode(display=False) as forward:
        for weight, bias in layers:
            z = tanh(add(matmul(z, weight), repeat(bias, 7)))
        loss = mean(z)
    with FlopCounterMode(display=False) as walk:
        loss.backward()
    assert walk.get_total_flops() == 2 * forward.get_total_flops() > 0


# What it says of mistakes


@pytest.mark.parametrize("shape", [(1,), (1, 1), (3, 2)])
def test_backward_starts_from_one_number(shape):
    node = multiply(Node(drawn(*shape)), Node(drawn(*shape)))
    message = (
        "backward starts from one number, such as a loss; this node has shape "
        f"{shape}."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        node.backward()
    assert node.grad is None


@pytest.mark.parametrize("operation", [add, subtract, multiply])
@pytest.mark.parametrize("shape", [(2,), (1, 2), (3, 1), (2, 3), ()])
def test_operations_never_broadcast(operation, shape):
    message = f"shapes (3, 2) and {shape} are not equal."
    with pytest.raises(ValueError, match=re.escape(message)):
        operation(Node(drawn(3, 2)), Node(drawn(*shape)))


@pytest.mark.parametrize(
    ("one", "other"), [((3, 2), (3, 2)), ((3,), (3, 2)), ((3, 2), (2,)), ((), ())]
)
def test_products_that_do_not_fit(one, other):
    message = (
        f"shapes {one} and {other} do not fit: a product needs (n, m) and (m, r)."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        matmul(Node(drawn(*one)), Node(drawn(*other)))


def test_what_is_repeated_is_a_row_and_how_often_a_number():
    for shape in ((), (1, 2)):
        with pytest.raises(ValueError, match=r"is not that of a row, \(r,\)"):
            repeat(Node(drawn(*shape)), 3)
    for n in (0, -1, 2.0, None, True):
        with pytest.raises(ValueError, match=f"number of times; got {n!r}"):
            repeat(Node(drawn(2)), n)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_what_is_transposed_is_a_matrix(shape):
    message = f"shape {shape} is not that of a matrix."
    with pytest.raises(ValueError, match=re.escape(message)):
        transpose(Node(drawn(*shape)))


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_take_nodes(name):
    operation, _, shapes = OPERATIONS[name]
    good = [Node(drawn(*shape)) for shape in shapes]
    for place in range(len(shapes)):
        arguments = [*good]
        arguments[place] = arguments[place].value
        message = "operations take nodes; got Tensor. Node(tensor) makes one."
        with pytest.raises(TypeError, match=re.escape(message)):
            operation(*arguments)


@pytest.mark.parametrize("value", [3.0, None, [1.0], torch.tensor([1, 2])])
def test_a_node_holds_a_tensor_of_floating_point_numbers(value):
    with pytest.raises(TypeError, match="^a node holds (a tensor|floating)"):
        Node(value)


def test_a_rule_returns_the_shapes_of_what_went_in():
    """Such as one for the biases that forgets to sum: torch would add it, and broadcast."""
    b = Node(drawn(3))
    node = Node(b.value.expand(4, -1), (b,), lambda g: (g,))
    message = (
        "a rule returned a gradient of shape (4, 3) for an input of shape (3,); "
        "they must be equal."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        mean(node).backward()


def test_a_rule_returns_a_gradient_for_each_input():
    a = Node(drawn(3))
    with pytest.raises(ValueError, match="zip"):
        mean(Node(a.value, (a, a), lambda g: (g,))).backward()


# What the chapter says of it


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: path.stem)
def test_no_module_uses_the_autograd_of_torch(path):
    assert forbidden_names(path.read_text(encoding="utf-8")) == []


def test_comments_name_equations_of_the_chapter():
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE)
    labels = set(re.findall(r"# (eq-[\w-]+)$", source, re.MULTILINE))
    assert labels
    assert labels <= set(
        re.findall(r"^\$\$ \((.+)\)$", text("autograd"), re.MULTILINE)
    )


def test_the_graph_has_about_sixty_lines():
    source = (ROOT / "code" / "autograd" / "graph.py").read_text(encoding="utf-8")
    bare = re.sub(r'"""[^"]*"""', "", source)
    assert 55 <= sum(bool(line.strip()) for line in bare.splitlines()) <= 66
