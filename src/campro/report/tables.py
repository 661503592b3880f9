"""Tables I, III and IV of CamPro, and those of face detection, from the cells of an audit: for the page and as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, astuple, dataclass
from typing import Any

from campro.audit import cell_keys
from campro.audit.audit_config import RAW
from campro.audit.results import IdentificationResult, PersonDetectionResult
from campro.report.findings import Findings
from campro.report.text import GAP, interval, kept, percent

RANKS = ("rank1", "rank5", "rank50")
SCORES = ("ap", "ap50", "ap75", "precision", "recall", "f1")
AP_INTERVAL = ("ap_low", "ap_high")
RATE = ("mean", "low", "high")
RATE_AND_SD = ("mean", "sd", "low", "high")
DIGITS = {"rmse": 1, "psnr": 1, "ssim": 3, "ms_ssim": 3}
"""Of image quality figures."""


@dataclass(frozen=True)
class Table:
    """A table as the page shows it: `groups` are (label, number of columns) over the header."""

    groups: tuple[tuple[str, int], ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def as_markdown(table: Table) -> str:
    """A table for the terminal and for pages in Markdown; empty for a table without rows."""
    if not table.rows:
        return ""
    lines = [table.header, ("---",) * len(table.header), *table.rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def identification_table(findings: Findings) -> Table:
    """Table I: per face model, matcher and view the rates at rank 1 (± sd over trials), 5 and 50, in %.

    A view is a row, so that the table stays narrow however many views there are.
    """
    rows = []
    for model in findings.models:
        label = f"{model} *" if model == findings.metadata.white_box else model
        for matcher in findings.matchers:
            found = [(label, view, matcher, *_rates(findings, model, view, matcher)) for view in findings.views]
            if any(text != GAP for row in found for text in row[3:]):
                rows += found
    return Table((), ("face model", "view", "matcher", "rank 1", "5", "50"), tuple(rows))


def _rates(findings: Findings, model: str, view: str, matcher: str) -> list[str]:
    result = findings.identification(model, view, matcher)
    if result is None:
        return [GAP] * len(RANKS)
    mark = findings.mark(cell_keys.identification(model, view, matcher))
    first = f"{percent(result.rank1.mean)} ± {percent(result.rank1.sd)}{mark}"
    return [first, percent(result.rank5.mean), percent(result.rank50.mean)]


def face_detection_table(findings: Findings) -> Table:
    """Per face detector the share of probes without a detected face; per model rank-1 of detected faces; in %."""
    views, detectors = findings.views, findings.metadata.face_detectors
    missed = [(f"face not detected, {name}", *(_missed(findings, name, view) for view in views)) for name in detectors]
    ends = [(f"rank 1 of detected faces, {model}", *_ends(findings, model)) for model in findings.models]
    rows = [row for row in (*missed, *ends) if any(text != GAP for text in row[1:])]
    return Table((), ("", *views), tuple(rows))


def _missed(findings: Findings, detector: str, view: str) -> str:
    rate = findings.face_detection(detector, view)
    return interval(rate and rate.complement) + findings.mark(cell_keys.face_detection(detector, view))


def _ends(findings: Findings, model: str) -> list[str]:
    results = [(view, findings.end_to_end(model, view)) for view in findings.views]
    return [
        interval(None if result is None else result.rank1) + findings.mark(cell_keys.end_to_end(model, view))
        for view, result in results
    ]


def person_detection_table(findings: Findings) -> Table:
    """Table III: per view and detector AP, precision, recall and F1 in %, and AP as % of the best raw AP."""
    rows = []
    for adapted in (False, True):
        for view in findings.views:
            result = findings.person_detection(view, adapted)
            if result is None:
                continue
            figures = [percent(getattr(result, name)) for name in SCORES]
            mark = findings.mark(cell_keys.person_detection(view, adapted))
            figures[0] += f" [{percent(result.ap_low)}, {percent(result.ap_high)}]{mark}"
            share = GAP if view == RAW else kept(findings.kept(view, adapted))
            rows.append((_detector_kind(result, adapted), view, *figures, share))
    header = ("detector", "view", "AP", "AP50", "AP75", "precision", "recall", "F1", "% of raw AP")
    return Table((), header, tuple(rows))


def _detector_kind(result: PersonDetectionResult, adapted: bool) -> str:
    """Whether the detector is adapted, and which candidate of the adaptation was best on held-out photographs."""
    if not adapted:
        return "as given"
    return "adapted" if result.adaptation is None else f"adapted: {result.adaptation.chosen}"


def quality_table(findings: Findings) -> Table:
    """Table IV: per view and region RMSE in levels, PSNR in dB, SSIM and MS-SSIM, against raw pictures."""
    rows = []
    for view in findings.views:
        for region, result in findings.quality(view).items():
            values = [(getattr(result, name), digits) for name, digits in DIGITS.items()]
            figures = [GAP if value is None else f"{value:.{digits}f}" for value, digits in values]
            mark = findings.mark(cell_keys.image_quality(view))
            rows.append((view, region, *figures, f"{result.pictures}{mark}"))
    return Table((), ("view", "region", "RMSE", "PSNR", "SSIM", "MS-SSIM", "pictures"), tuple(rows))


def left_out_table(findings: Findings) -> Table:
    """Per face detector: how much of the faces that it finds in raw pictures the enhancer removes."""
    mark = findings.mark(cell_keys.FACES_LEFT_OUT)
    rows = [
        (name, str(one.faces), percent(one.area), interval(one.whole) + mark)
        for name, one in findings.faces_left_out.items()
    ]
    return Table((), ("face detector", "faces", "% of their area", "% of faces, 9/10 or more of each"), tuple(rows))


def identification_csv(findings: Findings) -> str:
    """One line per face model, matcher and view: shares of 1 in full precision."""
    rows = []
    for model, matcher, view, result in identification_results(findings):
        figures = [getattr(getattr(result, rank), part) for rank in RANKS for part in RATE_AND_SD]
        rows.append([model, matcher, view, result.people, len(result.trials), *figures])
    names = [f"{rank}_{part}" for rank in RANKS for part in RATE_AND_SD]
    return as_csv(["model", "matcher", "view", "people", "trials", *names], rows)


def identification_results(findings: Findings) -> list[tuple[str, str, str, IdentificationResult]]:
    """(face model, matcher, view, result) of all that was measured."""
    return [
        (model, matcher, view, result)
        for model in findings.models
        for matcher in findings.matchers
        for view in findings.views
        if (result := findings.identification(model, view, matcher)) is not None
    ]


def face_detection_csv(findings: Findings) -> str:
    """One line per face detector or face model and view: shares of 1 in full precision."""
    rows: list[list[Any]] = []
    for view in findings.views:
        for name in findings.metadata.face_detectors:
            if rate := findings.face_detection(name, view):
                rows.append(["face detected", name, view, rate.mean, rate.low, rate.high])
        for model in findings.models:
            if result := findings.end_to_end(model, view):
                rate = result.rank1
                rows.append(["rank-1 of detected faces", model, view, rate.mean, rate.low, rate.high])
    return as_csv(["figure", "by", "view", *RATE], rows)


def person_detection_csv(findings: Findings) -> str:
    """One line per view and detector: shares of 1 in full precision."""
    rows = []
    for adapted in (False, True):
        for view in findings.views:
            if result := findings.person_detection(view, adapted):
                figures = [getattr(result, name) for name in (*SCORES, *AP_INTERVAL)]
                kind = _detector_kind(result, adapted)
                rows.append([view, adapted, *figures, findings.kept(view, adapted), kind])
    return as_csv(["view", "adapted", *SCORES, *AP_INTERVAL, f"ap_over_best_{RAW}_ap", "detector"], rows)


def quality_csv(findings: Findings) -> str:
    """One line per view and region, in full precision."""
    rows = [
        [view, region, *astuple(result)] for view in findings.views for region, result in findings.quality(view).items()
    ]
    return as_csv(["view", "region", *DIGITS, "pictures"], rows)


def attack_csv(findings: Findings) -> str:
    """One line per run of an attack: shares of 1 in full precision."""
    rows = [
        [
            *(row.model, row.attack, row.threat_model, run.name, camera, result.best_matcher),
            *astuple(result.rank1)[:3],
            *(result.converged, result.training_images, run.origin.label),
        ]
        for row in findings.attacks
        for camera, runs in (("captured", row.runs), ("control", row.controls))
        for run in runs
        for result in (run.result,)
    ]
    header = ["model", "attack", "threat_model", "run", "camera", "matcher", *(f"rank1_{part}" for part in RATE)]
    return as_csv([*header, "converged", "training_images", "commit"], rows)


def as_csv(header: list[str], rows: list[list[Any]]) -> str:
    """Rows under a header, as the text of a CSV file in which no spreadsheet program finds a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_plain_text(value) for value in row] for row in [header, *rows]])
    return text.getvalue()


def _plain_text(value: Any) -> Any:
    """Text in one line, behind an apostrophe if a spreadsheet program would take it for a formula; other values stay.

    Source: OWASP, CSV Injection.
    """
    if not isinstance(value, str):
        return value
    line = " ".join(value.splitlines()).replace("\t", " ")
    return f"'{line}" if line.lstrip().startswith(("=", "+", "-", "@")) else line


def scores_json(findings: Findings) -> list[dict[str, Any]]:
    """Person detection of every view for report.json, without boxes."""
    found = []
    for adapted in (False, True):
        for view in findings.views:
            if result := findings.person_detection(view, adapted):
                scores = {name: value for name, value in asdict(result).items() if name != "boxes"}
                place = {"view": view, "adapted": adapted, "ap_kept": findings.kept(view, adapted)}
                found.append(place | scores)
    return found
