"""What the chapter Better says of the full run is what the committed run printed."""

import re
import statistics
from pathlib import Path

import nbformat
import pytest

from bookweave.book import load

BOOK = load(Path(__file__).parents[1])


@pytest.fixture(scope="module")
def printed():
    notebook = nbformat.read(BOOK.notebook("en", "pytorch", "better"), as_version=4)
    assert notebook.metadata.bookweave.run.profile == "full"
    return {cell.id: "".join(out.get("text", "") for out in cell.get("outputs", [])) for cell in notebook.cells}


@pytest.fixture(scope="module")
def tests(printed):
    """The test accuracies of the three seeds."""
    found = [float(value) for value in re.findall(r"test accuracy (0\.\d{4})", printed["result"])]
    assert len(found) == 3
    return found


def test_alexnet_reaches_0_93_and_passes_the_small_network_by_0_4_points(tests):
    small = nbformat.read(BOOK.notebook("en", "pytorch", "small"), as_version=4)
    result = next(cell for cell in small.cells if cell.id == "result").outputs[0].text
    mean = float(re.search(r"mean (0\.\d{4})", result)[1])
    assert statistics.mean(tests) > 0.93
    assert round(100 * (statistics.mean(tests) - mean), 1) == 0.4


def test_the_recipe_brings_three_to_four_points_and_each_doubling_of_the_rate_more_than_one(printed):
    plain, low, middle, high = map(float, re.findall(r"validation accuracy (0\.\d{4})", printed["choice"]))
    assert 0.03 < middle - plain < 0.04
    assert min(middle - low, high - middle) > 0.01
    assert printed["choice"].endswith("chosen: 0.02\n")  # the edge of what was tried


def test_together_they_are_ahead_of_their_mean_by_26_images_and_of_the_best_by_seven(printed, tests):
    joint = float(re.search(r"0\.\d{4}", printed["vote"])[0])
    assert round(10_000 * (joint - statistics.mean(tests))) == 26
    assert round(10_000 * (joint - max(tests))) == 7
