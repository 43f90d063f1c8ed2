"""What ran: the facts that a notebook's metadata keeps, so that a reader can judge its numbers."""

import platform

Fact = str | int | float | bool | None

_facts: dict[str, Fact] = {}


def log(**facts: Fact) -> None:
    """Notes facts of this process; a later value of the same name replaces the earlier one.

    Raises:
        TypeError: a value is not a JSON string, number, boolean or null.
    """
    for name, value in facts.items():
        if not (value is None or isinstance(value, str | int | float)):
            raise TypeError(f"provenance.log({name}=…): expected a string, number, bool or None, got {value!r}")
    _facts.update(facts)


def record() -> dict[str, Fact]:
    """All that was noted so far, ready for `json.dumps`.

    Always there: backend, version (the backend's), python, device; None while no backend has been imported.
    Noted by those who do it: profile, data (its source), seed, images (seen in training in all), epochs,
    seconds (of training).
    """
    return {"backend": None, "version": None, "python": platform.python_version(), "device": None} | _facts
