"""Figures as SVG to be put into a page: its colours are the page's, its text is text."""

import io
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from hybrid_hil.console.record import printable
from hybrid_hil.report.cores import CoreState
from hybrid_hil.report.history import History
from hybrid_hil.report.latency import Latency, quantile, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN = 7.6
ROW_IN = 0.42
MARGIN_IN = 0.75
DOTS = 120
# nothing that crosses a network is faster, and a logarithm wants more than 0
FASTEST_S = 1e-4
LABEL_CHARACTERS = 40

# matplotlib wants colours; each of these stands for one the page's style sheet has, for light and dark.
_INK = "#010101"
_FAINT = "#010102"
_ACCENT = "#010103"
_FAILED = "#010104"
_STATES = {
    CoreState.OFFLINE: "#010105",
    CoreState.STARTING: "#010106",
    CoreState.RUNNING: "#010107",
    CoreState.CRASHED: "#010108",
}
_IN_PAGE = {
    _INK: "currentColor",
    _FAINT: "var(--faint)",
    _ACCENT: "var(--accent)",
    _FAILED: "var(--failed)",
    **{colour: f"var(--core-{state})" for state, colour in _STATES.items()},
}


def latency_plot(found: Sequence[Latency], name: str) -> str:
    """How long each verb took: every call a dot, the middle half of them a box, on a logarithmic scale."""
    with _style(name):
        return _svg(_latency_figure(found), name, "Latency of the runtime's verbs")


def history_plot(history: History, name: str) -> str:
    """The states of each core over the whole run, with the tests that failed."""
    with _style(name):
        return _svg(_history_figure(history), name, "States of the cores over the run")


def _latency_figure(found: Sequence[Latency]) -> "Figure":
    figure, axes = _empty(len(found))
    for row, latency in enumerate(found):
        milliseconds = [1000 * max(value, FASTEST_S) for value in latency.seconds]
        quarter, half, rest = (quantile(milliseconds, share) for share in (0.25, 0.5, 0.75))
        dots = thinned(milliseconds, DOTS)
        heights = [row + 0.22 * ((index * 7) % 5 - 2) / 2 for index in range(len(dots))]
        axes.plot(dots, heights, "o", color=_ACCENT, markersize=4, alpha=0.55, markeredgewidth=0)
        axes.barh(row, rest - quarter, left=quarter, height=0.56, color="none", edgecolor=_INK, linewidth=1)
        axes.vlines(half, row - 0.28, row + 0.28, color=_INK, linewidth=2.5)
    _scale(axes, 1000 * min(one.seconds[0] for one in found), 1000 * max(one.seconds[-1] for one in found))
    _label_rows(axes, [latency.verb for latency in found])
    axes.set_xlabel("milliseconds over SSH, logarithmic", color=_INK)
    return figure


def _history_figure(history: History) -> "Figure":
    figure, axes = _empty(len(history.rows))
    for row, stretches in enumerate(history.rows.values()):
        for state, colour in _STATES.items():
            bars = [(one.begin_s, one.end_s - one.begin_s) for one in stretches if one.state is state]
            if bars:
                axes.broken_barh(bars, (row - 0.3, 0.6), facecolor=colour, linewidth=0)
    for at in history.failures:
        axes.axvline(at, color=_FAILED, linewidth=1.2, linestyle=(0, (3, 2)))
    axes.set_xlim(0, max(history.duration_s, 1))
    _label_rows(axes, list(history.rows))
    axes.set_xlabel("seconds since the run began", color=_INK)
    return figure


def _style(name: str) -> AbstractContextManager[None]:
    """Text stays text and is taken literally; equal figures get equal ids."""
    import matplotlib as mpl  # noqa: PLC0415  a second that only pages with figures cost

    return mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 10, "text.parse_math": False})


def _empty(rows: int) -> tuple["Figure", "Axes"]:
    from matplotlib.figure import Figure  # noqa: PLC0415  as in _style

    figure = Figure(figsize=(WIDTH_IN, MARGIN_IN + ROW_IN * max(rows, 1)), layout="constrained")
    return figure, figure.add_subplot()


def _scale(axes: "Axes", least: float, most: float) -> None:
    """A logarithmic scale that names enough of its lines, however near its ends are to each other."""
    from matplotlib.ticker import LogLocator, NullLocator  # noqa: PLC0415  as in _style

    least = max(least, 1000 * FASTEST_S)
    axes.set_xscale("log")
    axes.set_xlim(least / 1.3, most * 1.3)
    near = most < 12 * least
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 6, 8) if near else (1, 2, 5), numticks=20))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _label_rows(axes: "Axes", names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [printable(name)[:LABEL_CHARACTERS] for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", color=_FAINT, labelcolor=_INK, length=3)
    axes.tick_params(axis="y", length=0)
    axes.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _svg(figure: "Figure", name: str, title: str) -> str:
    written = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    return _for_page(written.getvalue(), name, title)


def _for_page(svg: str, name: str, title: str) -> str:
    """An SVG document as an element of a page that has others: without prolog, its ids and size its own."""
    svg = svg[svg.index("<svg ") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    for colour, meaning in _IN_PAGE.items():
        svg = svg.replace(colour, meaning)
    opening = re.sub(r' (?:width|height|version|xmlns)="[^"]*"', "", svg[: svg.index(">")])
    label = f' role="img" aria-labelledby="{name}-title"><title id="{name}-title">{title}</title>'
    return opening + label + svg[svg.index(">") + 1 :]
