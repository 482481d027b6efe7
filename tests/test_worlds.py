"""Worlds: in each, what is true is judged true, and what is false is refused."""

import dataclasses
import functools

import pytest
import torch
from equation_cases import TRUE
from equations import check_files, worlds
from equations.chains import Placed
from equations.check import check_values
from equations.compare import TOLERANCE
from equations.extract import parse_chapter
from equations.feedforward import FEEDFORWARD, number
from equations.networks import Network, random_losses
from equations.results import Result
from equations.tables import (
    defined,
    derivative,
    leaf,
    loss,
    size,
    world_of_table,
)
from equations.world import Model, Symbol, World, after_descent, descend

SAMPLE = r"$\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$"


def failures(tex, world="feedforward"):
    """What the evaluation says of an equation; its reasons are another matter."""
    above = SAMPLE
    chapter = parse_chapter("a.md", f"{above}\n\n$$\n{tex}\n$$ (eq-a)\n")
    chapter = dataclasses.replace(chapter, world=world)
    (display,) = chapter.displays
    result = Result("a.md", display.line, "eq-a", tex)
    with result.noting(Placed(None, 0, display.line)):
        check_values(display, chapter, result)
    if not result.failures:  # what is right is far from the tolerance
        assert (result.error or 0.0) <= TOLERANCE / 10
    return result.failures


