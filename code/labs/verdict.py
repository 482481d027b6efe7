"""What a check says of a student's names: run in a process of its own."""

import ast
import builtins
import inspect
import traceback
from types import CodeType
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from .fault import one_line
from .fresh import Fresh
from .plain import NotPlain, encoded

CELL, CHECK = "<cell {}>", "<check>"
DOES_NOT_HOLD = "does not hold"
# What the status of a diagnosis, and of anything that is made like one, means here.
STATUS = {
    "right": "passed",
    "unfilled": "unfilled",
    "error": "error",
    "timeout": "error",
}
Answer = dict[str, Any]  # result, share, mistakes, message


def answer(
    result: str, message: str = "", mistakes: str = "", share: float = 0
) -> Answer:
    share = 1.0 if result == "passed" else share
    return {
        "result": result,
        "share": share,
        "mistakes": mistakes,
        "message": message,
    }


def values_of(names: dict[str, Any], needed: list[str]) -> dict[str, Any] | None:
    """The values that a check needs, encoded, if all of them are plain."""
    try:
        return {name: encoded(names[name]) for name in needed} or None
    except (KeyError, NotPlain):
        return None


def judge(
    exercise: dict, names: dict[str, Any], fresh: Fresh, control: bool
) -> Answer:
    """Run the check of an exercise among a student's ``names``. As a control, what it
    needs is put back to what the question had."""
    fresh.restore()
    names = {name: names[name] for name in names.keys() - set(dir(builtins))}
    for statement in exercise["imports"]:
        exec_cell(statement, names, quiet=True)
    if control:
        for name in exercise["needed"]:
            names.pop(name, None)
        for cell in exercise["stubs"]:
            exec_cell(cell, names, quiet=True)
    elif message := left_open(exercise, names):
        return answer("unfilled", message)
    try:
        value = value_of(exercise["source"], names)
    except BaseException as error:  # noqa: BLE001  (whatever a student's code raises)
        return raised(error, exercise)
    return said(value)


def exec_cell(source: str, names: dict[str, Any], quiet: bool) -> None:
    try:
        text = TransformerManager().transform_cell(source)
        exec(compile(text, CHECK, "exec"), names)  # noqa: S102
    except BaseException:
        if not quiet:
            raise


def value_of(source: str, names: dict[str, Any]) -> Any:
    """What the last expression of a check is; None if it ends with something else."""
    module = ast.parse(TransformerManager().transform_cell(source))
    last = module.body[-1] if module.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(module, CHECK, "exec"), names)  # noqa: S102
        return None
    module.body.pop()
    exec(compile(module, CHECK, "exec"), names)  # noqa: S102
    return eval(compile(ast.Expression(last.value), CHECK, "eval"), names)


def said(value: Any) -> Answer:
    """What the value of a check means."""
    if hasattr(value, "status") and hasattr(value, "message"):
        found = list(getattr(value, "mistakes", None) or ())
        one = getattr(value, "mistake", None)
        found = found or ([one] if one else [])
        if not found:
            result = STATUS.get(str(value.status), "failed")
        else:
            result = "failed"
        return answer(result, str(value.message), " and ".join(map(str, found)))
    message = ""
    if isinstance(value, tuple) and len(value) == 2:
        value, message = value
    if value is None:
        return answer("passed")
    if type(value).__name__ in ("bool", "bool_"):
        return answer("passed" if value else "failed", str(message))
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = -1
    if not 0 <= share <= 1:
        text = f"the check returns a {type(value).__name__}: no diagnosis, share or (passed, message)"
        return answer("error", text)
    if share in (0, 1):
        return answer("passed" if share else "failed", str(message))
    return answer("partly", str(message), share=share)


def raised(error: BaseException, exercise: dict) -> Answer:
    """What an exception in a check means."""
    text = f"{type(error).__name__}: {one_line(error)}"
    if isinstance(error, AssertionError):
        return answer(
            "failed", one_line(error) if str(error) else asserted(error, exercise)
        )
    if isinstance(error, NotImplementedError) or "ellipsis" in text:
        return answer("unfilled", "is not filled in yet")
    missing = getattr(error, "name", None)
    if isinstance(error, NameError) and missing in exercise["needed"]:
        return answer("unfilled", f"{missing} is not defined in the notebook")
    asked = {name.rpartition(".")[2] for name in exercise["asked"]}
    if isinstance(error, AttributeError) and missing in asked:
        return answer("unfilled", f"{missing} is not written")
    return answer("error", f"{place(error)}{text}")


def asserted(error: BaseException, exercise: dict) -> str:
    """The line of the check that does not hold."""
    lines = [
        f.lineno
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename == CHECK
    ]
    source = exercise["source"].split("\n")
    line = (
        source[lines[-1] - 1].strip() if lines and lines[-1] <= len(source) else ""
    )
    return f"{DOES_NOT_HOLD}: {line.removeprefix('assert ')}"


def place(error: BaseException) -> str:
    """The last line of the student's that ran, as the beginning of a sentence."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if f.filename.startswith(CELL[:5])]
    if isinstance(error, SyntaxError) and error.lineno:
        return f"line {error.lineno}: "
    if not theirs:
        return ""
    return f"code cell {theirs[-1].filename[6:-1]}, line {theirs[-1].lineno}: "


def left_open(exercise: dict, names: dict[str, Any]) -> str:
    """What was to be written for a check, if nothing of it is."""
    for name in exercise["needed"]:
        if names.get(name) is ...:
            return f"{name} is not filled in yet"
    asked = [name for name in exercise["asked"] if name.partition(".")[0] in names]
    if asked and all(is_foreign(name, names) for name in asked):
        return f"{' and '.join(asked)} {'is' if len(asked) == 1 else 'are'} not written"
    return ""


def is_foreign(name: str, names: dict[str, Any]) -> bool:
    """Whether a function comes from elsewhere than the notebook: it is inherited, or
    calls nothing but what it would have inherited."""
    first, _, rest = name.partition(".")
    found = names.get(first)
    if rest:
        found = inspect.getattr_static(found, rest, None)
    found = getattr(found, "__func__", found)
    code = (
        getattr(inspect.unwrap(found), "__code__", None)
        if callable(found)
        else None
    )
    if not isinstance(code, CodeType):
        return found is None or found is ...
    own = code.co_name
    takes_super = (
        rest and not own.startswith("__") and {"super", own} <= set(code.co_names)
    )
    return bool(not code.co_filename.startswith(CELL[:5]) or takes_super)
