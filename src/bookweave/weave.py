"""Cross prose and cells into notebooks: the same sources always give the same bytes."""

import contextlib
import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from .book import Book, BookError
from .plain import plain
from .sources import ABSENT, Cell, Text, read_chapter, read_prose

# Ids of our own cells: an underscore, which no author's id has.
SETUP = "_setup"
_SETUP = """\
# Says in which language to answer. Elsewhere than where {package} is installed, as on Colab, it adds what is missing.
import importlib.util, os, subprocess, sys

os.environ["{variable}"] = "{language}"
if getattr(importlib.util.find_spec("{package}"), "origin", None) is None:  # no package, or a mere folder of that name
    packages = {packages}
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *packages], check=True)"""


def notebooks(book: Book, chapter: str) -> Iterator[tuple[str, str, nbformat.NotebookNode]]:
    """Weave every notebook of a chapter: (language, backend, notebook); BookError where the sources do not fit."""
    for backend, cells in read_chapter(book, chapter).items():
        for language in book.languages:
            yield language, backend, weave(book, chapter, language, backend, cells)


def weave(book: Book, chapter: str, language: str, backend: str, cells: dict[str, Cell]) -> nbformat.NotebookNode:
    """Make one notebook. A cell keeps the outputs of the language that was executed while its code is the same."""
    stored = read(book.ran(language, backend, chapter))
    kept = {cell.id: cell for cell in stored.cells}
    path = book.prose(language, chapter)
    woven = [_setup(book, language, backend)]
    for number, part in enumerate(read_prose(path)):
        if isinstance(part, Text):
            text, pictures = plain(book, path, backend, part)
            extra = {"attachments": pictures} if pictures else {}
            woven.append(new_markdown_cell(text, id=f"_text-{number}", **extra))
        elif ABSENT not in cells[part.id].tags:
            woven.append(_code(cells[part.id], kept.get(part.id)))
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **({"accelerator": "GPU"} if backend in book.settings["gpus"] else {}),  # Colab then offers one
        **{key: value for key, value in stored.metadata.items() if key == "bookweave"},
    }
    return new_notebook(cells=[cell for cell in woven if cell.source], metadata=metadata)


def read(path: Path) -> nbformat.NotebookNode:
    """The committed notebook, or an empty one where there is none; BookError where the file is no notebook."""
    if not path.exists():
        return new_notebook()
    try:
        text = path.read_text("utf-8")
        with warnings.catch_warnings(action="error"):  # such as cells without ids, which nbformat would make up
            nbformat.validate(json.loads(text))
            return nbformat.reads(text, as_version=4)
    except Exception as error:  # nbformat raises whatever it stumbles over
        advice = "restore it from version control, or delete it and run `bookweave run`"
        raise BookError(path, 0, f"expected a notebook, got: {str(error)[:100]}; {advice}") from None


def render(notebook: nbformat.NotebookNode) -> str:
    """The text of a notebook's file."""
    return f"{nbformat.writes(notebook, version=4)}\n"


def write(path: Path, text: str) -> bool:
    """Replace a file whole, or not at all; say whether it changed; BookError where it cannot be written."""
    if same(path, text):
        return False
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(text.encode())
        scratch.replace(path)
    except OSError as error:
        raise BookError(path, 0, f"expected to write it, got: {error.strerror}; it is as it was") from None
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink()
    return True


def same(path: Path, text: str) -> bool:
    """Whether a file is there and holds this text."""
    return path.is_file() and path.read_bytes() == text.encode()


def code_hash(notebook: nbformat.NotebookNode) -> str:
    """Fingerprint of all code of a notebook but the setup."""
    return _hash([(cell.id, cell.source) for cell in _code_cells(notebook)])


def output_hash(notebook: nbformat.NotebookNode) -> str:
    """Fingerprint of all outputs of a notebook."""
    return _hash([(cell.id, cell.execution_count, cell.outputs) for cell in _code_cells(notebook)])


def _code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.id != SETUP]


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _setup(book: Book, language: str, backend: str) -> nbformat.NotebookNode:
    package = book.settings["package"]
    packages = [*book.settings["requires"].get(backend, []), f"{package} @ git+{book.repository}@{book.branch}"]
    words = {"package": package, "packages": json.dumps(packages), "variable": book.language_variable()}
    source = _SETUP.format(language=language, **words)
    return new_code_cell(source, id=SETUP, metadata={"tags": ["remove-cell"]})


def _code(cell: Cell, kept: nbformat.NotebookNode | None) -> nbformat.NotebookNode:
    woven = new_code_cell(cell.source, id=cell.id, metadata={"tags": list(cell.tags)} if cell.tags else {})
    if kept is not None and kept.cell_type == "code" and kept.source == cell.source:
        woven.update(outputs=kept.outputs, execution_count=kept.execution_count)
    return woven
