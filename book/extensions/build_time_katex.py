"""Render the equations while the book is built, with the KaTeX that sphinxcontrib-katex ships.

Pages then hold finished HTML and need no script for it, and an equation that KaTeX refuses is a warning with its place.
sphinxcontrib-katex can prerender too, but needs Node.js for it and does not say which equation is wrong.

A formula whose node has ``lines``, words for its rows, is spoken by these. They lie over it, unseen, so that they are
found by touch as well; what is seen is hidden from screen readers. There is no MathML then: it would be read, too.
"""

import re
from functools import cache
from html import escape
from pathlib import Path

import sphinxcontrib.katex
from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from website.rows import breakable, rows

STYLE = Path(__file__).parent.parent / "static" / "katex" / "katex.min.css"

# What stands right before or behind a formula in the text. Browsers would break the line between.
BEFORE, BEHIND = re.compile(r"[(\[‘“]+$"), re.compile(r"^[^\s]+")

logger = logging.getLogger(__name__)


@cache
def engine():
    """A JavaScript engine with KaTeX in it."""
    context = MiniRacer()
    context.eval(
        Path(sphinxcontrib.katex.__file__)
        .with_name("katex.min.js")
        .read_text(encoding="utf-8")
    )
    return context


def check_version(app):
    """The HTML of one version does not fit the style sheet and the fonts of another."""
    script = engine().eval("katex.version")
    style = re.search(
        r'katex-version:after\{content:"(.*?)"', STYLE.read_text(encoding="utf-8")
    )[1]
    if script != style:
        raise ExtensionError(
            f"KaTeX is {script} in sphinxcontrib-katex, but {style} in {STYLE}; renew that folder"
        )


def render(node, tex=None, **options):
    """The HTML of a formula, or of a part of it; its TeX where KaTeX refuses it."""
    tex = tex or node.astext()
    if node.get("lines"):
        options["output"] = "html"
    try:
        return engine().call(
            "katex.renderToString", tex, {"strict": "error", **options}
        )
    except JSEvalException as error:
        reason = (
            str(error)
            .partition("\n")[0]
            .partition(" at position ")[0]
            .removeprefix("<anonymous>:1: ")
        )
        logger.warning(
            "%s, in the formula\n%s", reason, node.astext(), location=node
        )
        return escape(tex)


def join(app, doctree, docname):
    """Formulas in the text take with them what is to stay on their line."""
    for node in doctree.findall(nodes.math) if app.builder.format == "html" else ():
        place = node.parent.index(node)
        for name, mark, at in (
            ("before", BEFORE, place - 1),
            ("behind", BEHIND, place + 1),
        ):
            beside = node.parent[at] if 0 <= at < len(node.parent) else None
            found = isinstance(beside, nodes.Text) and mark.search(beside)
            if found:
                node[name] = found[0]
                node.parent[at] = nodes.Text(mark.sub("", beside))


def visit_inline(writer, node):
    found = rows(node.astext())
    behind = found[0].behind if len(found) == 1 else ""
    html = breakable(render(node, found[0].right if behind else None))
    if behind:
        html += (
            f' <wbr><span class="behind">{breakable(render(node, behind))}</span>'
        )
    said = ""
    if node.get("lines"):
        (words,) = node["lines"]
        said = f'<span class="said">{escape(words, quote=False)}</span>'
    before, after = (
        escape(node.get(name, ""), quote=False) for name in ("before", "behind")
    )
    writer.body.append(f'<span class="formula">{before}{said}{html}{after}</span>')
    raise nodes.SkipNode


def render_rows(node):
    """The HTML of a displayed formula in rows, which a narrow page may break."""
    found = rows(node.astext())
    if not found:
        return render(node, displayMode=True)

    def part(name, tex):
        shown = breakable(render(node, rf"\displaystyle {tex}")) if tex else ""
        return (
            f'<span class="{name}">{shown}</span>'
            if tex or name != "behind"
            else ""
        )

    return "".join(
        f'<span class="line">{part("left", row.left)}'
        f'<span class="right">{part("main", "{}" + row.right)}{part("behind", row.behind)}</span></span>'
        for row in found
    )


def visit_display(writer, node):
    """A formula on lines of its own, then its number; ``node["mark"]`` is HTML to put behind that.

    It can be focused, because a wide one scrolls, and is spoken then.
    """
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    html, role = render_rows(node), ""
    if node.get("lines"):
        writer.displays = getattr(writer, "displays", 0) + 1
        place = f"said-{writer.displays}"
        rows = (
            f"<span>{escape(row, quote=False)}.</span>" for row in node["lines"]
        )
        said = f'<span class="said" id="{place}">{" ".join(rows)}</span>'
        html = said + html
        role = f' role="group" tabindex="0" aria-label="formula" aria-describedby="{place}"'
    writer.body.append(f'<div class="formula"{role}>{html}</div>')
    if node["number"]:
        writer.body.append(
            f'<span class="eqno">({get_node_equation_number(writer, node)})'
        )
        writer.body.append(node.get("mark", ""))
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer(
        "build_time_katex", (visit_inline, None), (visit_display, None)
    )
    app.add_css_file("katex/katex.min.css")
    app.connect("builder-inited", check_version)
    app.connect("doctree-resolved", join, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
