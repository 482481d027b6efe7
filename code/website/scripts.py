"""One script of many."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import rjsmin

# Every page needs these, in this order.
KEPT = [
    "documentation_options.js",
    "pydata-sphinx-theme.js",
    "sphinx-book-theme.js",
    "clipboard.min.js",
    "copybutton.js",
    "book.js",
]
TEMPLATE = re.compile(r"`(?:[^`\\]|\\.)*`")
# What these do is done otherwise: icons come from a font, what folds and drops down needs no script, tooltips are the
# browser's, the search is in book.js.
REPLACED = {
    "bootstrap.js",
    "fontawesome.js",
    "togglebutton.js",
    "translations.js",
    "doctools.js",
    "sphinx_highlight.js",
    "searchtools.js",
    "language_data.js",
    "searchindex.js",
}

# The theme before the first paint, else a page in the dark flashes white; the script of the theme goes on from here. And
# the fonts at once, for formulas change their widths, and what stands around them its place, as they come: the page waits
# for them, but no longer than browsers let what is written in a font wait. From a disk all that is neither needed nor allowed.
EARLY = """\
(function (root) {
  var mode = "auto";
  try { mode = localStorage.getItem("mode") || mode; } catch (error) { /* not allowed: the reader's system decides */ }
  var dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.mode = mode;
  root.dataset.theme = mode !== "auto" ? mode : dark ? "dark" : "light";
  if (location.protocol === "file:") return;
  var fonts = root.dataset.fonts.split(" ").map(function (font) {
    var link = document.createElement("link");
    link.rel = "preload";
    link.as = "font";
    link.type = "font/woff2";
    link.crossOrigin = "anonymous";
    link.href = font;
    document.head.appendChild(link);
    return new Promise(function (done) { link.onload = link.onerror = done; });
  });
  root.dataset.waits = "";
  function show() { delete root.dataset.waits; }
  Promise.all(fonts).then(function () { return document.fonts.ready; }).then(show);
  setTimeout(show, 3000);
})(document.documentElement);"""


def name(address: str) -> str:
    """The name of the file at an address in a page."""
    return PurePosixPath(address.partition("?")[0]).name


def check_known(addresses) -> None:
    """A new script might be needed, or not."""
    for address in addresses:
        if name(address) not in {*KEPT, *REPLACED}:
            raise ValueError(
                f"Pages load a script that is not known, {address}. Say in {__name__} whether they need it."
            )


def bundled(static: Path) -> str:
    """All that pages need, in one."""
    files = {
        file.name: file
        for file in sorted(static.rglob("*.js"))
        if "locales" not in file.parts
    }
    texts = [files[each].read_text(encoding="utf-8") for each in KEPT]
    lines = "\n;\n".join(texts).splitlines()
    return "\n".join(
        line for line in lines if not line.startswith("//# sourceMappingURL")
    )


def minify(static: Path, names: Iterable[str]) -> None:
    """Take comments and needless spaces out of what some pages load.

    Raises ValueError where a template stands in a template: the spaces of the inner one
    would be lost.
    """
    for each in sorted(names):
        text = (static / each).read_text(encoding="utf-8")
        for template in TEMPLATE.findall(text):
            if template.count("{") != template.count("}"):
                raise ValueError(f"{each}: a template in a template, {template}")
        (static / each).write_text(rjsmin.jsmin(text), encoding="utf-8")
