"""Build the site of every language, each in a process of its own."""

import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml
from jupyter_book.sphinx import build_sphinx

from .book import BookError, load


def build_site(root: Path) -> Path:
    """Build all editions into ``_site/<language>`` and return the page to open.

    Raises:
        BookError: Sphinx warned, or failed.
    """
    languages = load(root).languages
    with ProcessPoolExecutor(len(languages), multiprocessing.get_context("spawn")) as pool:
        failed = [pool.submit(build_edition, root, language) for language in languages]
    if any(each.result() for each in failed):
        raise BookError(root / "book", 0, "expected pages without a warning; see what Sphinx said above")
    return Path(shutil.copy(root / "book" / "landing.html", root / "_site" / "index.html"))


def build_edition(root: Path, language: str) -> bool:
    """Build one edition with the stock Jupyter Book; say whether it failed."""
    book = load(root)
    toc = root / "_build" / f"toc-{language}.yml"
    toc.parent.mkdir(exist_ok=True)
    chapters = [{"file": chapter} for chapter in book.chapters[1:]]
    toc.write_text(yaml.safe_dump({"format": "jb-book", "root": book.chapters[0], "chapters": chapters}))
    overrides = {
        "external_toc_path": str(toc),
        "language": language,
        "html_title": book.settings["titles"][language],
        "bibtex_bibfiles": [str(file) for file in book.bibliography],
        "bookweave_editions": True,
        "latex_individualpages": False,
    }
    result: int | Exception = build_sphinx(
        str(root / "book" / language),
        str(root / "_site" / language),
        confdir=None,
        path_config=root / "_config.yml",
        confoverrides=overrides,
        doctreedir=str(root / "_build" / f"doctrees-{language}"),
        noconfig=True,
        quiet=True,
        warningiserror=True,
        keep_going=True,
    )
    return result != 0
