"""Execute notebooks, one kernel each, and record what they ran on."""

import copy
import json
import os
import time
from pathlib import Path
from typing import Any

import click
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell

from .book import Book, BookError
from .sources import Cell, read_chapter
from .weave import SETUP, code_hash, output_hash, render, weave, write

_RECORD = "_record"  # the id of our last cell


def run(book: Book, chapter: str, backend: str, profile: str | None) -> list[Path]:
    """Execute a chapter's notebook for one backend, in each language where the chapter has outputs of its own.

    Writes it in every language, and returns the files.

    Raises:
        BookError: a cell failed; then nothing is written.
        click.Abort: Ctrl-C; likewise.
    """
    cells = read_chapter(book, chapter)[backend]
    if profile:
        os.environ[book.settings["profile"]] = profile
    ran = {language: _ran(book, chapter, language, backend, cells) for language in book.executed(chapter)}
    written = []
    for language in book.languages:
        woven = ran.get(language) or weave(book, chapter, language, backend, cells)
        written.append(book.notebook(language, backend, chapter))
        write(written[-1], render(woven))
    return written


def _ran(book: Book, chapter: str, language: str, backend: str, cells: dict[str, Cell]) -> nbformat.NotebookNode:
    notebook = weave(book, chapter, language, backend, cells)
    facts = _execute(book, book.notebook(language, backend, chapter), notebook, cells, language)
    notebook.metadata["bookweave"] = {"code": code_hash(notebook), "outputs": output_hash(notebook), "run": facts}
    return notebook


def _execute(
    book: Book, path: Path, notebook: nbformat.NotebookNode, cells: dict[str, Cell], language: str
) -> dict[str, Any]:
    """Run ``notebook`` in place, then ask the kernel what it ran on."""
    module = book.settings["record"]
    asking = new_code_cell(f"import json, {module}\nprint(json.dumps({module}.record()))", id=_RECORD)
    working = copy.deepcopy(notebook)
    working.cells = [cell for cell in working.cells if cell.id != SETUP] + [asking]
    began = time.time()
    client = NotebookClient(
        working,
        timeout=None,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=50"],  # it warns of its ports, and on Ctrl-C of its end: both of no use here
        resources={"metadata": {"path": str(book.root)}},
        on_cell_start=lambda cell, cell_index: _progress(path, cell, working, time.time() - began),
    )
    try:
        client.execute(env=os.environ | {book.language_variable(): language})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise _failure(path, working, cells, error) from None
    except AssertionError:  # after Ctrl-C nbclient ends the kernel twice, and finds none the second time
        click.echo(f"{path.relative_to(book.root)}: interrupted; the notebook is left as it was", err=True)
        raise click.Abort from None
    done = {cell.id: cell for cell in working.cells}
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id != SETUP:
            cell.update(outputs=done[cell.id].outputs, execution_count=done[cell.id].execution_count)
    printed = "".join(output.get("text", "") for output in done[_RECORD].outputs if output.get("name") == "stdout")
    return {**json.loads(printed.splitlines()[-1]), "date": time.strftime("%Y-%m-%d", time.gmtime(began))}


def _progress(path: Path, cell: nbformat.NotebookNode, notebook: nbformat.NotebookNode, seconds: float) -> None:
    code = [each.id for each in notebook.cells if each.cell_type == "code"]
    if cell.id in code[:-1]:  # the last one is ours
        number = f"{code.index(cell.id) + 1}/{len(code) - 1}"
        click.echo(f"{'/'.join(path.with_suffix('').parts[-3:])}  {number}  {cell.id}  {seconds:.0f} s", err=True)


def _failure(path: Path, notebook: nbformat.NotebookNode, cells: dict[str, Cell], error: Exception) -> BookError:
    failed = [cell for cell in notebook.cells if any(o.output_type == "error" for o in cell.get("outputs", []))]
    where = cells.get(failed[0].id) if failed else None
    place = f"cell '{where.id}' ({where.path}:{where.line})" if where else "a cell"
    last = "\n".join(str(error).strip().splitlines()[-8:])
    return BookError(path, 0, f"{place} failed; the notebook is left as it was. Its last lines:\n{last}")
