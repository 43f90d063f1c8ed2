"""Charts in the language of their page: the words in the pictures that Matplotlib drew."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, TreeBuilder, XMLParser

from .book import BookError
from .sources import read_text

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_TYPE = "image/svg+xml"
ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _XLINK)


def read_words(path: Path) -> dict[str, str]:
    """A language's words for those that the code draws, a number in either as {}; none where there is no such file.

    Raises:
        BookError: the file is no TOML, or holds anything but pairs of texts with equally many numbers.
    """
    try:
        words = tomllib.loads(read_text(path)) if path.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise BookError(path, 0, f"expected pairs of texts in TOML, got: {error}") from None
    for text, word in words.items():
        if not isinstance(word, str) or text.count("{}") != word.count("{}"):
            raise BookError(path, 0, f"expected {text!r} to have a word with as many {{}}, got {word!r}")
    return words


def translate(outputs: list[Any], words: Mapping[str, str]) -> None:
    """Give the charts among the outputs of a cell these words, in place."""
    for data in _charts(outputs):
        data[_TYPE] = _translated(data[_TYPE], words)


def said(outputs: list[Any]) -> str:
    """What the charts among the outputs of a cell say, beside numbers and single letters."""
    lines = [line for data in _charts(outputs) for line, _ in _lines(_parse(data[_TYPE]))]
    texts = dict.fromkeys((line.text or "").strip() for line in lines)
    return ", ".join(text for text in texts if re.search(r"[^\W\d_]{2}", text) and "$" not in text)


def _charts(outputs: list[Any]) -> Iterator[dict[str, str]]:
    return (output["data"] for output in outputs if _TYPE in output.get("data", {}))


def _parse(svg: str) -> Element:
    return ElementTree.fromstring(svg, XMLParser(target=TreeBuilder(insert_comments=True)))


def _lines(drawing: Element) -> Iterator[tuple[Element, Element]]:
    """Matplotlib draws a line of text as outlines: the comment that it leaves before them, and their group."""
    for group in drawing.iter(f"{{{_SVG}}}g"):
        for line, drawn in pairwise(group):
            if callable(line.tag) and "scale(" in drawn.get("transform", ""):  # a comment's tag is a function
                yield line, drawn


def _translated(svg: str, words: Mapping[str, str]) -> str:
    drawing = _parse(svg)
    legends = [group for group in drawing.iter(f"{{{_SVG}}}g") if group.get("id", "").startswith("legend_")]
    in_legends = [drawn for legend in legends for _, drawn in _lines(legend)]
    for line, drawn in _lines(drawing):
        text = (line.text or "").strip()
        if word := words.get(re.sub(r"\d+", "{}", text)):
            line.text = word.format(*re.findall(r"\d+", text))
            _write(drawn, line.text, middle=drawn not in in_legends)
    return ElementTree.tostring(drawing, "unicode")


def _write(drawn: Element, word: str, middle: bool) -> None:
    """Replace outlines, in hundredths of the font's size and upside down; their definitions may serve other lines."""
    outlines = drawn.findall(f"{{{_SVG}}}use")
    for each in outlines:
        drawn.remove(each)
    last, *_ = re.findall(r"[\d.]+", outlines[-1].get("transform", "0"))  # where the last letter begins
    width = float(last) + 60  # about its width
    look = {"transform": "scale(1 -1)", "font-size": "100", "font-family": "sans-serif"}
    if middle:
        look |= {"x": f"{width / 2}", "text-anchor": "middle"}
    elif sum(100 if east_asian_width(letter) in "WF" else 60 for letter in word) > width + 40:
        look |= {"textLength": f"{width + 40}", "lengthAdjust": "spacingAndGlyphs"}  # up to the legend's frame
    ElementTree.SubElement(drawn, f"{{{_SVG}}}text", look).text = word
