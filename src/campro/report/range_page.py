"""What a report says about distance: the picture, the tables, and one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes

from campro.audit import cell_keys
from campro.audit.audit_config import RAW
from campro.core.errors import CamproError
from campro.evaluation.person_heights import HeightClass
from campro.evaluation.pixel_density import level_name
from campro.metrics.rates import Rate
from campro.report.field_of_view import FieldOfView
from campro.report.findings import DIRTY, Findings
from campro.report.group_tables import group_rate_text
from campro.report.plots import COLOURS, STYLE, axes_of, svg_uri
from campro.report.range_curves import (
    LIMITS,
    SHARES,
    Crossing,
    DensityPoint,
    RangeCurves,
    depth,
    detected_from,
    protected_up_to,
)
from campro.report.tables import Table
from campro.report.text import GAP, interval, percent


def density_table(curves: RangeCurves) -> Table:
    """Rank-1 rates by density: the worst case of each kind of attack."""
    columns = (curves.raw, curves.no_attack, curves.cheap, curves.trained, curves.night)
    by_density = [{point.density: point for point in points} for points in columns]
    densities = sorted({density for column in by_density for density in column}, reverse=True)
    rows = tuple(
        (level_name(density), *(_cell(column.get(density), name > 1) for name, column in enumerate(by_density)))
        for density in densities
    )
    header = ("pixel density", "raw, no attack", "no attack", "worst attack without training", "worst trained attack")
    return Table((), (*header, "night mode"), rows)


def _cell(point: DensityPoint | None, named: bool) -> str:
    if point is None:
        return GAP
    attack = point.attack if point.attack == point.run else f"{point.attack}: {point.run}"
    mark = DIRTY if point.dirty else ""
    return f"{interval(point.rank1)}{mark} {point.model}" + (f", {attack}" if named else "")


def mask_table(findings: Findings, curves: RangeCurves) -> Table:
    """What is left of raw identification behind privacy masks on the faces that a detector finds in raw pictures; in %.

    Residual = share of faces that the detector misses x rank-1 without masks, as if missed faces were identified as
    often as others. The interval multiplies the ends of both intervals, so it is wider than 95 %.
    """
    rows = []
    for point in reversed(curves.raw):
        for detector in findings.metadata.face_detectors:
            found = findings.value(Rate, cell_keys.face_detection_at(point.density, detector, RAW))
            if found is None:
                continue
            missed, raw = found.complement, point.rank1
            ends = (missed.mean * raw.mean, missed.low * raw.low, missed.high * raw.high)
            residual = interval(Rate(*ends, raw.n))
            rows.append((level_name(point.density), detector, interval(missed), interval(raw), residual))
    return Table((), ("pixel density", "detector of the mask", "missed", "raw, no attack", "residual"), tuple(rows))


def density_group_table(curves: RangeCurves) -> Table:
    """Rank-1 by group of people, of the attack that identifies most people at each density; in %."""
    points = [point for point in reversed(curves.worst) if point.groups]
    if not points:
        return Table((), (), ())
    names = {group.name: group.people for group in points[0].groups}
    rows = []
    for point in points:
        known = {group.name: group for group in point.groups}
        rates = (group_rate_text(known.get(name)) for name in names)
        rows.append((level_name(point.density), f"{point.model}, {point.attack}", *rates))
    labels = (f"{name} ({people} people)" for name, people in names.items())
    return Table((), ("pixel density", "worst attack", *labels), tuple(rows))


def people_table(curves: RangeCurves) -> Table:
    """Share of whole people detected and AP50, raw and captured, by their height in pixels."""
    captured = {each.low: each for each in curves.people}
    rows = []
    for raw in curves.raw_people:
        mine = captured.get(raw.low)
        detected, ap50 = (None, None) if mine is None else (mine.detected, mine.ap50)
        label = f"{raw.low:.0f} to {raw.high:.0f}", f"{raw.density:.0f}", str(raw.detected.n)
        rates = interval(raw.detected), interval(detected), percent(raw.ap50), percent(ap50)
        rows.append((*label, *rates))
    header = ("height, pixels", "px/m", "people", "detected raw, %", "captured, %", "AP50 raw, %", "captured, %")
    return Table((), header, tuple(rows))


def range_rows(curves: RangeCurves, camera: FieldOfView) -> Table:
    """Densities and distances at which the curves cross the stated rates."""
    rows = []
    for limit in LIMITS:
        label = f"rank-1 at most {100 * limit:g} %"
        rows.append((label, *(_beyond(protected_up_to(side, limit), camera) for side in (curves.raw, curves.worst))))
    for share in SHARES:
        label = f"{100 * share:g} % of people detected"
        sides = (curves.raw_people, curves.people)
        rows.append((label, *(_within(detected_from(side, share), camera) if side else GAP for side in sides)))
    zones = (_zone(curves.raw, curves.raw_people), _zone(curves.worst, curves.people))
    rows.append(("zone: density at rank-1 10 % over density at 50 % detected", *zones))
    return Table((), (str(camera), "raw", "captured, worst attack"), tuple(rows))


def _zone(points: Sequence[DensityPoint], people: Sequence[HeightClass]) -> str:
    zone = depth(protected_up_to(points, 0.1), detected_from(people, 0.5))
    return GAP if zone is None else f"{zone:.2f}"


def sentence(curves: RangeCurves, camera: FieldOfView, profile: str, limit: float = 0.1) -> str:
    """The sentence for an installer, on the worst attack that was run; empty where nothing was measured."""
    if not curves.worst:
        return ""
    protected = protected_up_to(curves.worst, limit)
    if protected.density is None:
        least = min(point.density for point in curves.worst)
        return (
            f"With {profile} on a camera of {camera}, the strongest attack that was run may identify more than "
            f"{100 * limit:g} % of the people even at {camera.distance(least):.1f} m ({least:g} px/m), the farthest "
            "distance that was tested."
        )
    begin = protected.density
    nearest = min(curves.worst, key=lambda point: abs(log(point.density / begin)))  # fewer people are left far away
    text = (
        f"With {profile} on a camera of {camera}, people farther away than {camera.distance(protected.density):.1f} m "
        f"were not identified by the strongest attack that was run (rank-1 at most {100 * limit:g} % in a gallery of "
        f"{nearest.rank1.n} people)"
    )
    found = detected_from(curves.people, 0.5)
    if curves.people and found.density is not None:
        text += f", and half of them are detected up to {camera.distance(found.density):.1f} m"
    return text + "; nearer than that they can be identified."


def range_json(curves: RangeCurves, camera: FieldOfView) -> dict[str, Any]:
    """Curves and crossings with their distances in metres, for scripts."""

    def place(crossing: Crossing) -> dict[str, Any]:
        metres = None if crossing.density is None else camera.distance(crossing.density)
        return {"density": crossing.density, "metres": metres, "open_ended": crossing.open_ended}

    return {
        "protected_up_to": {f"{limit:g}": place(protected_up_to(curves.worst, limit)) for limit in LIMITS},
        "raw_protected_up_to": {f"{limit:g}": place(protected_up_to(curves.raw, limit)) for limit in LIMITS},
        "detected_from": {f"{share:g}": place(detected_from(curves.people, share)) for share in SHARES},
        "curves": curves.to_json(),
    }


def _beyond(crossing: Crossing, camera: FieldOfView) -> str:
    """From which distance on a rate stays below a limit."""
    if crossing.density is None:
        return "at no tested distance"
    return f"from {camera.distance(crossing.density):.1f} m ({crossing.density:.0f} px/m) on"


def _within(crossing: Crossing, camera: FieldOfView) -> str:
    """Up to which distance people are detected."""
    if crossing.density is None:
        return "at no tested distance"
    sign = "at least " if crossing.open_ended else ""
    return f"up to {sign}{camera.distance(crossing.density):.1f} m ({crossing.density:.0f} px/m)"


def range_figure(curves: RangeCurves, camera: FieldOfView, size: tuple[float, float] = (7.4, 3.9)) -> str | None:
    """Both curves over the distance from a camera, as a data: URI; None where nothing was measured."""
    if not curves.worst:
        return None
    with rc_context(STYLE):
        axes, figure = axes_of(size)
        _draw(axes, curves, camera)
        return svg_uri(figure)


def save_figure(curves: RangeCurves, camera: FieldOfView, path: Path, size: tuple[float, float] = (7.4, 3.9)) -> None:
    """Write the figure to a file; its suffix says which kind.

    Raises:
        CamproError: for a suffix that matplotlib does not write.
    """
    with rc_context(STYLE):
        axes, figure = axes_of(size)
        _draw(axes, curves, camera)
        try:
            figure.savefig(path, dpi=150)
        except ValueError as error:
            raise CamproError("--plot", "a file .png, .svg or .pdf", str(path)) from error


def _draw(axes: Axes, curves: RangeCurves, camera: FieldOfView) -> None:
    lines = (
        (curves.raw, COLOURS[0], "identified, raw, no attack"),
        (curves.no_attack, COLOURS[3], "identified, captured, no attack"),
        (curves.worst, COLOURS[5], "identified, captured, worst attack"),
        (curves.night, COLOURS[6], "identified, night mode"),
    )
    for points, colour, label in lines:
        _line(axes, camera, [(point.density, point.rank1) for point in points], colour, label, "-")
    for classes, colour, label in (
        (curves.raw_people, COLOURS[0], "people detected, raw"),
        (curves.people, COLOURS[1], "people detected, captured"),
    ):
        _line(axes, camera, [(each.density, each.detected) for each in classes], colour, label, "--")
    axes.set(xscale="log", xlabel=f"distance in m ({camera})", ylabel="share, %", ylim=(-2, 102))
    _ticks(axes, camera, sorted({point.density for point in curves.worst}))
    axes.legend(fontsize=7, handlelength=3.5, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _line(
    axes: Axes, camera: FieldOfView, points: Sequence[tuple[float, object]], colour: str, label: str, style: str
) -> None:
    if not points:
        return
    distances = [camera.distance(density) for density, _ in points]
    means, lows, highs = ([100 * getattr(rate, end) for _, rate in points] for end in ("mean", "low", "high"))
    axes.fill_between(distances, lows, highs, color=colour, alpha=0.15, linewidth=0)
    axes.plot(distances, means, style, color=colour, label=label, marker="o", markersize=3, linewidth=1.5)


def _ticks(axes: Axes, camera: FieldOfView, densities: Sequence[float]) -> None:
    """Metres below, and the tested densities above."""
    places = [camera.distance(density) for density in densities]
    axes.set_xticks(places, [f"{place:.3g}" for place in places])
    axes.minorticks_off()
    upper = axes.secondary_xaxis("top")
    upper.set_xticks(places, [f"{density:g}" for density in densities])
    upper.minorticks_off()
    upper.set_xlabel("pixel density in px/m", fontsize=8)
