"""Turn MyST into the plain Markdown that every notebook shows: boxes, figures, citations, links."""

import base64
import mimetypes
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

from markdown_it.token import Token
from pybtex.database import Entry, parse_file

from .book import PLAIN, Book, BookError
from .sources import Text, parse, read_text

FIGURE = {"ja": "図 {}"}  # as Sphinx counts figures on a page; in other languages as in English
Pictures = dict[str, dict[str, str]]  # a cell's attachments: name → media type → base64


@dataclass(frozen=True)
class _Page:
    """What a notebook is made of, and the pictures found so far."""

    book: Book
    path: Path
    backend: str
    pictures: Pictures = field(default_factory=dict)


def plain(book: Book, path: Path, backend: str, part: Text) -> tuple[str, Pictures]:
    """Convert one stretch of the prose in ``path`` for the notebook of one backend.

    Raises:
        BookError: a citation or a picture is not there.
    """
    page = _Page(book, path, backend)
    return _convert(page, part).strip("\n"), page.pictures


def _convert(page: _Page, part: Text) -> str:
    lines, pieces, done = part.text.splitlines(keepends=True), list[str](), 0
    for token in parse(part.text):
        if token.type in {"fence", "colon_fence"} and token.map and token.info.startswith("{"):
            start, end = token.map
            pieces.append(_inline(page, Text(part.line + done, "".join(lines[done:start]))))
            pieces.append(_directive(page, part.line + start, token))
            done = end
    return "".join([*pieces, _inline(page, Text(part.line + done, "".join(lines[done:])))])


def _directive(page: _Page, line: int, token: Token) -> str:
    name, _, argument = token.info.strip("{").partition("}")
    rows = token.content.splitlines(keepends=True)
    head = list(takewhile(lambda row: row.startswith(":") and not row.startswith(":::"), rows))
    options = {key: value.strip() for key, _, value in (row[1:].partition(":") for row in head)}
    content = _convert(page, Text(line + 1 + len(head), "".join(rows[len(head) :]))).strip("\n")
    match name:
        case "figure":
            picture = _attach(page, line, argument.strip())
            caption = f"{_number(page, line, argument.strip())}: {content}"
            return f"![{options.get('alt', '')}](attachment:{picture})\n\n*{caption}*\n"
        case "dropdown":
            return f"<details><summary>{argument.strip()}</summary>\n\n{content}\n\n</details>\n"
        case "admonition" | "note" | "tip" | "warning":
            quoted = [f"**{argument.strip() or name.capitalize()}**", "", *content.splitlines()]
            return "".join(f"> {row}".rstrip() + "\n" for row in quoted)
        case "tab-set":
            return f"{content}\n"
        case "tab-item" if page.backend in {PLAIN, options.get("sync")}:
            return f"**{argument.strip()}.** {content}\n\n"
    return ""  # the rest, such as the bibliography, is for the site alone


def _inline(page: _Page, part: Text) -> str:
    text = part.text
    for block in parse(text):
        line = part.line + (block.map or [0])[0]
        for token in block.children or []:
            if token.type == "myst_role" and (role := token.meta["name"]) in {"cite:t", "cite:p", "numref"}:
                key = token.content
                shown = _number(page, line, key) if role == "numref" else _cite(page, line, role, key)
                text = text.replace(f"{{{role}}}`{key}`", shown)
            elif token.type == "image" and "://" not in (source := str(token.attrs["src"])):
                text = _replaced(text, source, f"attachment:{_attach(page, line, unquote(source))}")
            elif token.type == "link_open" and "://" not in (target := str(token.attrs["href"])):
                text = _replaced(text, target, _link(page, unquote(target)))
    return _unbroken(text)


def _replaced(text: str, address: str, other: str) -> str:
    """With another address for a picture or a link; the parser encodes what is not ASCII, and who writes need not."""
    return text.replace(f"]({address})", f"]({other})").replace(f"]({unquote(address)})", f"]({other})")