# Each world of the package: true rows, then false ones.
ROWS = {
    "classifier": (
        [
            r"p_i = \frac{e^{z^{(L)}_{i,\mathrm{in}}}}{\sum_{k} e^{z^{(L)}_{k,\mathrm{in}}}}",
            r"q_i = \operatorname{sigmoid}(z^{(L)}_{i,\mathrm{in}})",
            r"\boldsymbol{\delta}^{(L)} = \mathbf{p} - \mathbf{y}, \quad \text{if } \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}}) = \mathcal{L}_{\mathrm{CE}}(\mathbf{y}, \mathbf{p})",
            r"\boldsymbol{\delta}^{(L)} = \frac{1}{K} (\mathbf{q} - \mathbf{y}), \quad \text{if } \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}}) = \mathcal{L}_{\mathrm{BCE}}(\mathbf{y}, \mathbf{q})",
            r"\boldsymbol{\Delta}^{(L)} = \frac{1}{n K} (\mathbf{Q} - \mathbf{Y}), \quad \text{if } \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) = \mathcal{L}_{\mathrm{BCE}}(\mathbf{Y}, \mathbf{Q})",
            r"\mathcal{L}_{\mathrm{CE}}(\mathbf{Y}, \mathbf{P}) = -\frac{1}{n} \sum_{s} \sum_{k} Y_{sk} \log P_{sk}",
            r"\mathcal{L}_{\mathrm{MSE}}(\mathbf{y}, \mathbf{q}) = \frac{1}{K} \sum_{k} (q_k - y_k)^2",
            r"\nabla_{\mathbf{W}^{(\ell)}} \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) = \mathbf{Z}^{(\ell-1)\top}_{\mathrm{out}} \cdot \boldsymbol{\Delta}^{(\ell)}, \quad \ell = 1, \dots, L",
        ],
        [
            r"\boldsymbol{\delta}^{(L)} = \mathbf{p} - \mathbf{y}",
            r"\boldsymbol{\delta}^{(L)} = \mathbf{q} - \mathbf{y}, \quad \text{if } \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}}) = \mathcal{L}_{\mathrm{BCE}}(\mathbf{y}, \mathbf{q})",
            r"\boldsymbol{\Delta}^{(L)} = \mathbf{P} - \mathbf{Y}, \quad \text{if } \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) = \mathcal{L}_{\mathrm{CE}}(\mathbf{Y}, \mathbf{P})",
            r"\boldsymbol{\delta}^{(L)} = \nabla_{\mathbf{z}^{(L)}_{\mathrm{out}}} \mathcal{L} \odot \sigma'^{(L)}(\mathbf{z}^{(L)}_{\mathrm{in}})",
            r"\frac{\partial p_k}{\partial z^{(L)}_{i,\mathrm{in}}} = p_k (1 - p_i)",
            r"\sum_{k} y_k = 1",
            r"q_i > 1/1000",
            r"p_i \ge 1/100000",
            r"|c| < 5",
        ],
    ),
    "softmax": (
        [
            r"p_i = \frac{e^{a_i}}{\sum_{k} e^{a_k}}",
            r"\mathbf{p} = \operatorname{softmax}(\mathbf{a})",
            r"\frac{\partial p_i}{\partial a_j} = p_i (\delta_{ij} - p_j)",
            r"\frac{\partial p_i}{\partial a_j} = p_i ([i = j] - p_j)",
            r"\frac{\partial \mathbf{p}}{\partial \mathbf{a}} = \operatorname{diag}(\mathbf{p}) - \mathbf{p} \cdot \mathbf{p}^{\top}",
            r"\mathcal{L}_{\mathrm{CE}}(\mathbf{y}, \mathbf{p}) = - \sum_{k} y_k \log p_k",
            r"\nabla_{\mathbf{a}} \mathcal{L}_{\mathrm{CE}}(\mathbf{y}, \mathbf{p}) = \mathbf{p} - \mathbf{y}",
            r"\frac{\partial}{\partial a_j} (\log \sum_{k} e^{a_k}) = p_j",
            r"\log p_i = a_i - \log \sum_{k} e^{a_k}",
            r"\frac{\partial \mathcal{L}}{\partial a_j} = p_j \left( \frac{\partial \mathcal{L}}{\partial p_j} - \sum_{k} p_k \frac{\partial \mathcal{L}}{\partial p_k} \right)",
            r"\|\mathbf{p}\|^2 = \mathbf{p}^{\top} \cdot \mathbf{p}",
            r"p_i \le 1",
            r"p_i > 0",
            r"\operatorname{softmax}(\mathbf{a})_i = p_i",
            r"\frac{\partial p_k}{\partial a_j} = \begin{cases} p_k (1 - p_k) & \text{if } k = j \\ -p_k p_j & \text{if } k \ne j \end{cases}",
            r"\frac{\partial p_k}{\partial a_j} = \begin{cases} p_k (1 - p_k) & k = j \\ -p_k p_j & \text{otherwise} \end{cases}",
            r"\mathcal{L}_{\mathrm{CE}}(\mathbf{y}, \mathbf{p}) = -\sum_{k} y_k \ln p_k",
            r"\mathbf{1}^{\top} \cdot \mathbf{p} = 1",
        ],
        [
            r"\operatorname{softmax}(\mathbf{a})_i = a_i",
            r"\frac{\partial p_k}{\partial a_j} = \begin{cases} p_k (1 - p_k) & k \ne j \\ -p_k p_j & k = j \end{cases}",
            r"\frac{\partial p_k}{\partial a_j} = \begin{cases} p_k (1 - p_k) & k \le j \\ -p_k p_j & \text{otherwise} \end{cases}",
            r"p_i = i",
            r"\mathbf{1}^{\top} \cdot \mathbf{a} = 1",
            r"\frac{\partial p_i}{\partial a_j} = p_i (\delta_{ij} - p_i)",
            r"\frac{\partial p_i}{\partial a_j} = p_i (1 - p_j)",
            r"\frac{\partial \mathbf{p}}{\partial \mathbf{a}} = \operatorname{diag}(\mathbf{p}) - \mathbf{p}^{\top} \cdot \mathbf{p}",
            r"\nabla_{\mathbf{a}} \mathcal{L}_{\mathrm{CE}}(\mathbf{y}, \mathbf{p}) = \mathbf{y} - \mathbf{p}",
            r"\frac{\partial}{\partial a_j} (\log \sum_{k} e^{a_k}) = e^{a_j}",
            r"\log \sum_{k} e^{a_k} = \sum_{k} a_k",
            r"p_i \ge a_i",
            r"p_i \ge 1/100000",
        ],
    ),
    "relu": (
        [
            r"z_i = \max(0, a_i)",
            r"z_i = \operatorname{ReLU}(a_i)",
            r"\operatorname{ReLU}'(a_i) = \begin{cases} 1 & \text{if } a_i > 0 \\ 0 & \text{if } a_i \le 0 \end{cases}",
            r"\delta_i = \begin{cases} \frac{\partial \mathcal{L}}{\partial z_i} & a_i > 0 \\ 0 & a_i \le 0 \end{cases}",
            r"|a_i| = \max(a_i, -a_i)",
            r"|a_i| = a_i \cdot \operatorname{sign}(a_i)",
            r"\operatorname{ReLU}'(a_i) = \begin{cases} 1 & a_i > 0 \\ 0 & a_i < 0 \end{cases}",
            r"z_i = \begin{cases} a_i & a_i > 0 \\ 0 & a_i = 0 \\ 0 & a_i < 0 \end{cases}",
            r"z_i \ge 0",
            r"z_i \ge a_i",
            r"z_i = \begin{cases} a_i, & \text{if } a_i > 0, \\ 0 & \text{otherwise} \end{cases}",
            r"z_i = \begin{cases} a_i, & a_i > 0, \\ 0, & a_i \le 0. \end{cases}",
            r"z_i = \max\{0, a_i\}",
        ],
        [
            r"z_i = \begin{cases} a_i & a_i < 0 \\ 0 & \text{otherwise} \end{cases}",
            r"z_i = \begin{cases} a_i & a_i > 0 \\ 1 & \text{otherwise} \end{cases}",
            r"z_i = \begin{cases} 0 & \text{otherwise} \\ a_i & a_i > 0 \end{cases}",
            r"z_i = \begin{cases} a_i & a_i > 0 \\ 0 & a_i < 0 \\ 0 & \text{otherwise} \end{cases}",
            r"z_i = \begin{cases} a_i & \text{otherwise} \end{cases}",
            r"z_i = \max(0, -a_i)",
            r"\operatorname{ReLU}'(a_i) = \begin{cases} 0 & a_i > 0 \\ 1 & a_i \le 0 \end{cases}",
            r"\operatorname{ReLU}'(a_i) = \begin{cases} 1 & a_i > 0 \\ 0 & a_i < 5 \end{cases}",
            r"\delta_i = \begin{cases} \frac{\partial \mathcal{L}}{\partial z_i} & z_i \ge 0 \\ 0 & z_i < 0 \end{cases}",
            r"|a_i| = \max(a_i, 0)",
            r"\operatorname{ReLU}'(a_i) = \begin{cases} 1 & a_i \ge 0 \\ 0 & a_i < 0 \end{cases}",
            r"\operatorname{sign}(a_i)^2 = 1",
            r"|a_i| > 0",
            r"z_i \le 50",
            r"z_i = \max(-40, \max(0, a_i), a_i - 20, 2 a_i - 30)",
            r"z_i = \begin{cases} a_i & a_i > 0 \\ 0 & a_i > -30 \\ 0 & a_i < 0 \end{cases}",
            r"z_i = \begin{cases} a_i & a_i > 0 \\ 7 & a_i = 0 \\ 0 & a_i < 0 \end{cases}",
        ],
    ),
    "weight_decay": (
        [
            r"\mathcal{L} = \mathcal{L}_{\mathrm{data}} + \frac{\lambda}{2} \sum_{j} \sum_{i} W_{ji}^2",
            r"\frac{\partial \mathcal{L}}{\partial W_{ji}} = \frac{\partial \mathcal{L}_{\mathrm{data}}}{\partial W_{ji}} + \lambda W_{ji}",
            r"\mathbf{W} \leftarrow (1 - \eta \lambda) \mathbf{W} - \eta \, \nabla_{\mathbf{W}} \mathcal{L}_{\mathrm{data}}",
            r"\mathbf{M} \leftarrow \mu \mathbf{M} + \nabla_{\mathbf{W}} \mathcal{L}_{\mathrm{data}}",
            r"\mathcal{L} = \mathcal{L}_{\mathrm{data}} + \frac{\lambda}{2} \|\mathbf{W}\|_F^2",
            r"\mathcal{L} = \mathcal{L}_{\mathrm{data}} + \frac{\lambda}{2} \lVert \mathbf{W} \rVert^2",
        ],
        [
            r"\frac{\partial \mathcal{L}}{\partial W_{ji}} = \frac{\partial \mathcal{L}_{\mathrm{data}}}{\partial W_{ji}} + 2 \lambda W_{ji}",
            r"\mathbf{W} \leftarrow (1 - \lambda) \mathbf{W} - \eta \, \nabla_{\mathbf{W}} \mathcal{L}_{\mathrm{data}}",
            r"\mathbf{M} \leftarrow \mu \mathbf{M} - \nabla_{\mathbf{W}} \mathcal{L}_{\mathrm{data}}",
            r"\mathbf{x} \leftarrow \mathbf{x} + \mathbf{x}",
        ],
    ),
    "digits": (
        [
            r"z_{i,\mathrm{in}} = \sum_{j} W_{ji} x_j + b_i",
            r"z_{i,\mathrm{out}} = \max(0, z_{i,\mathrm{in}})",
            r"\frac{\partial z_{i,\mathrm{out}}}{\partial z_{i,\mathrm{in}}} = \begin{cases} 1 & z_{i,\mathrm{in}} > 0 \\ 0 & z_{i,\mathrm{in}} \le 0 \end{cases}",
            r"\delta_i = \begin{cases} \frac{\partial \mathcal{L}}{\partial z_{i,\mathrm{out}}} & z_{i,\mathrm{out}} > 0 \\ 0 & z_{i,\mathrm{out}} = 0 \end{cases}",
            r"q_{\mathrm{in}} = v \sum_{j} x_j^2",
            r"q_{\mathrm{out}} = \frac{1}{2} q_{\mathrm{in}}",
            r"\mathbf{u}_t = \mu \mathbf{u}_{t-1} + \mathbf{g}_t",
            r"\mathbf{w}_t = \mathbf{w}_{t-1} - \eta \mathbf{u}_t",
            r"\mathbf{w}_{t+1} = \mathbf{w}_t - \eta \mathbf{u}_{t+1}",
            r"\mathbf{u}_t = \mathbf{g}_t + \mu \mathbf{g}_{t-1} + \mu^2 \mathbf{g}_{t-2} + \mu^3 \mathbf{u}_{t-3}",
            r"\mathcal{L} = \mathcal{L}_{\mathrm{data}} + \frac{\lambda}{2} \sum_{j} \sum_{i} W_{ji}^2",
            r"\frac{\partial \mathcal{L}}{\partial W_{ji}} = \frac{\partial \mathcal{L}_{\mathrm{data}}}{\partial W_{ji}} + \lambda W_{ji}",
            r"\mathbf{W} \leftarrow (1 - \eta \lambda) \mathbf{W} - \eta \, \nabla_{\mathbf{W}} \mathcal{L}_{\mathrm{data}}",
        ],
        [
            r"\frac{\partial z_{i,\mathrm{out}}}{\partial z_{i,\mathrm{in}}} = \begin{cases} 1 & z_{i,\mathrm{in}} \ge 0 \\ 0 & z_{i,\mathrm{in}} < 0 \end{cases}",
            r"\delta_i = \frac{\partial \mathcal{L}}{\partial z_{i,\mathrm{out}}}",
            r"q_{\mathrm{in}} = v \left( \sum_{j} x_j \right)^2",
            r"q_{\mathrm{in}} = v^2 \sum_{j} x_j^2",
            r"q_{\mathrm{out}} = q_{\mathrm{in}}",
            r"\mathbf{u}_t = \mu \mathbf{u}_t + \mathbf{g}_t",
            r"\mathbf{u}_t = \mu \mathbf{u}_{t-1} + (1 - \mu) \mathbf{g}_t",
            r"\mathbf{w}_t = \mathbf{w}_{t-1} - \eta \mathbf{u}_{t-1}",
            r"\mathbf{w}_t = \mathbf{w}_{t-1} - \eta \mathbf{g}_t",
            r"\mathbf{u}_t = \mathbf{g}_t + \mu \mathbf{g}_{t-1} + \mu^2 \mathbf{g}_{t-2} + \mu^2 \mathbf{u}_{t-3}",
            r"\frac{\partial \mathcal{L}}{\partial W_{ji}} = \frac{\partial \mathcal{L}_{\mathrm{data}}}{\partial W_{ji}} + 2 \lambda W_{ji}",
            r"\mathbf{W} \leftarrow \mathbf{W} - \eta \, \nabla_{\mathbf{W}} \mathcal{L}_{\mathrm{data}}",
        ],
    ),
    "residual": (
        [
            r"y_i = x_i + \tanh(a_i)",
            r"\nabla_{\mathbf{x}} \mathcal{L} = \nabla_{\mathbf{y}} \mathcal{L} + \mathbf{W} \cdot \boldsymbol{\delta}",
            r"\frac{\partial y_i}{\partial x_j} = \delta_{ij} + \tanh'(a_i) W_{ji}",
            r"\frac{\partial \mathbf{y}}{\partial \mathbf{x}} = \mathbf{I} + \operatorname{diag}(\tanh'(\mathbf{a})) \cdot \mathbf{W}^{\top}",
            r"\mathbf{x} = (\mathbf{W}^{\top})^{-1} \cdot \mathbf{a}",
            r"2 \mathbf{I} = \mathbf{W} \cdot \mathbf{W}^{-1} + \mathbf{I}^{\top}",
            r"\mathbf{x}^{\top} \cdot \mathbf{I} \cdot \mathbf{x} = \|\mathbf{x}\|^2",
        ],
        [
            r"\mathbf{W}^{-1} = \mathbf{W}^{\top}",
            r"\mathbf{W}^{-1} \cdot \mathbf{W} = 2 \mathbf{I}",
            r"\mathbf{x}^{-1} = \mathbf{x}",
            r"\operatorname{tr}(\mathbf{I}) = 1",
            r"\|\mathbf{I}\| = 1",
            r"\operatorname{softmax}(\mathbf{I}) = \mathbf{I}",
            r"\mathbf{I} + 1 = \mathbf{I}",
            r"\mathbf{I} = 1",
            r"I_{ij} = 1",
            r"\mathbf{I} \odot \mathbf{W} = \mathbf{W}",
            r"\mathbf{I} \cdot \mathbf{x} = 2 \mathbf{x}",
            r"\mathbf{I} + \mathbf{x} = \mathbf{x}",
            r"\nabla_{\mathbf{x}} \mathcal{L} = \mathbf{W} \cdot \boldsymbol{\delta}",
            r"\nabla_{\mathbf{x}} \mathcal{L} = \nabla_{\mathbf{y}} \mathcal{L} + \mathbf{W}^{\top} \cdot \boldsymbol{\delta}",
            r"\frac{\partial y_i}{\partial x_j} = \delta_{ij} + \tanh'(a_j) W_{ji}",
        ],
    ),
    "convolution": (
        [
            r"y_i = \sum_{k} w_k x_{i+k-1}",
            r"\frac{\partial \mathcal{L}}{\partial w_k} = \sum_{i} \frac{\partial \mathcal{L}}{\partial y_i} x_{i+k-1}",
            r"\sum_{i} \sum_{k} w_k x_{i+k-1} = \sum_{i} y_i",
        ],
        [
            r"y_i = \sum_{k} w_k x_{i+k}",
            r"y_i = \sum_{k} w_k x_{i-k+1}",
            r"\frac{\partial \mathcal{L}}{\partial w_k} = \frac{\partial \mathcal{L}}{\partial y_i} x_{i+k-1}",
            r"y_i w_k = \begin{cases} y_i w_k & i = k \\ y_i w_k & i \ne k \end{cases}",
            r"\frac{\partial \mathcal{L}}{\partial w_k} = \sum_{i} \frac{\partial \mathcal{L}}{\partial y_i} x_{i}",
        ],
    ),
    "batch_normalisation": (
        [
            r"\mu_i = \frac{1}{n} \sum_{s} z_{si}",
            r"v_i = \frac{1}{n} \sum_{s} (z_{si} - \mu_i)^2",
            r"\frac{\partial \mu_i}{\partial z_{si}} = \frac{1}{n}",
            r"\hat{z}_{si} = \frac{z_{si} - \mu_i}{\sqrt{v_i + \epsilon}}",
            r"y_{si} = \gamma_i \hat{z}_{si} + \beta_i",
            r"\frac{\partial \mathcal{L}}{\partial \gamma_i} = \sum_{s} \frac{\partial \mathcal{L}}{\partial y_{si}} \hat{z}_{si}",
            r"\frac{\partial \mathcal{L}}{\partial z_{si}} = \frac{\gamma_i}{n \sqrt{v_i + \epsilon}} \left( n \frac{\partial \mathcal{L}}{\partial y_{si}} - \sum_{r} \frac{\partial \mathcal{L}}{\partial y_{ri}} - \hat{z}_{si} \sum_{r} \frac{\partial \mathcal{L}}{\partial y_{ri}} \hat{z}_{ri} \right)",
        ],
        [
            r"v_i = \frac{1}{n} \sum_{s} z_{si}^2",
            r"\frac{\partial \mu_i}{\partial z_{si}} = 1",
            r"v_i = n",
            r"\frac{\partial \mathcal{L}}{\partial z_{si}} = \frac{\gamma_i}{\sqrt{v_i + \epsilon}} \frac{\partial \mathcal{L}}{\partial y_{si}}",
            r"\frac{\partial \mathcal{L}}{\partial z_{si}} = \frac{\gamma_i}{n \sqrt{v_i + \epsilon}} \left( n \frac{\partial \mathcal{L}}{\partial y_{si}} - \sum_{r} \frac{\partial \mathcal{L}}{\partial y_{ri}} \right)",
            r"\frac{\partial \mathcal{L}}{\partial \gamma_i} = \sum_{s} \frac{\partial \mathcal{L}}{\partial y_{si}} z_{si}",
        ],
    ),
    "attention": (
        [
            r"\mathbf{O} = \operatorname{softmax}\left( \frac{\mathbf{Q} \mathbf{K}^{\top}}{\sqrt{m}} \right) \mathbf{V}",
            r"\nabla_{\mathbf{V}} \mathcal{L} = \mathbf{P}^{\top} \cdot (\nabla_{\mathbf{O}} \mathcal{L})",
            r"\nabla_{\mathbf{P}} \mathcal{L} = (\nabla_{\mathbf{O}} \mathcal{L}) \cdot \mathbf{V}^{\top}",
            r"\frac{\partial \mathcal{L}}{\partial S_{ij}} = P_{ij} \left( \frac{\partial \mathcal{L}}{\partial P_{ij}} - \sum_{k} P_{ik} \frac{\partial \mathcal{L}}{\partial P_{ik}} \right)",
            r"\nabla_{\mathbf{Q}} \mathcal{L} = \frac{1}{\sqrt{m}} (\nabla_{\mathbf{S}} \mathcal{L}) \cdot \mathbf{K}",
            r"\langle \mathbf{Q}, \mathbf{Q} \rangle = \operatorname{tr}(\mathbf{Q}^{\top} \mathbf{Q})",
            r"\sum_{j} P_{ij} = 1",
            r"\operatorname{softmax}(\mathbf{S})^{\top} = \mathbf{P}^{\top}",
        ],
        [
            r"\sum_{i} P_{ij} = 1",
            r"P_{ij} = 1",
            r"\operatorname{softmax}(\mathbf{S})^{\top} = \operatorname{softmax}(\mathbf{S}^{\top})",
            r"\mathbf{P} \cdot \mathbf{V} = 1",
            r"\mathbf{O} = \operatorname{softmax}\left( \frac{1}{m} \mathbf{Q} \mathbf{K}^{\top} \right) \mathbf{V}",
            r"\nabla_{\mathbf{V}} \mathcal{L} = \mathbf{P} \cdot (\nabla_{\mathbf{O}} \mathcal{L})",
            r"\frac{\partial \mathcal{L}}{\partial S_{ij}} = P_{ij} \left( \frac{\partial \mathcal{L}}{\partial P_{ij}} - \sum_{k} P_{kj} \frac{\partial \mathcal{L}}{\partial P_{kj}} \right)",
            r"\nabla_{\mathbf{K}} \mathcal{L} = \frac{1}{\sqrt{m}} (\nabla_{\mathbf{S}} \mathcal{L}) \cdot \mathbf{Q}",
            r"\langle \mathbf{Q}, \mathbf{K} \rangle = \operatorname{tr}(\mathbf{Q}^{\top} \mathbf{K})",
        ],
    ),
    "recurrence": (
        [
            r"a_{ti} = \sum_{j} U_{ij} h_{t-1,j} + \sum_{k} W_{ik} x_{tk} + b_i",
            r"h_{ti} = \tanh(a_{ti})",
            r"\frac{\partial \mathcal{L}}{\partial U_{ij}} = \sum_{t} \delta_{ti} h_{t-1,j}",
            r"\nabla_{\mathbf{U}} \mathcal{L} = \sum_{t=1}^{T} \boldsymbol{\delta}_t \mathbf{h}_{t-1}^{\top}",
            r"\frac{\partial \mathcal{L}}{\partial W_{ik}} = \sum_{t} \delta_{ti} x_{tk}",
            r"\frac{\partial \mathcal{L}}{\partial b_i} = \sum_{t} \delta_{ti}",
        ],
        [
            r"a_{ti} = \sum_{j} U_{ji} h_{t-1,j} + \sum_{k} W_{ik} x_{tk} + b_i",
            r"a_{ti} = \sum_{j} U_{ij} h_{tj} + \sum_{k} W_{ik} x_{tk} + b_i",
            r"\frac{\partial \mathcal{L}}{\partial U_{ij}} = \sum_{t} \delta_{ti} h_{tj}",
            r"\frac{\partial \mathcal{L}}{\partial U_{ij}} = \sum_{t} \delta_{tj} h_{t-1,i}",
            r"h_{t+1,i} = \tanh(a_{ti})",
            r"[t = i] = \delta_{ti}",
            r"\nabla_{\mathbf{b}} \mathcal{L} = \sum_{t=1}^{m} \boldsymbol{\delta}_t",
            r"\frac{\partial \mathcal{L}}{\partial b_t} = \sum_{i} \delta_{it}",
        ],
    ),
    "graph": (
        [
            r"\mathbf{R} = \mathbf{1} \mathbf{b}^{\top}",
            r"\nabla_{\mathbf{X}} \mathcal{L} = (\nabla_{\mathbf{P}} \mathcal{L}) \cdot \mathbf{W}^{\top}",
            r"\nabla_{\mathbf{b}} \mathcal{L} = (\nabla_{\mathbf{R}} \mathcal{L})^{\top} \cdot \mathbf{1}",
            r"\nabla_{\mathbf{E}} \mathcal{L} = 2 \, (\nabla_{\mathbf{Q}} \mathcal{L}) \odot \mathbf{E}",
            r"\nabla_{\mathbf{v}} \mathcal{L} = \left( \frac{\partial \mathbf{u}}{\partial \mathbf{v}} \right)^{\top} \cdot \nabla_{\mathbf{u}} \mathcal{L} + \left( \frac{\partial \mathbf{w}}{\partial \mathbf{v}} \right)^{\top} \cdot \nabla_{\mathbf{w}} \mathcal{L}",
            r"\mathbf{G} = \mathbf{H} + \mathbf{F} \mathbf{V}^{\top}",
        ],
        [
            r"\nabla_{\mathbf{X}} \mathcal{L} = (\nabla_{\mathbf{P}} \mathcal{L}) \cdot \mathbf{W}",
            r"\nabla_{\mathbf{E}} \mathcal{L} = (\nabla_{\mathbf{Q}} \mathcal{L}) \odot \mathbf{E}",
            r"\nabla_{\mathbf{v}} \mathcal{L} = \left( \frac{\partial \mathbf{u}}{\partial \mathbf{v}} \right)^{\top} \cdot \nabla_{\mathbf{u}} \mathcal{L}",
            r"\nabla_{\mathbf{H}} \mathcal{L} = \nabla_{\mathbf{G}} \mathcal{L}",
            r"\nabla_{\mathbf{V}} \mathcal{L} = (\nabla_{\mathbf{G}} \mathcal{L})^{\top} \cdot \mathbf{F}",
        ],
    ),
    "machines": (
        [
            r"m_j = \sum_{s} a_{js}",
            r"n = \sum_{j} m_j",
            r"\mathcal{L} = \frac{1}{n} \sum_{j} \sum_{s} a_{js} c_s",
            r"g_{jk} = \frac{1}{m_j} \sum_{s} a_{js} \cdot \frac{\partial c_s}{\partial \theta_k}",
            r"\nabla_{\boldsymbol{\theta}} \mathcal{L} = \frac{1}{n} \sum_{j} m_j \mathbf{g}_j",
            r"\boldsymbol{\theta} \leftarrow \boldsymbol{\theta} - \eta \sum_{j} \frac{m_j}{n} \mathbf{g}_j",
        ],
        [
            r"m_j = \sum_{s} a_{js} c_s",
            r"n = \sum_{j} \frac{m_j}{P}",
            r"\nabla_{\boldsymbol{\theta}} \mathcal{L} = \frac{1}{P} \sum_{j} \mathbf{g}_j",
            r"\nabla_{\boldsymbol{\theta}} \mathcal{L} = \sum_{j} \mathbf{g}_j",
            r"\boldsymbol{\theta} \leftarrow \boldsymbol{\theta} - \frac{\eta}{P} \sum_{j} \mathbf{g}_j",
        ],
    ),
}


