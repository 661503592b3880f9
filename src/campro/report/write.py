"""One self-contained page from the cells of an audit, and the same figures as JSON and CSV."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.experiments import LEAST_PEOPLE, LEFT_OUT_KEY
from campro.audit.thumbnails import CHART_KEY, FACES_KEY, SCENES_KEY
from campro.core.atomic_io import atomic_write
from campro.report import group_tables, tables
from campro.report import plots as figures
from campro.report.findings import Findings
from campro.report.pages import page

SHOWN_SCORE = 0.4
"""Detections from this score on are drawn on the sheet of scenes."""


TABLES = (
    tables.identification_table,
    tables.detection_table,
    tables.quality_table,
    tables.left_out_table,
    tables.face_finding_table,
    group_tables.group_table,
)
"""In the order in which the page shows them."""


def write_report(run_folder: Path) -> Path:
    """Write report.html, report.json and tables/*.csv into the run folder; returns the path of the page.

    Reads nothing but the run folder, so it works wherever that is copied to.

    Raises:
        CamproError: where the folder holds no audit.
    """
    findings = Findings.read(Path(run_folder))
    folder = findings.folder
    for name, text in (
        ("tables/identification.csv", tables.identification_csv(findings)),
        ("tables/face_finding.csv", tables.face_finding_csv(findings)),
        ("tables/groups.csv", group_tables.group_csv(findings)),
        ("tables/detection.csv", tables.detection_csv(findings)),
        ("tables/quality.csv", tables.quality_csv(findings)),
        ("report.json", report_json(findings)),
        ("report.html", render(findings)),
    ):
        atomic_write(folder / name, text)
    return folder / "report.html"


def report_json(findings: Findings) -> str:
    """Headline, what was audited and with what, and all figures."""
    cells = {
        "identification": [
            {"model": model, "matcher": matcher, "view": view} | cell
            for model in findings.meta["models"]
            for matcher in findings.meta["matchers"]
            for view in findings.views
            if (cell := findings.identification(model, view, matcher))
        ],
        "detection": [
            {"view": view, "adapted": adapted, "ap_kept": findings.kept(view, adapted)} | cell["scores"]
            for adapted in (False, True)
            for view in findings.views
            if (cell := findings.detection(view, adapted))
        ],
        "faces_found": [
            {"detector": name, "view": view} | cell
            for name in findings.face_detectors
            for view in findings.views
            if (cell := findings.faces_found(name, view))
        ],
        "end_to_end": [
            {"model": model, "view": view} | cell
            for model in findings.meta["models"]
            for view in findings.views
            if (cell := findings.end_to_end(model, view))
        ],
        "groups": group_tables.group_cells(findings),
        "left_out": findings.get(LEFT_OUT_KEY),
        "quality": {view: findings.quality(view) for view in findings.views},
    }
    document = {"headline": findings.headline(), "audited": findings.meta, "provenance": findings.stamp} | cells
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def render(findings: Findings) -> str:
    """The page as HTML."""
    curves = findings.meta["curves"]
    return page(
        "report.html",
        meta=findings.meta,
        stamp=findings.stamp,
        head=findings.headline(),
        raw=RAW,
        captured=CAPTURED,
        missing=findings.missing,
        tables=[make(findings) for make in TABLES],
        gamma=figures.gamma_curves(curves["gamma"]) if curves["gamma"] else None,
        ccm=figures.ccm_map(curves["ccm"]) if curves["ccm"] else None,
        chart=_chart(findings),
        faces=_faces(findings),
        scenes=_scenes(findings),
        shown_score=SHOWN_SCORE,
        least_people=LEAST_PEOPLE,
        cmc=figures.cmc_curves(findings),
        colours={view: figures.colour_of(findings, view) for view in findings.views},
        trade_off=figures.trade_off(findings),
    )


def _chart(findings: Findings) -> dict[str, str] | None:
    cell = findings.get(CHART_KEY)
    return None if cell is None else {name: _uri(findings, cell[name]) for name in (RAW, CAPTURED)}


def _faces(findings: Findings) -> dict[str, Any] | None:
    """Per row of the sheet (gallery, then each view): a picture per person, with similarity and rank."""
    cell = findings.get(FACES_KEY)
    if cell is None:
        return None
    people = cell["people"]
    rows = [
        (view, [person["views"][view] | {"uri": _uri(findings, person["views"][view]["file"])} for person in people])
        for view in findings.views
    ]
    return {"model": cell["model"], "gallery": [_uri(findings, person["gallery"]) for person in people], "rows": rows}


def _scenes(findings: Findings) -> list[dict[str, Any]] | None:
    """Per scene and view the picture, the true boxes and those that the (adapted, if it was) detector found."""
    cell = findings.get(SCENES_KEY)
    if cell is None:
        return None
    found = {view: findings.detection(view, findings.adapted) for view in findings.views}
    sheet = []
    for i, scene in enumerate(cell["scenes"]):
        views = []
        for view in findings.views:
            boxes = (found[view] or {"boxes": {i: []}})["boxes"][i]
            seen = [box for box in boxes if box[4] >= SHOWN_SCORE]
            views.append({"name": view, "uri": _uri(findings, scene["views"][view]), "boxes": seen})
        sheet.append({name: scene[name] for name in ("width", "height", "truth")} | {"views": views})
    return sheet


def _uri(findings: Findings, file: str) -> str:
    return figures.png_uri(findings.folder / file)
