"""When two trees say the same: whatever the signs of their products, and how a product
with dots groups factors that stand side by side."""

from dataclasses import fields, is_dataclass, replace

from ..nodes import Product


def plain(node):
    """A tree with one sign for products that are not by elements, and one product where
    brackets would change nothing."""
    if isinstance(node, tuple):
        parts = map(plain, node)
        return type(node)(*parts) if hasattr(node, "_fields") else tuple(parts)
    if not is_dataclass(node):
        return node
    made = replace(
        node,
        **{
            item.name: plain(getattr(node, item.name))
            for item in fields(node)
            if item.name != "span"
        },
    )
    if not isinstance(node, Product) or node.sign == "⊙":
        return made
    factors = []
    for before, factor in zip(node.factors, made.factors):
        beside = isinstance(before, Product) and (node.sign, before.sign) == (
            "·",
            "",
        )
        factors += factor.factors if beside else [factor]
    return replace(made, sign="·", factors=tuple(factors))