def test_every_world_is_tried():
    assert ROWS.keys() == worlds.WORLDS.keys() - {"feedforward"}


@pytest.mark.parametrize(
    ("world", "tex"),
    [(name, tex) for name, (true, _) in ROWS.items() for tex in true],
)
def test_what_is_true_holds(world, tex):
    assert failures(tex, world) == []


@pytest.mark.parametrize("world", worlds.WORLDS.keys() - {"classifier"})
def test_a_loss_of_which_nothing_is_said_can_be_negative(world):
    assert "not ≥" in failures(r"\mathcal{L} \ge 0", world)[0]


@pytest.mark.parametrize(
    ("world", "tex"),
    [(name, tex) for name, (_, false) in ROWS.items() for tex in false],
)
def test_what_is_false_is_refused(world, tex):
    (said,) = failures(tex, world)
    assert said.startswith("a.md:4 (eq-a), row 1: ")


# Worlds of the tests: models that authors write about, one each.


def net_with(make, *rows, without=(), name="feedforward"):
    """The book's world with further symbols, and other networks."""
    kept = [s for s in FEEDFORWARD.symbols if s.letter not in without]
    made = functools.cache(lambda: tuple(make(world) for make in makes))
    makes = [functools.partial(make, sizes) for sizes in ((3, 4, 2), (2, 5, 3, 4))]
    world = dataclasses.replace(
        FEEDFORWARD, name=name, symbols=(*kept, *rows), models=made, far=tuple
    )
    return world


