"""Sphinx extension: prose and committed outputs become pages with a tab for each backend."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.transforms import SphinxTransform
from sphinx.util.logging import getLogger
from sphinx_design.shared import create_component

from .book import PLAIN, Book, BookError
from .charts import read_words, said, translate
from .editions import Joins, add_to_page, word
from .record import Status, links, where
from .sources import ABSENT, Cell, Place, read_chapter, read_prose
from .weave import read as read_notebook

LOGGER = getLogger(__name__)
HERE = Path(__file__).parent
_reading: list[BuildEnvironment] = []  # MyST-NB hands a reader the text alone: this says of which document


def read(text: str) -> nbformat.NotebookNode:
    """Read a chapter for MyST-NB: its prose, and at each place the cell of every backend with its outputs."""
    env = _reading[-1]
    book, language, chapter = where(env)
    page: list[tuple[int, nbformat.NotebookNode]] = []
    try:
        cells = read_chapter(book, chapter)
        words = read_words(book.words(language))
        stored = {backend: _stored(env, book.ran(language, backend, chapter), words) for backend in cells}
        for source in filter(Path.exists, (book.words(language), *book.cells(chapter).glob("*.py"))):
            env.note_dependency(str(source))
        for part in read_prose(book.prose(language, chapter)):
            here = _shown(part, language, cells, stored) if isinstance(part, Place) else [new_markdown_cell(part.text)]
            page += [(part.line - 1, cell) for cell in here]
    except BookError as error:
        raise SphinxError(str(error)) from None
    language_info = {"name": "python", "pygments_lexer": "python"}
    metadata = {"source_map": [line for line, _ in page], "language_info": language_info}
    return new_notebook(cells=[cell for _, cell in page], metadata=metadata)


def _stored(env: BuildEnvironment, path: Path, words: Mapping[str, str]) -> dict[str, nbformat.NotebookNode]:
    env.note_dependency(str(path))
    cells = {cell.id: cell for cell in read_notebook(path).cells}
    for outputs in (cell.outputs for cell in cells.values() if words and cell.cell_type == "code"):
        translate(outputs, words)
    return cells


def _shown(place: Place, language: str, cells: Mapping[str, Mapping[str, Cell]], stored: Any) -> list[Any]:
    """The cell of each backend; one alone, without a tab, where code and output are the same in all."""
    shown = []
    for backend, cell in ((backend, found[place.id]) for backend, found in cells.items()):
        ran = stored[backend].get(place.id)
        outputs = ran.outputs if ran and ran.source == cell.source else []
        # A display that was emptied when it had served, such as a progress bar, would be drawn as a blank box.
        outputs = [each for each in outputs if "data" not in each or any(each.data.values())]
        alt = f"{word(language, 'drawn').format(place.id)}: {said(outputs)}".removesuffix(": ")
        drawn = {"image": {"alt": alt}}  # else MyST-NB names a picture by its file
        metadata = {"tags": list(cell.tags), "backend": backend, "place": place.id, "mystnb": drawn}
        if ABSENT not in cell.tags:
            shown.append(new_code_cell(cell.source, outputs=outputs, metadata=metadata))
    if len(shown) == len(cells) and all((c.source, c.outputs) == (shown[0].source, shown[0].outputs) for c in shown):
        del shown[0].metadata["backend"]
        return shown[:1]
    return shown


class Tabs(SphinxTransform):
    """Group the neighbouring cells of one place into a tab set, and put the launcher under the title."""

    default_priority = 210  # before sphinx-design turns tab sets into HTML, after MyST-NB made its nodes

    def apply(self, **kwargs: Any) -> None:
        """Rewrite the document in place."""
        book, language, chapter = where(self.env)
        anchors = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        for parent in [self.document, *self.document.findall(nodes.section)]:
            groups = [list(group) for _, group in groupby(parent.children, _place)]
            parent[:] = [node for group in groups for node in _tabs(book, group, anchors)]
        title = next(iter(self.document.findall(nodes.title)))
        title.parent.insert(title.parent.index(title) + 1, _launcher(book, language, chapter))


def _metadata(node: nodes.Node) -> dict[str, Any]:
    return node.get("cell_metadata", {}) if isinstance(node, nodes.Element) else {}


def _place(node: nodes.Node) -> object:
    return _metadata(node).get("place", id(node))


def _tabs(book: Book, group: Sequence[Any], anchors: dict[str, tuple[int, str, str]]) -> Sequence[nodes.Node]:
    tabs = {_metadata(node)["backend"]: [node] for node in group if "backend" in _metadata(node)}
    shown = [tab_set(book, tabs)] if tabs else group
    if place := _metadata(group[0]).get("place"):
        shown[0]["ids"].append(anchor := f"cell-id={place}")  # JupyterLab's word for it: a link serves notebooks, too
        anchors[anchor] = 0, anchor, place
    return shown


def tab_set(book: Book, tabs: Mapping[str, Sequence[nodes.Node]]) -> nodes.container:
    """Synced tabs, one for each backend; the book's default is the one that stands open."""
    items = []
    for backend, content in tabs.items():
        label = nodes.rubric("", book.settings["backends"][backend], classes=["sd-tab-label"])
        label.update_all_atts({"sync_id": backend, "sync_group": "backend"})
        inside = create_component("tab-content", ["sd-tab-content"], children=content)
        chosen = backend == book.settings["default"]
        items.append(create_component("tab-item", ["sd-tab-item"], children=[label, inside], selected=chosen))
    return create_component("tab-set", ["sd-tab-set"], children=items)


def _launcher(book: Book, language: str, chapter: str) -> list[nodes.Node]:
    rows = {backend: links(book, language, backend, chapter) for backend in book.backends(chapter)}
    return [nodes.container("", *(rows.get(PLAIN) or [tab_set(book, rows)]), classes=["launcher"])] if rows else []


def _math(self: Any, node: nodes.Element) -> None:
    """Browsers draw MathML themselves: no script, no font, no network."""
    try:
        self.body.append(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    except MathError as error:
        LOGGER.warning("expected TeX that docutils knows, got %s: %s", node.astext(), error, location=node)
    raise nodes.SkipNode


def _paths(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(HERE / "static"))
    config.templates_path.append(str(HERE / "templates"))
    # A build at the root looks for pages everywhere: not in what is hidden, installed or generated.
    config.exclude_patterns = [*config.exclude_patterns, ".*", "_site", "node_modules", "notebooks"]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register everything with Sphinx."""
    app.add_config_value("bookweave", {}, "env")
    app.add_config_value("bookweave_editions", False, "env")  # whether other editions lie beside this one
    # Sphinx copies styles only when it draws a page: so a change of theirs is one of the settings, which redraws all.
    app.add_config_value("bookweave_styles", (HERE / "static" / "bookweave.css").read_text("utf-8"), "html")
    app.add_transform(Tabs)
    app.add_transform(Joins)
    app.add_directive("status", Status)
    app.add_html_math_renderer("mathml", (_math, None), (_math, None))
    app.add_css_file("bookweave.css")
    app.connect("config-inited", _paths)
    app.connect("html-page-context", add_to_page)
    app.connect("source-read", lambda app, docname, source: _reading.append(app.env))
    return {"parallel_read_safe": False}
