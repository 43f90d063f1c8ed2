"""What a reader is to fill in: one source of cells gives the solution and the starter."""

import re
from pathlib import Path

from .book import BookError

_MARK = re.compile(r"(\s*)#\|\s*(.*?)\s*")
_NEXT = re.compile(r"# ?%%")  # where Jupytext begins a cell


def fill(path: Path, text: str, starter: bool) -> str:
    """Take the marks out of a file of cells: for the solution they alone go, for a starter what is between them, too.

    Between a line ``#| blank: answer = ...`` and a line ``#| end`` stands what the reader is to write; a starter has
    ``answer = ...`` in its place, indented as the mark is.

    Raises:
        BookError: a mark that is none of the two, or a blank that its cell does not end.
    """
    kept, opened = list[str](), 0  # the line of the blank that is open
    for number, line in enumerate(text.split("\n"), 1):
        mark = _MARK.fullmatch(line)
        if not mark:
            if opened and _NEXT.match(line):
                break
            if not (starter and opened):
                kept.append(line)
        elif opened and mark[2] == "end":
            opened = 0
        elif not opened and (blank := re.fullmatch(r"blank:\s*(.+)", mark[2])):
            opened = number
            if starter:
                kept.append(mark[1] + blank[1])
        else:
            expected = f"`#| end` of the blank in line {opened}" if opened else "`#| blank: what a starter has there`"
            raise BookError(path, number, f"expected {expected}, got '{line.strip()}'")
    if opened:
        raise BookError(path, opened, "expected a line `#| end` in the same cell, found none; add it after the blank")
    return "\n".join(kept)