class Variant(Network):
    """A random network in another world."""

    def __init__(self, world, sizes, activations, *losses, labels=torch.clone):
        super().__init__(sizes, 6, 0, activations, *losses, labels=labels)
        self.world = world


def with_softmax(sizes, world):
    def cross_entropy(y, z):
        return -(y * z.log()).sum(-1)

    return Variant(
        world,
        sizes,
        [torch.tanh] * (len(sizes) - 2)
        + [functools.partial(torch.softmax, dim=-1)],
        cross_entropy,
        lambda y, z: cross_entropy(y, z).mean(),
        labels=functools.partial(torch.softmax, dim=-1),
    )


def plain(sizes, world):
    losses = random_losses(sizes[-1], 6, 1, mean=True)
    return Variant(
        world, sizes, [torch.sin, torch.tanh, torch.atan][: len(sizes) - 1], *losses
    )


class Decayed(Variant):
    """With a penalty on the weights, and with momentum."""

    decay, kept = 0.3, 0.8

    @functools.cached_property
    def loss(self):
        data = self.sample_loss(self.y, self.z_out[-1])
        return data + self.decay / 2 * sum((W**2).sum() for W in self.W[1:])

    def momentum(self, layer):
        return self.random(f"M{layer}", *self.W[layer].shape)

    def step(self, name, layer):
        weights, buffer = self.W[layer].detach().clone(), self.momentum(layer)
        (gradient,) = torch.autograd.grad(
            self.loss_of_batch, self.W[layer], retain_graph=True
        )
        if name == "W":
            return after_descent(weights, gradient, self.eta, self.decay)
        descend(weights, gradient, buffer, self.kept, self.eta)
        return buffer


