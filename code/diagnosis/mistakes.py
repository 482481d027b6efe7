"""The mistakes that a diagnosis can name: one entry each, and nothing elsewhere.

To add one, write an entry: a name that stays, the label of the equation that it breaks,
what to tell the reader, and hypotheses. A hypothesis replaces steps of a right network
(`Steps`); several are the ways in which the mistake is made. The tests fail until the
mistake can be told from all others.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .problems import Gradients, Problem
from .steps import Steps, sigmoid_slope, tanh_slope


@dataclass(frozen=True)
class Mistake:
    """``signature`` is for what no single formula predicts: whether gradients are wrong
    in the way of the mistake, given the right ones. ``loss_message`` is for the same
    mistake in the loss itself, where that differs."""

    name: str
    equation: str
    message: str
    hypotheses: tuple[Steps, ...] = ()
    signature: Callable[[Problem, Gradients, Gradients], bool] | None = None
    loss_message: str = ""


def steps(**replaced: Callable) -> Steps:
    return replace(Steps(), **replaced)


def close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-7)


def only_first_delta_is_wrong(
    problem: Problem, found: Gradients, right: Gradients
) -> bool:
    """All later layers are right, and in the first the gradients of weights and biases
    come from one and the same wrong delta."""
    later = zip(found[1:], right[1:])
    if not all(close(a, b) for f, r in later for a, b in zip(f, r)):
        return False
    weight_grad, bias_grad = found[0]
    if close(bias_grad, right[0][1]) or not bias_grad.any():
        return False
    if problem.n > problem.sizes[0]:  # too many samples to find the delta
        return True
    delta = torch.linalg.lstsq(problem.x.T, weight_grad).solution
    return close(problem.x.T @ delta, weight_grad) and close(
        delta.sum(0), bias_grad
    )


def pairs(p: Tensor, y: Tensor) -> Tensor:
    """Every prediction against every label, (n, n, K)."""
    return p.unsqueeze(1) - y


def only_one_output(broadcast: Callable, right: Callable) -> Callable:
    """What is broadcast with one output often is not with several."""
    return lambda p, y: broadcast(p, y) if p.shape[1] == 1 else right(p, y)


MISTAKES = [
    # ---------------------------------------------------------------- loss
    Mistake(
        "sum-not-mean",
        "eq-loss-gradient",
        "Every gradient grows with the number of samples: it is n times what"
        " it should be, or nK times. The loss is a mean over samples and"
        " outputs. Look at where its divisors enter the gradient of the loss.",
        (
            steps(loss_gradient=lambda p, y: 2 * (p - y) / p.shape[1]),
            steps(loss_gradient=lambda p, y: 2 * (p - y)),
            steps(loss=lambda p, y: ((p - y) ** 2).sum() / p.shape[1]),
            steps(loss=lambda p, y: ((p - y) ** 2).sum()),
        ),
        loss_message="The loss grows with the number of samples. It should be a mean"
        " over all samples and outputs. Look at its divisors.",
    ),
    Mistake(
        "divided-by-n-only",
        "eq-loss-gradient",
        "Every gradient is K times what it should be, and right for one output. The"
        " loss is a mean over samples and over outputs. Count the divisors in the"
        " gradient of the loss.",
        (
            steps(loss_gradient=lambda p, y: 2 * (p - y) / len(p)),
            steps(loss=lambda p, y: ((p - y) ** 2).sum() / len(p)),
        ),
        loss_message="The loss is K times what it should be, and right for one output."
        " It should be a mean over samples and over outputs. Count its divisors.",
    ),
    Mistake(
        "factor-two-missing",
        "eq-loss-gradient",
        "Every gradient is half of what it should be, whatever the number of"
        " samples. Go through the derivative of the square in the loss again,"
        " step by step.",
        (
            steps(loss_gradient=lambda p, y: (p - y) / p.numel()),
            steps(loss=lambda p, y: ((p - y) ** 2).mean() / 2),
        ),
        loss_message="The loss is half of the mean squared error. Some texts define it"
        " so; this one does not. Compare its definition with yours, factor by factor.",
    ),
    Mistake(
        "wrong-sign",
        "eq-loss-gradient",
        "Every gradient has the right size and the opposite sign: a step would climb."
        " In the gradient of the loss, ask which way the loss moves if a prediction"
        " that is too large grows.",
        (steps(loss_gradient=lambda p, y: 2 * (y - p) / p.numel()),),
    ),
    Mistake(
        "residual-squared",
        "eq-loss-gradient",
        "Every gradient is wrong, and where a prediction is below its label"
        " the sign is wrong too. On the five points, a fresh network with"
        " biases 0 would not show it in the weights. Go through the"
        " derivative of the square in the loss again: which power of the"
        " residual is left?",
        (steps(loss_gradient=lambda p, y: 2 * (p - y) ** 2 / p.numel()),),
    ),
    Mistake(
        "labels-broadcast",
        "eq-loss-gradient",
        "Predictions and labels are combined every one with every other, n × n: one of"
        " them is a column, the other is flat, and torch repeats both. Print both"
        " shapes right before they meet.",
        (
            steps(
                loss_gradient=only_one_output(
                    lambda p, y: 2 * pairs(p, y).mean(1) / len(p),
                    Steps().loss_gradient,
                )
            ),
            steps(
                loss_gradient=only_one_output(
                    lambda p, y: 2 * pairs(p, y).sum(1) / len(p),
                    Steps().loss_gradient,
                )
            ),
            steps(
                loss_gradient=only_one_output(
                    lambda p, y: 2 * pairs(p, y).squeeze(-1) / len(p),
                    Steps().loss_gradient,
                )
            ),
            steps(
                loss=only_one_output(
                    lambda p, y: (pairs(p, y) ** 2).mean(), Steps().loss
                )
            ),
            steps(loss=lambda p, y: (pairs(p, y) ** 2).mean()),
        ),
        loss_message="Every prediction is compared with every label, n × n: one of them"
        " is a column, the other is flat, and torch repeats both. The number looks like"
        " a loss and is none. Print both shapes right before they meet.",
    ),
    # ---------------------------------------------------------------- output layer
    Mistake(
        "no-output-slope",
        "eq-batch-output-delta",
        "All gradients are wrong as if the slope of the output layer were 1. For one"
        " sample and one output all are too large by the same factor. Look at the"
        " second factor of the output delta.",
        (steps(output_slope=lambda v: torch.ones_like(v.p)),),
    ),
    Mistake(
        "output-slope-of-output",
        "eq-batch-output-delta",
        "The slope of the output layer is taken at the wrong place: at what comes out"
        " of the layer, instead of at what goes in. Look at the argument of σ′, and at"
        " what your function expects to be given.",
        (steps(output_slope=lambda v: sigmoid_slope(v.p)),),
    ),
    Mistake(
        "tanh-slope-at-output",
        "eq-batch-output-delta",
        "The output delta has the slope of tanh. The hidden layers use tanh, the output"
        " layer does not. Look at whose derivative stands there.",
        (
            steps(output_slope=lambda v: tanh_slope(v.z_in[-1])),
            steps(output_slope=lambda v: 1 - v.p**2),
        ),
    ),
    # ---------------------------------------------------------------- weights
    Mistake(
        "weights-averaged",
        "eq-batch-weights",
        "Every weight gradient is 1/n of what it should be, and every bias gradient is"
        " right: the weights were averaged over the samples, but Δ already holds the"
        " 1/n.",
        (
            steps(
                weight_grad=lambda v, delta, k: (
                    v.z_out[k - 1].T @ delta / len(delta)
                )
            ),
        ),
    ),
    Mistake(
        "mean-twice",
        "eq-batch-delta-mean",
        "Every gradient is 1/n of what it should be, and right for one sample: the mean"
        " over the samples is taken twice. Find all places that divide by n, and ask"
        " which of them belongs to the loss.",
        (steps(loss_gradient=lambda p, y: 2 * (p - y) / p.numel() / len(p)),),
    ),
    Mistake(
        "mean-before-product",
        "eq-batch-weights-steps",
        "The bias gradients are right. Each weight gradient is made of one average"
        " output and one delta of all samples: it has rank 1, and is right for one"
        " sample only. Look at the order of the sum over samples and the product.",
        tuple(
            steps(
                weight_grad=lambda v, delta, k, scale=scale: (
                    torch.outer(v.z_out[k - 1].mean(0), delta.sum(0))
                    * len(delta) ** scale
                )
            )
            for scale in (0, -1)
        ),
    ),
    Mistake(
        "pre-activation-for-output",
        "eq-batch-weights",
        "The biases and the weights of the first layer are right, those of"
        " later layers are wrong, as if multiplied by what goes into the"
        " layer before. Which Z stands in the gradient of the weights, and"
        " what does its subscript say?",
        (
            steps(
                weight_grad=lambda v, delta, k: (
                    (v.z_in[k - 1] if k > 1 else v.z_out[0]).T @ delta
                )
            ),
        ),
    ),
    # ---------------------------------------------------------------- biases
    Mistake(
        "bias-not-summed",
        "eq-batch-biases",
        "The weight gradients are right. Each bias gradient still has a row for every"
        " sample. Compare its shape with that of the bias: what becomes of the"
        " samples?",
        (steps(bias_grad=lambda delta: delta),),
    ),
    Mistake(
        "bias-summed-over-units",
        "eq-batch-biases",
        "The weight gradients are right. Each bias gradient has an entry for every"
        " sample instead of every unit: the sum runs over the wrong index.",
        (
            steps(bias_grad=lambda delta: delta.sum(1)),
            steps(bias_grad=lambda delta: delta.sum(1, keepdim=True)),
        ),
    ),
    Mistake(
        "bias-averaged",
        "eq-batch-biases",
        "Every bias gradient is 1/n of what it should be, and every weight gradient is"
        " right. Δ already holds the 1/n: is the bias a sum or an average of its rows?",
        (steps(bias_grad=lambda delta: delta.mean(0)),),
    ),
    Mistake(
        "bias-gradient-zero",
        "eq-batch-biases",
        "Every bias gradient is 0, and every weight gradient is right. The biases"
        " would never move. Which path leads from a bias to the loss?",
        (steps(bias_grad=lambda delta: torch.zeros(delta.shape[1]).to(delta)),),
    ),
    # ---------------------------------------------------------------- hidden layers
    Mistake(
        "missing-transpose",
        "eq-batch-hidden-delta",
        "The last layer is right. The delta is sent back through the weights"
        " the wrong way round. That fits where a layer is square, or where a"
        " delta of one output is repeated. Write down the shapes of both"
        " factors for layers of different sizes.",
        (
            steps(send_back=lambda v, delta, k: delta @ v.weights[k]),
            # einsum repeats a delta of one output
            steps(
                send_back=lambda v, delta, k: torch.einsum(
                    "si,ik->sk", delta, v.weights[k]
                )
            ),
        ),
    ),
    Mistake(
        "hidden-slope-of-output",
        "eq-batch-hidden-delta",
        "The last layer is right. In the hidden layers the slope is taken at what comes"
        " out of the layer, instead of at what goes in. Look at the argument of σ′, and"
        " at what your function expects to be given.",
        (steps(hidden_slope=lambda v, k: tanh_slope(v.z_out[k])),),
    ),
    Mistake(
        "slope-of-wrong-layer",
        "eq-batch-hidden-delta",
        "The last layer is right. A hidden delta is multiplied by a slope"
        " that belongs to another layer. Where sizes differ that raises an"
        " error, unless the other layer has one unit. Look at the layer index"
        " of σ′ and of its argument, and compare with that of the delta on"
        " the left.",
        (
            steps(
                hidden_slope=lambda v, k: (
                    sigmoid_slope(v.z_in[k + 1])
                    if k + 1 == v.L
                    else tanh_slope(v.z_in[k + 1])
                )
            ),
            steps(hidden_slope=lambda v, k: tanh_slope(v.z_in[k + 1])),
            steps(hidden_slope=lambda v, k: 1 - v.z_out[k + 1] ** 2),
            steps(hidden_slope=lambda v, k: 1 - v.z_out[k - 1] ** 2),
            steps(hidden_slope=lambda v, k: 1 - v.z_out[v.L - 1] ** 2),
        ),
    ),
    Mistake(
        "no-hidden-slope",
        "eq-batch-hidden-delta",
        "The last layer is right. The hidden deltas lack a factor, as if the slope of"
        " tanh were 1. Compare both factors of the hidden delta with yours.",
        (steps(hidden_slope=lambda v, k: torch.ones_like(v.z_in[k])),),
    ),
    Mistake(
        "slope-not-squared",
        "eq-tanh-derivative",
        "The last layer is right. In the hidden layers the slope is not that"
        " of tanh. Go through the derivative of tanh again, step by step, and"
        " compare with yours.",
        (steps(hidden_slope=lambda v, k: 1 - v.z_out[k]),),
    ),
    Mistake(
        "first-layer-delta",
        "eq-batch-hidden-delta",
        "Only the first layer is wrong, its weights and its biases alike: both come"
        " from one wrong delta. Look at what happens to the delta on the way into the"
        " first layer.",
        signature=only_first_delta_is_wrong,
    ),
    Mistake(
        "updated-too-early",
        "eq-batch-hidden-delta",
        "The last layer is right, earlier ones are slightly off, and backward changes"
        " the weights: the delta is sent back through weights that have already been"
        " updated. At which weights was the forward pass made?",
        (steps(send_back=lambda v, delta, k: delta @ v.weights_after[k].T),),
    ),
    # ---------------------------------------------------------------- calls, updates
    Mistake(
        "gradients-accumulate",
        "eq-batch-weights",
        "The first call of backward gives the right gradients, a second call twice"
        " those: they are added to what was there. What should a call do with the"
        " gradients of the call before?",
        (steps(second_call=lambda gradient: 2 * gradient),),
    ),
    Mistake(
        "update-adds",
        "eq-update-weights",
        "Parameters move along the gradient instead of against it. Which way"
        " does the gradient point, and which way leads down?",
        (
            steps(
                update=lambda parameter, gradient, rate: parameter + rate * gradient
            ),
        ),
    ),
    Mistake(
        "update-lost",
        "eq-update-weights",
        "Parameters that should have moved are the same before and after a"
        " step. Is there a line that changes them? If so, does it change the"
        " tensor of the layer, or give a name to a new one?",
        (steps(update=lambda parameter, gradient, rate: parameter),),
    ),
]
