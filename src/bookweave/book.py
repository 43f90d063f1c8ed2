"""Where everything of a book is: read once from ``_config.yml`` and ``_toc.yml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml

PLAIN = "python"  # stands for the backend of a chapter that needs none
SETTINGS = {  # what the section `bookweave` of _config.yml holds
    **{"languages": dict, "titles": dict, "backends": dict, "requires": dict},
    **{"gpus": list, "default": str, "package": str, "record": str, "profile": str},
}
OPTIONAL = {"starters": dict, "own_outputs": list}  # starter: solution; the chapters that run once in each language


class BookError(Exception):
    """Something in the sources is wrong: ``file:line: what was expected, what came; what to do``."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        """Line 0 stands for the file as a whole."""
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")


@dataclass(frozen=True)
class Book:
    """The settings of one book; ``settings`` is the section ``bookweave`` of ``_config.yml``."""

    root: Path
    chapters: tuple[str, ...]
    repository: str  # address and branch: where Colab and the setup cell find the book
    branch: str
    bibliography: tuple[Path, ...]
    settings: Mapping[str, Any]

    @property
    def languages(self) -> list[str]:
        """The editions; the first is the one whose notebooks are executed."""
        return list(self.settings["languages"])

    def prose(self, language: str, chapter: str) -> Path:
        """The hand-written text of a chapter."""
        return self.root / "book" / language / f"{chapter}.md"

    def words(self, language: str) -> Path:
        """What a language's charts say for the words that the code draws; a language may do without."""
        return self.root / "book" / language / "charts.toml"

    def cells(self, chapter: str) -> Path:
        """The folder of a chapter's hand-written code; a starter has its solution's."""
        return self.root / "book" / "cells" / (self.solution(chapter) or chapter)

    def solution(self, chapter: str) -> str | None:
        """The chapter whose cells, with blanks, a starter has; None where the chapter is no starter."""
        solution: str | None = self.settings.get("starters", {}).get(chapter)
        return solution

    def backends(self, chapter: str) -> list[str]:
        """Those that a chapter has a notebook for: all, none, or PLAIN alone, as its files say."""
        files = [path.stem for path in self.cells(chapter).glob("*.py")]
        return [PLAIN] if files == [PLAIN] else list(self.settings["backends"]) if files else []

    def executed(self, chapter: str) -> list[str]:
        """The languages whose notebooks of a chapter are executed: all, or the first, whose outputs all take."""
        return self.languages if chapter in self.settings.get("own_outputs", []) else self.languages[:1]

    def ran(self, language: str, backend: str, chapter: str) -> Path:
        """The notebook that holds the outputs of a chapter in a language."""
        executed = self.executed(chapter)
        return self.notebook(language if language in executed else executed[0], backend, chapter)

    def language_variable(self) -> str:
        """The environment variable that tells a notebook's code in which language to answer."""
        return f"{self.settings['package'].upper()}_LANGUAGE"

    def notebook(self, language: str, backend: str, chapter: str) -> Path:
        """The generated notebook of a chapter."""
        return self.root / "notebooks" / language / backend / f"{chapter}.ipynb"


@cache
def load(root: Path) -> Book:
    """Read the book in ``root``; raise BookError where a file or a setting is missing or malformed."""
    path = root / "_config.yml"
    try:
        config = yaml.safe_load(path.read_text("utf-8"))
        url, branch = (str(config["repository"][key]) for key in ("url", "branch"))
        settings = config["sphinx"]["config"]["bookweave"]
        _check(path, config["bibtex_bibfiles"], settings)
        files = tuple(root / name for name in config["bibtex_bibfiles"])
        path = root / "_toc.yml"
        chapters = tuple(Path(name).name for name in parse_toc_yaml(path))
    except KeyError as missing:
        raise BookError(path, 0, f"expected the setting {missing}, found none; add it") from None
    except (OSError, yaml.YAMLError, TypeError, ValueError, MalformedError) as error:
        raise BookError(path, 0, f"expected the settings of a book, got: {error}; is this its root?") from None
    if len(set(chapters)) < len(chapters):
        raise BookError(path, 0, f"expected every chapter once, got {', '.join(chapters)}; rename one")
    _check_names(root, chapters, settings)
    return Book(root, chapters, url.rstrip("/"), branch, files, settings)


def _check(path: Path, bibliography: Any, settings: Any) -> None:
    _check_filled(path, "bibtex_bibfiles", bibliography, list)
    _check_filled(path, "bookweave", settings, dict)
    for name, kind in OPTIONAL.items():
        if not isinstance(settings.get(name, kind()), kind):
            raise BookError(path, 0, f"expected '{name}' to be a {kind.__name__}, got {settings[name]!r}")
    for name, kind in SETTINGS.items():
        _check_filled(path, name, settings[name], kind)
    for name, packages in settings["requires"].items():
        if not isinstance(packages, list):
            raise BookError(path, 0, f"expected the packages that '{name}' requires in a list, got {packages!r}")
    if untitled := sorted(settings["languages"].keys() - settings["titles"].keys()):
        raise BookError(path, 0, f"expected a title for {', '.join(untitled)} in 'titles', found none; add it")


def _check_filled(path: Path, name: str, value: Any, kind: type) -> None:
    if not (isinstance(value, kind) and value):
        raise BookError(path, 0, f"expected '{name}' to be a filled {kind.__name__}, got {value!r}")


def _check_names(root: Path, chapters: tuple[str, ...], settings: Mapping[str, Any]) -> None:
    starters = settings.get("starters", {})
    for name in (*starters, *starters.values(), *settings.get("own_outputs", [])):
        if name not in chapters:
            advice = "expected 'starters' and 'own_outputs' to name chapters of _toc.yml"
            raise BookError(root / "_config.yml", 0, f"{advice}, got {name!r}")
    for folder in (root / "book" / "cells" / name for name in starters):
        if folder.exists():
            advice = f"a starter has those of '{starters[folder.name]}': move them there"
            raise BookError(folder, 0, f"expected no cells of its own for '{folder.name}'; {advice}")
