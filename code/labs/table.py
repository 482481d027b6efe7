"""The rows of the table of graded exercises."""

COLUMNS = ["notebook", "exercise", "result", "mistake", "message"]
LONGEST = 1000  # characters of a message


def columns(
    exercise: str, result: str, mistake: str, message: str
) -> dict[str, str]:
    """A row but for its first column; each value is on one line."""
    values = exercise, result, mistake, message
    return dict(zip(COLUMNS[1:], map(one_line, values), strict=True))


def one_line(text: str) -> str:
    """Text without line breaks and control characters, and not too long."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(shown.split())[:LONGEST]


def is_row(value: object) -> bool:
    """Whether a value has the columns of a row, with text in them."""
    return (
        isinstance(value, dict)
        and list(value) == COLUMNS[1:]
        and all(isinstance(text, str) for text in value.values())
    )


def as_text(value: str) -> str:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@")) else value