def decayed(sizes, world):
    losses = random_losses(sizes[-1], 6, 1, mean=True)
    return Decayed(
        world, sizes, [torch.sin, torch.tanh, torch.atan][: len(sizes) - 1], *losses
    )


def stepped(name):
    return lambda net, layer, of_batch: net.step(name, layer)


class Blocks(Model):
    """Layers of one size, each of which adds a function of its input to it."""

    L = 3

    def __init__(self, world, size):
        super().__init__(world, {"m": size}, size)
        self.z = [self.random("z", size).requires_grad_()]
        self.f = self.step
        for _ in range(self.L):
            self.z.append(self.z[-1] + self.step(self.z[-1]))
        self.lasting = self.z

    def step(self, z):
        return torch.tanh(self.random("W", self.sizes["m"], self.sizes["m"]) @ z)

    lasting = None

    def __str__(self):
        return f"m = {self.sizes['m']}"


def blocks():
    return tuple(Blocks(BLOCKS, size) for size in (3, 5))


BLOCKS = World(
    "blocks",
    (
        Symbol("z", "outputs", "definition", ("m",), lambda m: m.z, layered=True, part="out"),
        Symbol("f", "function of a block", "function", (), lambda m: m.f),
    ),
    functools.cache(blocks),
)  # fmt: skip


