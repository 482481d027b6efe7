"""The result as a text to read (chapter ``cost``)."""

from typing import Any


def as_text(result: dict[str, Any]) -> str:
    """A row for each ratio and each power (chapter ``cost``)."""
    machine = result["machine"]
    lines = [
        f"{machine['cpu']}, {machine['threads']} of {machine['cores']} cores",
        (
            f"Python {machine['python']}, PyTorch {machine['torch']}, "
            f"NumPy {machine['numpy']}"
        ),
        "",
        f"{'ratio':>9}  {'lowest … highest':^21}  {'counted':>7}  {'at most':>7}  ",
    ]
    for figure in result["figures"]:
        target, verdict = figure["target"], ""
        if target is not None:  # by the digits that are shown
            is_met = float(number(figure["ratio"])) <= target
            verdict = "  met" if is_met else "  missed"
        lines.append(
            f"{row(figure['ratio'], figure['spread'], figure['counted'])}"
            f"  {number(target):>7}  {figure['name']}: {figure['what']}{verdict}"
        )
    lines += ["", f"{'power':>9}  {'lowest … highest':^21}  {'counted':>7}"]
    for each in result["growth"]:
        powers = row(each["exponent"], each["spread"], each["counted"])
        lines.append(f"{powers}  {'':7}  {each['what']}")
    return "\n".join(lines)


def row(value: float, spread: list[float], counted: float | None) -> str:
    """The columns that ratios and powers share."""
    lower, upper = map(number, spread)
    return f"{number(value):>9}  {lower:>9} … {upper:>9}  {number(counted):>7}"


def number(value: float | None) -> str:
    """Three significant digits; nothing for None."""
    return "" if value is None else f"{value:#.3g}"
