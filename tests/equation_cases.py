"""Equations that authors print, and such with a slip: inputs of the tests of the check.

The numbers and letters are their names.
"""

PENCIL = """
```{code-cell} ipython3
:tags: [pencil]

W1 = torch.tensor([[0.5, -0.3], [0.2, 0.4]])
b1 = torch.tensor([0.1, -0.2])
W2 = torch.tensor([[0.6], [-0.8]])
b2 = torch.tensor([0.3])
x = torch.tensor([1.0, 2.0])
y = torch.tensor([1.0])
```
"""

TRUE = {
    "softmax": r"p_i = \frac{e^{z_i}}{\sum_{k} e^{z_k}}",
    "softmax of a layer": r"z^{(L)}_{i,\mathrm{out}} = \frac{e^{z^{(L)}_{i,\mathrm{in}}}}{\sum_{k} e^{z^{(L)}_{k,\mathrm{in}}}}",
    "softmax Jacobian, matrix": r"\frac{\partial \mathbf{p}}{\partial \mathbf{a}} = \operatorname{diag}(\mathbf{p}) - \mathbf{p} \cdot \mathbf{p}^{\top}",
    "cross-entropy": r"\mathcal{L}_{\mathrm{CE}}(\mathbf{y}, \mathbf{p}) = - \sum_{k} y_k \log p_k",
    "softmax + CE": r"\boldsymbol{\delta}^{(L)} = \mathbf{p} - \mathbf{y}",
    "ReLU": r"\operatorname{ReLU}(z) = \max(0, z)",
    "ReLU slope, cases": r"\operatorname{ReLU}'(z) = \begin{cases} 1 & z > 0 \\ 0 & z < 0 \end{cases}",
    "weight decay gradient": r"\frac{\partial \mathcal{L}}{\partial W^{(\ell)}_{ji}} = \delta^{(\ell)}_i \cdot z^{(\ell-1)}_{j,\mathrm{out}} + \lambda W^{(\ell)}_{ji}, \quad \ell = 1, \dots, L",
    "update with decay": r"\mathbf{W}^{(\ell)} \leftarrow (1 - \eta \lambda) \mathbf{W}^{(\ell)} - \eta \, \nabla_{\mathbf{W}^{(\ell)}} \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}), \quad \ell = 1, \dots, L",
    "momentum": r"\mathbf{M}^{(\ell)} \leftarrow \mu \mathbf{M}^{(\ell)} + \nabla_{\mathbf{W}^{(\ell)}} \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}), \quad \ell = 1, \dots, L",
    "SGD for one sample": r"\mathbf{W}^{(\ell)} \leftarrow \mathbf{W}^{(\ell)} - \eta \, \mathbf{z}^{(\ell-1)}_{\mathrm{out}} \cdot \boldsymbol{\delta}^{(\ell)\top}, \quad \ell = 1, \dots, L",
    "mean over a mini-batch": r"\mathbf{g} = \frac{1}{|B|} \sum_{s \in B} \nabla_{\mathbf{W}^{(\ell)}} \mathcal{L}_s",
    "Kronecker delta": r"\frac{\partial W^{(\ell)}_{mi}}{\partial W^{(\ell)}_{jk}} = \delta_{mj} \delta_{ik}, \quad \ell = 1, \dots, L",
    "indicator bracket": r"\frac{\partial W^{(\ell)}_{mi}}{\partial W^{(\ell)}_{jk}} = [m = j][i = k], \quad \ell = 1, \dots, L",
    "vec and Kronecker": r"\frac{\partial \mathbf{z}^{(\ell)}_{\mathrm{in}}}{\partial \operatorname{vec}(\mathbf{W}^{(\ell)})} = \mathbf{I} \otimes \mathbf{z}^{(\ell-1)\top}_{\mathrm{out}}, \quad \ell = 1, \dots, L",
    "trace": r"d\mathcal{L} = \operatorname{tr}((\nabla_{\mathbf{W}^{(\ell)}} \mathcal{L})^{\top} \cdot d\mathbf{W}^{(\ell)}), \quad \ell = 1, \dots, L",
    "Frobenius inner product": r"d\mathcal{L} = \langle \nabla_{\mathbf{W}^{(\ell)}} \mathcal{L}, d\mathbf{W}^{(\ell)} \rangle, \quad \ell = 1, \dots, L",
    "Einstein convention": r"z^{(\ell)}_{i,\mathrm{in}} = W^{(\ell)}_{ji} z^{(\ell-1)}_{j,\mathrm{out}} + b^{(\ell)}_i, \quad \ell = 1, \dots, L",
    "chain of Jacobians with product sign": r"\frac{\partial \mathbf{z}^{(L)}_{\mathrm{out}}}{\partial \mathbf{x}} = \prod_{\ell=1}^{L} \operatorname{diag}(\sigma'^{(\ell)}(\mathbf{z}^{(\ell)}_{\mathrm{in}})) \mathbf{W}^{(\ell)\top}",
    "chain of Jacobians, L = 2": r"\frac{\partial \mathbf{z}^{(2)}_{\mathrm{out}}}{\partial \mathbf{x}} = \operatorname{diag}(\sigma'^{(2)}(\mathbf{z}^{(2)}_{\mathrm{in}})) \cdot \mathbf{W}^{(2)\top} \cdot \operatorname{diag}(\sigma'^{(1)}(\mathbf{z}^{(1)}_{\mathrm{in}})) \cdot \mathbf{W}^{(1)\top}, \quad L \ge 2",
    "batch norm, backward": r"\frac{\partial \mathcal{L}}{\partial z_{si}} = \frac{\gamma_i}{n \sigma_i} (n g_{si} - \sum_{r} g_{ri} - \hat{z}_{si} \sum_{r} g_{ri} \hat{z}_{ri})",
    "layer norm": r"\mathbf{y} = \frac{\mathbf{x} - \bar{x} \mathbf{1}}{s}",
    "1-D convolution": r"y_i = \sum_{k} w_k x_{i+k}",
    "attention": r"\mathbf{O} = \operatorname{softmax}\left( \frac{\mathbf{Q} \mathbf{K}^{\top}}{\sqrt{d}} \right) \mathbf{V}",
    "residual": r"\mathbf{z}^{(\ell)}_{\mathrm{out}} = \mathbf{z}^{(\ell-1)}_{\mathrm{out}} + f(\mathbf{z}^{(\ell-1)}_{\mathrm{out}}), \quad \ell = 1, \dots, L",
    "residual backward": r"\mathbf{g}^{(\ell-1)} = (\mathbf{I} + \mathbf{J}^{\top}) \mathbf{g}^{(\ell)}, \quad \ell = 1, \dots, L",
    "BPTT": r"\frac{\partial \mathcal{L}}{\partial \mathbf{U}} = \sum_{t=1}^{T} \boldsymbol{\delta}_t \mathbf{h}_{t-1}^{\top}",
    "vJp": r"\bar{\mathbf{v}}^{\top} = \bar{\mathbf{u}}^{\top} \frac{\partial \mathbf{u}}{\partial \mathbf{v}}",
    "vJp of the book's functions": r"(\nabla_{\mathbf{v}} f)^{\top} = (\nabla_{\mathbf{u}} f)^{\top} \cdot \frac{\partial \mathbf{u}}{\partial \mathbf{v}}",
    "total derivative": r"\frac{d f}{d t} = \sum_{k} \frac{\partial f}{\partial u_k} \frac{d u_k}{d t}",
    "product rule": r"\frac{\partial}{\partial t} (u_1 u_2) = u_2 \frac{\partial u_1}{\partial t} + u_1 \frac{\partial u_2}{\partial t}",
    "quotient rule": r"\frac{\partial}{\partial t} \left( \frac{u_1}{u_2} \right) = \frac{u_2 \frac{\partial u_1}{\partial t} - u_1 \frac{\partial u_2}{\partial t}}{u_2^2}",
    "second derivative, nested": r"\frac{\partial}{\partial z^{(L)}_{i,\mathrm{in}}} \left( \frac{\partial \mathcal{L}}{\partial z^{(L)}_{k,\mathrm{in}}} \right) = \frac{\partial}{\partial z^{(L)}_{k,\mathrm{in}}} \left( \frac{\partial \mathcal{L}}{\partial z^{(L)}_{i,\mathrm{in}}} \right)",
    "norm": r"\|\boldsymbol{\delta}^{(\ell)}\|^2 = \boldsymbol{\delta}^{(\ell)\top} \cdot \boldsymbol{\delta}^{(\ell)}, \quad \ell = 1, \dots, L",
    "sum of sizes": r"P = \sum_{\ell=1}^{L} (N^{(\ell-1)} + 1) N^{(\ell)}",
    "hidden layers only": r"\nabla_{\mathbf{z}^{(\ell)}_{\mathrm{out}}} \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}}) = \mathbf{W}^{(\ell+1)} \cdot \boldsymbol{\delta}^{(\ell+1)}, \quad \ell = 1, \dots, L-1",
    "with layer 0": r"\nabla_{\mathbf{z}^{(\ell)}_{\mathrm{out}}} \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}}) = \mathbf{W}^{(\ell+1)} \cdot \boldsymbol{\delta}^{(\ell+1)}, \quad \ell = 0, \dots, L-1",
    "slash": r"\Delta^{(\ell)}_{si} = \delta^{(\ell)}_{si} / n, \quad \ell = 1, \dots, L, \quad \text{if } \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) = \frac{1}{n} \sum_{s} \mathcal{L}(\mathbf{y}_s, \mathbf{z}^{(L)}_{s,\mathrm{out}})",
    "matrix in brackets": r"\mathbf{W}^{(1)} = \begin{pmatrix} 0.5 & -0.3 \\ 0.2 & 0.4 \end{pmatrix}",
    "chain with :=": r"\delta^{(\ell)}_i := \frac{\partial \mathcal{L}}{\partial z^{(\ell)}_{i,\mathrm{in}}}, \quad \ell = 1, \dots, L",
    "derivative with a bar": r"\left. \frac{\partial \sigma}{\partial z} \right|_{z = 0} = 1",
    "inverse": r"\mathbf{W}^{-1} \mathbf{W} = \mathbf{I}",
    "integer sum over samples, mean output": r"\bar{z}_i = \frac{1}{n} \sum_{s=1}^{n} Z^{(L)}_{si,\mathrm{out}}",
    "Huber, absolute value": r"|z| = \max(z, -z)",
    "log-loss with the sigmoid": r"\frac{\partial}{\partial z} (-y \log \operatorname{sigmoid}(z) - (1-y) \log(1 - \operatorname{sigmoid}(z))) = \operatorname{sigmoid}(z) - y",
    "d upright": r"\mathrm{d}\mathcal{L} = \boldsymbol{\delta}^{(\ell)\top} \cdot \mathrm{d}\mathbf{z}^{(\ell)}_{\mathrm{in}}, \quad \ell = 1, \dots, L",
    "out x in convention": r"\mathbf{z}^{(\ell)}_{\mathrm{in}} = \mathbf{V}^{(\ell)} \cdot \mathbf{z}^{(\ell-1)}_{\mathrm{out}} + \mathbf{b}^{(\ell)}, \quad \ell = 1, \dots, L",
}

