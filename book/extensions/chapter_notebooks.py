"""Offer each chapter as a notebook that reads well in plain Jupyter, in the page's download menu.

The notebook is the stored chapter, with its outputs. What only the book's software understands is written out:
references as the text that the page shows, directives as Markdown. Numbers and titles are asked of Sphinx itself, so
they are those of the page.
"""

import base64
import re
from functools import cache
from pathlib import Path

import nbformat
from chapters import stored
from chapters.pieces import Directive, Display, Role, Target
from chapters.source import pieces
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util import logging

FOLDER = "notebooks"

# Roles of other domains than the standard one and Python's.
DOMAINS = {"eq": ("math", "eq"), "cite": ("cite", "p")}

logger = logging.getLogger(__name__)


def reference(app, page):
    """Where a page's chapter is stored, if there are code cells in it."""
    return stored.path(Path(app.srcdir), Path(page).name)


class Chapter:
    """The Markdown of one chapter, written out."""

    def __init__(self, app, page):
        self.app, self.page = app, page
        blocks = app.env.get_doctree(page).findall(nodes.literal_block)
        self.listings = (block.astext() for block in blocks if "source" in block)

    def resolve(self, role, target):
        """The reference that the page shows in place of a role."""
        env, builder = self.app.env, self.app.builder
        domain, _, kind = role.rpartition(":")
        usual = "std" if kind in env.domains["std"].roles else "py"
        domain, kind = DOMAINS.get(role, (domain or usual, kind))
        short = target.startswith("~")  # the page shows the last part of the name
        target = target.removeprefix("~")
        shown = nodes.inline("", target.rpartition(".")[2] if short else target)
        node = pending_xref(
            refdoc=self.page,
            refdomain=domain,
            reftype=kind,
            reftarget=target,
            refexplicit=False,
            ids=[],
        )
        if domain in env.domains:
            found = env.domains[domain].resolve_xref(
                env, self.page, builder, kind, target, node, shown
            )
            if found is not None:
                return found
        logger.warning(
            "no number or title for {%s}`%s`; run make reference",
            role,
            target,
            location=str(reference(self.app, self.page)),
        )
        return shown

    def text(self, role, target):
        return self.resolve(role, target).astext()

    def linked(self, role):
        """The text in place of a role, with a link if it leads to another notebook."""
        found = self.resolve(role.name, role.target)
        text = role.text or found.astext()
        address = found.get("refuri", "").partition("#")[0]
        for page in self.app.env.found_docs:
            if (
                page != self.page
                and address == self.app.builder.get_relative_uri(self.page, page)
                and reference(self.app, page).is_file()
            ):
                return f"[{text}]({Path(page).name}.ipynb)"
        return text

    def directive(self, found):
        """Markdown in place of a directive."""
        name, argument = found.name, found.argument
        if name == "exercise-start":
            return f"### {self.text('numref', found.options['label'])}\n"
        if name == "solution-start":
            return f"### Solution to {self.text('numref', argument)}\n"
        if name in {"exercise-end", "solution-end", "only"}:  # only: for the page
            return ""
        if name == "literalinclude":
            return f"```python\n{next(self.listings).rstrip()}\n```"
        body, title = self.markdown("\n".join(found.body)), self.markdown(argument)
        if name == "figure":
            number = self.text("numref", found.options["name"])
            image = Path(self.app.srcdir, self.page).parent / argument
            data = base64.b64encode(image.read_bytes()).decode()  # it goes along
            alt = found.options["alt"]
            return f"![{alt}](data:image/svg+xml;base64,{data})\n\n**{number}.** {body}"
        if name == "list-table":
            number = self.text("numref", found.options["name"])
            return f"**{number}.** {title}\n\n{table(body)}"
        return f"**{title or name.capitalize()}**\n\n{body}"

    def written_out(self, piece, source):
        """Markdown in place of a piece of the source, None if it stays."""
        match piece:
            case Role():
                return self.linked(piece)
            case Target():
                return ""
            case Display(label=str()):
                number = self.text("eq", piece.label).strip("()")
                tex = source[piece.start : source.rindex("$$", 0, piece.stop)]
                return f"{tex}\\tag{{{number}}}\n$$"
            case Directive(nested=False):
                return self.directive(piece)

    def markdown(self, source):
        parts, position = [], 0
        for piece in pieces(source):
            text = self.written_out(piece, source)
            if text is not None:
                parts += source[position : piece.start], text
                position = piece.stop
        return "".join([*parts, source[position:]]).strip()

    def cells(self, notebook):
        """The cells as they read in plain Jupyter; captions become cells."""
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = self.markdown(cell.source)
                if cell.source:
                    yield cell
                continue
            figure = cell.metadata.pop("mystnb", {}).get("figure")
            yield cell
            if figure:
                number = self.text("numref", figure["name"])
                caption = self.markdown(figure["caption"])
                yield nbformat.v4.new_markdown_cell(
                    f"**{number}.** {caption}", id=f"{cell.id}-caption"
                )


def table(body):
    """A Markdown table from the rows of a list-table; the first is its head."""
    rows = [
        [
            cell.strip().replace("|", "\\|")
            for cell in re.split(r"^ *- ?", row, flags=re.MULTILINE)[1:]
        ]
        for row in re.split(r"^\* ", body, flags=re.MULTILINE)[1:]
    ]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def offer(app, page, template, context, doctree):
    """The theme's download menu links to what this names, starting from _sources."""
    if doctree and reference(app, page).is_file():
        context["ipynb_source"] = f"../{FOLDER}/{Path(page).name}.ipynb"


def write(app):
    """Write the notebooks, once all pages are written and everything has its number."""
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(exist_ok=True)
    # Sphinx reads a whole page from the disk to number one thing in it.
    app.env.get_doctree = cache(app.env.get_doctree)
    for page in sorted(app.env.found_docs):
        if reference(app, page).is_file():
            notebook = nbformat.read(reference(app, page), as_version=4)
            notebook.cells = list(Chapter(app, page).cells(notebook))
            path = folder / f"{Path(page).name}.ipynb"
            text = nbformat.writes(notebook) + "\n"
            path.write_text(text, encoding="utf-8", newline="\n")
    return []  # no further pages


def setup(app):
    app.connect("html-page-context", offer)  # the theme's own come after it, at 501
    app.connect("html-collect-pages", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
