"""Turn MyST into the plain Markdown that every notebook shows: boxes, figures, citations, links."""

import base64
import mimetypes
from functools import cache
from pathlib import Path

from markdown_it.token import Token
from pybtex.database import Entry, parse_file

from .book import Book, BookError
from .sources import Text, parse

Pictures = dict[str, dict[str, str]]  # a cell's attachments: name → media type → base64


def plain(book: Book, path: Path, part: Text) -> tuple[str, Pictures]:
    """Convert one stretch of the prose in ``path``; raise BookError for a citation or a picture that is not there."""
    pictures: Pictures = {}
    return _convert(book, path, part, pictures).strip("\n"), pictures


def _convert(book: Book, path: Path, part: Text, pictures: Pictures) -> str:
    lines, pieces, done = part.text.splitlines(keepends=True), list[str](), 0
    for token in parse(part.text):
        if token.type in {"fence", "colon_fence"} and token.map and token.info.startswith("{"):
            start, end = token.map
            pieces.append(_inline(book, path, Text(part.line + done, "".join(lines[done:start])), pictures))
            pieces.append(_directive(book, path, part.line + start, token, pictures))
            done = end
    return "".join([*pieces, _inline(book, path, Text(part.line + done, "".join(lines[done:])), pictures)])


def _directive(book: Book, path: Path, line: int, token: Token, pictures: Pictures) -> str:
    name, _, argument = token.info.strip("{").partition("}")
    head, _, body = token.content.partition("\n\n") if token.content.startswith(":") else ("", "", token.content)
    options = dict(row[1:].split(": ", 1) for row in head.splitlines())
    content = _convert(book, path, Text(line + 1, body), pictures).strip("\n")
    match name:
        case "figure":
            picture = _attach(path, line, argument.strip(), pictures)
            return f"![{options.get('alt', '')}](attachment:{picture})\n\n*{content}*\n"
        case "dropdown":
            return f"<details><summary>{argument.strip()}</summary>\n\n{content}\n\n</details>\n"
        case "admonition" | "note" | "tip" | "warning":
            rows = [f"**{argument.strip() or name.capitalize()}**", "", *content.splitlines()]
            return "".join(f"> {row}".rstrip() + "\n" for row in rows)
    return ""  # the rest, such as the bibliography, is for the site alone


def _inline(book: Book, path: Path, part: Text, pictures: Pictures) -> str:
    text = part.text
    for token in (child for block in parse(text) for child in block.children or []):
        if token.type == "myst_role" and token.meta["name"] in {"cite:t", "cite:p"}:
            role = token.meta["name"]
            text = text.replace(f"{{{role}}}`{token.content}`", _cite(book, path, part.line, role, token.content))
        elif token.type == "image" and "://" not in (source := str(token.attrs["src"])):
            text = text.replace(f"]({source})", f"](attachment:{_attach(path, part.line, source, pictures)})")
        elif token.type == "link_open" and (target := str(token.attrs["href"])).endswith(".md"):
            text = text.replace(f"]({target})", f"]({target.removesuffix('.md')}.ipynb)")
    return text


def _attach(path: Path, line: int, source: str, pictures: Pictures) -> str:
    file = path.parent / source
    media = mimetypes.guess_type(file.name)[0]
    if not file.is_file() or media is None:
        raise BookError(path, line, f"expected a picture, found none at {file}")
    pictures[file.name] = {media: base64.b64encode(file.read_bytes()).decode()}
    return file.name


def _cite(book: Book, path: Path, line: int, role: str, keys: str) -> str:
    entries = {key: entry for file in book.bibliography for key, entry in _bibliography(file).items()}
    cited = []
    for key in map(str.strip, keys.split(",")):
        if key not in entries:
            raise BookError(path, line, f"expected a key of {book.bibliography[0].name}, got '{key}'; add the entry")
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
        return dict(parse_file(str(file)).entries)
    except Exception as error:  # pybtex raises whatever its parser meets
        raise BookError(file, 0, f"expected BibTeX, got: {error}") from None
