"""Write the equations as a script, and put their formulas into the page that uses it.

The directive `explorer-formulas` asks for both. A label that is missing, or an equation that cannot be compiled, fails the
build. In the formulas, attributes say what each symbol reads or writes.
"""

import json
from pathlib import Path

from build_time_katex import engine
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

SCRIPT = "equations.js"


class Formulas(SphinxDirective):
    """The formulas of the script's equations, unseen until a script takes them."""

    def run(self):
        # Imported here, because it brings torch: see checked_equations.
        import explorer
        from chapters import numbers
        from equations.extract import read_chapter

        root = Path(self.env.srcdir)
        pages = {
            Path(name).name: self.env.doc2path(name) for name in self.env.found_docs
        }
        table = json.loads((root / numbers.FILE).read_text(encoding="utf-8"))[
            "equations"
        ]

        def read(chapter):
            return read_chapter(pages[chapter])

        try:
            self.env.compiled_equations = explorer.write(read, table)
            formulas = explorer.formulas(read, table)
        except ValueError as error:
            raise ExtensionError(str(error)) from error
        templates = [
            f'<template id="formula-{label}">{rendered(tex)}</template>'
            for label, tex in formulas.items()
        ]
        return [nodes.raw("", "\n".join(templates), format="html")]


def rendered(tex):
    options = {"output": "html", "trust": True, "strict": False}
    return engine().call("katex.renderToString", rf"\displaystyle {tex}", options)


def write(app, exception):
    script = getattr(app.env, "compiled_equations", None)
    if script and exception is None and app.builder.name == "html":
        file = Path(app.outdir, "_static", SCRIPT)
        file.write_text(script, encoding="utf-8", newline="\n")


def setup(app):
    app.add_directive("explorer-formulas", Formulas)
    app.connect("build-finished", write)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
