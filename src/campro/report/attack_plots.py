"""Figures of a ladder: rank-1 over training photographs, validation over time, detection errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context

from campro.audit.suite_rows import scaling_points
from campro.report.plots import COLOURS, STYLE, axes_of, svg_uri

Row = Mapping[str, Any]


def scaling(rows: Sequence[Row], size: tuple[float, float] = (5.2, 3.2)) -> str | None:
    """Best rank-1 over the number of training photographs, a line per model and attack that learned from several."""
    with rc_context(STYLE):
        axes, figure = axes_of(size)
        lines = [(row, points) for row in rows if len(points := scaling_points(row)) > 1]
        for number, (row, points) in enumerate(lines):
            counts, rates = zip(*points)
            colour = COLOURS[number % len(COLOURS)]
            axes.plot(
                counts, [100 * one for one in rates], marker="o", color=colour, label=f"{row['attack']}, {row['model']}"
            )
        axes.set(xscale="log", xlabel="training photographs", ylabel="rank-1, %")
        axes.set_ylim(bottom=0)
        if not lines:
            return None
        axes.legend(fontsize=8)
        return svg_uri(figure)


def courses(rows: Sequence[Row], size: tuple[float, float] = (3.4, 2.4)) -> list[tuple[str, str]]:
    """(title, figure) of every trained row: validation scores of its runs over time; failed runs are dotted.

    A row that goes on with what another one trained is left out.
    """
    drawn: set[tuple[float, ...]] = set()
    figures = []
    for row in rows:
        runs = {name: run for name, run in row["runs"].items() if run["curve"]}
        curves = {tuple(run["curve"]) for run in runs.values()}
        if curves <= drawn:
            continue
        drawn |= curves
        with rc_context(STYLE):
            axes, figure = axes_of(size)
            for number, (name, run) in enumerate(runs.items()):
                style = "-" if run["converged"] else ":"
                axes.plot(run["curve"], style, color=COLOURS[number % len(COLOURS)], label=name, linewidth=1.3)
            axes.set(xlabel="validation", ylabel="score")
            axes.legend(fontsize=6)
            figures.append((f"{row['attack']}, {row['model']}", svg_uri(figure)))
    return figures


def error_trade_off(rows: Sequence[Row], size: tuple[float, float] = (5.2, 3.2)) -> str | None:
    """FNIR over FPIR of the worst row of each threat model and of its control, on strangers."""
    chosen = list({row["threat_model"]: row for row in reversed(rows)}.values())
    with rc_context(STYLE):
        axes, figure = axes_of(size)
        for row, colour in zip(chosen, COLOURS[1:]):
            for side, style in (("best", "-"), ("control", ":")):
                if row[side] and "open set" in row[side]:
                    points = sorted((float(fpir), cell["fnir"]) for fpir, cell in row[side]["open set"].items())
                    label = f"{row['attack']} ({row['threat_model']}, {row['model']})" + (
                        "" if side == "best" else ", control"
                    )
                    axes.plot(*zip(*points), style, marker=".", color=colour, label=label)
        axes.set(xscale="log", xlabel="FPIR: strangers who are taken for somebody", ylabel="FNIR: people missed")
        axes.set_ylim(-0.02, 1.02)
        if not chosen:
            return None
        axes.legend(fontsize=7)
        return svg_uri(figure)
