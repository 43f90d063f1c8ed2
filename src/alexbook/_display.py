"""Training to watch: a bar with the time left, and in a notebook a plot that grows."""

import html
import io
import sys
import time
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

_STYLES = ("-", "m--", "go-.")


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel. A kernel has imported IPython: a script need not."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython.get_ipython(), "kernel") if ipython else False


def svg(figure: Any) -> str:
    """The text of a Matplotlib figure as SVG; the same figure gives the same bytes."""
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context({"svg.hashsalt": "alexbook"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def show(figure: Any, plain: str) -> None:
    """Shows a Matplotlib figure in a notebook, as SVG in the same bytes every time, and as text for who sees none."""
    from IPython.display import display

    shown = {"image/svg+xml": svg(figure), "text/plain": plain}
    display(shown, raw=True)  # type: ignore[no-untyped-call]  # IPython gives it no types


class Display:
    """A progress bar over the whole training; in a notebook a plot with the bar's text under it."""

    def __init__(self, epochs: int, steps: int, done: int, tested_on: str, quiet: bool) -> None:
        """What is to be seen.

        Args:
            epochs: of the whole training.
            steps: of one epoch.
            done: epochs that are behind us.
            tested_on: the images of the last of the three curves.
            quiet: whether the plot goes when the training ends.
        """
        self._quiet = quiet
        self._live = _Plot(epochs, ("train loss", "train acc", f"{tested_on} acc")) if in_notebook() else None
        self._bar = tqdm(
            total=epochs * steps,
            initial=done * steps,
            desc="training",
            unit="batch",
            smoothing=0,  # the time left from the whole run's pace: epochs end with an evaluation
            miniters=1,
            mininterval=0.5,
            leave=False,
            # In a kernel, all that reaches stderr, sys.__stderr__ included, is stored in the notebook, and so
            # is tqdm.auto's widget: there the bar is a caption that vanishes with the last update of the plot.
            file=self._live or sys.stderr,
            ncols=80 if self._live else None,
            disable=False if self._live else None,  # None: no bar where stderr is a file
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def advance(self) -> None:
        """One more step is done."""
        self._bar.update()

    def plot(self, epoch: float, *values: float) -> None:
        """Adds to the plot, at so many epochs: training loss and accuracy and, if given, test accuracy."""
        if self._live:
            self._live.add(epoch, values)

    def close(self) -> None:
        """Takes the bar away, and leaves the plot unless it is to be quiet."""
        self._bar.close()
        if self._live:
            self._live.vanish() if self._quiet else self._live.finish()


class _Plot:
    """A plot in one notebook output that is replaced in place. tqdm takes it for a file."""

    def __init__(self, epochs: int, names: tuple[str, ...]) -> None:
        from IPython.display import display

        self._epochs, self._names = epochs, names
        self._points: tuple[list[tuple[float, float]], ...] = tuple([] for _ in names)
        self._drawn = 0.0
        self._svg = self._draw()
        self._handle: Any = display(  # type: ignore[no-untyped-call]  # IPython gives it no types
            {"text/plain": "training"}, raw=True, display_id=True
        )

    def add(self, epoch: float, values: tuple[float, ...]) -> None:
        for points, value in zip(self._points, values, strict=False):
            points.append((epoch, value))
        if time.monotonic() - self._drawn > 1:  # drawing takes time from training
            self._svg, self._drawn = self._draw(), time.monotonic()

    def write(self, bar: str) -> None:
        caption = f"<pre>{html.escape(bar.strip())}</pre>"  # tqdm writes <? where it does not know
        self._handle.update({"text/html": self._svg[self._svg.index("<svg") :] + caption}, raw=True)

    def flush(self) -> None:
        """Nothing is held back; a file has this method."""

    def finish(self) -> None:
        plain = f"Training loss and accuracies over {self._epochs} epochs"
        self._handle.update({"image/svg+xml": self._draw(), "text/plain": plain}, raw=True)

    def vanish(self) -> None:
        self._handle.update({"text/html": ""}, raw=True)

    def _draw(self) -> str:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(4.5, 3), layout="constrained")
        axes = figure.subplots()
        for name, style, points in zip(self._names, _STYLES, self._points, strict=True):
            axes.plot(*zip(*points, strict=True), style, label=name) if points else None
        self._label(axes)
        return svg(figure)

    def _label(self, axes: Any) -> None:
        axes.set(xlabel="epoch", xlim=(0, self._epochs))
        axes.grid(True)
        if axes.lines:
            axes.legend()
