"""Pairs of shots of the same scene, by the same camera: with its default parameters, and with a profile in it."""

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
"""Lowe's ratio of best to second best match; pixels that a match may be off; matches that must agree."""
LIKENESS = 0.6
"""Correlation from which two pictures show the same (Evangelidis and Psarakis, IEEE TPAMI 30(10), 2008)."""
MOVED = 0.1
"""Largest shift of a corner, as a share of the picture's diagonal."""
STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-6)

Homography = Float[np.ndarray, "3 3"]


@dataclass(frozen=True)
class Pair:
    """Two shots, the default one moved to where the other has the same things."""

    name: str
    default: Rgb8
    protected: Rgb8
    covered: Bool[np.ndarray, "H W"]
    """Where the default shot reaches."""


class NoPair(ValueError):
    """Why two shots are no pair."""


def read_pairs(default: Path, protected: Path, guess: IspProfile) -> tuple[list[Pair], dict[str, str]]:
    """Registered pairs by file name, and for the others why they were rejected.

    `guess` is the profile that the camera was told to use: seen through it the default shot looks like the other.

    Raises:
        CamproError: where a folder has no pictures, or no name is in both.
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
            pairs.append(registered(name, read_image(shots[name]), read_image(others[name]), guess))
        except NoPair as reason:
            rejected[name] = str(reason)
    return pairs, rejected


def registered(name: str, default: Rgb8, protected: Rgb8, guess: IspProfile) -> Pair:
    """Move the default shot onto the other one: matched features, then enhanced correlation.

    Raises:
        NoPair: where they do not show the same.
    """
    if default.shape != protected.shape:
        sizes = " and ".join(f"{shape[1]}x{shape[0]}" for shape in (default.shape, protected.shape))
        raise NoPair(f"sizes differ, {sizes}")
    expected, seen = _grey(Camera(guess)(default)), _grey(protected)
    move = _by_features(expected, seen)
    move = _by_correlation(expected, seen, move)
    height, width = seen.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpPerspective(default, move, (width, height), flags=flags)
    inside = cv2.warpPerspective(np.full((height, width), 255, np.uint8), move, (width, height), flags=flags)
    return Pair(name, np.asarray(moved, np.uint8), protected, inside == 255)


def _grey(rgb: Rgb8) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def _by_features(expected: np.ndarray, seen: np.ndarray) -> Homography:
    """From places in the protected shot to places in the default one."""
    sift = cv2.SIFT_create()  # type: ignore[attr-defined]
    (places, marks), (seen_places, seen_marks) = (sift.detectAndCompute(one, None) for one in (expected, seen))
    if marks is None or seen_marks is None or min(len(places), len(seen_places)) < FEATURES:
        raise NoPair("too little to see in them")
    matches = cv2.BFMatcher().knnMatch(seen_marks, marks, k=2)
    good = [one[0] for one in matches if len(one) == 2 and one[0].distance < RATIO * one[1].distance]
    if len(good) < FEATURES:
        raise NoPair(f"only {len(good)} features in common")
    start = np.array([seen_places[one.queryIdx].pt for one in good])
    end = np.array([places[one.trainIdx].pt for one in good])
    move, agree = cv2.findHomography(start, end, cv2.RANSAC, REPROJECTION)
    found = 0 if move is None else int(agree.sum())
    if found < FEATURES:
        raise NoPair(f"only {found} features agree on how they moved")
    height, width = seen.shape
    corners = np.array([[[0, 0], [width, 0], [0, height], [width, height]]], float)
    shift = float(np.linalg.norm(cv2.perspectiveTransform(corners, move) - corners, axis=-1).max())
    if shift > MOVED * np.hypot(height, width):
        raise NoPair(f"the camera moved by {shift:.0f} pixels")
    return np.asarray(move)


def _by_correlation(expected: np.ndarray, seen: np.ndarray, move: Homography) -> Homography:
    try:
        likeness, refined = cv2.findTransformECC(seen, expected, move.astype(np.float32), cv2.MOTION_HOMOGRAPHY, STOP)
    except cv2.error as error:
        raise NoPair("they cannot be brought together") from error
    if likeness < LIKENESS:
        raise NoPair(f"their correlation is {likeness:.2f}")
    return np.asarray(refined, float)


def squares(picture: Shaped[np.ndarray, "H W C"], side: int) -> Shaped[np.ndarray, "N pixels C"]:
    """The picture cut into squares; what is left over at the right and below is dropped."""
    height, width = (length // side * side for length in picture.shape[:2])
    cut = picture[:height, :width].reshape(height // side, side, width // side, side, -1)
    return cut.swapaxes(1, 2).reshape(-1, side * side, picture.shape[2])