class Linear(Blocks):
    """Blocks of which all add the same linear function, and a loss behind them."""

    def step(self, z):
        return self.J @ z

    @functools.cached_property
    def J(self):
        return self.random("J", self.sizes["m"], self.sizes["m"])

    def gradients(self):
        loss = torch.sin(self.z[-1] * self.random("loss", self.sizes["m"])).sum()
        return [self.jacobian(loss, z) for z in self.z]


LINEAR = World(
    "linear blocks",
    (
        Symbol(
            "g", "gradients", "derivative", ("m",), Linear.gradients, layered=True
        ),
        Symbol("J", "Jacobian", "definition", ("m", "m"), lambda m: m.J),
        worlds.IDENTITY,
    ),
    functools.cache(lambda: tuple(Linear(LINEAR, size) for size in (3, 5))),
)

N = number
OF_TESTS = {
    "logits": world_of_table(
        "logits",
        [size("K", "classes"), leaf("z", "K", "logits"), defined("p", "K", "", lambda m: torch.softmax(m["z"], 0))],
    ),
    "softmax layer": net_with(
        with_softmax,
        Symbol("p", "probabilities", "definition", ("K",), lambda net: net.z_out[-1]),
        without=("p",),
    ),
    "decay": net_with(
        decayed,
        Symbol("lambda", "decay", "number", (), lambda net: N(net.decay)),
        Symbol("mu", "momentum kept", "number", (), lambda net: N(net.kept)),
        Symbol("W", "weights", "leaf", ("N-", "N"), lambda net: net.W, row=True, layered=True, after=stepped("W")),
        Symbol("M", "momentum", "leaf", ("N-", "N"), lambda net: [None, *map(net.momentum, range(1, net.L + 1))], row=True, layered=True, after=stepped("M")),
        without=("W",),
    ),
    "more letters": net_with(
        plain,
        Symbol("P", "parameters", "number", (), lambda net: N(sum(t.numel() for t in (*net.W[1:], *net.b[1:])))),
        Symbol("bar z", "mean outputs", "definition", ("K",), lambda net: net.Z_out[-1].mean(0)),
        Symbol("V", "weights, out times in", "leaf", ("N", "N-"), lambda net: [None, *(W.T for W in net.W[1:])], layered=True),
    ),
    "batch norm": world_of_table(
        "batch norm",
        [
            size("n", "samples"),
            size("m", "units"),
            leaf("z", "n m", "pre-activations"),
            leaf("gamma", "m", "scales"),
            defined("sigma", "m", "deviations", lambda m: m["z"].std(0, correction=0)),
            defined("hat z", "n m", "normalised", lambda m: (m["z"] - m["z"].mean(0)) / m["sigma"]),
            defined("y", "n m", "outputs", lambda m: m["gamma"] * m["hat z"]),
            loss("loss", lambda m: (m["y"] ** 3 * m.random("loss", m.sizes["n"], m.sizes["m"])).sum()),
            derivative("g", "n m", "gradient of the outputs", "y"),
        ],
        smallest=2,
    ),
    "layer norm": world_of_table(
        "layer norm",
        [
            size("m", "units"),
            leaf("x", "m", "inputs"),
            defined("bar x", "", "mean", lambda m: m["x"].mean()),
            defined("s", "", "deviation", lambda m: m["x"].std(correction=0)),
            defined("y", "m", "outputs", lambda m: torch.nn.functional.layer_norm(m["x"], m["x"].shape, eps=0)),
        ],
        smallest=2,
        ones="m",
    ),
    "from 0": world_of_table(
        "from 0",
        [
            size("m", "places"),
            size("r", "weights"),
            size("n", "inputs"),
            leaf("w", "r", "weights"),
            leaf("x", "n", "inputs"),
            defined("y", "m", "outputs", lambda m: torch.nn.functional.conv1d(m["x"][None, None], m["w"][None, None])[0, 0]),
        ],
        {"n": lambda sizes: sizes["m"] + sizes["r"] - 1},
        first=0,
    ),
    "attention of d": world_of_table(
        "attention of d",
        [
            size("n", "queries"),
            size("r", "keys"),
            size("d", "numbers in a query"),
            leaf("Q", "n d", "queries"),
            leaf("K", "r d", "keys"),
            leaf("V", "r d", "values"),
            defined("O", "n d", "", lambda m: torch.nn.functional.scaled_dot_product_attention(m["Q"], m["K"], m["V"])),
        ],
    ),
    "blocks": BLOCKS,
    "linear blocks": LINEAR,
    "pull back": world_of_table(
        "pull back",
        [
            size("q", "results"),
            size("r", "causes"),
            leaf("v", "r", "causes"),
            defined("u", "q", "results", lambda m: torch.sin(m.random("A", m.sizes["q"], m.sizes["r"]) @ m["v"])),
            leaf("bar u", "q", "what comes back"),
            defined("bar v", "r", "what goes on", lambda m: torch.autograd.grad(m["u"], m["v"], m["bar u"], retain_graph=True)[0]),
        ],
    ),
    "numbers": world_of_table("numbers", [leaf("z", "", "logit"), leaf("y", "", "label")]),
    "recurrence": worlds.RECURRENCE,
    "softmax": worlds.SOFTMAX,
}  # fmt: skip