# Texts in which a displayed equation is false, or not what it looks like.
LOOK_RIGHT = {
    # page: d^(L)_1 = dL/dz_1 and, in row 2, = dL/dz_2; the tool ties row 2 to the right column
    "two columns": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
\begin{aligned}
\delta^{(L)}_1 &= \frac{\partial \mathcal{L}}{\partial z^{(L)}_{1,\mathrm{in}}} & \delta^{(L)}_2 &= \frac{\partial \mathcal{L}}{\partial z^{(L)}_{2,\mathrm{in}}} \\
&= \frac{\partial \mathcal{L}}{\partial z^{(L)}_{2,\mathrm{out}}} \cdot \sigma'^{(L)}(z^{(L)}_{2,\mathrm{in}})
\end{aligned}
$$ (eq-a)

1. Definition.
2. Definition.
3. Definition of the output, differentiated.""",
    # n is not 3 in every network with these two sizes; one of the 12 networks has them
    "one network": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
n \, \nabla_{\mathbf{b}^{(\ell)}} \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}}) = 3 \boldsymbol{\delta}^{(\ell)}, \quad \ell = 1, \dots, L, \quad N^{(3)} = 2, \quad N^{(4)} = 8
$$ (eq-a)

*Reason:* definition.""",
    # W changes too: the term dW^T z is missing
    "total differential": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
d\mathbf{z}^{(\ell)}_{\mathrm{in}} = \mathbf{W}^{(\ell)\top} \cdot d\mathbf{z}^{(\ell-1)}_{\mathrm{out}} + d\mathbf{b}^{(\ell)}, \quad \ell = 1, \dots, L
$$ (eq-a)

*Reason:* product rule and linearity, with all of $\mathbf{W}^{(\ell)}$, $\mathbf{z}^{(\ell-1)}_{\mathrm{out}}$ and $\mathbf{b}^{(\ell)}$ changing.""",
    # not true of a batch loss that is no function of the samples' losses (contrastive)
    "batch loss of sample losses": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
\Delta^{(\ell)}_{si} \cdot \delta^{(\ell)}_{sj} = \Delta^{(\ell)}_{sj} \cdot \delta^{(\ell)}_{si}, \quad \ell = 1, \dots, L
$$ (eq-a)

*Reason:* definition.""",
    # a term of 1e-10
    "small term": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
z^{(\ell)}_{i,\mathrm{out}} = \sigma^{(\ell)}(z^{(\ell)}_{i,\mathrm{in}}) + \frac{1}{10000000000} b^{(\ell)}_i, \quad \ell = 1, \dots, L
$$ (eq-a)

*Reason:* definition.""",
    # false for L = 5
    "depth five": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
\boldsymbol{\delta}^{(L)} = \nabla_{\mathbf{z}^{(L)}_{\mathrm{in}}} \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}}) + (L-1)(L-2)(L-3)(L-4) \mathbf{b}^{(L)}
$$ (eq-a)

*Reason:* definition.""",
    # two claims side by side; the second is read as a condition
    "lost if": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
\Delta^{(\ell)}_{si} = \frac{1}{n} \delta^{(\ell)}_{si}, \quad \ell = 1, \dots, L, \quad \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) = \frac{1}{n} \sum_{s} \mathcal{L}(\mathbf{y}_s, \mathbf{z}^{(L)}_{s,\mathrm{out}})
$$ (eq-a)

