"""Comparing tables of numbers, layer by layer, and naming the mistake that explains a wrong one."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from alexbook.exercises._verdict import Problem, Verdict, number, shown
from alexbook.exercises._words import Word

Table = Mapping[Any, float]


class Mistake(NamedTuple):
    """What a table would hold if a certain mistake had been made; `whole`: in every place, or it is not this one."""

    key: str
    table: Table
    whole: bool = False


def scaled(table: Table, factor: float) -> Table:
    """The table times a factor."""
    return {name: factor * value for name, value in table.items()}


def table(answer: Any, needs: str) -> dict[Any, Any]:
    """A mapping, names without blanks around them and in lower case; raises Problem that says what is needed."""
    if not isinstance(answer, Mapping):
        raise Problem("not-a-table", found=shown(answer), needs=Word(needs))
    return {plain(name): value for name, value in answer.items()}


def plain(name: Any) -> Hashable:
    """A name however it was written: Conv1, "conv1 ", numpy's strings; a pair of one and a number."""
    if isinstance(name, str):
        return str(name).strip().lower()
    if isinstance(name, tuple) and len(name) == 2 and (batch := number(name[1])) is not None:
        return (plain(name[0]), int(batch))
    value = number(name)
    return int(value) if value is not None else type(name).__name__


class Comparison:
    """A table of an answer against the right one, whose numbers may follow one of several conventions."""

    def __init__(self, verdict: Verdict, what: str, accepted: Sequence[Table], tolerance: float = 0.005) -> None:
        """`what` is the key of the table's name; every table of `accepted` is right."""
        self.verdict, self.what, self.accepted, self.tolerance = verdict, Word(what), accepted, tolerance

    def judge(self, given: Any, mistakes: Sequence[Mistake], optional: Table | None = None) -> None:
        """Adds the remarks on a table; `optional` holds places that need not be there."""
        rows = table(given, "needs.numbers")
        tables = [
            {**each, **{name: value for name, value in (optional or {}).items() if name in rows}}
            for each in self.accepted
        ]
        expected = tables[0]
        if missing := [name for name in expected if name not in rows]:
            self._add("wrong", "rows-missing", names=short(missing))
        if unknown := [name for name in rows if name not in expected]:
            self._add("note", "rows-unknown", names=short(unknown))
        values = {name: number(rows[name]) for name in expected if name in rows}
        if odd := [name for name, value in values.items() if value is None]:
            self._add("wrong", "rows-odd", names=short(odd), found=shown(rows[odd[0]]))
        numbers = {name: value for name, value in values.items() if value is not None}
        wrong = {
            name: value for name, value in numbers.items() if not any(self._close(value, each[name]) for each in tables)
        }
        if not wrong and len(numbers) == len(expected):
            self._add("right", "rows-right")
        elif wrong:
            self._explain(wrong, numbers, expected, mistakes)

    def _close(self, one: float, other: float) -> bool:
        return abs(one - other) <= self.tolerance * abs(other)

    def _explain(self, wrong: Table, numbers: Table, expected: Table, mistakes: Sequence[Mistake]) -> None:
        for mistake in mistakes:
            matching = [
                name
                for name, value in numbers.items()
                if name in mistake.table and self._close(value, mistake.table[name])
            ]
            if mistake.whole and len(matching) == len(numbers) > 1:
                self._add("wrong", mistake.key)
                return
        fits = {
            name: dict.fromkeys(
                each.key for each in mistakes if not each.whole and self._close(value, each.table.get(name, 0) or -1)
            )
            for name, value in wrong.items()
        }
        often = Counter(key for keys in fits.values() for key in keys)  # one mistake is likelier than several
        groups: dict[str, list[Any]] = {}
        for name, value in wrong.items():
            otherwise = "rows-high" if value > expected[name] else "rows-low"
            groups.setdefault(max(fits[name], key=often.__getitem__, default=otherwise), []).append(name)
        for key, names in groups.items():
            self._add("wrong", key, names=short(names))
        if right := [name for name in numbers if name not in wrong]:
            self._add("right", "rows-some", names=short(right))

    def _add(self, kind: str, key: str, **values: Any) -> None:
        self.verdict.add(kind, key, what=self.what, **values)


def short(names: Sequence[Any], most: int = 8) -> list[Any]:
    """The first of many names; a pair of layer and batch in words."""
    found = [_in_words(name) for name in names[:most]]
    return found if len(names) <= most else [*found, Word("and-more", count=len(names) - most)]


def _in_words(name: Any) -> Any:
    if isinstance(name, tuple):
        return Word("layer-of-batch", layer=str(name[0])[:20], batch=name[1])
    return name if isinstance(name, Word) else str(name)[:60]
