"""Check the equations while the book is built, and show the result.

A claim that does not hold fails the build, and so does a formula of a page that the check has not read. Beside its
number each checked equation gets a mark, which leads to its row in the table that the directive `equation-table` makes.
"""

import json
import os
from html import escape
from itertools import zip_longest
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import get_node_line

HEAD = (
    "Equation",
    "Label",
    "Rows",
    "Networks",
    "Values",
    "Error",
    "Package",
)


def check(app, env, docnames):
    """Check all chapters in Markdown, in the order of the table of contents."""
    # Imported here, because it brings torch: sphinx_external_toc, which is set up after this extension, looks at every
    # object in memory, and torch has some that warn when they are looked at.
    from equations import check_files

    order = list(getattr(env, "external_site_map", ()))
    found = [name for name in order if name in env.found_docs] or env.found_docs
    paths = [env.doc2path(name) for name in found]
    chapters = [
        os.path.relpath(path) for path in paths if Path(path).suffix == ".md"
    ]
    try:
        env.equation_report = check_files(chapters)
    except (OSError, ValueError) as error:
        raise ExtensionError(str(error)) from error
    if env.equation_report.failures:
        raise ExtensionError("\n".join(env.equation_report.failures))


def compare(app, doctree):
    """Every formula of a page is one that the check has read, in the same order. It gets its words."""
    path = os.path.relpath(app.env.doc2path(app.env.docname))
    report = app.env.equation_report
    for kind, results in (
        (nodes.math_block, report.displays),
        (nodes.math, report.inlines),
    ):
        shown = [node for node in doctree.findall(kind) if not in_output(node)]
        read = [result for result in results if result.file == path]
        for number, (node, formula) in enumerate(zip_longest(shown, read), 1):
            page = "no formula" if node is None else words(node.astext())
            check = "no formula" if formula is None else words(formula.tex)
            if page != check:
                line = formula.line if node is None else get_node_line(node)
                raise ExtensionError(
                    f"{path}:{line}: formula {number} ({kind.__name__}) is not the one that the check has read\n"
                    f"on the page: {page}\nread: {check}"
                )
            node["said"] = formula.said
    say_outputs(
        path, [node for node in doctree.findall(is_formula) if in_output(node)]
    )


def say_outputs(path, formulas):
    """Give the formulas that cells put out their words; nothing else is known of them."""
    from equations.extract import Display, Inline, read_chapter  # see check
    from equations.nodes import EquationError
    from equations.speech import of_formula

    for node in formulas:
        kind = Display if isinstance(node, nodes.math_block) else Inline
        try:
            node["said"] = of_formula(
                kind(path, 0, node.astext()), read_chapter(path)
            )
        except EquationError as error:
            raise ExtensionError(
                f"{path}: what a cell puts out: {error}"
            ) from error


def words(tex):
    """TeX without what spaces and line breaks change."""
    return " ".join(tex.split())


def compare_numbers(app, env):
    """The table by which programs name equations holds the numbers that the pages show."""
    from chapters import numbers  # see check

    root = Path(app.srcdir)
    if not (root / numbers.FILE).is_file():
        return
    stored = json.loads((root / numbers.FILE).read_text(encoding="utf-8"))
    wanted = {label: tuple(place) for label, place in stored["equations"].items()}
    shown = dict(shown_numbers(env))
    differing = sorted(dict(wanted.items() ^ shown.items()))
    if differing or numbers.table(root) != stored:
        raise ExtensionError(
            f"{numbers.FILE} is stale: {', '.join(differing) or 'titles or address'}; run make reference"
        )


def shown_numbers(env):
    """The number and the page of each equation of a numbered chapter, by its label."""
    for label, (page, _) in env.get_domain("math").equations.items():
        number = equation_number(env, label)
        if "." in number:
            yield label, (number, Path(page).name)


def lines(env, said):
    """The rows of a formula in words, each with its reason."""
    for row in said:
        numbers = [f"equation {equation_number(env, label)}" for label in row.cited]
        reasons = ", ".join([*row.rules, *numbers])
        yield row.words + (f". Reason: {reasons}" if reasons else "")


def equation_number(env, label):
    """As the pages show it: by chapter, where these are numbered."""
    page, number = env.get_domain("math").equations[label]
    numbers = env.toc_fignumbers.get(page, {}).get("displaymath", {})
    return ".".join(map(str, numbers.get(f"equation-{label}", [number])))


def in_output(node):
    """Whether a node is what a cell puts out. The caption of its figure is not."""
    while node.parent is not None:
        node = node.parent
        if node.get("nb_element") == "mime_bundle":
            return True
    return False


def results(env):
    """The results of the checked equations by their labels."""
    displays = env.equation_report.displays
    return {r.label: r for r in displays if r.label and not r.exempt}


def place(label):
    """The id of an equation's row in the table."""
    return f"checked-{label}"


def summary(result):
    from equations.report import scientific  # see check

    text = f"checked: {result.values:,} values compared"
    if result.error is not None:
        text += f", largest relative error {scientific(result.error)}"
    return text