*Reason:* definition.""",
    # d/dz of z sigma(z) is sigma + z sigma'; the tool differentiates the first factor only
    "operator scope": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
\frac{\partial}{\partial z^{(\ell)}_{i,\mathrm{in}}} z^{(\ell)}_{i,\mathrm{in}} \sigma^{(\ell)}(z^{(\ell)}_{i,\mathrm{in}}) = \sigma^{(\ell)}(z^{(\ell)}_{i,\mathrm{in}}), \quad \ell = 1, \dots, L
$$ (eq-a)

*Reason:* definition.""",
    # delta without an index and not bold is no symbol of the book
    "font lost": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
\delta^{(\ell)} = \nabla_{\mathbf{z}^{(\ell)}_{\mathrm{in}}} \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}}), \quad \ell = 1, \dots, L
$$ (eq-a)

*Reason:* definition.""",
    # n bold is no symbol of the book
    "bold number": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
\mathcal{L}_{\mathrm{MSE}}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) = \frac{1}{\mathbf{n}\mathbf{K}} \sum_{s} \sum_{k} (Z^{(L)}_{sk,\mathrm{out}} - Y_{sk})^2
$$ (eq-a)

*Reason:* definition.""",
    # -0.04379 rounds to -0.0438, not to -0.0437
    "last digit": PENCIL
    + r"""
$$
\frac{\partial \mathcal{L}}{\partial b^{(1)}_1} \approx -0.0437
$$ (eq-a)""",
    # sigma'' need not exist: the book asks for differentiable activations
    "smooth": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
