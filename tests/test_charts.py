"""Charts say on a page what the code wrote into them, in the language of the page."""

import re
from xml.etree import ElementTree

import pytest
from committed import BOOK, code
from matplotlib.figure import Figure

from alexbook._display import svg
from alexbook.data import CLASSES
from bookweave.book import BookError
from bookweave.charts import read_words, said, translate

SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
WORDS = {"training images": "訓練画像の枚数", "batch of {}, {} GB": "バッチ {}枚、{} GB", "train": "訓練"}
NAMES = {*CLASSES, "alexbook"}  # of things: the same in every language


@pytest.fixture
def drawn():
    """An output with a chart: words to translate, names to keep, numbers on the axes."""
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2], label="train")
    axes.plot([2, 1], label="coat")
    axes.set(xlabel="training images", title="batch of 8, 2 GB", ylabel="$y$")
    axes.legend()
    return {"output_type": "display_data", "data": {"image/svg+xml": svg(figure), "text/plain": "a chart"}}


def texts(output):
    return {text.text: text for text in ElementTree.fromstring(output["data"]["image/svg+xml"]).iter(f"{SVG}text")}


def test_words_are_replaced_and_names_and_numbers_stay_drawn(drawn):
    before = drawn["data"]["image/svg+xml"]
    translate([drawn, {"output_type": "stream", "text": "train"}], WORDS)
    assert set(texts(drawn)) == {"訓練画像の枚数", "バッチ 8枚、2 GB", "訓練"}
    after = ElementTree.fromstring(drawn["data"]["image/svg+xml"])
    letters = sum(len(word) for word in ("training images", "batch of 8, 2 GB", "train"))
    assert before.count("<use ") - len(list(after.iter(f"{SVG}use"))) == letters


def test_what_other_texts_use_of_a_replaced_one_is_kept(drawn):
    translate([drawn], WORDS)
    after = ElementTree.fromstring(drawn["data"]["image/svg+xml"])
    known = {f"#{each.get('id')}" for each in after.iter()}
    assert {each.get(HREF) for each in after.iter(f"{SVG}use")} <= known


def test_a_title_keeps_its_middle_and_a_legend_its_left_edge(drawn):
    translate([drawn], WORDS)
    anchors = {word: text.get("text-anchor") for word, text in texts(drawn).items()}
    assert anchors == {"訓練画像の枚数": "middle", "バッチ 8枚、2 GB": "middle", "訓練": None}
    width = 15 * 60  # hundredths of the font's size, if letters are as wide as in the mean
    assert float(texts(drawn)["訓練画像の枚数"].get("x")) == pytest.approx(width / 2, rel=0.15)


@pytest.mark.parametrize(("word", "squeezed"), [("訓練", False), ("train acc", True), ("訓練用の画像", True)])
def test_a_word_too_long_for_its_legend_is_squeezed(drawn, word, squeezed):
    translate([drawn], {"train": word})
    assert ("textLength" in texts(drawn)[word].attrib) is squeezed


def test_who_cannot_see_a_chart_is_told_its_words_but_no_numbers(drawn):
    assert said([drawn]) == "training images, batch of 8, 2 GB, train, coat"
    translate([drawn], WORDS)
    assert said([drawn]) == "訓練画像の枚数, バッチ 8枚、2 GB, 訓練, coat"
    assert said([{"output_type": "stream", "text": "train"}]) == ""


def test_a_picture_that_matplotlib_did_not_draw_stays_as_it_is():
    text = '<svg xmlns="http://www.w3.org/2000/svg"><g><!--train--><g><text>train</text></g></g></svg>'
    output = {"output_type": "display_data", "data": {"image/svg+xml": text}}
    translate([output], WORDS)
    assert (output["data"]["image/svg+xml"], said([output])) == (text, "")


def test_a_language_may_have_no_words(tmp_path):
    assert read_words(tmp_path / "charts.toml") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slope = ", "expected pairs of texts in TOML, got: Invalid value"),
        ("slope = 5", "expected 'slope' to have a word with as many {}, got 5"),
        ("'a {}' = '{} {}'", r"expected 'a {}' to have a word with as many {}, got '{} {}'"),
        ("[more]\nslope = '傾き'", "expected 'more' to have a word with as many {}, got {'slope'"),
    ],
)
def test_a_malformed_file_of_words_is_named(tmp_path, text, expected):
    path = tmp_path / "charts.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(BookError, match=re.escape(f"{path}: {expected}")):
        read_words(path)


@pytest.mark.parametrize("language", BOOK.languages[1:])
def test_every_word_of_a_committed_chart_is_translated_and_no_other(language):
    """A word is two small letters or more; what has a capital or a digit in it is a name."""
    words, found = read_words(BOOK.words(language)), set()
    for chapter in BOOK.chapters:
        for backend in BOOK.backends(chapter):
            outputs = [output for cell in code("en", backend, chapter).values() for output in cell.outputs]
            found |= {text.strip() for output in outputs for text in _comments(output)}
    found = {text for text in found - NAMES if "$" not in text}  # formulas
    spoken = {re.sub(r"\d+", "{}", text) for text in found if re.search(r"(?<![\w-])[a-z]{2,}(?![\w-])", text)}
    assert spoken == set(words)


def _comments(output):
    return re.findall("<!-- (.*?) -->", output.get("data", {}).get("image/svg+xml", ""))
