"""Registered pairs of shots of the same scene by one camera: with its default parameters, and with a profile."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Shaped
from scipy.optimize import linear_sum_assignment

from campro.core.errors import CamproError
from campro.core.images import list_images, read_image
from campro.core.types import Rgb8
from campro.isp import Camera, IspProfile

RATIO, REPROJECTION, FEATURES = 0.8, 3.0, 20
"""Largest ratio of best to second-best distance of a match (Lowe); largest reprojection error in pixels; smallest
number of matches that agree."""
MOST_FEATURES = 4000
"""Features of a picture that are matched: those with the highest contrast."""
MIN_CORRELATION = 0.6
"""Smallest enhanced correlation coefficient of a pair (Evangelidis and Psarakis, IEEE TPAMI 30(10), 2008)."""
MIN_EDGE_CORRELATION = 0.35
"""The same for the strength of edges; pictures of different scenes stay below 0.2."""
MAX_SHIFT = 0.1
"""Largest shift of a corner as a share of the picture's diagonal."""
STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-5)
WORK_SIDE, REGISTER_SIDE = 1600, 800
"""Longer side in pixels to which larger shots are reduced; and that at which they are registered."""
SAME_SHAPE = 0.01
"""Largest relative difference of two aspect ratios that are called the same."""

Homography = Float[np.ndarray, "3 3"]
Features = tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 128"]]
"""Places in pixels, and SIFT descriptors."""


@dataclass(frozen=True)
class Pair:
    """Two shots of one scene, the default shot warped onto the protected one."""

    name: str
    default: Rgb8
    protected: Rgb8
    covered: Bool[np.ndarray, "H W"]
    """Pixels that the warped default shot covers."""
    source: Path | None = None
    """File of the default shot: the noise is measured in it at full size."""


class NoPair(ValueError):
    """Two shots cannot be registered; the message is the reason."""


def read_pairs(default: Path, protected: Path, nominal: IspProfile) -> tuple[list[Pair], dict[str, str]]:
    """Read and register all pairs: by name first, then what is left by content.

    Args:
        default: Folder of shots with default parameters.
        protected: Folder of shots with the profile.
        nominal: The profile that the camera was set to. It makes the default shot similar to the protected one, so
            that features match.

    Returns:
        The registered pairs in the order of their names ("a = b" for shots of different names), and the reason for
        each name without a pair.

    Raises:
        CamproError: If a folder has no pictures.
    """
    shots = {path.stem: path for path in list_images(default)}
    others = {path.stem: path for path in list_images(protected)}
    for folder, found in ((default, shots), (protected, others)):
        if not found:
            raise CamproError("calibrate", "a folder with pictures", str(folder))
    pairs: dict[str, Pair] = {}
    rejected = {name: "it has no counterpart" for name in sorted(set(shots) ^ set(others))}
    for name in sorted(set(shots) & set(others)):
        try:
            pairs[name] = _read_pair(name, shots[name], others[name], nominal)
        except NoPair as reason:
            rejected[name] = str(reason)
    for first, second in _by_content(
        {name: path for name, path in shots.items() if name not in pairs},
        {name: path for name, path in others.items() if name not in pairs},
        nominal,
    ):
        with suppress(NoPair):
            pairs[first] = _read_pair(f"{first} = {second}", shots[first], others[second], nominal)
            for name in (first, second):
                rejected.pop(name, None)
    return [pairs[name] for name in sorted(pairs)], rejected


def _read_pair(name: str, default: Path, protected: Path, nominal: IspProfile) -> Pair:
    return replace(registered(name, read_image(default), read_image(protected), nominal), source=default)


def _by_content(shots: dict[str, Path], others: dict[str, Path], nominal: IspProfile) -> list[tuple[str, str]]:
    """Names of shots that have most features in common, each name at most once."""
    if not shots or not others:
        return []
    camera = Camera(nominal)
    simulated = {name: _features(_grey(camera(_reduced(read_image(path))))) for name, path in shots.items()}
    real = {name: _features(_grey(_reduced(read_image(path)))) for name, path in others.items()}
    common = np.array([[len(_matches(one, other)[0]) for other in real.values()] for one in simulated.values()])
    rows, columns = linear_sum_assignment(-common)
    first, second = list(shots), list(others)
    return [(first[row], second[column]) for row, column in zip(rows, columns) if common[row, column] >= FEATURES]


def registered(
    name: str, default: Rgb8, protected: Rgb8, *profiles: IspProfile, correlated: bool = True, turned: bool = True
) -> Pair:
    """Warp the default shot onto the protected one: by matched features, then by enhanced correlation.

    Shots are reduced to `WORK_SIDE`. A default shot of another size, or turned by 90 degrees, is resized or turned.

    Args:
        name: Name of the pair.
        default: Shot with default parameters.
        protected: Shot with the profile.
        profiles: What the protected camera may run; the profile with most features in common is used.
        correlated: Whether shots that only features register are rejected.
        turned: Whether a default shot may be turned by 90 degrees.

    Raises:
        NoPair: If the shots differ in shape or cannot be registered.
    """
    protected = _reduced(protected, WORK_SIDE)
    height, width = protected.shape[:2]
    failure = NoPair("sizes differ, " + " and ".join(f"{one.shape[1]}x{one.shape[0]}" for one in (default, protected)))
    for turns in (0, 1, 3) if turned else (0,):
        candidate = np.ascontiguousarray(np.rot90(default, turns))
        if abs(candidate.shape[1] * height / (candidate.shape[0] * width) - 1) > SAME_SHAPE:
            continue
        candidate = np.asarray(cv2.resize(candidate, (width, height), interpolation=cv2.INTER_AREA))
        try:
            homography = _homography(candidate, protected, profiles, correlated)
        except NoPair as reason:
            failure = reason
            continue
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpPerspective(candidate, homography, (width, height), flags=flags)
        inside = cv2.warpPerspective(np.full((height, width), 255, np.uint8), homography, (width, height), flags=flags)
        return Pair(name, np.asarray(warped, np.uint8), protected, inside == 255)
    raise failure


