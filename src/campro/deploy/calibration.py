"""Calibrate the simulation against a real camera (CamPro, NDSS 2024, VI-G, Table VI), from pairs of shots.

Every fourth pair is kept aside: the fit never sees it, and figures are about these pairs alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.core.images import to_tensor, write_image
from campro.core.types import Detections, Rgb8, Scene
from campro.deploy.colour_fit import fit_colours, sampled
from campro.deploy.noise_fit import fit_noise
from campro.deploy.shot_pairs import Pair, read_pairs
from campro.isp import Camera, IspProfile, MeasuredDegamma, SensorNoise, load_profile
from campro.metrics.detection import score_detections
from campro.metrics.quality import MIN_SIDE, quality
from campro.models.persons import load_detector
from campro.models.persons.person_detector import TrainableDetector, confident_detections

CALIBRATED, FIGURES, COMPARISON = "calibrated.json", "calibration.json", "comparison.png"
KEPT_ASIDE = 4
"""Every so many pairs one is kept aside; with fewer pairs none is, and figures are of the pairs that were fitted."""
SHOWN, HEIGHT = 6, 240
"""Pairs in the comparison, and their height there."""


@dataclass(frozen=True)
class Agreement:
    """How like the real protected shots simulated ones are, mean over pairs; see `campro.metrics.quality`."""

    rmse: float
    psnr: float
    ssim: float


@dataclass(frozen=True)
class Calibration:
    """What was found; `calibrated` is the whole simulated camera, noise included."""

    calibrated: IspProfile
    fitted: tuple[str, ...]
    judged: tuple[str, ...]
    rejected: dict[str, str]
    told: Agreement
    """Of the profile as the camera was told to run it."""
    found: Agreement
    """Of the calibrated one."""


def calibrate(default: Path, protected: Path, told: str, out: Path, detector: str = "") -> str:
    """Fit, judge, and write all files into `out`; returns a summary for people.

    `told` is the profile that the camera was set to: realised.json of `campro deploy`. With a detector, also pseudo
    ground truth AP: what it finds in default shots is the truth for protected ones, real and simulated.

    Raises:
        CamproError: where no pair can be used, with the reason for each; nothing is written then.
    """
    profile = load_profile(told)
    pairs, rejected = read_pairs(default, protected, profile)
    if not pairs:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in rejected.items())
        raise CamproError("calibrate", "pairs of shots of the same scenes", reasons, "use a tripod")
    result, judged = _calibrated(pairs, rejected, profile)
    document = _document(result)
    if detector:
        document["pseudo_ground_truth_ap"] = _detection(load_detector(detector), judged, result.calibrated)
    result.calibrated.save(out / CALIBRATED)
    atomic_write(out / FIGURES, json.dumps(document, indent=1, allow_nan=False) + "\n")
    write_image(out / COMPARISON, _comparison(judged, profile, result.calibrated))
    return _summary(document, out)


def _calibrated(pairs: list[Pair], rejected: dict[str, str], told: IspProfile) -> tuple[Calibration, list[Pair]]:
    aside = [pair for place, pair in enumerate(pairs) if place % KEPT_ASIDE == KEPT_ASIDE - 1]
    fitted = [pair for pair in pairs if pair not in aside] if aside else pairs
    judged = aside or pairs
    colours = fit_colours(sampled(fitted), told)
    tone, *rest = colours.blocks
    assert isinstance(tone, MeasuredDegamma)
    noise = fit_noise((pair.default for pair in fitted), tone)
    blocks = (tone, *([noise] if noise else []), *rest)
    result = Calibration(
        replace(colours, blocks=blocks),
        tuple(pair.name for pair in fitted),
        tuple(pair.name for pair in judged),
        rejected,
        agreement(judged, told),
        agreement(judged, colours),
    )
    return result, judged


def agreement(pairs: Sequence[Pair], profile: IspProfile) -> Agreement:
    """Default shots seen through the profile, against the real protected shots."""
    camera, rows = Camera(profile), []
    for pair in pairs:
        if min(pair.default.shape[:2]) < MIN_SIDE:
            raise CamproError(pair.name, f"shots with sides of {MIN_SIDE} pixels or more", str(pair.default.shape[:2]))
        simulated, real = to_tensor(camera(pair.default)), to_tensor(pair.protected)
        found = quality(simulated, real, {"covered": torch.from_numpy(pair.covered)})["covered"]
        rows.append((found.rmse, found.psnr, found.ssim))
    rmse, psnr, ssim = np.mean(rows, 0).tolist()
    return Agreement(rmse, psnr, ssim)


def _detection(detector: TrainableDetector, pairs: Sequence[Pair], calibrated: IspProfile) -> dict[str, Any]:
    """AP in protected shots, real and simulated, of what the detector finds in default shots."""
    camera = Camera(calibrated)
    with torch.inference_mode():
        truth = [confident_detections(_found(detector, pair.default)) for pair in pairs]
        real = [_found(detector, pair.protected) for pair in pairs]
        simulated = [_found(detector, camera(pair.default)) for pair in pairs]
    scenes = [_scene(pair, one) for pair, one in zip(pairs, truth)]
    persons = int(sum((~one.crowd).sum() for one in truth))
    if not persons:
        return {"detector": detector.card.name, "persons": 0}
    figures = {name: score_detections(scenes, found) for name, found in (("real", real), ("simulated", simulated))}
    cells = {name: {"ap": one.ap, "interval": [one.ap_low, one.ap_high]} for name, one in figures.items()}
    return {"detector": detector.card.name, "persons": persons, **cells}


def _found(detector: TrainableDetector, rgb: Rgb8) -> Detections:
    return detector.detect(list(to_tensor(rgb)))[0]


def _scene(pair: Pair, truth: Detections) -> Scene:
    height, width = pair.default.shape[:2]
    sizes = truth.boxes[:, 2:] - truth.boxes[:, :2]
    return Scene(Path(pair.name), width, height, truth, tuple(sizes.prod(1).tolist()))


def _document(result: Calibration) -> dict[str, Any]:
    noise = next((block for block in result.calibrated.blocks if isinstance(block, SensorNoise)), None)
    return {
        "fitted": result.fitted,
        "judged": result.judged,
        "kept_aside": not set(result.fitted) & set(result.judged),
        "rejected": result.rejected,
        "as_told": asdict(result.told),
        "calibrated": asdict(result.found),
        "noise": None if noise is None else {"shot": noise.shot, "read": noise.read},
    }


def _comparison(pairs: Sequence[Pair], told: IspProfile, calibrated: IspProfile) -> Rgb8:
    """A row a pair: default, as told, calibrated, real."""
    cameras = [Camera(profile) for profile in (told, calibrated)]
    rows = []
    for pair in pairs[:SHOWN]:
        views = [pair.default, *(camera(pair.default) for camera in cameras), pair.protected]
        rows.append(np.hstack([_sized(view) for view in views]))
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows])


def _sized(rgb: Rgb8) -> Rgb8:
    height, width = rgb.shape[:2]
    return np.asarray(cv2.resize(rgb, (max(1, width * HEIGHT // height), HEIGHT), interpolation=cv2.INTER_AREA))


def _summary(document: dict[str, Any], out: Path) -> str:
    aside = "kept aside" if document["kept_aside"] else "the same ones: too few to keep any aside"
    lines = [f"{len(document['fitted'])} pairs fitted, {len(document['judged'])} judged ({aside})"]
    lines += [f"rejected {name}: {reason}" for name, reason in document["rejected"].items()]
    for name, words in (("as_told", "simulated as told"), ("calibrated", "calibrated")):
        one = document[name]
        lines.append(f"{words}: RMSE {one['rmse']:.1f} levels, PSNR {one['psnr']:.1f} dB, SSIM {one['ssim']:.3f}")
    if document["noise"] is None:
        lines.append("noise: nowhere flat enough to tell")
    else:
        lines.append(f"noise: shot {document['noise']['shot']:.2e}, read {document['noise']['read']:.2e}")
    lines += _detection_lines(document.get("pseudo_ground_truth_ap"))
    return "\n".join([*lines, f"{out / CALIBRATED}: audit it, or design from it with --start"])


def _detection_lines(figures: dict[str, Any] | None) -> list[str]:
    if figures is None:
        return []
    if not figures["persons"]:
        return [f"{figures['detector']} finds nobody in the default shots: no AP"]
    cells = (f"{name} {_percent(figures[name])}" for name in ("real", "simulated"))
    return [f"AP of {figures['detector']} on {figures['persons']} persons that it finds by default: {', '.join(cells)}"]


def _percent(cell: dict[str, Any]) -> str:
    low, high = cell["interval"]
    return f"{100 * cell['ap']:.1f} [{100 * low:.1f}, {100 * high:.1f}] %"
