"""The words of the exercises, in both languages: see words.toml."""

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "ja")
_JAPANESE = "[\u3001-\u30ff\u4e00-\u9fff\uff01-\uff5e]"


@functools.cache
def words() -> Mapping[str, Mapping[str, str]]:
    """All messages: key, language, text."""
    return tomllib.loads(files("alexbook.exercises").joinpath("words.toml").read_text(encoding="utf-8"))


class Word:
    """A message that stands in another message."""

    def __init__(self, key: str, **values: Any) -> None:
        """The message of that key."""
        self.key, self.values = key, values


def text(key: str, language: str, **values: Any) -> str:
    """A message in a language, its placeholders filled."""
    return words()[key][language].format(**{name: render(value, language) for name, value in values.items()})


def render(value: Any, language: str) -> Any:
    """What a placeholder is filled with: words of the language, lists with commas, numbers as they are."""
    if isinstance(value, Word):
        return text(value.key, language, **value.values)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return words()["comma"][language].join(str(render(each, language)) for each in value)
    return value


def tidy(message: str) -> str:
    """A message without the spaces that stood around a value, where the value is in Japanese, too."""
    return re.sub(f"(?<={_JAPANESE}) (?={_JAPANESE})", "", message)
