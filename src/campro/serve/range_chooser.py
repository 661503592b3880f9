"""The range of an audit for a sensor and a lens: what `campro range` prints, for the Results tab.

Input is a run folder whose audit measured rates by pixel density (`campro audit --densities`): curves of (pixels per
metre, upper limit of rank-1) and of (height of a person in pixels, share detected), see `RangeCurves`.
"""

from __future__ import annotations

from pathlib import Path

from campro.core.errors import CamproError
from campro.report import range_page
from campro.report.field_of_view import FieldOfView
from campro.report.findings import Findings
from campro.report.range_curves import RangeCurves

SENSORS = (
    ("1/2.8 inch, 1080p (Sony IMX327)", 1920, 5.57),
    ("1/2.8 inch, 8 MP (Sony IMX415)", 3840, 5.57),
    ("Raspberry Pi 2 (Sony IMX219)", 3280, 3.67),
    ("Raspberry Pi 3 (Sony IMX708)", 4608, 6.45),
    ("Raspberry Pi HQ (Sony IMX477)", 4056, 6.29),
    ("Raspberry Pi 1 (OmniVision OV5647)", 2592, 3.63),
)
"""Name, width in pixels, width of the active area in millimetres. Source: the makers' data sheets."""
MAX_TEXT = 20
"""Longest number in characters."""


def range_of(folder: Path, width: str, sensor_width: str, lens: str) -> dict[str, object]:
    """Sentence, table and figure for a camera; lengths in millimetres, `width` in pixels.

    Raises:
        CamproError: If the audit has no rates by pixel density, or a number cannot be used.
    """
    if max(map(len, (width, sensor_width, lens))) > MAX_TEXT:
        raise CamproError("range", "numbers", "longer texts")
    camera = FieldOfView.of(width, None, lens, sensor_width)
    findings = Findings.read(folder)
    curves = RangeCurves.of(findings)
    if not curves.worst:
        remedy = "run campro audit with --densities into this folder"
        raise CamproError("range", "attacks at several pixel densities", "none in this audit", remedy)
    table = range_page.range_rows(curves, camera)
    return {
        "sentence": range_page.sentence(curves, camera, findings.metadata.profile_name),
        "header": ["", *table.header[1:]],
        "rows": table.rows,
        "figure": range_page.range_figure(curves, camera),
    }
