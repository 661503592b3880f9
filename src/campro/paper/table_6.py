"""Table VI: simulated against real captured pictures. Without a camera, a simulated one stands for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from campro.audit.audit_config import ENHANCED
from campro.core.provenance import Origin
from campro.core.typed_json import from_json
from campro.core.types import ImageTransform
from campro.deploy.calibration import FIGURES, Agreement, calibrate, pseudo_ground_truth_ap, similarity
from campro.deploy.shot_pairs import Pair, read_pairs
from campro.deploy.simulated_pairs import take_pairs
from campro.enhance.runner import load_enhancer
from campro.metrics.rates import Ratio
from campro.models.persons import load_detector
from campro.paper.comparison import Comparison, Estimate, Section, Unit
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published

ITEM = "table-6"
KEY, ENHANCED_KEY = {"kind": "calibration"}, {"kind": "enhanced shots"}
PUBLISHED = {"simulated, calibrated": "simulated", "camera": "real"}
"""Row here -> row in published.json, where they differ."""
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


@dataclass(frozen=True)
class EnhancedShots:
    """Protected shots of validation pairs behind the enhancer, against the default shots."""

    agreement: Agreement
    ap: Ratio | None
    """With the detections in the default shots as pseudo ground truth, 0 to 1; None without persons."""


def measure(context: PaperContext) -> None:
    """Take pairs by the simulated camera, calibrate, enhance the validation pairs; a cell for each of both."""
    shots, out = context.config.out / "shots", context.config.out / "calibration"
    if context.run.cell(KEY) is None:
        photos = [scene.path for scene in context.scenes.scenes][: context.sizes.pairs]
        take_pairs(photos, shots, context.profile)
        calibrate(shots / "default", shots / "protected", context.config.profile, out, context.person_detector)
        context.run.write_cell(KEY, figures_of(json.loads((out / FIGURES).read_text())))
    if context.run.cell(ENHANCED_KEY) is not None:
        return
    enhancer = load_enhancer()
    if enhancer.profile.digest == context.profile.digest:
        pairs, _ = read_pairs(shots / "default", shots / "protected", context.profile)
        held_out = json.loads((out / FIGURES).read_text())["validation"]
        validation = [pair for pair in pairs if pair.name in held_out]
        context.run.write_cell(ENHANCED_KEY, enhanced_shots(validation, enhancer, context.person_detector))


def enhanced_shots(pairs: Sequence[Pair], enhancer: ImageTransform, detector: str) -> EnhancedShots:
    """The figures of the protected shots behind an enhancer."""
    enhanced = {pair.name: enhancer(pair.protected) for pair in pairs}
    defaults = [pair.default for pair in pairs]
    found = pseudo_ground_truth_ap(load_detector(detector), pairs, {ENHANCED: lambda pair: enhanced[pair.name]})
    return EnhancedShots(similarity(pairs, enhanced.values(), defaults), _ap(found.get(ENHANCED)))


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
        "the person detector, whose detections in the default shots are the pseudo ground truth. Last: the camera's "
        "pictures behind the enhancer, against the default shots."
    )
    found = cells.value(Calibrated, KEY)
    if found is None:
        return Section(how)
    rows = [
        *_rows("simulated, as configured", found.nominal, None, cells.origin(KEY)),
        *_rows("simulated, calibrated", found.calibrated, found.ap_simulated, cells.origin(KEY)),
        *_rows("camera", None, found.ap_real, cells.origin(KEY)),
    ]
    if (enhanced := cells.value(EnhancedShots, ENHANCED_KEY)) is not None:
        rows += _rows("camera, enhanced", enhanced.agreement, enhanced.ap, cells.origin(ENHANCED_KEY))
    note = (
        f"No camera is at hand: the shots are those of a simulated camera that deviates from the profile "
        f"({found.pairs} validation pairs; persons in their default shots: {found.persons}); see "
        "docs/howto/calibrate.md for your own."
    )
    return Section(how, tuple(rows), notes=(note,))


def _rows(row: str, agreement: Agreement | None, ap: Ratio | None, origin: Origin | None) -> list[Comparison]:
    """The figures of one kind of pictures that were measured."""
    estimates: dict[str, tuple[Unit, Estimate | None]] = {}
    if agreement is not None:
        psnr = None if agreement.psnr is None else Estimate(agreement.psnr)
        estimates = {
            "RMSE": ("levels", Estimate(agreement.rmse)),
            "PSNR": ("dB", psnr),
            "SSIM": ("1", Estimate(agreement.ssim)),
        }
    if ap is not None:
        estimates["AP"] = ("%", Estimate.of(ap))
    paper = PUBLISHED.get(row, row)
    return [
        Comparison(row, name, unit, published(ITEM, paper, name), here, REASON, origin)
        for name, (unit, here) in estimates.items()
    ]
