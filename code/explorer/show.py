"""Write a formula with its numbers put in, in JavaScript that makes HTML of a state.

Sums stand term by term, matrices as tables. Each number carries the name of what it is.
The functions that are called here are those of ``runtime.js``.
"""

import json

from equations.nodes import (
    EquationError,
    Exponential,
    Fraction,
    Function,
    Named,
    Node,
    Number,
    Ones,
    Power,
    Product,
    Root,
    Sum,
    SumOver,
    Transpose,
    Underbrace,
)

from . import layout
from .compute import kind
from .terms import Leaf, Scope


def html(node: Node, scope: Scope) -> str:
    """An expression whose value is the HTML of a formula."""

    def inner(node: Node) -> str:
        return html(node, scope)

    match node:
        case Number(text=text):
            return json.dumps(text)
        case Ones():
            return 'table(S.n, 1, () => "1")'
        case Sum(terms=terms):
            parts = [f'["{sign}", {inner(term)}]' for sign, term in terms]
            return f"sum([{', '.join(parts)}])"
        case SumOver(index=index, body=body):
            return f"sum({terms_of(index, body, scope)})"
        case Product(sign=sign, factors=factors):
            parts = [enclosed(factor, scope) for factor in factors]
            return f'product("{sign or "·"}", [{", ".join(parts)}])'
        case Fraction(numerator=above, denominator=below):
            return f"fraction({inner(above)}, {inner(below)})"
        case Power(base=base, exponent=exponent):
            return f"power({enclosed(base, scope)}, {exponent})"
        case Root(radicand=of):
            return applied('"√"', inner(of))
        case Exponential(exponent=of):
            return applied('"exp"', inner(of))
        case Function(layer=at, name=name, primes=primes, argument=of):
            name = json.dumps(name)
            if at is None:
                return applied(f'{name} + "{primes * "′"}"', inner(of))
            activation, leaf = f"A[S.act[{layout.layer(at)}]]", scope.leaf(of)
            called = applied(f'{activation}.name + "{primes * "′"}"', inner(of))
            if leaf is None or leaf.rows is not None:
                return called
            part = "slope" if primes else "f"
            return f"valued({called}, {activation}.{part}({leaf.element()}))"
        case Named(name=name, arguments=arguments):
            return applied(json.dumps(name), *map(inner, arguments))
        case Transpose(of=of):
            leaf = scope.leaf(of)
            if leaf is not None and leaf.rows is not None:
                return transposed(leaf)
            return f'{enclosed(of, scope)} + "<sup>⊤</sup>"'
        case Underbrace(body=body):
            return inner(body)
    leaf = scope.leaf(node)
    if leaf is None:
        raise EquationError(f"{kind(node)} cannot be shown in numbers")
    return shown(leaf)


def applied(name: str, *arguments: str) -> str:
    together = ' + ", " + '.join(arguments)
    return f"{name} + brackets({together})"


def terms_of(index: str, body: Node, scope: Scope) -> str:
    return f"each({scope.sizes[index]}, {index} => {html(body, scope)})"


def enclosed(node: Node, scope: Scope) -> str:
    """In brackets if it is made of several parts."""
    if isinstance(node, SumOver) and not isinstance(node.body, Sum | SumOver):
        return f"several({terms_of(node.index, node.body, scope)})"
    found = html(node, scope)
    if isinstance(node, Sum | SumOver | Product):
        return f"brackets({found})"
    return found


def shown(leaf: Leaf) -> str:
    if leaf.rows is None:
        return f"number({leaf.element()}, `{leaf.entry()}`)"
    element = f"number({leaf.element('r', 'c')}, `{leaf.entry('r', 'c')}`)"
    return f"table({leaf.rows}, {leaf.columns}, (r, c) => {element})"


def transposed(leaf: Leaf) -> str:
    element = f"number({leaf.element('c', 'r')}, `{leaf.entry('c', 'r')}`)"
    return f"table({leaf.columns}, {leaf.rows}, (r, c) => {element})"