def _homography(default: Rgb8, protected: Rgb8, profiles: Sequence[IspProfile], correlated: bool) -> Homography:
    """From pixels of the protected shot to pixels of the default one, which has the same size."""
    small, real = _reduced(default, REGISTER_SIDE), _grey(_reduced(protected, REGISTER_SIDE))
    real_features = _features(real)
    failures, found = [NoPair("too few features in them")], []
    for profile in profiles:
        simulated = _grey(Camera(profile)(small))
        try:
            count, start = _by_features(_features(simulated), real_features, real.shape)
            found.append((count, start, simulated))
        except NoPair as reason:
            failures.append(reason)
    if not found:
        if correlated:
            raise failures[-1]
        return _scaled(_by_gradients(_grey(small), real, failures[-1]), real, protected)
    _, start, simulated = max(found, key=lambda one: one[0])
    try:
        refined = _by_correlation(simulated, real, start)
    except NoPair:
        if correlated:
            raise
        refined = start
    return _scaled(refined, real, protected)


def _scaled(homography: Homography, small: np.ndarray, large: Rgb8) -> Homography:
    """The homography between larger pictures."""
    scale = np.array([large.shape[1] / small.shape[1], large.shape[0] / small.shape[0]])
    larger = np.diag([*scale, 1.0])
    larger[:2, 2] = (scale - 1) / 2  # pixel centres are at whole numbers
    return np.asarray(larger @ homography @ np.linalg.inv(larger))


def _reduced(rgb: Rgb8, side: int = REGISTER_SIDE) -> Rgb8:
    """The picture with a longer side of at most `side` pixels."""
    height, width = rgb.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return rgb
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def _grey(rgb: Rgb8) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def _features(grey: np.ndarray) -> Features:
    sift = cv2.SIFT_create(MOST_FEATURES)  # type: ignore[attr-defined]
    points, descriptors = sift.detectAndCompute(grey, None)
    if descriptors is None:
        return np.zeros((0, 2)), np.zeros((0, 128), np.float32)
    return np.array([one.pt for one in points]), descriptors


def _matches(simulated: Features, real: Features) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both that match each other better than any other by the ratio of Lowe."""
    if min(len(simulated[0]), len(real[0])) < FEATURES:
        return np.zeros(0, int), np.zeros(0, int)
    matches = cv2.BFMatcher().knnMatch(real[1], simulated[1], k=2)
    good = [one[0] for one in matches if len(one) == 2 and one[0].distance < RATIO * one[1].distance]
    return np.array([one.trainIdx for one in good], int), np.array([one.queryIdx for one in good], int)


def _by_features(simulated: Features, real: Features, shape: tuple[int, ...]) -> tuple[int, Homography]:
    """Number of features that agree on a homography from the protected shot to the default one, and the homography."""
    if min(len(simulated[0]), len(real[0])) < FEATURES:
        raise NoPair("too few features in them")
    ours, theirs = _matches(simulated, real)
    if len(ours) < FEATURES:
        raise NoPair(f"only {len(ours)} features in common")
    homography, inliers = cv2.findHomography(real[0][theirs], simulated[0][ours], cv2.RANSAC, REPROJECTION)
    count = 0 if homography is None else int(inliers.sum())
    if count < FEATURES:
        raise NoPair(f"only {count} features agree on the motion")
    height, width = shape
    corners = np.array([[[0, 0], [width, 0], [0, height], [width, height]]], float)
    shift = float(np.linalg.norm(cv2.perspectiveTransform(corners, homography) - corners, axis=-1).max())
    if shift > MAX_SHIFT * np.hypot(height, width):
        raise NoPair(f"the camera moved by {shift / np.hypot(height, width):.0%} of the picture's diagonal")
    return count, np.asarray(homography)


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


def _by_gradients(default: np.ndarray, real: np.ndarray, failure: NoPair) -> Homography:
    """Registration by the strength of edges, whatever their sign: for shots from one place without common features."""
    edges = []
    for grey in (default, real):
        smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.5)
        strength = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
        edges.append(strength / (cv2.GaussianBlur(strength, (0, 0), 15) + 2))
    try:
        correlation, found = cv2.findTransformECC(
            edges[1], edges[0], np.eye(2, 3, dtype=np.float32), cv2.MOTION_EUCLIDEAN, STOP
        )
    except cv2.error:
        raise failure from None
    if correlation < MIN_EDGE_CORRELATION:
        raise failure
    return np.vstack([found, [0, 0, 1]]).astype(float)


def squares(picture: Shaped[np.ndarray, "H W C"], side: int) -> Shaped[np.ndarray, "N pixels C"]:
    """Cut the picture into squares of `side` pixels; remainders at the right and the bottom are dropped."""
    height, width = (length // side * side for length in picture.shape[:2])
    cut = picture[:height, :width].reshape(height // side, side, width // side, side, -1)
    return cut.swapaxes(1, 2).reshape(-1, side * side, picture.shape[2])
