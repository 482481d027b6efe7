"""What is wrong in a template."""


class Fault(ValueError):
    """A mistake in a template: the line (from 1) where it stands, and one in words."""

    def __init__(self, line: int, message: str):
        super().__init__(f"{line}: {message}")
        self.line = line


class Faults(Exception):
    """All mistakes of a template that can be found at once."""

    def __init__(self, faults: list[Fault]):
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def one_line(error: BaseException) -> str:
    """What an error says, or else what it is, on one line."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  (of a class that is not ours)
        text = ""
    return " ".join(text.split()) or type(error).__name__
