"""What a check has to say: remarks, and the verdict that follows from them."""

import itertools
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from alexbook.exercises._words import Word, text, tidy

KINDS = ("missing", "wrong", "open", "right", "note")
STATUS = {"missing": "missing", "wrong": "failed", "open": "open"}


@dataclass(frozen=True)
class Remark:
    """One message: its kind, its key in the file of words, and what its placeholders stand for."""

    kind: str
    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The message, after the word that says of which kind it is."""
        return text(f"kind.{self.kind}", language, message=text(self.key, language, **self.values))


class Problem(Exception):
    """Ends a check, or a part of it, with a remark."""

    def __init__(self, key: str, kind: str = "wrong", **values: Any) -> None:
        """The message of that key."""
        super().__init__(key)
        self.remark = Remark(kind, key, values)


@dataclass
class Verdict:
    """The remarks on an answer.

    Attributes:
        part: the part of the exercises, such as "4.2".
        remarks: in the order in which they are shown.
    """

    part: str
    remarks: list[Remark] = field(default_factory=list)

    def add(self, kind: str, key: str, **values: Any) -> None:
        """One remark more."""
        self.remarks.append(Remark(kind, key, values))

    @property
    def status(self) -> str:
        """The worst of the remarks: "missing" (a blank is left), "failed", "open" (not decided) or "passed"."""
        kinds = {remark.kind for remark in self.remarks}
        return next((status for kind, status in STATUS.items() if kind in kinds), "passed")

    @property
    def keys(self) -> list[str]:
        """The keys of the remarks."""
        return [remark.key for remark in self.remarks]

    def text(self, language: str) -> str:
        """All that `check` prints."""
        lines = [text(f"verdict.{self.status}", language, part=self.part)]
        lines += [remark.text(language) for remark in self.remarks]
        if self.status in ("failed", "missing"):
            lines += [text("next", language, where=Word(f"where.{self.part}"), part=self.part)]
        return tidy("\n".join(lines))


def blanks(answer: Any) -> list[str]:
    """Where `...` stands in an answer, as one would write the place in Python."""
    return [place for place, value in itertools.islice(_values(answer), 20_000) if value is Ellipsis]


def _values(value: Any, place: str = "", deepest: int = 6) -> Iterator[tuple[str, Any]]:
    """The answer and what its containers and histories hold, and how to get there."""
    yield place, value
    if deepest:
        for step, inner in _inside(value):
            yield from _values(inner, place + step, deepest - 1)


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if issubclass(kind, Mapping):
        for key, inner in value.items():
            blank = key is Ellipsis or (isinstance(key, tuple) and any(each is Ellipsis for each in key))
            yield f"[{'...' if blank else key_shown(key)}]", ... if blank else inner
    elif issubclass(kind, list | tuple):
        yield from ((f"[{number}]", inner) for number, inner in enumerate(value))
    elif issubclass(kind, set | frozenset) and Ellipsis in value:
        yield "{...}", ...
    elif is_dataclass(kind):
        yield from ((f".{each.name}", getattr(value, each.name, None)) for each in fields(kind) if each.name != "net")


def key_shown(key: Any) -> str:
    """A key as it stands in Python: of words and numbers only."""
    plain = isinstance(key, str | int) or (isinstance(key, tuple) and all(isinstance(each, str | int) for each in key))
    return repr(key)[:40] if plain else type(key).__name__[:40]


def language() -> str:
    """The reader's language: ALEXBOOK_LANGUAGE, else English."""
    wanted = os.environ.get("ALEXBOOK_LANGUAGE", "").strip().lower()
    return "ja" if wanted.startswith("ja") else "en"


def number(value: Any) -> float | None:
    """A finite number of any library as Python's own; None for what is none, or not one, or no number at all."""
    try:
        if isinstance(value, bool | str | bytes) or getattr(value, "shape", ()) != ():
            return None
        found = float(value)
    except Exception:  # of whatever library it is
        return None
    return found if math.isfinite(found) else None


def shown(value: Any) -> str | Word:
    """A short description of anything, whose own representation may be long, or raise."""
    kind = type(value)
    name = kind.__name__[:40]
    try:
        if value is None or issubclass(kind, str | int | float | complex):
            cut = isinstance(value, str) and str.__len__(value) > 40
            found = repr(str.__getitem__(value, slice(37)) + "...") if cut else repr(value)
            return found if len(found) <= 40 else found[:37] + "..."
        if issubclass(kind, list | tuple | dict | set):
            return Word("value.container", kind=name, count=len(value))
    except Exception:  # an int of too many digits, a subclass of any kind
        return name
    return Word("value.object", kind=name)
