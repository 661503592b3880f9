"""Plots of the report, drawn by matplotlib as SVG, each returned as a data: URI that a page can embed."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.results import IdentificationResult
from campro.core.types import Rgb8
from campro.report.findings import Findings

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a94a0",
    "axes.labelcolor": "#1f2933",
    "xtick.color": "#52606d",
    "ytick.color": "#52606d",
    "axes.grid": True,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "svg.hashsalt": "campro",
}
COLOURS = ("#52606d", "#0b6e99", "#d9822b", "#8661c1", "#3a8f5c", "#b8405e", "#8a7a2f")
"""By view, in order: raw is grey, captured blue."""
CHANNELS = (("red", "#c8373a"), ("green", "#2f8f4e"), ("blue", "#2f6fbd"))


def png_uri(rgb: Rgb8) -> str:
    """An 8-bit sRGB picture (H, W, 3) as a data: URI."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return "data:image/png;base64," + base64.b64encode(encoded.tobytes()).decode()


def colour_of(findings: Findings, view: str) -> str:
    """The colour that stands for a view in every figure."""
    return COLOURS[findings.views.index(view) % len(COLOURS)]


def gamma_curves(curves: Sequence[Sequence[float]], size: tuple[float, float] = (3.6, 2.9)) -> str:
    """Gamma look-up tables, linear light in [0, 1] to code in [0, 1]; one shared curve, or one per channel."""
    with rc_context(STYLE):
        axes, figure = axes_of(size)
        light = np.linspace(0, 1, 256)
        srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        axes.plot(light, srgb, color="#9aa5b1", dashes=(4, 3), linewidth=1.2, label="sRGB")
        channels = CHANNELS if len(curves) == 3 else (("all channels", COLOURS[1]),)
        for (name, colour), curve in zip(channels, curves):
            axes.plot(np.linspace(0, 1, len(curve)), curve, color=colour, linewidth=1.6, label=name)
        axes.set(xlabel="linear light after the colour matrix", ylabel="output code", xlim=(0, 1), ylim=(-0.02, 1.02))
        axes.legend(fontsize=8)
        return svg_uri(figure)


def ccm_map(ccm: Sequence[Sequence[float]], size: tuple[float, float] = (2.9, 2.9)) -> str:
    """The colour correction matrix as an annotated heat map; row = output channel."""
    values = np.asarray(ccm, dtype=float)
    limit = max(1.0, float(np.abs(values).max()))
    with rc_context(STYLE | {"axes.grid": False}):
        axes, figure = axes_of(size)
        axes.imshow(values, cmap="RdBu", vmin=-limit, vmax=limit)
        for (row, column), value in np.ndenumerate(values):
            ink = "white" if abs(value) > 0.6 * limit else "#1f2933"
            axes.text(column, row, f"{value:+.2f}", ha="center", va="center", color=ink)
        axes.set(xticks=range(3), yticks=range(3), xlabel="input", ylabel="output")
        axes.set_xticklabels("RGB")
        axes.set_yticklabels("RGB")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        return svg_uri(figure)


def cmc_curves(findings: Findings, size: tuple[float, float] = (2.85, 2.6)) -> list[tuple[str, str]]:
    """(title, figure) per face model and matcher: the rate over the rank, one line per view."""
    figures = []
    for model in findings.models:
        for matcher in findings.matchers:
            results = {view: findings.identification(model, view, matcher) for view in findings.views}
            done = {view: result for view, result in results.items() if result is not None}
            if done:
                figures.append((f"{model}, {matcher}", _cmc(findings, done, size)))
    return figures


def _cmc(findings: Findings, results: dict[str, IdentificationResult], size: tuple[float, float]) -> str:
    with rc_context(STYLE):
        axes, figure = axes_of(size)
        people = next(iter(results.values())).people
        last = min(50, people)
        ranks = np.arange(1, last + 1)
        for view, result in results.items():
            width = 2.4 if view == CAPTURED else 1.4
            axes.plot(ranks, 100 * np.array(result.cmc[:last]), color=colour_of(findings, view), lw=width, label=view)
        axes.plot(ranks, 100 * ranks / people, color="#9aa5b1", dashes=(2, 2), linewidth=1, label="chance")
        axes.set(xlabel="rank", ylabel="identified, %", xlim=(1, last), ylim=(-1, 101), xscale="log")
        ticks = [tick for tick in (1, 2, 5, 10, 20, 50) if tick <= last]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        return svg_uri(figure)


def trade_off(findings: Findings, size: tuple[float, float] = (7.4, 3.4)) -> str | None:
    """Per view: AP kept (x) over the highest rank-1 rate without an attack (y), with its interval."""
    with rc_context(STYLE):
        axes, figure = axes_of(size)
        top = 0.0
        for view in findings.views:
            worst, kept = findings.worst(view), findings.kept(view, findings.adapted)
            if worst is None or kept is None:
                continue
            rank1 = worst[2].rank1
            low, high = rank1.mean - rank1.low, rank1.high - rank1.mean
            bars = 100 * np.array([[max(0.0, low)], [max(0.0, high)]])
            style: dict[str, Any] = {"color": colour_of(findings, view), "capsize": 3, "linewidth": 1.2}
            style |= {"markersize": 8, "label": view, "fmt": {RAW: "o", CAPTURED: "D"}.get(view, "s")}
            axes.errorbar(100 * kept, 100 * rank1.mean, yerr=bars, **style)
            top = max(top, 100 * rank1.high)
        label = "adapted" if findings.adapted else "given"
        axes.set(xlabel=f"AP of the {label} detector, % of raw", ylabel="highest rank-1 without an attack, %")
        axes.set(xlim=(-3, max(103, axes.get_xlim()[1])), ylim=(-0.03 * top, 1.08 * top + 1e-9))
        if not top:
            return None
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return svg_uri(figure)


def axes_of(size: tuple[float, float]) -> tuple[Axes, Figure]:
    """An empty figure of that size in inches."""
    figure = Figure(figsize=size, layout="constrained")
    return figure.subplots(), figure


def svg_uri(figure: Figure) -> str:
    """A figure as a data: URI; the same figure gives the same bytes."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return "data:image/svg+xml;base64," + base64.b64encode(text.getvalue().encode()).decode()