\frac{\partial}{\partial z^{(\ell)}_{i,\mathrm{in}}} (\sigma'^{(\ell)}(z^{(\ell)}_{i,\mathrm{in}})) = \sigma''^{(\ell)}(z^{(\ell)}_{i,\mathrm{in}}), \quad \ell = 1, \dots, L
$$ (eq-a)

*Reason:* definition.""",
    # row 2 has no condition on the page; that of row 1 is used for it
    "condition of another row": r"""In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$.

$$
\begin{aligned}
\Delta^{(\ell)}_{si} &= \frac{1}{n} \delta^{(\ell)}_{si}, \quad \ell = 1, \dots, L, \quad \text{if } \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) = \frac{1}{n} \sum_{s} \mathcal{L}(\mathbf{y}_s, \mathbf{z}^{(L)}_{s,\mathrm{out}}) \\
\nabla_{\mathbf{b}^{(\ell)}} \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) &= \frac{1}{n} \sum_{s} \boldsymbol{\delta}^{(\ell)}_{s}
\end{aligned}
$$ (eq-a)

1. Linearity.
2. Linearity.""",
    # 0.6281 rounds to 0.6
    "one digit": PENCIL
    + r"""
$$
z^{(2)}_{1,\mathrm{out}} \approx 0.7
$$ (eq-a)""",
}
