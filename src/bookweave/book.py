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

    def cells(self, chapter: str) -> Path:
        """The folder of a chapter's hand-written code."""
        return self.root / "book" / "cells" / chapter

    def backends(self, chapter: str) -> list[str]:
        """Those that a chapter has a notebook for: all, none, or PLAIN alone, as its files say."""
        files = [path.stem for path in self.cells(chapter).glob("*.py")]
        return [PLAIN] if files == [PLAIN] else list(self.settings["backends"]) if files else []

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
        files = tuple(root / name for name in config["bibtex_bibfiles"])
        _check(path, settings)
        path = root / "_toc.yml"
        chapters = tuple(Path(name).name for name in parse_toc_yaml(path))
    except KeyError as missing:
        raise BookError(path, 0, f"expected the setting {missing}, found none; add it") from None
    except (OSError, yaml.YAMLError, TypeError, ValueError, MalformedError) as error:
        raise BookError(path, 0, f"expected the settings of a book, got: {error}; is this its root?") from None
    if len(set(chapters)) < len(chapters):
        raise BookError(path, 0, f"expected every chapter once, got {', '.join(chapters)}; rename one")
    return Book(root, chapters, url.rstrip("/"), branch, files, settings)


def _check(path: Path, settings: Mapping[str, Any]) -> None:
    for name, kind in SETTINGS.items():
        if not (isinstance(settings[name], kind) and settings[name]):
            raise BookError(path, 0, f"expected '{name}' to be a filled {kind.__name__}, got {settings[name]!r}")
