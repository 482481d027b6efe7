"""What scikit-learn's network makes of the handwritten digits (chapter ``digits``).

``python -m bench.digits [--out FILE]`` trains it anew (a minute).
"""

import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from .result import make_room, parser

STORED = Path(__file__).resolve().parents[2] / "book" / "static" / "digits.json"

SETTINGS: dict[str, Any] = {
    "seeds": 10,
    "train": 1197,  # digits, from the start of the order
    "test": 300,  # digits, at its end
    "hidden": [32],
    "ways": {
        "its defaults": {},
        "the chapter's steps": {
            "solver": "sgd",
            "learning_rate_init": 0.1,
            "momentum": 0.9,
            "nesterovs_momentum": False,
            "batch_size": 32,
            "max_iter": 20,
            "alpha": 0,
        },
    },
}


def order() -> list[int]:
    """In which the chapter takes the 1797 digits."""
    generator = torch.Generator().manual_seed(0)
    return torch.randperm(1797, generator=generator).tolist()


def right(way: str, seed: int) -> int:
    """How many digits of the test part a network of this seed reads rightly."""
    # Here, for who reads what is stored need not wait for it.
    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    digits = load_digits()
    pixels, names, taken = digits.data / 16, digits.target, order()
    train, test = taken[: SETTINGS["train"]], taken[-SETTINGS["test"] :]
    net = MLPClassifier(
        SETTINGS["hidden"], random_state=seed, **SETTINGS["ways"][way]
    )
    with warnings.catch_warnings():  # the number of epochs is chosen
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(pixels[train], names[train])
    return int((net.predict(pixels[test]) == names[test]).sum())


def run() -> dict[str, Any]:
    """Train all networks: their right answers, and with what they were found."""
    return {
        "scikit-learn": version("scikit-learn"),
        "settings": SETTINGS,
        "right": {
            way: [right(way, seed) for seed in range(SETTINGS["seeds"])]
            for way in SETTINGS["ways"]
        },
        "order": order(),
    }


def stored() -> dict[str, Any]:
    """What the chapter shows, as `run` returned it. Raises FileNotFoundError where only
    the packages are, without the book.
    """
    return json.loads(STORED.read_text(encoding="utf-8"))


def main(words: list[str] | None = None) -> int:
    """Run the command; its exit status is 2 if the result cannot be written."""
    description = "Train scikit-learn's network on the handwritten digits."
    out = parser("bench.digits", description, "digits.json").parse_args(words).out
    try:
        make_room(out)
        result = run()
        lines = (f"{json.dumps(k)}: {json.dumps(v)}" for k, v in result.items())
        out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    except OSError as error:
        print(f"bench.digits: {error}", file=sys.stderr)
        return 2
    for way, found in result["right"].items():
        print(f"{way}: {found} of {SETTINGS['test']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
