"""What the chapter Better says of the full run is what the committed run printed."""

import re
import statistics

import pytest
from committed import BOOK, code, mean_of_small, notebook, printed


@pytest.fixture(scope="module")
def cells():
    assert notebook("en", "pytorch", "better").metadata.bookweave.run.profile == "full"
    return code("en", "pytorch", "better")


@pytest.fixture(scope="module")
def tests(cells):
    """The test accuracies of the three seeds."""
    found = [float(value) for value in re.findall(r"test accuracy (0\.\d{4})", printed(cells["result"]))]
    assert len(found) == 3
    return found


def test_alexnet_reaches_0_93_and_passes_the_small_network_by_0_3_to_0_4_points(tests):
    assert statistics.mean(tests) > 0.93
    lead = [statistics.mean(tests) - mean_of_small(backend) for backend in BOOK.backends("small")]
    assert {round(100 * points, 1) for points in lead} == {0.3, 0.4}


def test_the_recipe_brings_three_to_four_points_and_each_doubling_of_the_rate_more_than_one(cells):
    choice = printed(cells["choice"])
    plain, low, middle, high = map(float, re.findall(r"validation accuracy (0\.\d{4})", choice))
    assert 0.03 < middle - plain < 0.04
    assert min(middle - low, high - middle) > 0.01
    assert choice.endswith("chosen: 0.02\n")  # the edge of what was tried


def test_together_they_are_ahead_of_their_mean_by_26_images_and_of_the_best_by_seven(cells, tests):
    joint = float(re.search(r"0\.\d{4}", printed(cells["vote"]))[0])
    assert round(10_000 * (joint - statistics.mean(tests))) == 26
    assert round(10_000 * (joint - max(tests))) == 7
