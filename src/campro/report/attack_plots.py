"""Plots of attacks: rank-1 over training photographs, validation over time, detection error trade-off."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import rc_context

from campro.audit.attack_rows import AttackRow
from campro.audit.results import AttackResult
from campro.audit.run_rows import RunResult
from campro.report.findings import by_threat_model
from campro.report.plots import COLOURS, STYLE, axes_of, svg_uri


def scaling(rows: Sequence[AttackRow], size: tuple[float, float] = (5.2, 3.2)) -> str | None:
    """Best rank-1 over the number of training photographs, a line per model and attack with several sizes."""
    lines = [row for row in rows if len(row.scaling) > 1]
    if not lines:
        return None
    with rc_context(STYLE):
        axes, figure = axes_of(size)
        for number, row in enumerate(lines):
            counts, rates = zip(*row.scaling)
            label = f"{row.attack}, {row.model}"
            axes.plot(counts, [100 * r for r in rates], marker="o", color=COLOURS[number % len(COLOURS)], label=label)
        axes.set(xscale="log", xlabel="training photographs", ylabel="rank-1, %")
        axes.set_ylim(-2, 102)
        axes.legend(fontsize=8)
        return svg_uri(figure)


def training_curves(rows: Sequence[AttackRow], size: tuple[float, float] = (3.4, 2.4)) -> list[tuple[str, str]]:
    """(title, figure) of every trained row: validation scores of its runs over time; failed runs are dotted.

    A row whose trainings another row already shows is left out.
    """
    drawn: set[tuple[float, ...]] = set()
    figures = []
    for row in rows:
        runs = {run.name: run.result for run in row.runs if run.result.curve}
        curves = {result.curve for result in runs.values() if result.curve}
        if curves <= drawn:
            continue
        drawn |= curves
        with rc_context(STYLE):
            axes, figure = axes_of(size)
            for number, (name, result) in enumerate(runs.items()):
                style = "-" if result.converged else ":"
                colour = COLOURS[number % len(COLOURS)]
                axes.plot(result.curve or (), style, color=colour, label=name, linewidth=1.3)
            axes.set(xlabel="validation", ylabel="score")
            axes.legend(fontsize=6)
            figures.append((f"{row.attack}, {row.model}", svg_uri(figure)))
    return figures


def error_trade_off(rows: Sequence[AttackRow], size: tuple[float, float] = (5.2, 3.2)) -> str | None:
    """FNIR over FPIR of the worst row of each threat model, and dotted its control.

    Rates for which there are too few non-mated searches are left out.
    """
    chosen = by_threat_model(row for row in rows if _points(row.best)).values()
    if not chosen:
        return None
    with rc_context(STYLE):
        axes, figure = axes_of(size)
        for row, colour in zip(chosen, COLOURS[1:]):
            controls = [run for run in row.controls if _points(run)]
            best_control = max(controls, key=lambda run: run.result.rank1.mean, default=None)
            for run, style in ((row.best, "-"), (best_control, ":")):
                if run is not None:
                    label = f"{row.attack} ({row.threat_model}, {row.model})" + (", control" if style == ":" else "")
                    axes.plot(*zip(*_points(run)), style, marker=".", color=colour, label=label)
        axes.set(xscale="log", xlabel="FPIR: non-mated searches that return somebody", ylabel="FNIR: people missed")
        axes.set_ylim(-0.02, 1.02)
        axes.legend(fontsize=7)
        return svg_uri(figure)


def _points(run: RunResult[AttackResult]) -> list[tuple[float, float]]:
    """(FPIR, FNIR) of a run, by FPIR, where there are enough non-mated searches."""
    return sorted((point.fpir, point.fnir.mean) for point in run.result.open_set if point.supported)
