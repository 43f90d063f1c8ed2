"""Read what people write: prose (MyST Markdown) and cells (Jupytext's percent format)."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import jupytext
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from .blanks import fill
from .book import PLAIN, Book, BookError

ABSENT = "absent"  # the tag of a cell that a backend leaves out on purpose
SHARED = "all"  # the file of the cells that all backends have word for word
_UNCITED = re.compile(r"\[(citation needed|要出典)\]", re.I)  # an author's note to find a source, or to leave it out
_MARKDOWN = create_md_parser(MdParserConfig(enable_extensions={"colon_fence", "dollarmath"}), RendererHTML)


@dataclass(frozen=True)
class Text:
    """A stretch of prose."""

    line: int
    text: str


@dataclass(frozen=True)
class Place:
    """Where a cell goes."""

    line: int
    id: str


@dataclass(frozen=True)
class Cell:
    """A cell as its author wrote it."""

    id: str
    source: str
    tags: tuple[str, ...]
    path: Path
    line: int


def parse(text: str) -> list[Token]:
    """Markdown tokens, with the directives and the math that chapters may use."""
    return _MARKDOWN.parse(text)


def read_prose(path: Path) -> list[Text | Place]:
    """Split prose at its ``{cell}`` directives; raise BookError where a fence or a directive is not as it should be."""
    text = read_text(path)
    lines, parts, done = text.splitlines(keepends=True), list[Text | Place](), 0
    for number, mark in ((number, mark) for number, line in enumerate(lines, 1) for mark in _UNCITED.findall(line)):
        raise BookError(path, number, f"expected a citation, got [{mark}]; cite a source, or leave the claim out")
    for token in parse(text):
        if token.type not in {"fence", "colon_fence"} or not token.map:
            continue
        start, end = token.map
        if end - start < 2 or not lines[end - 1].strip().startswith(token.markup):
            raise BookError(path, start + 1, f"expected a closing {token.markup}, got the end of the text; close it")
        if token.info.startswith("{cell}"):
            id_ = token.info.removeprefix("{cell}").strip()
            if token.content.strip() or not _valid(id_):
                raise BookError(path, start + 1, f"expected {{cell}} a-kebab-case-id and no body, got '{id_}'")
            parts += [Text(done + 1, "".join(lines[done:start])), Place(start + 1, id_)]
            done = end
    parts.append(Text(done + 1, "".join(lines[done:])))
    return [part for part in parts if isinstance(part, Place) or part.text.strip()]


def read_chapter(book: Book, chapter: str) -> dict[str, dict[str, Cell]]:
    """All cells of a chapter by backend and id; raise BookError where prose, cells and editions do not fit together."""
    first, *others = (book.prose(language, chapter) for language in book.languages)
    places = {place.id: place for place in _places(first)}
    for other in others:
        _same_steps(first, other)
    cells = _read_cells(book, chapter)
    for backend, found in cells.items():
        for place in (place for place in places.values() if place.id not in found):
            advice = f"write it, or give it the tag '{ABSENT}' if {backend} goes without"
            where = f"for {backend} in {book.cells(chapter)}"
            raise BookError(first, place.line, f"expected a cell '{place.id}' {where}, found none; {advice}")
        for cell in (cell for cell in found.values() if cell.id not in places and not book.solution(chapter)):
            raise BookError(cell.path, cell.line, f"expected the prose to name cell '{cell.id}'; it does not")
    if places and not cells:
        raise BookError(first, _places(first)[0].line, f"expected code in {book.cells(chapter)}, found none")
    return {backend: {id_: found[id_] for id_ in found if id_ in places} for backend, found in cells.items()}


def _places(path: Path) -> list[Place]:
    places = [part for part in read_prose(path) if isinstance(part, Place)]
    for number, place in enumerate(places):
        if place.id in (earlier.id for earlier in places[:number]):
            raise BookError(path, place.line, f"expected every cell once, got '{place.id}' again")
    return places


def _same_steps(first: Path, other: Path) -> None:
    for ours, theirs in zip_longest(_places(first), _places(other)):
        if not ours or not theirs or ours.id != theirs.id:
            expected = f"cell '{ours.id}' as in {first}:{ours.line}" if ours else f"no more cells, as in {first}"
            raise BookError(other, theirs.line if theirs else 0, f"expected {expected}, got {theirs and theirs.id}")
    ours, theirs = _headings(first), _headings(other)
    if ours != theirs:
        raise BookError(other, 0, f"expected headings of levels {ours} as in {first}, got {theirs}")
    count, found = _figures_and_citations(first), _figures_and_citations(other)
    for name in sorted((count - found) + (found - count)):
        rows = (number for number, row in enumerate(read_text(other).splitlines(), 1) if name in row)
        expected = f"'{name}' {count[name]} times, as in {first}"
        raise BookError(other, next(rows, 0), f"expected {expected}, got it {found[name]} times")


def _headings(path: Path) -> str:
    return "".join(token.tag[1:] for token in parse(read_text(path)) if token.type == "heading_open")


def _figures_and_citations(path: Path) -> Counter[str]:
    """How often a text shows each picture, of which a language may have its own, and cites each key."""
    text, own = read_text(path), f"-{path.parent.name}."
    keys = ",".join(re.findall(r"\{cite:\w+\}`([^`]*)`", text)).split(",")
    pictures = re.findall(r"\{figure\} *(\S+)|!\[[^]]*\]\((\S+)\)", text)
    return Counter([key.strip() for key in keys] + ["".join(each).replace(own, ".") for each in pictures])


def _read_cells(book: Book, chapter: str) -> dict[str, dict[str, Cell]]:
    starter = book.solution(chapter) is not None
    files = {path.stem: _read_file(path, starter) for path in sorted(book.cells(chapter).glob("*.py"))}
    if book.backends(chapter) == [PLAIN]:
        return files
    for name in files.keys() - {SHARED, *book.settings["backends"]}:
        path = book.cells(chapter) / f"{name}.py"
        raise BookError(path, 0, f"expected a file named for a backend, or {SHARED}.py; rename it")
    shared = files.get(SHARED, {})
    cells = {backend: files.get(backend, {}) for backend in book.backends(chapter)}
    for twin in (cell for own in cells.values() for cell in own.values() if cell.id in shared):
        raise BookError(twin.path, twin.line, f"expected '{twin.id}' here or in {SHARED}.py, got both; keep one")
    return {backend: {**own, **shared} for backend, own in cells.items()}


def _read_file(path: Path, starter: bool) -> dict[str, Cell]:
    text, cells = read_text(path), dict[str, Cell]()
    filled = fill(path, text, starter)
    try:
        found = jupytext.reads(filled, "py:percent").cells
    except Exception as error:  # jupytext raises whatever a strange title line makes it stumble over
        raise BookError(path, 0, f"expected cells in Jupytext's percent format, got: {error}") from None
    marked = [number for number, line in enumerate(text.split("\n"), 1) if line.startswith(("# %%", "#%%"))]
    first = [1] * (len(found) - len(marked))  # what stands above the first mark is a cell, too
    for raw, line in zip(found, first + marked, strict=False):
        id_ = raw.metadata.get("title", "")
        if raw.cell_type != "code" or not _valid(id_):
            raise BookError(path, line, f"expected code titled `# %% a-kebab-case-id`, got {raw.cell_type} '{id_}'")
        if id_ in cells:
            raise BookError(path, line, f"expected every id once, got '{id_}' again; it is in line {cells[id_].line}")
        source = raw.source.rstrip()  # above a mark that is gone a formatter had left empty lines
        cells[id_] = Cell(id_, source, tuple(raw.metadata.get("tags", ())), path, line)
    return cells


def read_text(path: Path) -> str:
    """The text of a source; raise BookError where there is none."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        got = getattr(error, "strerror", None) or error
        raise BookError(path, 0, f"expected a readable text in UTF-8, got: {got}") from None


def _valid(id_: str) -> bool:
    return re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id_) is not None and len(id_) <= 60
