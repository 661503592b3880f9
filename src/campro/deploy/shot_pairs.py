"""Registered pairs of shots of the same scene by one camera: with its default parameters, and with a profile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Shaped

from campro.core.errors import CamproError
from campro.core.images import list_images, read_image
from campro.core.types import Rgb8
from campro.isp import Camera, IspProfile

RATIO, REPROJECTION, FEATURES = 0.8, 3.0, 20
"""Largest ratio of best to second-best distance of a match (Lowe); largest reprojection error in pixels; smallest
number of matches that agree."""
MIN_CORRELATION = 0.6
"""Smallest enhanced correlation coefficient of a pair (Evangelidis and Psarakis, IEEE TPAMI 30(10), 2008)."""
MAX_SHIFT = 0.1
"""Largest shift of a corner as a share of the picture's diagonal."""
STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-6)

Homography = Float[np.ndarray, "3 3"]


@dataclass(frozen=True)
class Pair:
    """Two shots of one scene, the default shot warped onto the protected one."""

    name: str
    default: Rgb8
    protected: Rgb8
    covered: Bool[np.ndarray, "H W"]
    """Pixels that the warped default shot covers."""


class NoPair(ValueError):
    """Two shots cannot be registered; the message is the reason."""


def read_pairs(default: Path, protected: Path, nominal: IspProfile) -> tuple[list[Pair], dict[str, str]]:
    """Read and register all pairs.

    Args:
        default: Folder of shots with default parameters.
        protected: Folder of shots with the profile; the same file name means the same scene.
        nominal: The profile that the camera was set to. It makes the default shot similar to the protected one, so
            that features match.

    Returns:
        The registered pairs in the order of their names, and the reason for each rejected name.

    Raises:
        CamproError: If a folder has no pictures, or no name is in both folders.
    """
    shots = {path.stem: path for path in list_images(default)}
    others = {path.stem: path for path in list_images(protected)}
    common = sorted(set(shots) & set(others))
    if not common:
        raise CamproError(
            "calibrate", "pictures of the same names in both folders", "none", "name a scene's shots alike"
        )
    rejected = {name: "it has no counterpart" for name in sorted(set(shots) ^ set(others))}
    pairs = []
    for name in common:
        try:
            pairs.append(registered(name, read_image(shots[name]), read_image(others[name]), nominal))
        except NoPair as reason:
            rejected[name] = str(reason)
    return pairs, rejected


def registered(name: str, default: Rgb8, protected: Rgb8, nominal: IspProfile) -> Pair:
    """Warp the default shot onto the protected one: by matched features, then by enhanced correlation.

    Raises:
        NoPair: If the shots differ in size or cannot be registered.
    """
    if default.shape != protected.shape:
        sizes = " and ".join(f"{shape[1]}x{shape[0]}" for shape in (default.shape, protected.shape))
        raise NoPair(f"sizes differ, {sizes}")
    simulated, real = _grey(Camera(nominal)(default)), _grey(protected)
    homography = _by_correlation(simulated, real, _by_features(simulated, real))
    height, width = real.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(default, homography, (width, height), flags=flags)
    inside = cv2.warpPerspective(np.full((height, width), 255, np.uint8), homography, (width, height), flags=flags)
    return Pair(name, np.asarray(warped, np.uint8), protected, inside == 255)


def _grey(rgb: Rgb8) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def _by_features(simulated: np.ndarray, real: np.ndarray) -> Homography:
    """Homography from the protected shot to the default one."""
    sift = cv2.SIFT_create()  # type: ignore[attr-defined]
    (points, features), (real_points, real_features) = (sift.detectAndCompute(one, None) for one in (simulated, real))
    if features is None or real_features is None or min(len(points), len(real_points)) < FEATURES:
        raise NoPair("too few features in them")
    matches = cv2.BFMatcher().knnMatch(real_features, features, k=2)
    good = [one[0] for one in matches if len(one) == 2 and one[0].distance < RATIO * one[1].distance]
    if len(good) < FEATURES:
        raise NoPair(f"only {len(good)} features in common")
    start = np.array([real_points[one.queryIdx].pt for one in good])
    end = np.array([points[one.trainIdx].pt for one in good])
    homography, inliers = cv2.findHomography(start, end, cv2.RANSAC, REPROJECTION)
    count = 0 if homography is None else int(inliers.sum())
    if count < FEATURES:
        raise NoPair(f"only {count} features agree on the motion")
    height, width = real.shape
    corners = np.array([[[0, 0], [width, 0], [0, height], [width, height]]], float)
    shift = float(np.linalg.norm(cv2.perspectiveTransform(corners, homography) - corners, axis=-1).max())
    if shift > MAX_SHIFT * np.hypot(height, width):
        raise NoPair(f"the camera moved by {shift:.0f} pixels")
    return np.asarray(homography)


def _by_correlation(simulated: np.ndarray, real: np.ndarray, start: Homography) -> Homography:
    try:
        correlation, refined = cv2.findTransformECC(
            real, simulated, start.astype(np.float32), cv2.MOTION_HOMOGRAPHY, STOP
        )
    except cv2.error as error:
        raise NoPair("they cannot be registered") from error
    if correlation < MIN_CORRELATION:
        raise NoPair(f"their correlation is {correlation:.2f}")
    return np.asarray(refined, float)


def squares(picture: Shaped[np.ndarray, "H W C"], side: int) -> Shaped[np.ndarray, "N pixels C"]:
    """Cut the picture into squares of `side` pixels; remainders at the right and the bottom are dropped."""
    height, width = (length // side * side for length in picture.shape[:2])
    cut = picture[:height, :width].reshape(height // side, side, width // side, side, -1)
    return cut.swapaxes(1, 2).reshape(-1, side * side, picture.shape[2])
