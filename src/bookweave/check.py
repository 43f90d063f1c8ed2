"""Say which committed notebooks are not what their sources and their own record say."""

from collections.abc import Iterator

from .book import Book
from .weave import code_hash, notebooks, output_hash, render, same


def problems(book: Book) -> Iterator[str]:
    """One line for each notebook that is missing, stale, edited, or no longer in the book.

    Raises:
        BookError: the sources do not fit together.
    """
    expected = set()
    for chapter in book.chapters:
        for language, backend, woven in notebooks(book, chapter):
            path = book.notebook(language, backend, chapter)
            expected.add(path)
            again = f"run `bookweave run --backend {backend} --chapter {chapter}`"
            facts = woven.metadata.get("bookweave", {})
            if not path.exists():
                yield f"{path}: expected a notebook, found none; {again}"
            elif facts.get("code") != code_hash(woven):
                cells = book.cells(chapter).relative_to(book.root).as_posix()
                yield f"{path}: its outputs come from other code than {cells}; {again}"
            elif facts.get("outputs") != output_hash(woven):
                yield f"{path}: its outputs are not those of its run; restore them from version control, or {again}"
            elif not same(path, render(woven)):
                yield f"{path}: differs from its prose and cells; run `bookweave build --notebooks`"
    for path in sorted(set((book.root / "notebooks").rglob("*.ipynb")) - expected):
        if ".ipynb_checkpoints" not in path.parts:
            yield f"{path}: no chapter of _toc.yml has this notebook; delete it"
