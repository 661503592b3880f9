"""Alignment: rotate, scale and crop a face so that its landmarks lie where an embedder expects them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from skimage.transform import SimilarityTransform

from campro.core.checks import check_rgb8
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.core.types import Images, Rgb8
from campro.models.faces.embedder_card import EmbedderCard, Template
from campro.models.faces.face_detectors import load_face_detector
from campro.models.faces.landmarks import FaceDetector, Interpolation, Points, Scheme

_ARCFACE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
"""Scheme "five" in a crop of 112 x 112 pixels. Source: insightface's ArcFace template."""
_DLIB = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)
"""Scheme "dlib" in units of the side of the chip without padding. Source: dlib, interpolation.h."""
DLIB_SIZE, DLIB_PADDING = 150, 0.25
"""Side in pixels, and padding relative to the side, of the chips that dlib's embedder was trained on."""

_DLIB_IN_ARCFACE = np.array([(80.06, 52.13), (65.71, 53.48), (29.76, 53.33), (44.19, 53.84), (55.58, 80.90)])
_FIVE_IN_DLIB = np.array([(48.44, 46.06), (102.43, 46.51), (75.60, 78.43), (50.48, 100.75), (98.05, 101.17)])
"""Medians over 487 CelebA faces aligned by the other scheme, in pixels: benchmarks/figures/landmark_templates.py."""

FACENET_SCALE = 160 / 112
"""FaceNet has no template of landmarks: it is given boxes of a detector with a margin. The eyes are a third of the crop
apart, as in ArcFace's template."""

TEMPLATES: dict[tuple[Template, Scheme], Points] = {
    ("arcface-112", "five"): _ARCFACE,
    ("arcface-112", "dlib"): _DLIB_IN_ARCFACE,
    ("arcface-112x96", "five"): _ARCFACE - (8, 0),
    ("arcface-112x96", "dlib"): _DLIB_IN_ARCFACE - (8, 0),
    ("facenet-160", "five"): _ARCFACE * FACENET_SCALE,
    ("facenet-160", "dlib"): _DLIB_IN_ARCFACE * FACENET_SCALE,
    ("dlib-150", "five"): _FIVE_IN_DLIB,
    ("dlib-150", "dlib"): (DLIB_PADDING + _DLIB) / (2 * DLIB_PADDING + 1) * DLIB_SIZE,
}
"""Positions (x, y) in pixels of the landmarks of each scheme in each crop."""


def similarity(points: Points, template: Points) -> Float[np.ndarray, "2 3"]:
    """The similarity transform that maps `points` to `template` with the least squared error (Umeyama, PAMI 1991).

    Returns:
        A matrix A (2, 3): rotation and scale in A[:, :2], shift in pixels in A[:, 2].

    Raises:
        CamproError: if the points coincide.
    """
    return _similarity(tuple(points.ravel()), tuple(template.ravel()))


@lru_cache(maxsize=1 << 16)
def _similarity(points: tuple[float, ...], template: tuple[float, ...]) -> Float[np.ndarray, "2 3"]:
    """Cached: all views of a photograph share the matrix, and its estimation takes longer than the crop."""
    estimate = SimilarityTransform.from_estimate(np.reshape(points, (-1, 2)), np.reshape(template, (-1, 2)))
    if not estimate or not np.isfinite(estimate.params).all():
        raise CamproError("align", "five distinct landmarks", str(points), "use another face detector")
    matrix = estimate.params[:2]
    matrix.flags.writeable = False
    return matrix


INTERPOLATION = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}


def crop_with(
    rgb: Rgb8, points: Points, scheme: Scheme, card: EmbedderCard, interpolation: Interpolation = "bilinear"
) -> UInt8[np.ndarray, "h w 3"]:
    """The aligned crop, 8-bit sRGB of size `card.size`, of the face with landmarks `points` in an image.

    Pixels outside the image are black.

    Raises:
        CamproError: if the landmarks coincide.
    """
    matrix = similarity(points, TEMPLATES[card.template, scheme])
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:  # bilinear sampling would skip pixels, so the image is first shrunk by area averaging
        small = cv2.resize(rgb, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA)
        ratio = (small.shape[1] / rgb.shape[1], small.shape[0] / rgb.shape[0])
        # pixel centres: (x + 1/2) * ratio - 1/2
        scaled = (points + 0.5) * ratio - 0.5
        rgb, matrix = small, similarity(scaled, TEMPLATES[card.template, scheme])
    height, width = card.size
    return np.asarray(cv2.warpAffine(rgb, matrix, (width, height), flags=INTERPOLATION[interpolation]))


def align(rgb: Rgb8, card: EmbedderCard, detector: FaceDetector | str = "dlib") -> Images:
    """Aligned crops of all faces of an 8-bit sRGB image for an embedder: (N, 3, h, w) in [0, 1]; N may be 0.

    `detector` is a face detector or a name for `load_face_detector`; detections below its `confident_score` are left
    out.

    Raises:
        CamproError: if the image is not uint8 (H, W, 3), or the detector is unknown.
    """
    check_rgb8(rgb, "align")
    finder = load_face_detector(detector) if isinstance(detector, str) else detector
    faces = [face for face in finder.detect(rgb) if face.score >= finder.confident_score]
    if not faces:
        return torch.zeros(0, 3, *card.size)
    return to_tensor(np.stack([crop_with(rgb, face.points, finder.scheme, card) for face in faces]))
