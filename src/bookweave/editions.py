"""What differs from language to language: the build, the words, the line breaks; and the way from one to the other."""

import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from jupyter_book.sphinx import build_sphinx
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from .book import BookError, load
from .plain import no_space

# Drawn in the page, so that no browser asks the host for /favicon.ico, which need not belong to the book.
ICON = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<rect width='16' height='16' rx='3' fill='%231f6299'/>"
    "<path d='M3 4h2v9H3zM7 4h2v9H7zM11 4h2v9h-2z' fill='white'/></svg>"
)
WORDS = {  # what the pages say beside the prose; the facts of a run stand in the order of English
    "en": {
        **{"colab": "Open in Colab", "download": "Download notebook", "notebook": "Notebook", "run": "Outputs"},
        **{"date": "{}", "version": "{}", "python": "Python {}", "device": "{}", "profile": "profile {}"},
        **{"precision": "{}"},
        **{"data": "data: {}", "images": "{} images", "epochs": "epochs: {}", "seed": "seed {}", "seconds": "{} s"},
        **{"accuracy": "test accuracy {}"},
        **{"never": "not run yet", "drawn": "Drawn by the code above, {}"},
    },
    "ja": {
        **{"colab": "Colab で開く", "download": "ノートブックを保存", "notebook": "ノートブック", "run": "出力"},
        **{"profile": "プロファイル {}", "data": "データ: {}", "images": "画像 {} 枚", "epochs": "{} エポック"},
        **{"seed": "シード {}", "seconds": "{} 秒", "accuracy": "テスト精度 {}"},
        **{"never": "未実行", "drawn": "上のコード {} が描いた図"},
    },
}


def build_site(root: Path) -> Path:
    """Build all editions into ``_site/<language>`` and return the page to open.

    Raises:
        BookError: Sphinx warned, or failed.
    """
    book = load(root)
    with ProcessPoolExecutor(len(book.languages), multiprocessing.get_context("spawn")) as pool:
        failed = [pool.submit(build_edition, root, language) for language in book.languages]
    if any(each.result() for each in failed):
        raise BookError(root / "book", 0, "expected pages without a warning; see what Sphinx said above")
    for language in book.languages:
        drop_gone(root / "_build" / language / "html", book.chapters)
        shutil.rmtree(root / "_site" / language, ignore_errors=True)
        shutil.copytree(root / "_build" / language / "html", root / "_site" / language)
    return Path(shutil.copy(root / "book" / "landing.html", root / "_site" / "index.html"))


def drop_gone(built: Path, chapters: tuple[str, ...]) -> None:
    """Delete the pages of chapters that are gone: Sphinx deletes none."""
    for page in built.glob("*.html"):
        if page.stem not in {*chapters, "genindex", "search"}:
            page.unlink()


def build_edition(root: Path, language: str) -> bool:
    """Build one edition with the stock Jupyter Book; say whether it failed."""
    book = load(root)
    toc = root / "_build" / language / "toc.yml"
    toc.parent.mkdir(parents=True, exist_ok=True)
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
        str(root / "_build" / language / "html"),  # MyST-NB leaves files of its own beside this folder
        confdir=None,
        path_config=root / "_config.yml",
        confoverrides=overrides,
        doctreedir=str(root / "_build" / language / "doctrees"),
        noconfig=True,
        quiet=True,
        warningiserror=True,
        keep_going=True,
    )
    return result != 0


def add_to_page(app: Sphinx, pagename: str, template: str, context: dict[str, Any], tree: nodes.Node | None) -> None:
    """Give a page the icon and, for its header, the same page of every other edition; take what runs code in it."""
    scripts = context["script_files"]  # Jupyter Book names Thebe's address, at another host, in every page, and twice
    scripts[:] = [each for each in scripts if "thebe" not in f"{each.filename} {each.attributes}".lower()]
    up = "../" * (pagename.count("/") + 1)
    context["favicon_url"] = ICON
    context["bookweave_editions"] = [
        (language, label, f"{up}{language}/{pagename}.html")
        for language, label in app.config.bookweave["languages"].items()
        if app.config.bookweave_editions and language != app.config.language
    ]


def word(language: str, key: str) -> str:
    """What a page says in its own language, or in English where that is not known."""
    return WORDS.get(language, {}).get(key) or WORDS["en"][key]


class Joins(SphinxTransform):
    """Drop the line breaks of Japanese sources: a browser would draw each one as a space between two sentences."""

    default_priority = 209

    def apply(self, **kwargs: Any) -> None:
        """Rewrite the document in place."""
        for parent in list(self.document.findall(nodes.TextElement)):
            children = [node for node in parent if node.astext() or isinstance(node, nodes.Element)]
            texts = ["", *(node.astext() for node in children), ""]
            around = zip(texts, children, texts[2:], strict=False)
            parent[:] = [
                child
                for before, child, after in around
                if child.astext() != "\n" or not no_space(before[-1:], after[:1])
            ]
