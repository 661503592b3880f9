"""Calibration of the simulation to a real camera from pairs of shots (CamPro, NDSS 2024, VI-G, Table VI).

Every fourth pair is held out: it is not used by the fit, and all figures are measured on the held-out pairs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float

from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.core.images import read_image, to_tensor, write_image
from campro.core.types import Detections, Rgb8, Scene
from campro.deploy.colour_fit import FIXED_SPREAD, MATRIX_SPREAD, ColourFit, better_fit, fit_colours, fit_gains
from campro.deploy.colour_samples import MIN_SQUARES, Samples, sampled
from campro.deploy.fit_checks import FitChecks, checked, excessive
from campro.deploy.noise_fit import fit_noise
from campro.deploy.shot_pairs import Pair, read_pairs
from campro.isp import Camera, Ccm, IspProfile, MeasuredDegamma, SensorNoise, load_profile
from campro.isp.limits import ccm_of, parts
from campro.isp.profile import CCM_LIMIT
from campro.metrics.detection import score_detections
from campro.metrics.quality import MIN_SIDE, quality
from campro.models.persons import load_detector
from campro.models.persons.person_detector import TrainableDetector, confident_detections

CALIBRATED, FIGURES, COMPARISON = "calibrated.json", "calibration.json", "comparison.png"
HELD_OUT_EVERY = 4
"""One of so many pairs is held out for validation. With fewer pairs, figures are measured on the training pairs."""
SHOWN, HEIGHT = 6, 240
"""Pairs in the comparison picture, and their height in pixels."""


@dataclass(frozen=True)
class Agreement:
    """Similarity of pictures to real shots, mean over pairs; see `campro.metrics.quality`."""

    rmse: float
    """8-bit levels."""
    psnr: float | None
    """dB; None where a picture is equal to its simulation, so that it is infinite."""
    ssim: float
    """-1 to 1."""


@dataclass(frozen=True)
class Calibration:
    """Result of a calibration."""

    profile: IspProfile
    """The calibrated camera: measured tone curve, noise if it could be measured, matrix, gamma curve."""
    training: tuple[str, ...]
    """Names of the pairs that were fitted."""
    validation: tuple[str, ...]
    """Names of the pairs on which the figures are measured."""
    rejected: dict[str, str]
    """Name of an unusable pair -> reason."""
    nominal: Agreement
    """Agreement of the nominal profile: the one that the camera was set to."""
    calibrated: Agreement
    """Agreement of the calibrated colours, without noise."""
    checks: FitChecks
    """Whether the result is reliable."""


def calibrate(default: Path, protected: Path, nominal: str, out: Path, detector: str = "") -> tuple[str, bool]:
    """Fit the simulation, measure its agreement with the camera, and write all files into `out`.

    Args:
        default: Folder of shots with the camera's default parameters.
        protected: Folder of shots of the same scenes with the profile, with the same file names.
        nominal: The profile that the camera was set to: realised.json of `campro deploy`, or a profile's name.
        out: Folder for calibrated.json, calibration.json and comparison.png.
        detector: Person detector for the AP in protected shots, real and simulated, with its detections in the
            default shots as pseudo ground truth; empty for none.

    Returns:
        A summary of several lines, and whether the calibration is reliable.

    Raises:
        CamproError: If no pair is usable, with the reason for each; nothing is written.
    """
    profile = load_profile(nominal)
    pairs, rejected = read_pairs(default, protected, profile)
    if not pairs:
        raise CamproError("calibrate", "pairs of shots of the same scenes", _reasons(rejected), "use a tripod")
    result, validation = _calibrated(pairs, rejected, profile)
    document = _document(result)
    if detector:
        camera = Camera(result.profile)
        views = {"real": lambda pair: pair.protected, "simulated": lambda pair: camera(pair.default)}
        document["pseudo_ground_truth_ap"] = pseudo_ground_truth_ap(load_detector(detector), validation, views)
    result.profile.save(out / CALIBRATED)
    atomic_write(out / FIGURES, json.dumps(document, indent=1, allow_nan=False) + "\n")
    write_image(out / COMPARISON, _comparison(validation, profile, result.profile))
    return _summary(document, out), document["reliable"]


def _reasons(rejected: dict[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in rejected.items())


def _calibrated(pairs: list[Pair], rejected: dict[str, str], nominal: IspProfile) -> tuple[Calibration, list[Pair]]:
    """The result, and the validation pairs."""
    training, validation, samples, fit, kept = _fitted(pairs, rejected, nominal)
    separate = not set(_names(training)) & set(_names(validation))
    held_out, others = sampled(validation, 1), None
    if separate and len(held_out) >= MIN_SQUARES:
        others = fit_colours(held_out, nominal, matrix_spread=FIXED_SPREAD if kept else MATRIX_SPREAD)
    gains = fit_gains(fit.model, held_out).gains
    tone, *rest = fit.model.profile(f"{nominal.name}-calibrated").blocks
    assert isinstance(tone, MeasuredDegamma)
    noise = fit_noise((_original(pair) for pair in training), tone)
    result = Calibration(
        replace(nominal, name=f"{nominal.name}-calibrated", blocks=(tone, *([noise] if noise else []), *rest)),
        tuple(_names(training)),
        tuple(_names(validation)),
        rejected,
        agreement(validation, nominal, gains),
        agreement(validation, IspProfile("colours", (tone, *rest)), gains),
        checked(fit, samples, _names(training), others, kept),
    )
    return result, validation


def _fitted(
    pairs: list[Pair], rejected: dict[str, str], nominal: IspProfile
) -> tuple[list[Pair], list[Pair], Samples, ColourFit, bool]:
    """Training pairs, validation pairs, samples and fit of the training pairs, and whether it keeps the nominal matrix.

    Pairs of excessive gains are rejected.

    Raises:
        CamproError: If no pair is left.
    """
    while pairs:
        held_out = [pair for place, pair in enumerate(pairs) if place % HELD_OUT_EVERY == HELD_OUT_EVERY - 1]
        training = [pair for pair in pairs if pair not in held_out] if held_out else pairs
        samples = sampled(training)
        fit, kept = better_fit(samples, sampled(held_out or pairs, 1), nominal)
        excess = excessive(fit_gains(fit.model, sampled(pairs, 1)))
        if not excess:
            return training, held_out or pairs, samples, fit, kept
        for index, stops in excess.items():
            rejected[pairs[index].name] = f"exposure or white balance differs by {stops:.1f} EV"
        pairs = [pair for index, pair in enumerate(pairs) if index not in excess]
    raise CamproError("calibrate", "pairs of shots with the same exposure", _reasons(rejected), "fix the exposure")


def _names(pairs: Sequence[Pair]) -> list[str]:
    return [pair.name for pair in pairs]


def _original(pair: Pair) -> Rgb8:
    """The default shot at full size and not warped, which would reduce its noise."""
    return pair.default if pair.source is None else read_image(pair.source)


def agreement(pairs: Sequence[Pair], profile: IspProfile, gains: Float[np.ndarray, "pairs 3"]) -> Agreement:
    """Compare default shots through the profile with the real protected shots, where both cover the scene.

    Args:
        pairs: Registered pairs.
        profile: Colours without noise.
        gains: Natural logarithms of the gains of each pair, which are put into the profile's matrix.

    Raises:
        CamproError: See `similarity`.
    """
    simulated = (Camera(_brighter(profile, gain))(pair.default) for pair, gain in zip(pairs, gains))
    return similarity(pairs, simulated, [pair.protected for pair in pairs])


def similarity(pairs: Sequence[Pair], pictures: Iterable[Rgb8], wanted: Sequence[Rgb8]) -> Agreement:
    """Compare a picture of each pair with the wanted one, where both shots cover the scene.

    Raises:
        CamproError: If a side of a shot is shorter than `MIN_SIDE` pixels.
    """
    figures = []
    for pair, picture, target in zip(pairs, pictures, wanted, strict=True):
        if min(pair.default.shape[:2]) < MIN_SIDE:
            raise CamproError(pair.name, f"shots with sides of {MIN_SIDE} pixels or more", str(pair.default.shape[:2]))
        covered = {"covered": torch.from_numpy(pair.covered)}
        one = quality(to_tensor(picture), to_tensor(target), covered)["covered"]
        figures.append((one.rmse, one.psnr, one.ssim))
    rmse, psnr, ssim = np.mean(figures, 0).tolist()
    return Agreement(rmse, psnr if np.isfinite(psnr) else None, ssim)


def _brighter(profile: IspProfile, gains: Float[np.ndarray, "3"]) -> IspProfile:
    """The profile for light with these gains (natural logarithms)."""
    ccm, _ = parts(profile)
    matrix = (np.array(ccm.matrix) * np.exp(gains)).clip(-CCM_LIMIT, CCM_LIMIT)
    new = ccm_of(matrix, np.array(ccm.offsets))
    return replace(profile, blocks=tuple(new if isinstance(block, Ccm) else block for block in profile.blocks))


def pseudo_ground_truth_ap(
    detector: TrainableDetector, pairs: Sequence[Pair], views: Mapping[str, Callable[[Pair], Rgb8]]
) -> dict[str, Any]:
    """AP in views of the pairs, by name; the truth is what the detector finds in the default shots.

    Returns:
        The detector's name, the number of `persons` in the default shots and, if there are any, for each view its
        `ap`, 0 to 1, and the 95 % `interval`.
    """
    with torch.inference_mode():
        truth = [confident_detections(_detections(detector, pair.default)) for pair in pairs]
        found = {name: [_detections(detector, view(pair)) for pair in pairs] for name, view in views.items()}
    scenes = [_scene(pair, one) for pair, one in zip(pairs, truth)]
    persons = int(sum((~one.crowd).sum() for one in truth))
    if not persons:
        return {"detector": detector.card.name, "persons": 0}
    figures = {name: score_detections(scenes, detections) for name, detections in found.items()}
    cells = {name: {"ap": one.ap, "interval": [one.ap_low, one.ap_high]} for name, one in figures.items()}
    return {"detector": detector.card.name, "persons": persons, **cells}


def _detections(detector: TrainableDetector, rgb: Rgb8) -> Detections:
    return detector.detect(list(to_tensor(rgb)))[0]


def _scene(pair: Pair, truth: Detections) -> Scene:
    height, width = pair.default.shape[:2]
    sizes = truth.boxes[:, 2:] - truth.boxes[:, :2]
    return Scene(Path(pair.name), width, height, truth, tuple(sizes.prod(1).tolist()))


def _document(result: Calibration) -> dict[str, Any]:
    noise = next((block for block in result.profile.blocks if isinstance(block, SensorNoise)), None)
    return {
        "training": result.training,
        "validation": result.validation,
        "held_out": not set(result.training) & set(result.validation),
        "rejected": result.rejected,
        "nominal": asdict(result.nominal),
        "calibrated": asdict(result.calibrated),
        "reliable": not result.checks.problems,
        "checks": asdict(result.checks),
        "noise": None if noise is None else {"shot": noise.shot, "read": noise.read},
    }


def _comparison(pairs: Sequence[Pair], nominal: IspProfile, calibrated: IspProfile) -> Rgb8:
    """One row of pictures for each pair: default, nominal, calibrated, real."""
    cameras = [Camera(profile) for profile in (nominal, calibrated)]
    rows = []
    for pair in pairs[:SHOWN]:
        views = [pair.default, *(camera(pair.default) for camera in cameras), pair.protected]
        rows.append(np.hstack([_resized(view) for view in views]))
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows])


def _resized(rgb: Rgb8) -> Rgb8:
    height, width = rgb.shape[:2]
    return np.asarray(cv2.resize(rgb, (max(1, width * HEIGHT // height), HEIGHT), interpolation=cv2.INTER_AREA))


def _summary(document: dict[str, Any], out: Path) -> str:
    held_out = "held out" if document["held_out"] else "not held out: too few pairs"
    lines = [f"{len(document['training'])} training pairs, {len(document['validation'])} validation pairs ({held_out})"]
    lines += [f"rejected {name}: {reason}" for name, reason in document["rejected"].items()]
    for name, words in (("nominal", "nominal profile"), ("calibrated", "calibrated profile")):
        one = document[name]
        psnr = "infinite" if one["psnr"] is None else f"{one['psnr']:.1f} dB"
        lines.append(f"{words}: RMSE {one['rmse']:.1f} levels, PSNR {psnr}, SSIM {one['ssim']:.3f}")
    if document["noise"] is None:
        lines.append("noise: not measured, too few flat areas")
    else:
        lines.append(f"noise: shot {document['noise']['shot']:.2e}, read {document['noise']['read']:.2e}")
    lines += _detection_lines(document.get("pseudo_ground_truth_ap"))
    lines += _check_lines(document["checks"])
    return "\n".join([*lines, f"{out / CALIBRATED}: audit it, or start a design from it (--start)"])


def _check_lines(checks: dict[str, Any]) -> list[str]:
    lines = []
    if checks["matrix_interval"] is not None:
        matrix, curve = (np.array(checks[f"{name}_interval"]) for name in ("matrix", "curve"))
        widths = [float(np.diff(one, axis=0).mean()) for one in (matrix, curve)]
        lines.append("mean width of 95 % bootstrap intervals: matrix {:.3f}, curve {:.3f}".format(*widths))
    if checks["matrix_moved"] is not None:
        lines.append(f"matrix of the validation pairs alone: off by {checks['matrix_moved']:.3f} per entry")
    lines.append(f"residual by place: {checks['local_levels']:.1f} levels")
    lines += [f"note: {note}" for note in checks["notes"]]
    return lines + [f"NOT RELIABLE: {problem}" for problem in checks["problems"]]


def _detection_lines(figures: dict[str, Any] | None) -> list[str]:
    if figures is None:
        return []
    if not figures["persons"]:
        return [f"{figures['detector']} detects no person in the default shots: no AP"]
    cells = (f"{name} {_percent(figures[name])}" for name in ("real", "simulated"))
    heading = f"AP of {figures['detector']} on {figures['persons']} persons detected in the default shots"
    return [f"{heading}: {', '.join(cells)}"]


def _percent(cell: dict[str, Any]) -> str:
    low, high = cell["interval"]
    return f"{100 * cell['ap']:.1f} [{100 * low:.1f}, {100 * high:.1f}] %"
