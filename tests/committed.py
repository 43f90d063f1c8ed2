"""The notebooks that are committed, as the tests read them."""

import re
from pathlib import Path

import nbformat

from bookweave.book import load
from bookweave.weave import SETUP

BOOK = load(Path(__file__).parents[1])


def notebook(language, backend, chapter):
    return nbformat.read(BOOK.notebook(language, backend, chapter), as_version=4)


def code(language, backend, chapter):
    """The code cells by id, without the setup cell."""
    cells = notebook(language, backend, chapter).cells
    return {cell.id: cell for cell in cells if cell.cell_type == "code" and cell.id != SETUP}


def printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def mean_of_small(backend):
    """The test accuracy of the chapter Small, the mean of its seeds."""
    return float(re.search(r"mean (0\.\d{4})", printed(code("en", backend, "small")["result"]))[1])