WORLD_OF_CASE = {
    "softmax": "logits",
    "softmax of a layer": "softmax layer",
    "softmax Jacobian, matrix": "softmax",
    "cross-entropy": "softmax",
    "softmax + CE": "softmax layer",
    "weight decay gradient": "decay",
    "update with decay": "decay",
    "momentum": "decay",
    "batch norm, backward": "batch norm",
    "layer norm": "layer norm",
    "1-D convolution": "from 0",
    "attention": "attention of d",
    "residual": "blocks",
    "residual backward": "linear blocks",
    "inverse": "residual",
    "BPTT": "recurrence",
    "vJp": "pull back",
    "sum of sizes": "more letters",
    "integer sum over samples, mean output": "more letters",
    "log-loss with the sigmoid": "numbers",
    "out x in convention": "more letters",
}

# What is read by a convention that has to be known, or has a sign that is not read.
NOT_READ = {
    "mean over a mini-batch": "the sum over a set",
    "vec and Kronecker": "vec and the Kronecker product",
    "Einstein convention": "a sum that no sign shows",
    "chain of Jacobians with product sign": "an ordered product",
    "matrix in brackets": "a matrix in brackets",
    "derivative with a bar": "a bar, and a function without argument",
}


@pytest.mark.parametrize("case", TRUE.keys() - NOT_READ.keys())
def test_equations_that_authors_print_are_true(monkeypatch, case):
    world = WORLD_OF_CASE.get(case, "feedforward")
    if world in OF_TESTS:
        monkeypatch.setitem(worlds.WORLDS, world, OF_TESTS[world])
    assert failures(TRUE[case], world) == []


