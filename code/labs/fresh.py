"""Modules as they were before any cell of a student ran."""

import contextlib
import sys
from types import FunctionType, ModuleType
from typing import Any

KEPT = {"sys", "__main__"}  # where IPython puts things of its own


class Fresh:
    """What all loaded modules, their classes and their functions were at one time."""

    def __init__(self) -> None:
        self.modules = {
            name: (module, dict(vars(module)))
            for name, module in list(sys.modules.items())
            if isinstance(module, ModuleType) and name not in KEPT
        }
        self.classes: dict[type, dict[str, Any]] = {}
        self.functions: dict[FunctionType, tuple] = {}
        for _, names in list(self.modules.values()):
            for value in list(names.values()):
                self.note(value)

    def note(self, value: Any) -> None:
        if issubclass(type(value), type) and value not in self.classes:
            self.classes[value] = dict(vars(value))
            for each in self.classes[value].values():
                self.note(getattr(each, "__func__", each))
        elif type(value) is FunctionType:
            kept = value.__code__, value.__defaults__, value.__kwdefaults__
            self.functions[value] = kept

    def restore(self) -> int:
        """Put back functions and classes that have been exchanged, and say how many
        there were. Data stays as it is: a library may have changed its own."""
        changed = 0
        for name, (module, names) in self.modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
                changed += 1
            changed += put_back(names, vars(module), vars(module).__setitem__)
        for each, names in self.classes.items():
            now = vars(each)

            def put(key: str, value: Any, owner: type = each) -> None:
                with contextlib.suppress(TypeError, AttributeError):  # written in C
                    setattr(owner, key, value)

            changed += put_back(names, now, put)
            for key in shadows(each, names):
                delattr(each, key)
                changed += 1
        for function, (code, defaults, keywords) in self.functions.items():
            if (
                function.__code__ is not code
                or function.__defaults__ is not defaults
                or function.__kwdefaults__ is not keywords
            ):
                function.__code__, function.__defaults__ = code, defaults
                function.__kwdefaults__ = keywords
                changed += 1
        return changed


def shadows(owner: type, before: dict[str, Any]) -> list[str]:
    """What a class has got since then in place of what it inherits."""
    new = [key for key in vars(owner) if key not in before]
    return [key for key in new if any(key in vars(e) for e in owner.__mro__[1:])]


def put_back(before: dict, now: Any, put) -> int:
    exchanged = [
        (key, value)
        for key, value in before.items()
        if now.get(key) is not value and is_code(value)
    ]
    for key, value in exchanged:
        put(key, value)
    return len(exchanged)


def is_code(value: Any) -> bool:
    return callable(value) or isinstance(
        value, classmethod | staticmethod | property
    )