def _unbroken(text: str) -> str:
    """Join the lines of each paragraph where a browser would draw a space that the language has not."""
    lines = text.split("\n")
    paragraphs = [token.map for token in parse(text) if token.type == "paragraph_open" and token.map]
    inside = {row for first, end in paragraphs for row in range(first, end - 1)}
    for row in sorted(inside, reverse=True):
        if no_space(lines[row][-1:], (after := lines[row + 1].lstrip())[:1]):
            lines[row : row + 2] = [lines[row] + after]
    return "\n".join(lines)


def no_space(before: str, after: str) -> bool:
    """Whether a line break between two characters is no space: both are Japanese, or one is Japanese punctuation."""
    wide = [each for each in before + after if unicodedata.east_asian_width(each) in "FW"]
    return len(wide) == 2 or any(unicodedata.category(each).startswith("P") for each in wide)


def _link(page: _Page, target: str) -> str:
    """From notebook to notebook, to the same backend's if it has one; a chapter without code is in the repository."""
    chapter, mark, anchor = target.partition(".md")
    if not mark or chapter not in page.book.chapters:
        return target
    language = page.path.parent.name
    backends = page.book.backends(chapter)
    if not backends:
        return f"{page.book.repository}/blob/{page.book.branch}/book/{language}/{target}"
    backend = next((each for each in (page.backend, page.book.settings["default"]) if each in backends), backends[0])
    return f"{chapter}.ipynb{anchor}" if backend == page.backend else f"../{backend}/{chapter}.ipynb{anchor}"


def _attach(page: _Page, line: int, source: str) -> str:
    file = page.path.parent / source
    media = mimetypes.guess_type(file.name)[0]
    if not file.is_file() or media is None:
        raise BookError(page.path, line, f"expected a picture, found none at {file}")
    page.pictures[file.name] = {media: base64.b64encode(file.read_bytes()).decode()}
    return file.name


def _number(page: _Page, line: int, figure: str) -> str:
    """The number of a figure, given its picture or its name: counted through the edition, as Sphinx does."""
    language = page.path.parent.name
    text = "\n".join(read_text(page.book.prose(language, chapter)) for chapter in page.book.chapters)
    found = re.findall(r"^[ >]*[:`]{3,}\{figure\} *(\S*).*\n(?:(?!:name:):.*\n)*(?::name: *(\S+))?", text, re.M)
    numbers = [number for number, keys in enumerate(found, 1) if figure in keys]
    if not numbers:
        raise BookError(page.path, line, f"expected the name of a figure, got '{figure}'; give one `:name: {figure}`")
    return FIGURE.get(language, "Fig. {}").format(numbers[0])


def _cite(page: _Page, line: int, role: str, keys: str) -> str:
    files = page.book.bibliography
    entries = {key: entry for file in files for key, entry in _bibliography(file).items()}
    cited = []
    for key in map(str.strip, keys.split(",")):
        if key not in entries:
            raise BookError(page.path, line, f"expected a key of {files[0].name}, got '{key}'; add the entry")
        cited.append(_reference(entries[key], " ({})" if role == "cite:t" else ", {}"))
    return ", ".join(cited) if role == "cite:t" else f"({'; '.join(cited)})"


def _reference(entry: Entry, year: str) -> str:
    names = [" ".join([*person.prelast_names, *person.last_names]) for person in entry.persons["author"]]
    who = f"{names[0]} et al." if len(names) > 2 else " & ".join(names)
    text = who + year.format(entry.fields["year"])
    url = f"https://doi.org/{entry.fields['doi']}" if "doi" in entry.fields else entry.fields.get("url")
    return f"[{text}]({url})" if url else text


@cache
def _bibliography(file: Path) -> dict[str, Entry]:
    try:
        entries = dict(parse_file(str(file)).entries)
    except Exception as error:  # pybtex raises whatever its parser meets
        raise BookError(file, 0, f"expected BibTeX, got: {error}") from None
    for key, entry in entries.items():
        if "author" not in entry.persons or "year" not in entry.fields:
            raise BookError(file, 0, f"expected an author and a year for '{key}', got neither or one; add them")
    return entries
