"""The ``bookweave`` command."""

import sys
from pathlib import Path

import click

from . import check as checking
from .book import Book, BookError, load
from .sources import read_chapter
from .weave import notebooks, render, write


@click.group(epilog="Exit codes: 0 all is well; 1 something is wrong with the book; 2 the command is not understood.")
@click.option("--root", type=click.Path(path_type=Path), default=".", help="The book's folder (default: this one).")
@click.pass_context
def cli(context: click.Context, root: Path) -> None:
    """Weave prose (book/<language>/*.md) and cells (book/cells/*) into notebooks and a tabbed website.

    Write in book/, then `bookweave run` executes notebooks, `bookweave build` draws the site, and
    `bookweave check` tells whether the committed notebooks are what their sources say.
    """
    context.obj = root.resolve()  # not read yet, so that `--help` works anywhere


@cli.command()
@click.option("--notebooks", "only_notebooks", is_flag=True, help="Weave the notebooks, and leave the site alone.")
@click.pass_obj
def build(root: Path, only_notebooks: bool) -> None:
    """Weave every notebook, keep outputs whose code did not change, and draw the site. Nothing is executed."""
    book = load(root)
    woven = [item for chapter in book.chapters for item in _weave_all(book, chapter)]
    for path, text in woven:  # all sources have been read without an error by now
        if write(path, text):
            click.echo(f"wrote {path.relative_to(book.root)}")
    if not only_notebooks:
        from .editions import build_site

        click.echo(f"Open {build_site(book.root)} in a browser, or run `make serve`.")


@cli.command()
@click.option("--backend", multiple=True, help="Only this backend (may be repeated).")
@click.option("--chapter", multiple=True, help="Only this chapter (may be repeated).")
@click.option("--profile", help="How much to compute, such as full, quick or smoke.")
@click.pass_obj
def run(root: Path, backend: tuple[str, ...], chapter: tuple[str, ...], profile: str | None) -> None:
    """Execute notebooks, one kernel each. A notebook is replaced only when its whole run succeeded.

    Where one fails, for want of its framework, say, the others still run.
    """
    from .run import run as execute

    book = load(root)
    _expect(set(chapter), set(book.chapters), "chapter")
    pairs = [(name, each) for name in chapter or book.chapters for each in read_chapter(book, name)]
    _expect(set(backend), {each for _, each in pairs} | set(book.settings["backends"]), "backend")
    chosen = [pair for pair in pairs if not backend or pair[1] in backend]
    if not chosen:
        where = f"{', '.join(chapter)} has none" + (f" for {', '.join(backend)}" if backend else "")
        raise click.UsageError(f"expected a notebook to run, but {where}; name another chapter or backend")
    failed = False
    for name, each in chosen:
        try:
            for path in execute(book, name, each, profile):
                click.echo(f"wrote {path.relative_to(book.root)}")
        except BookError as error:
            failed = True
            click.echo(f"Error: {error}", err=True)
    sys.exit(1 if failed else 0)


@cli.command()
@click.pass_obj
def check(root: Path) -> None:
    """Compare the committed notebooks with their sources and with the record of their runs. Writes nothing."""
    found = list(checking.problems(load(root)))
    for problem in found:
        click.echo(problem, err=True)
    sys.exit(1 if found else 0)


def _weave_all(book: Book, chapter: str) -> list[tuple[Path, str]]:
    return [(book.notebook(lang, backend, chapter), render(nb)) for lang, backend, nb in notebooks(book, chapter)]


def _expect(got: set[str], known: set[str], what: str) -> None:
    if unknown := sorted(got - known):
        raise click.UsageError(f"expected a {what} of {', '.join(sorted(known))}; got {', '.join(unknown)}")


def main() -> None:
    """Run the command; an error in the book is a message, not a traceback."""
    try:
        cli()
    except BookError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
