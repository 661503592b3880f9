"""One self-contained page from the cells of an audit, and the same figures as JSON and CSV."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.results import MIN_GROUP, AttackResult
from campro.audit.thumbnails import (
    FACE_CELLS,
    PROTECTED_FACES,
    PROTECTED_SCENES,
    SCENE_CELLS,
    FaceThumbnails,
    SceneThumbnail,
    pixelated,
)
from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.core.images import read_image
from campro.core.typed_json import as_plain
from campro.report import attack_plots, attack_tables, group_tables, plots, range_page, tables
from campro.report.field_of_view import DOME
from campro.report.findings import Findings, plain_origin
from campro.report.headline import headline
from campro.report.pages import page
from campro.report.range_curves import RangeCurves

SHOWN_SCORE = 0.4
"""Detections from this score on are drawn on the scenes."""


def write_report(run_folder: Path, show_faces: bool = False) -> Path:
    """Write report.html, report.json and tables/*.csv into the run folder; returns the path of the page.

    Reads nothing but the run folder, so it works wherever that is copied to. Unless `show_faces`, the people of the
    photographs are pixelated in the page, outside the views that protect them.

    Raises:
        CamproError: where the folder holds no audit, or a picture of the page is damaged or outside the folder.
    """
    folder = Path(run_folder)
    try:
        texts = _texts(Findings.read(folder), show_faces)
    except CamproError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
        remedy = "the run folder is damaged or of another version: run the audit again into another one"
        raise CamproError(f"report of {folder}", "cells that fit together", reason, remedy) from error
    for name, text in texts.items():
        atomic_write(folder / name, text)
    return folder / "report.html"


def _texts(findings: Findings, show_faces: bool) -> dict[str, str]:
    """The text of each file of a report, by its path in the run folder."""
    return {
        "tables/attacks.csv": tables.attack_csv(findings),
        "tables/identification.csv": tables.identification_csv(findings),
        "tables/face_detection.csv": tables.face_detection_csv(findings),
        "tables/groups.csv": group_tables.group_csv(findings),
        "tables/person_detection.csv": tables.person_detection_csv(findings),
        "tables/quality.csv": tables.quality_csv(findings),
        "report.json": report_json(findings),
        "report.html": render(findings.labelled(), show_faces),
    }


def report_json(findings: Findings) -> str:
    """Headline, what was audited and with what, and all figures."""
    document = {
        "headline": headline(findings),
        "audited": findings.metadata,
        "origins": [plain_origin(origin) | {"cells": count} for origin, count in findings.origins.values()],
        "attacks": [
            {"model": row.model, "attack": row.attack, "threat_model": row.threat_model, "given": row.given}
            | {"best_run": row.best_run, "rank1": row.rank1, "control": row.control, "verdict": row.verdict}
            | {"protected": attack_tables.protection(row)}
            | {"runs": [{"run": run.name} | as_plain(_with_supported_rates(run.result)) for run in row.runs]}
            for row in findings.attacks
        ],
        "identification": [
            {"model": model, "matcher": matcher, "view": view} | as_plain(result)
            for model, matcher, view, result in tables.identification_results(findings)
        ],
        "person_detection": tables.scores_json(findings),
        "face_detection": [
            {"detector": name, "view": view} | as_plain(rate)
            for name in findings.metadata.face_detectors
            for view in findings.views
            if (rate := findings.face_detection(name, view))
        ],
        "end_to_end": [
            {"model": model, "view": view} | as_plain(result)
            for model in findings.models
            for view in findings.views
            if (result := findings.end_to_end(model, view))
        ],
        "range": RangeCurves.of(findings).to_json(),
        "remaining_information": findings.remaining_information,
        "groups": group_tables.group_json(findings),
        "faces_left_out": findings.faces_left_out,
        "quality": {view: findings.quality(view) for view in findings.views},
    }
    return json.dumps(as_plain(document), indent=1, allow_nan=False) + "\n"


def _with_supported_rates(result: AttackResult) -> AttackResult:
    """The result without FNIR at rates for which there are too few non-mated searches."""
    return replace(result, open_set=tuple(point for point in result.open_set if point.supported))


def render(findings: Findings, show_faces: bool = False) -> str:
    """The page as HTML.

    Raises:
        CamproError: for a picture that is damaged or outside the run folder.
    """
    curves, head = findings.metadata.curves, headline(findings)
    rows, distance = findings.attacks, RangeCurves.of(findings)
    return page(
        "report.html",
        written=written_on(),
        meta=findings.metadata,
        head=head,
        models=findings.models,
        raw=RAW,
        captured=CAPTURED,
        origins=findings.origins,
        dirty=any(origin.dirty for origin, _ in findings.origins.values()),
        range_camera=DOME,
        range_sentence=range_page.sentence(distance, DOME, head.profile),
        range_figure=range_page.range_figure(distance, DOME),
        range_rows=range_page.range_rows(distance, DOME),
        range_table=range_page.density_table(distance),
        range_masks=range_page.mask_table(findings, distance),
        range_groups=range_page.density_group_table(distance),
        range_people=range_page.people_table(distance),
        information=findings.remaining_information,
        threat_models=attack_tables.threat_model_table(head.threat_models),
        attacks=attack_tables.attack_table(rows),
        attack_notes=[(row, note) for row in rows if (note := attack_tables.scaling_note(row))],
        extrapolation=attack_tables.extrapolation_table(rows),
        linking=attack_tables.linking_table(rows),
        attack_groups=group_tables.attack_group_table(rows),
        trainings=attack_tables.training_table(rows),
        scaling=attack_plots.scaling(rows),
        training_curves=attack_plots.training_curves(rows),
        errors=attack_plots.error_trade_off(rows),
        identification=tables.identification_table(findings),
        face_detection=tables.face_detection_table(findings),
        groups=group_tables.group_table(findings),
        person_detection=tables.person_detection_table(findings),
        quality=tables.quality_table(findings),
        left_out=tables.left_out_table(findings),
        gamma=plots.gamma_curves(curves.gamma) if curves.gamma else None,
        ccm=plots.ccm_map(curves.ccm) if curves.ccm else None,
        chart=_chart(findings),
        faces=_faces(findings, show_faces),
        scenes=_scenes(findings, show_faces),
        show_faces=show_faces,
        shown_score=SHOWN_SCORE,
        min_group=MIN_GROUP,
        cmc=plots.cmc_curves(findings),
        colours={view: plots.colour_of(findings, view) for view in findings.views},
        trade_off=plots.trade_off(findings),
    )


def written_on() -> str:
    """The date of the page (ISO 8601): today in UTC, or that of the variable SOURCE_DATE_EPOCH, in seconds."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() else datetime.now(UTC)
    return moment.date().isoformat()


def _chart(findings: Findings) -> dict[str, str] | None:
    files = findings.value(dict[str, str], cell_keys.COLOUR_CHART)
    return None if files is None else {name: _uri(findings, files[name]) for name in (RAW, CAPTURED) if name in files}


def _faces(findings: Findings, show_faces: bool) -> dict[str, Any] | None:
    """Gallery pictures, and per view a picture per person with similarity and rank."""
    found = findings.value(FaceThumbnails, cell_keys.FACE_THUMBNAILS)
    if found is None:
        return None
    cells = {view: None if show_faces or view in PROTECTED_FACES else FACE_CELLS for view in findings.views}
    rows = [
        (view, [(who.views[view], _uri(findings, who.views[view].file, cells[view])) for who in found.people])
        for view in findings.views
        if all(view in who.views for who in found.people)
    ]
    gallery = [_uri(findings, who.gallery, None if show_faces else FACE_CELLS) for who in found.people]
    return {"model": found.model, "gallery": gallery, "rows": rows, "recognisable": found.recognisable}


def _scenes(findings: Findings, show_faces: bool) -> list[dict[str, Any]] | None:
    """Per scene and view the picture, the true boxes, and those of the person detector (adapted, if it was)."""
    found = findings.value(tuple[SceneThumbnail, ...], cell_keys.SCENE_THUMBNAILS)
    if not found:
        return None
    results = {view: findings.best_detection(view) for view in findings.views}
    shown = []
    for i, scene in enumerate(found):
        views = []
        for view, result in results.items():
            boxes = () if result is None or i >= len(result[1].boxes) else result[1].boxes[i]
            drawn = [box for box in boxes if box[4] >= SHOWN_SCORE]
            cells = None if show_faces or view in PROTECTED_SCENES else SCENE_CELLS
            if view in scene.views:
                views.append({"name": view, "uri": _uri(findings, scene.views[view], cells), "boxes": drawn})
        shown.append({"width": scene.width, "height": scene.height, "truth": scene.truth, "views": views})
    return shown


def _uri(findings: Findings, file: str, cells: int | None = None) -> str:
    """A picture of the run folder as a data: URI, pixelated to `cells` unless that is None.

    A run folder of somebody else may name any file: only pictures inside the folder are read, and only their pixels
    enter the page.
    """
    try:
        path = (findings.folder / file).resolve()
        inside = path.is_relative_to(findings.folder.resolve()) and path.suffix == ".png"
        missing = inside and not path.exists()
    except (OSError, ValueError, RuntimeError):  # no file can have this name, or a loop of links
        inside = missing = False
    if missing:
        raise CamproError(f"report of {findings.folder}", file, "no such file", "copy the run folder with its pictures")
    if not inside or not path.is_file():
        remedy = "do not use this run folder: its cells name files outside of it"
        raise CamproError(f"report of {findings.folder}", "pictures inside the run folder", repr(file)[:80], remedy)
    rgb = read_image(path)
    return plots.png_uri(rgb if cells is None else pixelated(rgb, cells))
