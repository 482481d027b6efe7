"""Write the equations as scripts, one that computes and one that judges what is typed, and put their formulas, blanks to
fill in, and the words for mistakes, into the page that uses them. A third script brings the formulas into pages that show
them only when a reader asks for it.

The directive `explorer-formulas` asks for all of it. A label that is missing, or an equation that cannot be compiled, fails the
build. In the formulas, attributes say what each symbol reads or writes.
"""

import json
from html import escape
from pathlib import Path

from build_time_katex import engine
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective


class Formulas(SphinxDirective):
    """Formulas and words, unseen until a script takes them."""

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

        book = explorer.Book(read, table)
        try:
            scripts = {
                "equations.js": explorer.write(book),
                "formulas.js": explorer.write_typed(book),
            }
            formulas = [
                template(f"formula-{label}", rendered(tex))
                for label, tex in explorer.formulas(book).items()
            ]
            blanks = explorer.blanks(book)
            symbols = explorer.symbols(book)
        except ValueError as error:
            raise ExtensionError(str(error)) from error
        given = json.dumps("".join(formulas), ensure_ascii=False)
        scripts["formulas-shown.js"] = (
            f'document.body.insertAdjacentHTML("beforeend", {given});\n'
        )
        self.env.compiled_equations = scripts
        templates = [
            *formulas,
            *(
                template(
                    f"blank-{each.label}",
                    rendered(each.tex),
                    number=each.number,
                    form=each.form,
                    speech=each.speech,
                )
                for each in blanks
            ),
            *(
                template(f"symbols-{form}", "".join(map(button, found)))
                for form, found in symbols.items()
            ),
            *(
                template(f"mistake-{name}", escape(text))
                for name, text in explorer.mistakes().items()
            ),
        ]
        return [nodes.raw("", "\n".join(templates), format="html")]


def template(name, html, **data):
    about = "".join(f' data-{key}="{escape(text)}"' for key, text in data.items())
    return f'<template id="{name}"{about}>{html}</template>'


def button(symbol):
    formula = rendered(symbol.tex, r"\textstyle")
    return (
        f'<button type="button" data-typed="{escape(symbol.typed)}"><span class="said">{escape(symbol.speech)}</span>'
        f'<span aria-hidden="true">{formula}</span></button>'
    )


def rendered(tex, style=r"\displaystyle"):
    options = {"output": "html", "trust": True, "strict": False}
    return engine().call("katex.renderToString", rf"{style} {tex}", options)


def write(app, exception):
    if exception is None and app.builder.name == "html":
        for name, script in getattr(app.env, "compiled_equations", {}).items():
            file = Path(app.outdir, "_static", name)
            file.write_text(script, encoding="utf-8", newline="\n")


def setup(app):
    app.add_directive("explorer-formulas", Formulas)
    app.connect("build-finished", write)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
