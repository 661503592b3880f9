"""Tables I, III and IV of CamPro from the cells of an audit, as rows of text for the page and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campro.audit.audit_config import RAW
from campro.audit.experiments import LEFT_OUT_KEY
from campro.report.findings import Findings

RANKS = ("rank1", "rank5", "rank50")
DETECTION_COLUMNS = ("ap", "ap50", "ap75", "precision", "recall", "f1")
INTERVAL = ("ap_low", "ap_high")
RATE = ("mean", "low", "high")
GAP = "–"
"""Stands where the audit has no figure."""


@dataclass(frozen=True)
class Table:
    """A table as the page shows it: `groups` are (label, number of columns) over the header."""

    groups: tuple[tuple[str, int], ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 in percent, without the sign."""
    return GAP if share is None else f"{100 * share:.{digits}f}"


def interval(rate: Mapping[str, Any] | None) -> str:
    """A rate and its interval in %."""
    if rate is None:
        return GAP
    mean, low, high = (percent(rate[part]) for part in RATE)
    return f"{mean} [{low}, {high}]"


def identification_table(findings: Findings) -> Table:
    """Table I: a row per face model and matcher, per view the rates at rank 1 (± sd over draws), 5 and 50, in %."""
    views, meta = findings.views, findings.meta
    rows = []
    for model in meta["models"]:
        for matcher in meta["matchers"]:
            cells = [findings.identification(model, view, matcher) for view in views]
            label = f"{model} *" if model == meta["white_box"] else model
            rows.append((label, matcher, *(text for cell in cells for text in _rates(cell))))
    groups = (("", 2), *((view, len(RANKS)) for view in views))
    return Table(groups, ("face model", "matcher", *(("rank 1", "5", "50") * len(views))), tuple(rows))


def _rates(cell: dict[str, Any] | None) -> list[str]:
    if cell is None:
        return [GAP] * len(RANKS)
    first = f"{percent(cell['rank1']['mean'])} ± {percent(cell['rank1']['sd'])}"
    return [first, *(percent(cell[rank]["mean"]) for rank in RANKS[1:])]


def face_finding_table(findings: Findings) -> Table:
    """A row per face detector: queries in which it finds no face; then per model: rank-1 of found faces, in %."""
    finders = [
        (f"no face found, {name}", *(interval(_missed(findings.faces_found(name, view))) for view in findings.views))
        for name in findings.face_detectors
    ]
    ends = [(f"rank 1 end to end, {model}", *_ends(findings, model)) for model in findings.meta["models"]]
    return Table((), ("", *findings.views), (*finders, *(ends if finders else ())))


def _ends(findings: Findings, model: str) -> list[str]:
    cells = [findings.end_to_end(model, view) for view in findings.views]
    return [interval(cell and cell["rank1"]) for cell in cells]


def _missed(found: Mapping[str, Any] | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {"mean": 1 - found["mean"], "low": 1 - found["high"], "high": 1 - found["low"]}


def detection_table(findings: Findings) -> Table:
    """Table III: a row per view and detector; AP, precision, recall and F1 in %, and AP as % of the best raw AP."""
    rows = []
    for adapted in (False, True) if findings.adapted else (False,):
        for view in findings.views:
            cell = findings.detection(view, adapted)
            figures = [percent(cell["scores"][name]) if cell else GAP for name in DETECTION_COLUMNS]
            if cell:
                low, high = (percent(cell["scores"][name]) for name in INTERVAL)
                figures[0] += f" [{low}, {high}]"
            rows.append(
                ("adapted" if adapted else "as given", view, *figures, percent(findings.kept(view, adapted), 0))
            )
    header = ("detector", "view", "AP", "AP50", "AP75", "precision", "recall", "F1", "% of raw AP")
    return Table((), header, tuple(rows))


def quality_table(findings: Findings) -> Table:
    """Table IV: a row per view and region; RMSE in levels, PSNR in dB, SSIM and MS-SSIM, against raw pictures."""
    rows = []
    for view in findings.views:
        for region, cell in findings.quality(view).items():
            digits = {"rmse": 1, "psnr": 1, "ssim": 3, "ms_ssim": 3}
            figures = [GAP if cell[name] is None else f"{cell[name]:.{digit}f}" for name, digit in digits.items()]
            rows.append((view, region, *figures, str(cell["pictures"])))
    return Table((), ("view", "region", "RMSE", "PSNR", "SSIM", "MS-SSIM", "pictures"), tuple(rows))


def left_out_table(findings: Findings) -> Table:
    """A row per face detector: how much of the faces that it finds in raw pictures the enhancer blackens."""
    rows = []
    for name, cell in (findings.get(LEFT_OUT_KEY) or {}).items():
        low, high = (percent(cell["whole"][end]) for end in ("low", "high"))
        whole = f"{percent(cell['whole']['mean'])} [{low}, {high}]"
        rows.append((name, str(cell["faces"]), percent(cell["area"]), whole))
    return Table((), ("face detector", "faces", "% of their area", "% of faces, 9/10 or more of each"), tuple(rows))


def identification_csv(findings: Findings) -> str:
    """One line per face model, matcher and view: shares of 1 in full precision."""
    rows = []
    for model in findings.meta["models"]:
        for matcher in findings.meta["matchers"]:
            for view in findings.views:
                if cell := findings.identification(model, view, matcher):
                    figures = [cell[rank][part] for rank in RANKS for part in ("mean", "sd", "low", "high")]
                    rows.append([model, matcher, view, cell["people"], len(cell["repeats"]), *figures])
    names = [f"{rank}_{part}" for rank in RANKS for part in ("mean", "sd", "low", "high")]
    return as_csv(["model", "matcher", "view", "people", "repeats", *names], rows)


def face_finding_csv(findings: Findings) -> str:
    """One line per face detector or face model and view: shares of 1 in full precision."""
    rows = [
        [what, name, view, *(cell[part] for part in RATE)]
        for view in findings.views
        for what, name, cell in (
            *(("found", name, findings.faces_found(name, view)) for name in findings.face_detectors),
            *(("end to end", m, (findings.end_to_end(m, view) or {}).get("rank1")) for m in findings.meta["models"]),
        )
        if cell
    ]
    return as_csv(["figure", "by", "view", "mean", "low", "high"], rows)


def detection_csv(findings: Findings) -> str:
    """One line per view and detector: shares of 1 in full precision."""
    rows = []
    for adapted in (False, True):
        for view in findings.views:
            if cell := findings.detection(view, adapted):
                kept = findings.kept(view, adapted)
                rows.append([view, adapted, *(cell["scores"][name] for name in (*DETECTION_COLUMNS, *INTERVAL)), kept])
    return as_csv(["view", "adapted", *DETECTION_COLUMNS, *INTERVAL, f"ap_over_best_{RAW}_ap"], rows)


def quality_csv(findings: Findings) -> str:
    """One line per view and region, in full precision."""
    names = ("rmse", "psnr", "ssim", "ms_ssim", "pictures")
    rows = [
        [view, region, *(cell[name] for name in names)]
        for view in findings.views
        for region, cell in findings.quality(view).items()
    ]
    return as_csv(["view", "region", *names], rows)


def as_csv(header: list[str], rows: list[list[Any]]) -> str:
    """Rows under a header, as the text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