def add_marks(app, doctree, page):
    """Give the formulas of a page their words, and the displayed equations their marks."""
    checked = results(app.env)
    table = getattr(app.env, "equation_table", None)
    for node in doctree.findall(is_formula):
        node["lines"] = list(lines(app.env, node.get("said", [])))
    for spoken in doctree.findall(is_spoken):
        for row in spoken.findall(nodes.row):
            for formula in row.findall(nodes.math):
                row[1] += nodes.paragraph(text=formula["lines"][0])
    for node in doctree.findall(nodes.math_block):
        result = checked.get(node["label"])
        if result and table:
            uri = app.builder.get_relative_uri(page, table)
            node["mark"] = (
                f'<a class="checked" href="{uri}#{place(result.label)}"'
                f' title="{escape(summary(result))}" aria-label="checked">✓</a>'
            )


def is_formula(node):
    return isinstance(node, nodes.math | nodes.math_block)


def is_spoken(node):
    return isinstance(node, nodes.table) and "spoken" in node["classes"]


class EquationTable(SphinxDirective):
    """The table of all equations, from the check's own output."""

    def run(self):
        from equations.report import scientific  # see check

        report = self.env.equation_report
        self.env.equation_table = self.env.docname
        rows = [self.row(result) for result in results(self.env).values()]
        total = (
            f"{len(rows)} equations",
            f"and {len(report.executed)} formulas in the text",
            str(sum(result.rows for result in report.displays)),
            "",
            f"{report.values:,}",
            scientific(report.error),
            "",
        )
        rows.append(nodes.row("", *map(entry, total)))
        exempt = [
            nodes.list_item("", nodes.paragraph(text=f"{r.label}: {r.exempt}"))
            for r in report.exempt
        ]
        return [
            table(HEAD, rows, "equations"),
            nodes.bullet_list("", *exempt)
            if exempt
            else nodes.paragraph(text="No displayed equation is exempt."),
        ]

    def row(self, result):
        from equations.report import scientific  # see check

        number = reference(self.env, result.label)
        return nodes.row(
            "",
            nodes.entry("", nodes.paragraph("", "", number)),
            nodes.entry(
                "", nodes.paragraph("", "", nodes.literal(text=result.label))
            ),
            *map(
                entry,
                (str(result.rows), str(result.networks), f"{result.values:,}"),
            ),
            *map(
                entry, (scientific(result.error), "yes" if result.package else "")
            ),
            ids=[place(result.label)],
        )


class SpokenFormulas(SphinxDirective):
    """A table of the formulas in a list, and of how they are said."""

    has_content = True

    def run(self):
        items = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, items)
        rows = [
            nodes.row(
                "", nodes.entry("", nodes.paragraph("", "", formula)), nodes.entry()
            )
            for formula in items.findall(nodes.math)
        ]
        return [table(("Formula", "In words"), rows, "spoken")]


class Steps(SphinxDirective):
    """How many steps are proved, and a list of those that are not."""

    def run(self):
        report = self.env.equation_report
        unproved = report.out_of_reach
        text = (
            f"Of {report.closed + len(unproved)} equals signs {report.closed} are closed by their reasons,"
            " for every depth and width."
        )
        if not unproved:
            return [nodes.paragraph(text=f"{text} None is out of reach.")]
        items = [
            nodes.paragraph(
                "",
                "",
                reference(self.env, result.label)
                if result.label
                else nodes.inline(text=f"{result.file}:{result.line}"),
                nodes.Text(f", number {number}: {construct}"),
            )
            for result, number, construct in unproved
        ]
        return [
            nodes.paragraph(text=f"{text} Out of reach are:"),
            nodes.bullet_list("", *(nodes.list_item("", item) for item in items)),
        ]


class Adapters(SphinxDirective):
    """Where page and code differ by design, as a list."""

    def run(self):
        from equations.package import ADAPTERS  # see check

        items = [nodes.paragraph(text=f"{text}.") for text in ADAPTERS.values()]
        return [
            nodes.bullet_list("", *(nodes.list_item("", item) for item in items))
        ]


def reference(env, label):
    """The number of an equation, as a link."""
    return addnodes.pending_xref(
        "",
        nodes.inline(text=label),
        refdomain="math",
        reftype="eq",
        reftarget=label,
        refdoc=env.docname,
        refexplicit=False,
        refwarn=True,
    )


def table(head, rows, name):
    group = nodes.tgroup(
        "", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head)
    )
    group += nodes.thead("", nodes.row("", *map(entry, head)))
    group += nodes.tbody("", *rows)
    return nodes.table("", group, classes=[name])


def entry(text):
    return nodes.entry("", nodes.paragraph(text=text))


def setup(app):
    app.add_directive("equation-table", EquationTable)
    app.add_directive("page-and-code", Adapters)
    app.add_directive("equation-steps", Steps)
    app.add_directive("spoken-formulas", SpokenFormulas)
    app.connect("env-before-read-docs", check)
    app.connect("doctree-read", compare, priority=400)  # before titles are copied
    app.connect("env-check-consistency", compare_numbers)
    app.connect("doctree-resolved", add_marks)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
