"""The gradients of the package against autograd and finite differences, and the three forms of the chapters."""

import re
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from networks import (
    autograd_gradients,
    gradients,
    make_problem,
    parameters,
    problems,
    reference_forward,
    reference_loss,
)
from sources import tagged_source

RANDOM = settings(derandomize=True, deadline=None, max_examples=200)


def rounding_bounds(net, x, y):
    """A bound for each gradient's rounding error: 100 eps times the sum of absolute products behind it, plus a floor.

    It runs the backward pass with absolute values, so that nothing cancels; it bounds errors and is no reference.
    """
    eps = torch.finfo(x.dtype).eps
    outputs = [z.abs().double() for z in net.forward_pass(x)]
    y = y.reshape(outputs[-1].shape).abs().double()
    delta = 2 / y.numel() * (outputs[-1] + y) * (outputs[-1] + outputs[-1] ** 2)
    bounds = []
    for layer, previous in zip(reversed(net.layers), reversed(outputs[:-1])):
        bounds += [delta.sum(dim=0), previous.T @ delta]
        delta = (delta @ layer.linear.weight.T.abs().double()) * (1 + previous**2)
    return [100 * eps * bound + 10 * eps for bound in reversed(bounds)]


def assert_close_to_autograd(net, x, y):
    net.backward(x, y)
    exact = autograd_gradients(net, x, y)
    for ours, theirs, bound in zip(
        gradients(net), exact, rounding_bounds(net, x, y), strict=True
    ):
        assert ours.shape == theirs.shape
        assert ((ours.double() - theirs).abs() <= bound).all()


@RANDOM
@given(problems())
def test_gradients_agree_with_autograd(problem):
    assert_close_to_autograd(*problem)


@RANDOM
@given(problems(dtype=torch.float32))
def test_float32_gradients_agree_with_autograd(problem):
    net, x, y = problem
    assert_close_to_autograd(net, x, y)
    assert {g.dtype for g in gradients(net)} == {torch.float32}


@settings(RANDOM, max_examples=30)
@given(problems())
def test_gradients_agree_with_centred_differences(problem):
    net, x, y = problem
    net.backward(x, y)
    params, step = parameters(net), 1e-5
    for parameter, gradient in zip(params, gradients(net), strict=True):
        for entry in range(parameter.numel()):
            value = parameter.view(-1)[entry].item()
            losses = []
            for moved in (value + step, value - step):
                parameter.view(-1)[entry] = moved
                losses.append(reference_loss(params, x, y))
            parameter.view(-1)[entry] = value
            assert (
                abs((losses[0] - losses[1]) / (2 * step) - gradient.view(-1)[entry])
                < 1e-8
            )


@RANDOM
@given(problems())
def test_forward_and_loss_agree_with_torch(problem):
    net, x, y = problem
    prediction = reference_forward(parameters(net), x)
    torch.testing.assert_close(
        net.forward(x), prediction.reshape(y.shape), rtol=0, atol=1e-13
    )
    torch.testing.assert_close(
        net.get_loss(x, y),
        reference_loss(parameters(net), x, y),
        rtol=0,
        atol=1e-13,
    )


@cache
def chapter_function(chapter):
    """The function that a chapter prints, from the chapter's own source."""
    namespace = {"torch": torch}
    exec(tagged_source(chapter, "form"), namespace)  # noqa: S102 (the book's own text)
    return namespace[f"{chapter}_gradients"]


@settings(RANDOM, max_examples=60)
@given(problems())
def test_scalar_vector_and_batch_forms_agree(problem):
    net, x, y = problem
    y = y.reshape(len(x), -1)
    weights, biases = parameters(net)[::2], parameters(net)[1::2]
    _, batch_weights, batch_biases = chapter_function("batch")(
        weights, biases, x, y
    )
    by_form = {"backward": gradients_of(net, x, y)}
    for form in ("scalar", "vector"):
        samples = [
            chapter_function(form)(weights, biases, x[s], y[s])
            for s in range(len(x))
        ]
        by_form[form] = [
            [
                torch.stack(group).mean(dim=0)
                for group in zip(*(sample[kind] for sample in samples))
            ]
            for kind in (0, 1)
        ]
    for form, (weight_grads, bias_grads) in by_form.items():
        for ours, theirs in zip(
            (*weight_grads, *bias_grads),
            (*batch_weights, *batch_biases),
            strict=True,
        ):
            torch.testing.assert_close(
                ours, theirs, rtol=1e-12, atol=1e-14, msg=form
            )


def gradients_of(net, x, y):
    net.backward(x, y.squeeze(-1) if net.output_size == 1 else y)
    return gradients(net)[::2], gradients(net)[1::2]


@pytest.mark.parametrize("chapter", ["scalar", "vector", "batch"])
def test_a_wrong_form_is_noticed(chapter):
    """The comparison above objects when one sign of a chapter's function changes."""
    source = tagged_source(chapter, "form")
    spoiled = re.sub(r"\(1 - ([zZ]_out\[ell)", r"(1 + \1", source)
    namespace = {"torch": torch}
    exec(spoiled, namespace)  # noqa: S102 (the book's own text)
    net, x, y = make_problem(
        n=1, input_size=2, output_size=2, hidden_sizes=[3, 4], seed=0
    )
    arguments = (
        parameters(net)[::2],
        parameters(net)[1::2],
        *((x, y) if chapter == "batch" else (x[0], y[0])),
    )
    wrong, right = (
        f(*arguments)[-2]
        for f in (namespace[f"{chapter}_gradients"], chapter_function(chapter))
    )
    assert not torch.allclose(wrong[0], right[0])