@pytest.mark.parametrize("case", NOT_READ)
def test_what_is_not_read_is_refused(case):
    assert failures(TRUE[case])


DEFINITIONS = {
    "softmax",
    "softmax of a layer",
    "cross-entropy",
    "layer norm",
    "1-D convolution",
    "attention",
    "residual",
    "sum of sizes",
    "chain with :=",
    "integer sum over samples, mean output",
    "out x in convention",
    "residual backward",  # of a symbol for which its own world has no formula
}
UPDATES = {"update with decay", "momentum", "SGD for one sample"}  # take no reason


@pytest.mark.parametrize("case", TRUE.keys() - NOT_READ.keys() - UPDATES)
def test_definition_is_no_reason_for_what_is_none(monkeypatch, tmp_path, case):
    world = WORLD_OF_CASE.get(case, "feedforward")
    if world in OF_TESTS:
        monkeypatch.setitem(worlds.WORLDS, world, OF_TESTS[world])
    text = f"{SAMPLE}\n\n$$\n{TRUE[case]}\n$$ (eq-a)\n\n*Reason:* definition.\n"
    path = tmp_path / "a.md"
    path.write_text(text, encoding="utf-8")
    found = check_files([str(path)], world).displays[0].failures
    assert bool(found) == (case not in DEFINITIONS)
    for message in found:
        assert ": definition." in message
