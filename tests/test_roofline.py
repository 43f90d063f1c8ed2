"""The roofline: its limit, and a figure that has every layer on the roof."""

import numpy as np
import pytest

from alexbook import roofline

ROOFS = {"mine": (100.0, 10.0), "another": (1000.0, 20.0)}
INTENSITY = {("conv", 1): 50.0, ("fc", 1): 0.5, ("conv", 128): 52.0, ("fc", 128): 40.0}
MEASURED = {("conv", 1): 120.0, ("fc", 1): 4.0}


@pytest.mark.parametrize(("intensity", "expected"), [(0.5, 5), (10, 100), (11, 100)])
def test_the_limit_is_the_slope_up_to_the_ridge_and_then_the_peak(intensity, expected):
    assert roofline.limit(ROOFS["mine"], intensity) == expected


def lines():
    axes = roofline.figure(ROOFS, INTENSITY, MEASURED).axes[0]
    return axes, {line.get_label(): np.array(line.get_data()).T.tolist() for line in axes.lines}


def test_the_figure_has_the_roofs_the_layers_on_the_first_and_the_measurements():
    _, drawn = lines()
    assert drawn["mine"] == [[0.25, 2.5], [10, 100], [104, 100]]
    assert drawn["another"] == [[0.25, 5], [50, 1000], [104, 1000]]
    assert drawn["batch of 1"] == [[50, 100], [0.5, 5]]
    assert drawn["batch of 128"] == [[52, 100], [40, 100]]
    assert drawn["measured"] == [[50, 120], [0.5, 4]]


def test_neighbours_share_a_name_and_all_lies_inside():
    axes, drawn = lines()
    assert sorted(text.get_text() for text in axes.texts) == ["conv", "conv fc", "fc"]
    low, high = axes.get_ylim()
    assert all(low < y < high for points in drawn.values() for _, y in points)


def test_a_ridge_outside_the_picture_is_no_corner():
    high = roofline.figure({"high": (1e6, 1.0)}, INTENSITY, MEASURED).axes[0].lines[0]
    low = roofline.figure({"low": (1.0, 1e6)}, INTENSITY, MEASURED).axes[0].lines[0]
    assert high.get_ydata().tolist() == [0.25, 104, 104]
    assert low.get_ydata().tolist() == [1, 1, 1]


def test_the_chart_is_the_same_to_the_byte(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    for _ in range(2):
        roofline.chart(ROOFS, INTENSITY, MEASURED)
    assert shown[0] == shown[1]
    assert "<svg" in shown[0]["image/svg+xml"]
