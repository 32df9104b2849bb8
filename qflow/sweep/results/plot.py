"""plot: the picture of a sweep drawn by matplotlib, as PNG and SVG, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qflow.diagnostics import Diagnostic, fail
from qflow.sweep.results.picture import Dot, Picture
from qflow.sweep.results.places import Box, Placed, Wanted, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE, _DPI = (8.0, 5.2), 150
_STYLE = {"svg.hashsalt": "qflow", "font.size": 9, "axes.linewidth": 0.8}
# Of the palette of Okabe and Ito, which people tell apart whatever colours they see; shapes differ
# as well.
_BLUE, _RED, _PALE, _DARK = "#0072B2", "#D55E00", "#9BA7B0", "#333333"
_DOTS: dict[str, tuple[str, dict[str, Any]]] = {
    "beaten": ("beaten", {"marker": "o", "s": 26, "color": _PALE}),
    "broken": ("breaks an assert", {"marker": "x", "s": 34, "color": _RED, "linewidths": 1.6}),
    "best": ("best", {"marker": "D", "s": 40, "color": _BLUE}),
}
"""Kind of a point to what the legend calls it and how it is drawn; the last is drawn on top."""
_LOGARITHMIC = 50
"""How many times the least cost the largest must be."""
_GAP = 13.0
"""Pixels between a point and its label."""


def draw(picture: Picture) -> tuple[bytes, bytes]:
    """PNG and SVG. Raises QflowError QF405 without matplotlib."""
    try:
        from matplotlib import style
    except ImportError as error:
        raise fail(
            Diagnostic(
                "QF405",
                f"the plot of a sweep needs the package `matplotlib`: {error}",
                help="pip install 'qflow[plot]'",
            )
        ) from error
    # whatever the user's own settings are
    with style.context(["default", _STYLE]):
        figure = _figure(picture)
        return _saved(figure, "png", {"Software": None}), _saved(
            figure, "svg", {"Date": None, "Creator": None}
        )


def _saved(figure: Figure, form: str, metadata: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=form, metadata=metadata)
    return out.getvalue()


def _figure(picture: Picture) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    figure.subplots_adjust(left=0.1, right=0.97, top=0.87, bottom=0.13 + 0.035 * len(picture.notes))
    _axes(axes, picture)
    if picture.reference is not None:
        axes.axhline(picture.reference, color=_DARK, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot([], [], color=_DARK, linewidth=1, linestyle=(0, (4, 3)), label="float")
    if picture.front:
        across, up = zip(*picture.front, strict=True)
        # nothing between two costs is better than the cheaper point
        axes.step(across, up, where="post", color=_BLUE, linewidth=1.4, alpha=0.7)
    for kind, (name, drawn) in _DOTS.items():
        found = [(d.x, d.y) for d in picture.dots if d.kind == kind]
        if found:
            axes.scatter(*zip(*found, strict=True), label=name, zorder=3, **drawn)
    _words(figure, axes, picture)
    canvas.draw()  # type: ignore[no-untyped-call]
    left_out = _labels(axes, picture)
    about = f"{picture.labels} ({left_out} not named)" if left_out else picture.labels
    figure.text(0.97, 0.955, about, ha="right", color=_DARK, parse_math=False)
    return figure


def _axes(axes: Axes, picture: Picture) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    across = [d.x for d in picture.dots]
    up = [d.y for d in picture.dots]
    if picture.reference is not None:
        up.append(picture.reference)
    axes.set_ylim(*_limits(min(up), max(up)))
    if min(across) > 0 and max(across) >= _LOGARITHMIC * min(across):
        axes.set_xscale("log")
        axes.set_xlim(min(across) / 1.5, max(across) * 1.5)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.set_xlim(*_limits(min(across), max(across)))
        axes.ticklabel_format(style="plain", useOffset=False, axis="x")
    axes.ticklabel_format(style="plain", useOffset=False, axis="y")
    axes.grid(color="#E4E8EB", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _limits(least: float, most: float) -> tuple[float, float]:
    """With room at both ends; around a single value a tenth of it."""
    room = 0.12 * (most - least) or 0.1 * abs(most) or 1.0
    return least - room, most + room


def _words(figure: Figure, axes: Axes, picture: Picture) -> None:
    plain: dict[str, Any] = {"parse_math": False}
    axes.set_xlabel(picture.across, **plain)
    axes.set_ylabel(picture.up, **plain)
    figure.text(0.1, 0.955, picture.title, fontsize=12, fontweight="bold", **plain)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=4, frameon=False,
        handletextpad=0.4, columnspacing=1.4, borderpad=0.2,
    )  # fmt: skip
    for number, line in enumerate(reversed(picture.notes)):
        figure.text(0.1, 0.02 + 0.035 * number, line, color=_DARK, fontsize=8, **plain)


def _labels(axes: Axes, picture: Picture) -> int:
    """How many best or labelled points went without; the best come first."""
    named = sorted((d for d in picture.dots if d.label), key=lambda d: d.kind != "best")
    wanted = [_wanted(axes, d) for d in named]
    frame = axes.get_window_extent()
    inside = Box(frame.x0 + 4, frame.y0 + 4, frame.x1 - 2, frame.y1 - 2)
    found = place(wanted, tuple(_taken(axes, picture)), inside, _GAP)
    for dot, label, placed in zip(named, wanted, found, strict=True):
        if placed is not None:
            _annotate(axes, dot, label, placed)
    return found.count(None) + sum(d.kind == "best" and not d.label for d in picture.dots)


def _wanted(axes: Axes, dot: Dot) -> Wanted:
    text = axes.text(0, 0, dot.label, fontsize=8, linespacing=1.1, parse_math=False)
    size = text.get_window_extent()
    text.remove()
    x, y = axes.transData.transform((dot.x, dot.y))
    return Wanted(float(x), float(y), float(size.width), float(size.height))


def _taken(axes: Axes, picture: Picture) -> Iterator[Box]:
    """What no label may cover: the points, the steps of the front, the line of float."""
    half = 7.0
    for dot in picture.dots:
        x, y = map(float, axes.transData.transform((dot.x, dot.y)))
        yield Box(x - half, y - half, x + half, y + half)
    corners = [tuple(map(float, axes.transData.transform(p))) for p in picture.front]
    for (x, y), (right, top) in pairwise(corners):
        yield Box(x, y - 2, right, y + 2)
        yield Box(right - 2, min(y, top), right + 2, max(y, top))
    if picture.reference is not None:
        frame = axes.get_window_extent()
        y = float(axes.transData.transform((picture.dots[0].x, picture.reference))[1])
        yield Box(frame.x0, y - 3, frame.x1, y + 3)


def _annotate(axes: Axes, dot: Dot, label: Wanted, placed: Placed) -> None:
    box, points = placed.box, 72 / _DPI
    offset = (
        ((box.left + box.right) / 2 - label.x) * points,
        ((box.bottom + box.top) / 2 - label.y) * points,
    )
    line = None if placed.near else {"arrowstyle": "-", "color": _PALE, "lw": 0.6, "shrinkB": 3}
    axes.annotate(
        dot.label,
        (dot.x, dot.y),
        offset,
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=8,
        linespacing=1.1,
        color=_DARK,
        arrowprops=line,
        parse_math=False,
    )
