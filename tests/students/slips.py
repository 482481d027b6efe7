"""Slips: pieces of a right network, and what a student may write in their place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Slip:
    """Replacements (old, new) in the file ``right/<style>.py``.

    ``slug`` is the kind of the mistake, None where it is of no listed kind.
    """

    slug: str | None
    style: str
    edits: tuple[tuple[str, str], ...]


# By style: the slug, then the replacements.
TABLE = {
    "plain_batch": [
        ("missing-transpose", ("delta @ linear.weight.T", "delta @ linear.weight")),
        ("hidden-slope-of-output", ("self.z_in[i - 1]", "self.z_out[i]")),
        (
            "output-slope-of-output",
            ("sigmoid_prime(self.z_in[-1])", "sigmoid_prime(p)"),
        ),
        ("slope-of-wrong-layer", ("self.z_in[i - 1]", "self.z_in[i]")),
        (
            "updated-too-early",
            (
                "linear.bias_grad = delta.sum(dim=0)\n",
                (
                    "linear.bias_grad = delta.sum(dim=0)\n"
                    "            linear.weight -= 0.25 * linear.weight_grad\n"
                    "            linear.bias -= 0.25 * linear.bias_grad\n"
                ),
            ),
        ),
        (
            "mean-twice",
            ("self.z_out[i].T @ delta", "self.z_out[i].T @ delta / n"),
            ("delta.sum(dim=0)", "delta.sum(dim=0) / n"),
        ),
        (
            "weights-averaged",
            ("self.z_out[i].T @ delta", "(self.z_out[i].T @ delta) / n"),
        ),
        ("divided-by-n-only", ("(n * self.output_size)", "n")),
        ("sum-not-mean", ("/ (n * self.output_size)", "/ self.output_size")),
        ("factor-two-missing", ("grad = 2 * (p - y)", "grad = (p - y)")),
        ("wrong-sign", ("2 * (p - y)", "2 * (y - p)")),
        ("bias-not-summed", ("delta.sum(dim=0)", "delta")),
        ("bias-summed-over-units", ("delta.sum(dim=0)", "delta.sum(dim=1)")),
        ("bias-averaged", ("delta.sum(dim=0)", "delta.mean(dim=0)")),
        (
            "bias-gradient-zero",
            ("delta.sum(dim=0)", "torch.zeros_like(linear.bias)"),
        ),
        (
            "pre-activation-for-output",
            (
                "linear.weight_grad = self.z_out[i].T @ delta",
                (
                    "before = self.z_in[i - 1] if i > 0 else self.z_out[0]\n"
                    "            linear.weight_grad = before.T @ delta"
                ),
            ),
        ),
        ("no-output-slope", ("grad * sigmoid_prime(self.z_in[-1])", "grad")),
        (
            "no-hidden-slope",
            (
                "(delta @ linear.weight.T) * tanh_prime(self.z_in[i - 1])",
                "delta @ linear.weight.T",
            ),
        ),
        ("tanh-slope-at-output", ("grad * sigmoid_prime", "grad * tanh_prime")),
        ("slope-not-squared", ("1 - torch.tanh(z) ** 2", "1 - torch.tanh(z)")),
        (
            "mean-before-product",
            (
                "self.z_out[i].T @ delta",
                "torch.outer(self.z_out[i].mean(0), delta.sum(0))",
            ),
        ),
        (
            "first-layer-delta",
            (
                "delta = (delta @ linear.weight.T) * tanh_prime(self.z_in[i - 1])",
                (
                    "delta = delta @ linear.weight.T\n"
                    "            if i > 1:\n"
                    "                delta = delta * tanh_prime(self.z_in[i - 1])"
                ),
            ),
        ),
        ("residual-squared", ("2 * (p - y) /", "2 * (p - y) ** 2 /")),
        ("labels-broadcast", ("p = self.forward(x)", "p = self.run(x)")),
        (
            "labels-broadcast",
            ("p = self.forward(x)", "p = self.run(x)"),
            ("        y = y.reshape(n, self.output_size)\n", ""),
        ),
        ("update-adds", ("weight -= l", "weight += l"), ("bias -= l", "bias += l")),
        (
            "update-lost",
            (
                "layer.linear.weight -= learning_rate",
                (
                    "w, b = layer.linear.weight, layer.linear.bias\n"
                    "            w = w - learning_rate"
                ),
            ),
            ("layer.linear.bias -= learning_rate", "b = b - learning_rate"),
        ),
        (
            "gradients-accumulate",
            ("weight_grad = None", "weight_grad = 0"),
            ("bias_grad = None", "bias_grad = 0"),
            ("linear.weight_grad = self", "linear.weight_grad += self"),
            ("linear.bias_grad = delta", "linear.bias_grad += delta"),
        ),
        # no bias in the forward pass
        (None, (" + layer.linear.bias", "")),
        # the delta goes back through the weights of the layer below
        (None, ("linear.weight.T)", "self.layers[i - 1].linear.weight.T)")),
        # only the last layer is updated
        (
            None,
            (
                "layers:\n            layer.linear.weight -=",
                "layers[-1:]:\n            layer.linear.weight -=",
            ),
        ),
        # the delta of the cross-entropy
        (
            "cross-entropy-delta",
            ("grad * sigmoid_prime(self.z_in[-1])", "(p - y) / n"),
        ),
    ],
    "layer_objects": [
        (
            "missing-transpose",
            ("mm(delta, self.weight.t())", "mm(delta, self.weight)"),
        ),
        (
            "hidden-slope-of-output",
            ("(1 - self.out**2)", "(1 - torch.tanh(self.out) ** 2)"),
        ),
        (
            "output-slope-of-output",
            (
                "return grad * self.out * (1 - self.out)",
                "s = torch.sigmoid(self.out)\n        return grad * s * (1 - s)",
            ),
        ),
        # one tanh for all hidden layers, which remembers the last one's output
        (
            "slope-of-wrong-layer",
            ("size = input_size", "size, tanh = input_size, Tanh()"),
            ("Layer(size, hidden, Tanh())", "Layer(size, hidden, tanh)"),
        ),
        (
            "updated-too-early",
            (
                "self.bias_grad = torch.sum(delta, dim=0)\n",
                (
                    "self.bias_grad = torch.sum(delta, dim=0)\n"
                    "        self.step(0.1)\n"
                ),
            ),
            ("layer.linear.step(learning_rate)", "pass"),
        ),
        (
            "mean-twice",
            (
                "torch.mm(self.inputs.t(), delta)",
                "self.inputs.t() @ delta / len(delta)",
            ),
            ("torch.sum(delta, dim=0)", "torch.mean(delta, dim=0)"),
        ),
        (
            "weights-averaged",
            (
                "mm(self.inputs.t(), delta)",
                "mm(self.inputs.t(), delta) / len(delta)",
            ),
        ),
        ("divided-by-n-only", ("out.numel()", "out.shape[0]")),
        (
            "sum-not-mean",
            ("2 * (out - target) / out.numel()", "2 * (out - target)"),
        ),
        ("factor-two-missing", ("2 * (out - target)", "(out - target)")),
        ("wrong-sign", ("(out - target)", "(target - out)")),
        ("bias-not-summed", ("torch.sum(delta, dim=0)", "delta")),
        ("bias-summed-over-units", ("sum(delta, dim=0)", "sum(delta, dim=1)")),
        ("bias-averaged", ("torch.sum(delta, dim=0)", "torch.mean(delta, dim=0)")),
        (
            "bias-gradient-zero",
            ("        self.bias_grad = torch.sum(delta, dim=0)\n", ""),
        ),
        ("no-output-slope", ("grad * self.out * (1 - self.out)", "grad")),
        ("no-hidden-slope", ("grad * (1 - self.out**2)", "grad")),
        (
            "tanh-slope-at-output",
            ("self.out * (1 - self.out)", "(1 - self.out**2)"),
        ),
        ("slope-not-squared", ("(1 - self.out**2)", "(1 - self.out)")),
        (
            "mean-before-product",
            (
                "torch.mm(self.inputs.t(), delta)",
                "torch.outer(self.inputs.mean(0), delta.sum(0))",
            ),
        ),
        (
            "first-layer-delta",
            (
                (
                    "for layer in self.layers[::-1]:\n"
                    "            grad = layer.backward(grad)\n"
                ),
                (
                    "for layer in self.layers[:0:-1]:\n"
                    "            grad = layer.backward(grad)\n"
                    "        self.layers[0].linear.backward(grad)\n"
                ),
            ),
        ),
        ("residual-squared", ("2 * (out - target)", "2 * (out - target) ** 2")),
        ("labels-broadcast", ("(y - self.forward(x))", "(y - self.outputs(x))")),
        (
            "update-adds",
            ("self.weight - rate", "self.weight + rate"),
            ("self.bias - rate", "self.bias + rate"),
        ),
        (
            "update-lost",
            ("self.weight = self.weight - rate", "weight = self.weight - rate"),
            ("self.bias = self.bias - rate", "bias = self.bias - rate"),
        ),
        (
            "gradients-accumulate",
            (
                "weight_grad = torch.mm(",
                "weight_grad = self.weight_grad + torch.mm(",
            ),
            ("bias_grad = torch.sum(", "bias_grad = self.bias_grad + torch.sum("),
        ),
        # every delta is clipped
        (
            None,
            (
                "self.act.backward(grad)",
                "self.act.backward(grad).clamp(-0.01, 0.01)",
            ),
        ),
        # the loss is a root mean squared error
        (
            None,
            (
                "torch.mean((y - self.forward(x)) ** 2)",
                "torch.sqrt(torch.mean((y - self.forward(x)) ** 2))",
            ),
        ),
        # a running average of the gradients in the update
        (
            None,
            (
                "self.bias_grad = torch.zeros(out_features)",
                (
                    "self.bias_grad = torch.zeros(out_features)\n"
                    "        self.velocity = torch.zeros(in_features, out_features)"
                ),
            ),
            (
                "self.weight = self.weight - rate * self.weight_grad",
                (
                    "self.velocity = 0.9 * self.velocity + 0.1 * self.weight_grad\n"
                    "        self.weight = self.weight - rate * self.velocity"
                ),
            ),
        ),
    ],
    "einsum": [
        ("missing-transpose", ("no,io->ni", "no,oi->ni")),
        (
            "hidden-slope-of-output",
            ("1 - z.tanh().square()", "1 - z.tanh().tanh().square()"),
        ),
        (
            "output-slope-of-output",
            (
                "slope = z.sigmoid() * (1 - z.sigmoid())",
                (
                    "out = z.sigmoid()\n"
                    "                slope = out.sigmoid() * (1 - out.sigmoid())"
                ),
            ),
        ),
        (
            "updated-too-early",
            ("self.K = output_size", "self.K, self.lr = output_size, 0.1"),
            (
                'einsum("no->o", delta)\n',
                (
                    'einsum("no->o", delta)\n'
                    "            step = self.lr * layer.linear.weight_grad\n"
                    "            layer.linear.weight = layer.linear.weight - step\n"
                ),
            ),
        ),
        (
            "mean-twice",
            ("layer.x, delta)", "layer.x, delta) / len(x)"),
            ('einsum("no->o", delta)', 'einsum("no->o", delta) / len(x)'),
        ),
        ("divided-by-n-only", ("2 / p.numel()", "2 / len(p)")),
        ("sum-not-mean", ("2 / p.numel()", "2 / self.K")),
        ("factor-two-missing", ("2 / p.numel()", "1 / p.numel()")),
        ("bias-not-summed", ('"no->o"', '"no->no"')),
        ("bias-summed-over-units", ('"no->o"', '"no->n"')),
        ("bias-averaged", ('einsum("no->o", delta)', "delta.mean(0)")),
        (
            "no-hidden-slope",
            ("slope = 1 - z.tanh().square()", "slope = torch.ones_like(z)"),
        ),
        ("slope-not-squared", ("1 - z.tanh().square()", "1 - z.tanh()")),
        (
            "mean-before-product",
            (
                'einsum("ni,no->io", layer.x, delta)',
                'einsum("i,o->io", layer.x.mean(0), delta.sum(0))',
            ),
        ),
        (
            "first-layer-delta",
            (
                "            else:\n",
                (
                    "            elif layer is self.layers[0]:\n"
                    "                slope = torch.ones_like(z)\n"
                    "            else:\n"
                ),
            ),
        ),
        ("residual-squared", ("* (p - y))", "* (p - y) ** 2)")),
        (
            "labels-broadcast",
            ("self.forward(x) - y)", "self.forward(x)[:, None] - y)"),
        ),
        # summed over the batch before the product
        ("mean-before-product", ('"ni,no->io"', '"ni,mo->io"')),
    ],
    "loops": [
        ("missing-transpose", ("delta[k] * W[i][k]", "delta[k] * W[k][i]")),
        (
            "hidden-slope-of-output",
            ("tanh(z_in[l_ - 1][i])", "tanh(z_out[l_ - 1][i])"),
        ),
        (
            "output-slope-of-output",
            (
                "sigmoid(z_in[-1][i]) * (1 - sigmoid(z_in[-1][i]))",
                "sigmoid(z_out[-1][i]) * (1 - sigmoid(z_out[-1][i]))",
            ),
        ),
        (
            "slope-of-wrong-layer",
            ("math.tanh(z_in[l_ - 1][i])", "math.tanh(z_in[l_][i])"),
        ),
        (
            "weights-averaged",
            (
                "lin.weight_grad[j, i] += delta[i] * z_out[l_ - 1][j]",
                "lin.weight_grad[j, i] += delta[i] * z_out[l_ - 1][j] / n",
            ),
        ),
        ("divided-by-n-only", ("/ (n * K)", "/ n")),
        ("sum-not-mean", ("/ (n * K)", "/ K")),
        ("factor-two-missing", ("2 * (z_out[-1][i]", "(z_out[-1][i]")),
        (
            "wrong-sign",
            ("z_out[-1][i] - labels[s][i]", "labels[s][i] - z_out[-1][i]"),
        ),
        ("bias-averaged", ("+= delta[i]\n", "+= delta[i] / n\n")),
        (
            "bias-gradient-zero",
            ("                    lin.bias_grad[i] += delta[i]\n", ""),
        ),
        (
            "pre-activation-for-output",
            ("z_in, z_out = [None], [sample]", "z_in, z_out = [sample], [sample]"),
            ("delta[i] * z_out[l_ - 1][j]", "delta[i] * z_in[l_ - 1][j]"),
        ),
        ("no-output-slope", ("delta.append(error * slope)", "delta.append(error)")),
        ("no-hidden-slope", ("new.append(total * slope)", "new.append(total)")),
        (
            "tanh-slope-at-output",
            (
                "sigmoid(z_in[-1][i]) * (1 - sigmoid(z_in[-1][i]))",
                "1 - math.tanh(z_in[-1][i]) ** 2",
            ),
        ),
        (
            "slope-not-squared",
            ("math.tanh(z_in[l_ - 1][i]) ** 2", "math.tanh(z_in[l_ - 1][i])"),
        ),
        (
            "first-layer-delta",
            (
                "new.append(total * slope)",
                "new.append(total * slope if l_ > 2 else total)",
            ),
        ),
        ("residual-squared", ("labels[s][i]) / (", "labels[s][i]) ** 2 / (")),
        (
            "update-adds",
            ("i] -= learning_rate * lin.w", "i] += learning_rate * lin.w"),
        ),
        (
            "update-lost",
            ("lin.bias[i] -= learning_rate", "b = lin.bias[i] - learning_rate"),
            (
                "lin.weight[j, i] -= learning_rate",
                "w = lin.weight[j, i] - learning_rate",
            ),
        ),
        (
            "gradients-accumulate",
            (
                (
                    "        for layer in self.layers:\n"
                    "            lin = layer.linear\n"
                    "            lin.weight_grad = torch.zeros_like(lin.weight)\n"
                    "            lin.bias_grad = torch.zeros_like(lin.bias)\n"
                ),
                "",
            ),
        ),
        # the learning rate is squared
        (
            None,
            ("-= learning_rate * lin.weight", "-= learning_rate**2 * lin.weight"),
        ),
    ],
    "per_sample": [
        (
            "missing-transpose",
            ("layer.linear.weight @ delta", "layer.linear.weight.T @ delta"),
        ),
        (
            "hidden-slope-of-output",
            ("1 - self.z_out.square()", "1 - torch.tanh(self.z_out).square()"),
        ),
        ("slope-of-wrong-layer", ("self.layers[k - 1].slope()", "layer.slope()")),
        ("mean-twice", ("/ self.K", "/ (n * self.K)")),
        (
            "weights-averaged",
            ("/ self.K", "/ (n * self.K)"),
            ("            layer.linear.bias_grad /= n\n", ""),
        ),
        (
            "bias-averaged",
            ("/ self.K", "/ (n * self.K)"),
            ("            layer.linear.weight_grad /= n\n", ""),
        ),
        ("divided-by-n-only", ("2 * (p - target) / self.K", "2 * (p - target)")),
        (
            "sum-not-mean",
            (
                (
                    "        for layer in self.layers:\n"
                    "            layer.linear.weight_grad /= n\n"
                    "            layer.linear.bias_grad /= n\n"
                ),
                "",
            ),
        ),
        ("wrong-sign", ("2 * (p - target)", "2 * (target - p)")),
        (
            "bias-gradient-zero",
            ("                layer.linear.bias_grad += delta\n", ""),
        ),
        (
            "pre-activation-for-output",
            (
                "layer = self.layers[k]\n",
                (
                    "layer = self.layers[k]\n"
                    "                z = vector\n"
                    "                if k > 0:\n"
                    "                    z = self.layers[k - 1].z_in\n"
                ),
            ),
            ("torch.outer(layer.before, delta)", "torch.outer(z, delta)"),
        ),
        (
            "no-output-slope",
            ("            delta = delta * self.layers[-1].slope()\n", ""),
        ),
        (
            "no-hidden-slope",
            (
                "                    delta = delta * self.layers[k - 1].slope()\n",
                "",
            ),
        ),
        # the gradient of the last sample only, divided by n
        (
            "last-sample-only",
            ("weight_grad += torch.outer", "weight_grad = torch.outer"),
            ("bias_grad += delta", "bias_grad = delta.clone()"),
        ),
    ],
    "columns": [
        ("missing-transpose", ("linear.weight @ D", "linear.weight.T @ D")),
        ("slope-of-wrong-layer", ("(1 - A[i - 1] ** 2)", "(1 - A[i] ** 2)")),
        (
            "updated-too-early",
            (
                "D.sum(dim=1) / n\n",
                (
                    "D.sum(dim=1) / n\n"
                    "            linear.weight.add_(-0.5 * linear.weight_grad)\n"
                ),
            ),
        ),
        (
            "weights-averaged",
            ("2 / self.K * (A", "2 / (self.K * n) * (A"),
            ("D.sum(dim=1) / n", "D.sum(dim=1)"),
        ),
        ("divided-by-n-only", ("2 / self.K * (A", "2 * (A")),
        ("sum-not-mean", ("D.T / n", "D.T"), ("D.sum(dim=1) / n", "D.sum(dim=1)")),
        ("wrong-sign", ("(A[-1] - T)", "(T - A[-1])")),
        ("bias-summed-over-units", ("D.sum(dim=1)", "D.sum(dim=0)")),
        (
            "mean-before-product",
            ("A[i - 1] @ D.T / n", "torch.outer(A[i - 1].mean(1), D.mean(1))"),
        ),
        (
            "tanh-slope-at-output",
            ("D * A[-1] * (1 - A[-1])", "D * (1 - A[-1] ** 2)"),
        ),
        ("slope-not-squared", ("(1 - A[i - 1] ** 2)", "(1 - A[i - 1])")),
        (
            "update-adds",
            (
                "add_(-learning_rate * layer.linear.w",
                "add_(learning_rate * layer.linear.w",
            ),
            (
                "add_(-learning_rate * layer.linear.b",
                "add_(learning_rate * layer.linear.b",
            ),
        ),
        (
            "update-lost",
            ("weight.add_(", "weight.add("),
            ("bias.add_(", "bias.add("),
        ),
        # weights decay, which nobody asked for
        (
            None,
            (
                "layer.linear.weight.add_(",
                (
                    "layer.linear.weight.mul_(1 - 0.1 * learning_rate)\n"
                    "            layer.linear.weight.add_("
                ),
            ),
        ),
    ],
    "numpy_inside": [
        ("bias-not-summed", ("np.sum(delta, axis=0)", "delta")),
        (
            "bias-summed-over-units",
            ("np.sum(delta, axis=0)", "np.sum(delta, axis=1)"),
        ),
        (
            "bias-gradient-zero",
            ("np.sum(delta, axis=0)", "np.zeros(delta.shape[1])"),
        ),
        (
            "labels-broadcast",
            (
                "t = y.numpy().reshape(p.shape)\n        return",
                "t = y.numpy()\n        return",
            ),
        ),
        (
            "pre-activation-for-output",
            (
                "dW = np.dot(outs[k].T, delta)",
                (
                    "inputs = outs[0] if k == 0 else self.zs[k - 1]\n"
                    "            dW = np.dot(inputs.T, delta)"
                ),
            ),
        ),
        (
            "output-slope-of-output",
            (
                "delta = error * p * (1 - p)",
                "s = 1 / (1 + np.exp(-p))\n        delta = error * s * (1 - s)",
            ),
        ),
    ],
    "cached_forward": [
        ("first-layer-delta", ("if index > 0:", "if index > 1:")),
        (
            "pre-activation-for-output",
            ('z_out = self.cache["z_out"]', 'z = [x, *self.cache["z_in"]]'),
            ("z_out[index].T @ delta", "z[index].T @ delta"),
            ("z_out[index] ** 2", "torch.tanh(z[index]) ** 2"),
        ),
        ("mean-twice", ("y.numel()", "y.numel() / len(y)")),
        # the formula for the output, 1 - z_out^2, with z_in
        (
            "hidden-formula-given-z-in",
            ("(1 - z_out[index] ** 2)", '(1 - self.cache["z_in"][index - 1] ** 2)'),
        ),
        # a random mask in the forward pass, which backward does not know
        (
            None,
            (
                "x = torch.sigmoid(z)",
                (
                    "x = x * (torch.rand_like(x) > 0.2)\n"
                    "            z = x @ layer.weight + layer.bias\n"
                    "            x = torch.sigmoid(z)"
                ),
            ),
        ),
    ],
    "delta_list": [
        ("slope-of-wrong-layer", ("1 - a[i] ** 2", "1 - a[i - 1] ** 2")),
        ("no-output-slope", ("residual * out * (1 - out)", "residual")),
        ("wrong-sign", ("out - y.view_as(out)", "y.view_as(out) - out")),
        (
            "update-lost",
            ("weight.sub_(", "weight.sub("),
            ("bias.sub_(", "bias.sub("),
        ),
        # the weight gradient of the second layer is three times too large
        (
            "extra-factor",
            ("a[i].t() @ deltas[i]", "a[i].t() @ deltas[i] * (3 if i == 1 else 1)"),
        ),
    ],
    "recursive": [
        (
            "updated-too-early",
            (
                "first.linear.bias_grad = delta.sum(dim=0)\n",
                (
                    "first.linear.bias_grad = delta.sum(dim=0)\n"
                    "        step = 0.1 * first.linear.weight_grad\n"
                    "        first.linear.weight = first.linear.weight - step\n"
                ),
            ),
        ),
        ("factor-two-missing", ("2 * (a - y) / a.numel()", "(a - y) / a.numel()")),
        ("no-hidden-slope", ("return 1 - out * out", "return 1")),
        (
            "tanh-slope-at-output",
            ("return out * (1 - out)", "return 1 - out * out"),
        ),
        # the transpose of the weight gradient
        ("weights-transposed", ("a.mT @ delta", "delta.mT @ a")),
    ],
    "recompute": [
        (
            "hidden-slope-of-output",
            ("1 - tanh(z) * tanh(z)", "1 - tanh(tanh(z)) ** 2"),
        ),
        ("slope-not-squared", ("1 - tanh(z) * tanh(z)", "1 - tanh(z)")),
        (
            "pre-activation-for-output",
            (
                "self.layers[k - 1].act(self.layers[k - 1].z_in)",
                "self.layers[k - 1].z_in",
            ),
        ),
        # a sigmoid in the hidden layers, with the slope of tanh
        (None, ("tanh, d_tanh))", "sigmoid, d_tanh))")),
    ],
    "functional": [
        (
            "update-lost",
            (
                (
                    "        for layer, (W, b) in zip(self.layers, new):\n"
                    "            layer.linear.weight, layer.linear.bias = W, b\n"
                ),
                (
                    "        for (W, b), (V, c) in zip(self.params, new):\n"
                    "            W, b = V, c\n"
                ),
            ),
        ),
        ("missing-transpose", ("delta @ W.T", "delta @ W")),
        ("residual-squared", ("(p - y) * p", "(p - y) ** 2 * p")),
    ],
    "buffers": [
        (
            "gradients-accumulate",
            ("weight_grad[:] = ", "weight_grad[:] += "),
            ("bias_grad[:] = ", "bias_grad[:] += "),
        ),
        ("divided-by-n-only", ("mul_(2 / p.numel())", "mul_(2 / len(p))")),
    ],
    "own_mse": [
        (
            "output-slope-of-output",
            (
                "return torch.exp(-z) / (1 + torch.exp(-z)) ** 2",
                "s = Sigmoid.value(Sigmoid.value(z))\n        return s * (1 - s)",
            ),
        ),
        ("sum-not-mean", ("2 * (p - y) / (n * K)", "2 * (p - y)")),
        # the loss is a mean absolute error
        (None, ("((p - y) ** 2).mean()", "(p - y).abs().mean()")),
    ],
    "one_output": [
        ("bias-averaged", ("D.sum(0)", "D.mean(0)"), ("d.sum()", "d.mean()")),
        ("wrong-sign", ("* (p - y)", "* (y - p)")),
    ],
}
SLIPS = [
    Slip(slug, style, tuple(edits))
    for style, rows in TABLE.items()
    for slug, *edits in rows
]
