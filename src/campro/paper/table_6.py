"""Table VI: simulated against real captured pictures. Without a camera, a simulated one stands for it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from campro.core.typed_json import from_json
from campro.deploy.calibration import FIGURES, Agreement, calibrate
from campro.deploy.simulated_pairs import take_pairs
from campro.metrics.rates import Ratio
from campro.paper.comparison import Comparison, Estimate, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published

ITEM = "table-6"
KEY = {"kind": "calibration"}
REASON = "the camera is simulated here: noise and deviations of a model, not of a device"


@dataclass(frozen=True)
class Calibrated:
    """What `campro calibrate` measured on validation pairs."""

    nominal: Agreement
    """Simulated with the profile as configured, against the shots of the camera."""
    calibrated: Agreement
    """Simulated with the calibrated profile."""
    pairs: int
    """Validation pairs."""
    persons: int
    """That the detector finds in the default shots: the pseudo ground truth."""
    ap_real: Ratio | None
    """AP in the camera's protected shots, 0 to 1; None without persons."""
    ap_simulated: Ratio | None


def measure(context: PaperContext) -> None:
    """Take pairs by the simulated camera, calibrate, and keep the figures in one cell."""
    if context.run.cell(KEY) is not None:
        return
    photos = [scene.path for scene in context.scenes.scenes][: context.sizes.pairs]
    shots, out = context.config.out / "shots", context.config.out / "calibration"
    take_pairs(photos, shots, context.profile)
    calibrate(shots / "default", shots / "protected", context.config.profile, out, context.person_detector)
    context.run.write_cell(KEY, figures_of(json.loads((out / FIGURES).read_text())))


def figures_of(document: dict) -> Calibrated:
    """The figures of a calibration.json."""
    found = document.get("pseudo_ground_truth_ap", {})
    return Calibrated(
        from_json(Agreement, document["nominal"], "nominal"),
        from_json(Agreement, document["calibrated"], "calibrated"),
        len(document["validation"]),
        int(found.get("persons", 0)),
        _ap(found.get("real")),
        _ap(found.get("simulated")),
    )


def _ap(found: dict | None) -> Ratio | None:
    return None if found is None else Ratio(float(found["ap"]), *map(float, found["interval"]))


def section(cells: PaperCells) -> Section:
    """Agreement before and after calibration, and AP with pseudo ground truth."""
    how = (
        "How well the simulated captured picture predicts the picture of the camera, on held-out pairs of shots; AP of "
        "the person detector, whose detections in the default shots are the pseudo ground truth."
    )
    found = cells.value(Calibrated, KEY)
    if found is None:
        return Section(how)
    origin, rows = cells.origin(KEY), []
    for row, one in (("simulated, as configured", found.nominal), ("simulated, calibrated", found.calibrated)):
        for name, unit, value in (("RMSE", "levels", one.rmse), ("PSNR", "dB", one.psnr), ("SSIM", "1", one.ssim)):
            here, paper = None if value is None else Estimate(value), published(ITEM, "simulated", name)
            rows.append(Comparison(row, name, unit, paper, here, REASON, origin))  # type: ignore[arg-type]
    for row, share in (("camera", found.ap_real), ("simulated, calibrated", found.ap_simulated)):
        label = f"AP, persons: {found.persons}"
        rows.append(Comparison(row, label, "%", published(ITEM, row, "AP"), Estimate.of(share), REASON, origin))
    note = (
        f"No camera is at hand: the shots are those of a simulated camera that deviates from the profile "
        f"({found.pairs} validation pairs); see docs/howto/calibrate.md for your own."
    )
    return Section(how, tuple(rows), notes=(note,))
