"""`campro range`: at which distance from a camera people are identified, and up to which they are detected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from campro.core.errors import CamproError

EXAMPLE = "campro range runs/audit --sensor 1920x1080 --lens 4mm --sensor-width 5.6mm --plot range.png"


@dataclass(frozen=True)
class Config:
    """Turn the rates by pixel density of an audit into metres from your camera. The audit needs `--densities`."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder of an audit."""
    sensor: str = "1920x1080"
    """Delivered picture in pixels, WIDTHxHEIGHT or the width alone."""
    hfov: float | None = None
    """Horizontal angle of view in degrees; or give --lens and --sensor-width."""
    lens: str | None = None
    """Focal length, as in 4mm."""
    sensor_width: str | None = None
    """Width of the sensor's active area, as in 5.6mm."""
    plot: Path | None = None
    """Picture file (PNG, SVG, PDF) of both curves over the distance."""
    json: bool = False
    """Print densities, distances and curves as JSON."""


def run(config: Config) -> None:
    """Print the sentence and the tables; write the picture where one is asked for."""
    import json

    from campro.core.typed_json import as_plain
    from campro.report import range_page
    from campro.report.field_of_view import FieldOfView
    from campro.report.findings import Findings
    from campro.report.range_curves import RangeCurves
    from campro.report.tables import as_markdown

    camera = FieldOfView.of(config.sensor, config.hfov, config.lens, config.sensor_width)
    findings = Findings.read(config.run)
    curves = RangeCurves.of(findings)
    if not curves.worst:
        remedy = "run `campro audit` with --densities into this folder"
        raise CamproError(str(config.run), "attacks at several pixel densities", "none", remedy)
    if config.plot is not None:
        range_page.save_figure(curves, camera, config.plot)
    if config.json:
        print(json.dumps(as_plain({"camera": camera} | range_page.range_json(curves, camera)), indent=1))
        return
    print(range_page.sentence(curves, camera, findings.metadata.profile_name) + "\n")
    for table in (
        range_page.range_rows(curves, camera),
        range_page.density_table(curves),
        range_page.density_group_table(curves),
        range_page.people_table(curves),
    ):
        print(as_markdown(table))
    if masks := as_markdown(range_page.mask_table(findings, curves)):
        print("For comparison, privacy masks on the faces that a detector finds in raw pictures:\n\n" + masks)
