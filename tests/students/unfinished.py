"""Half-finished and broken networks: pieces of a right one, and what stands there yet."""

from .slips import Slip

FORWARD = """\
        for layer in self.layers:
            x = layer.forward(x)
        return x.squeeze(1) if x.shape[1] == 1 else x
"""
LOSS = """\
        return ((self.forward(x) - y) ** 2).mean()
"""
BACKWARD = """\
        error = self.forward(x) - y
        back = (2 * error / error.numel()).reshape(len(x), -1)
        for layer in reversed(self.layers):
            delta = back * layer.slope()
            layer.linear.weight_grad = layer.x.T @ delta
            layer.linear.bias_grad = delta.sum(0)
            back = delta @ layer.linear.weight.T
"""
UPDATE = """\
        for layer in self.layers:
            layer.linear.weight -= learning_rate * layer.linear.weight_grad
            layer.linear.bias -= learning_rate * layer.linear.bias_grad
"""
SIZES = "        sizes = [input_size, *hidden_sizes, output_size]\n"
SUM = "            layer.linear.bias_grad = delta.sum(0)\n"
TODO = "        raise NotImplementedError\n"
EMPTY = "        ...\n"

TABLE = {
    "all_raise": [(FORWARD, TODO), (LOSS, TODO), (BACKWARD, TODO), (UPDATE, TODO)],
    "backward_and_update_raise": [(BACKWARD, TODO), (UPDATE, TODO)],
    "backward_empty": [(BACKWARD, EMPTY)],
    "backward_raises": [(BACKWARD, TODO)],
    "column_output": [("x.squeeze(1) if x.shape[1] == 1 else x", "x")],
    "endless": [(BACKWARD, "        while True:\n            pass\n")],
    "endless_update": [
        (
            UPDATE,
            (
                "        k = 0\n"
                "        while k < len(self.layers):\n"
                "            linear = self.layers[k].linear\n"
                "            linear.weight -= learning_rate * linear.weight_grad\n"
            ),
        )
    ],
    "forward_none": [
        ("        return x.squeeze(1)", "        self.p = x.squeeze(1)")
    ],
    "gradients_not_stored": [
        ("layer.linear.weight_grad = layer", "weight_grad = layer"),
        ("layer.linear.bias_grad = delta", "bias_grad = delta"),
    ],
    "last_layer_only": [("reversed(self.layers)", "self.layers[-1:]")],
    "layers_missing": [
        (SIZES, f"        self.layers = ...\n        return\n{SIZES}")
    ],
    "loss_none": [(LOSS, LOSS.replace("return", "self.loss ="))],
    "name_error": [("back * layer.slope()", "back * slope(layer.out)")],
    "shape_error": [("layer.x.T @ delta", "torch.mm(delta, layer.x.T)")],
    "sleeps": [
        ("import torch\n", "import time\n\nimport torch\n"),
        (BACKWARD, "        time.sleep(600)\n"),
    ],
    "squeezed_output": [("x.squeeze(1) if x.shape[1] == 1 else x", "x.squeeze()")],
    "update_passes": [(UPDATE, "        pass\n")],
    "weights_only": [(SUM, "")],
}

UNFINISHED = {
    name: Slip(None, "kept_outputs", tuple(edits)) for name, edits in TABLE.items()
}
