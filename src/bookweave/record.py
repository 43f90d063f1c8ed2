"""Where a notebook is, and what its outputs come from: the row under a title, and the table of all rows."""

from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from .book import Book, load
from .editions import WORDS, word
from .weave import read


def where(env: BuildEnvironment) -> tuple[Book, str, str]:
    """Book, language and chapter of the document in hand, which lies at book/<language>/<chapter>.md."""
    path = Path(env.doc2path(env.docname))
    return load(path.parents[2]), path.parent.name, path.stem


def links(book: Book, language: str, backend: str, chapter: str) -> list[nodes.Node]:
    """The ways to a notebook, and its record."""
    path = book.notebook(language, backend, chapter)
    place, row = path.relative_to(book.root).as_posix(), nodes.paragraph()
    if "github.com/" in book.repository:  # Colab opens notebooks from there alone
        page = f"{book.repository.split('github.com/')[1]}/blob/{book.branch}/{place}"
        url = f"https://colab.research.google.com/github/{page}"
        row += [nodes.reference("", word(language, "colab"), refuri=url), nodes.Text(" · ")]
    download = nodes.Text(word(language, "download"))
    row += addnodes.download_reference("", "", download, reftarget=f"../../{place}")  # from book/<language>
    facts = f"{word(language, 'run')}: {_facts(book, language, path)}"
    return [row, nodes.paragraph("", facts, classes=["provenance"])]


def _facts(book: Book, language: str, path: Path) -> str:
    facts = read(path).metadata.get("bookweave", {}).get("run", {})
    if facts.get("backend"):
        facts["version"] = f"{book.settings['backends'].get(facts['backend'])} {facts['version']}"
    facts |= {k: f"{n:,.{4 * (0 < n < 1)}f}" for k, n in facts.items() if isinstance(n, int | float)}  # 0.8835
    known = (word(language, key).format(facts[key]) for key in WORDS["en"] if facts.get(key))
    return " · ".join(known) or word(language, "never")


class Status(SphinxDirective):
    """``{status}``: a table of every notebook and what its outputs come from."""

    def run(self) -> list[nodes.Node]:
        """Write the table as Markdown and let the parser read it."""
        book, language, _ = where(self.env)
        rows = [f"| {word(language, 'notebook')} | {word(language, 'run')} |", "|---|---|"]
        for chapter in book.chapters:
            for backend in book.backends(chapter):
                path = book.notebook(language, backend, chapter)
                self.env.note_dependency(str(path))
                name = book.settings["backends"].get(backend, "Python")
                rows.append(f"| []({chapter}.md) {name} | {_facts(book, language, path)} |")
        return self.parse_text_to_nodes("\n".join(rows))
