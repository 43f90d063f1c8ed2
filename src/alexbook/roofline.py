"""The roofline of a machine (Williams, Waterman and Patterson 2009), and the layers that stand on it."""

from collections.abc import Mapping
from typing import Any

from alexbook._display import show

Roof = tuple[float, float]
Point = tuple[str, int]

_STYLES = (("-", "#1f6299"), ("--", "#7b8794"), (":", "#7b8794"))
_SIDES = (("#c46a00", 0.03, "bottom"), ("#2e8b57", 0.97, "top"))  # color, height and alignment of the names


def limit(roof: Roof, intensity: float) -> float:
    """Operations a second that a roof (operations a second, bytes a second) allows at so many operations a byte."""
    peak, bandwidth = roof
    return min(peak, intensity * bandwidth)


def chart(roofs: Mapping[str, Roof], intensity: Mapping[Point, float], measured: Mapping[Point, float]) -> None:
    """Shows `figure` in a notebook."""
    plain = "Operations a second over operations a byte: roofs, layers on the first of them, measured speeds"
    show(figure(roofs, intensity, measured), plain)


def figure(roofs: Mapping[str, Roof], intensity: Mapping[Point, float], measured: Mapping[Point, float]) -> Any:
    """Draws the roofs, the layers on the first of them, and what was measured, in logarithmic scales.

    Args:
        roofs: name: (operations a second, bytes a second), at most three.
        intensity: (layer, batch size): operations a byte; at most two batch sizes.
        measured: for some of those, operations a second.
    """
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(5.2, 5), layout="constrained")  # narrow enough for a phone
    axes = drawn.subplots()
    first, *_ = roofs.values()
    lowest = min(*(limit(first, x) for x in intensity.values()), *measured.values())
    axes.set(xscale="log", yscale="log", xlabel="operations a byte", ylabel="operations a second")
    axes.set_ylim(lowest / 20, 20 * max(peak for peak, _ in roofs.values()))
    left, right = min(intensity.values()) / 2, max(intensity.values()) * 2
    for (name, roof), (line, color) in zip(roofs.items(), _STYLES, strict=False):
        corners = [left, min(max(roof[0] / roof[1], left), right), right]
        axes.plot(corners, [limit(roof, x) for x in corners], line, color=color, label=name)
    _draw_layers(axes, first, intensity)
    crosses = [intensity[point] for point in measured]
    axes.plot(crosses, list(measured.values()), "kx", label="measured")
    axes.grid(alpha=0.3)
    drawn.legend(fontsize="small", loc="outside lower center", ncols=3)
    return drawn


def _draw_layers(axes: Any, roof: Roof, intensity: Mapping[Point, float]) -> None:
    """A dot on the roof for each layer and batch size; the names stand at the lower edge or at the upper one."""
    batches = sorted({batch for _, batch in intensity})
    for batch, (color, height, side) in zip(batches, _SIDES, strict=False):
        points = {layer: x for (layer, each), x in intensity.items() if each == batch}
        edge = axes.get_ylim()[0 if side == "bottom" else 1]
        for names, x in _together(points):
            axes.vlines(x, *sorted((edge, limit(roof, x))), color=color, linewidth=0.6, alpha=0.5)
            place = {"xycoords": ("data", "axes fraction"), "xytext": (-2, 0), "textcoords": "offset points"}
            look = {"rotation": 90, "fontsize": "small", "color": color, "ha": "right", "va": side}
            axes.annotate(names, (x, height), **place, **look)
        heights = [limit(roof, x) for x in points.values()]
        axes.plot(list(points.values()), heights, "o", color=color, label=f"batch of {batch}")


def _together(points: Mapping[str, float]) -> list[tuple[str, float]]:
    """The names of points that lie close to each other, joined, and where the first of them is."""
    groups: list[tuple[list[str], float]] = []
    for name, x in sorted(points.items(), key=lambda point: point[1]):
        if groups and x < 1.4 * groups[-1][1]:
            groups[-1][0].append(name)
        else:
            groups.append(([name], x))
    return [(" ".join(sorted(names)), x) for names, x in groups]
