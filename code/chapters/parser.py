"""The parser of MyST Markdown, with the settings of `_config.yml`: a text is read as the
page shows it."""

from collections.abc import Callable
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from myst_parser.config.main import (
    MdParserConfig,
    TopmatterReadError,
    merge_file_level,
    read_topmatter,
)
from myst_parser.parsers.mdit import create_md_parser

EXTENSIONS = {"attrs_inline", "colon_fence", "deflist", "dollarmath"}


def parser(settings: dict | None = None) -> MarkdownIt:
    """A parser that MyST makes, which notes where tokens stand in their paragraph. The
    settings are those of the key ``myst`` of a file's front matter."""

    def refuse(_, message: str) -> None:
        raise ValueError(f"1: in the front matter: {message}")

    config = MdParserConfig(enable_extensions=EXTENSIONS)
    config = merge_file_level(config, {"myst": settings or {}}, refuse)
    if "html_admonition" in config.enable_extensions:
        refuse(None, "html_admonition hides what it shows; write a directive")
    made = create_md_parser(config, RendererHTML)
    made.core.ruler.disable("text_join")  # keeps apart what was escaped
    rules = made.inline.ruler
    for name, rule in zip(rules.get_active_rules(), rules.getRules("")):
        rules.at(name, placed(rule))
    return made


usual = cache(parser)


def placed(rule: Callable) -> Callable:
    def place(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        done = rule(state, silent)
        for token in state.tokens[count:]:
            token.meta.setdefault("span", (start, state.pos))
        return done

    return place


def front_matter(text: str) -> dict:
    """What stands between two lines '---' at the head of a file. Raises ValueError."""
    try:
        return read_topmatter(text) or {}
    except TopmatterReadError as error:
        raise ValueError("1: the front matter is not YAML") from error
