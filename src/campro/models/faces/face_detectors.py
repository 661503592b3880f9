"""The table of face detectors. To add one, write a class in a file and add a line to `FACE_DETECTORS`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from campro.core.catalogue import asset, locate
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.types import Rgb8
from campro.models.faces.landmarks import Face, FaceDetector, Scheme
from campro.models.faces.onnx_detectors import CenterfaceFaces, ScrfdFaces
from campro.models.faces.retinaface import RetinaFaces


class DlibFaces:
    """dlib's HOG detector of frontal faces and its five-point predictor; packages contain all weights (CC0)."""

    name = "dlib"
    scheme: Scheme = "dlib"
    confident_score = 0.3
    UPSAMPLE, ADJUST = 1, -0.3
    """Times that the image is doubled (faces of 40 pixels are then detected), and the change of the threshold. The
    threshold is below dlib's own, because in a portrait an uncertain detection is better than none."""
    LARGE = 1000
    """Longest side in pixels from which on an image is not doubled."""

    def __init__(self) -> None:
        import dlib  # imported here because it is slow to import

        path = locate("shape_predictor_5_face_landmarks.dat")
        self._hog, self._points = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(path))
        self.digest = json_digest(["dlib", dlib.__version__, file_sha256(path), self.UPSAMPLE, self.ADJUST, self.LARGE])

    def detect(self, rgb: Rgb8) -> list[Face]:
        """See `FaceDetector.detect`."""
        upsample = self.UPSAMPLE if max(rgb.shape[:2]) < self.LARGE else 0
        boxes, scores, _ = self._hog.run(np.ascontiguousarray(rgb), upsample, self.ADJUST)
        faces = []
        for box, score in zip(boxes, scores):
            shape = self._points(rgb, box)
            points = np.array([(shape.part(i).x, shape.part(i).y) for i in range(5)], dtype=np.float64)
            faces.append(Face((box.left(), box.top(), box.right() + 1, box.bottom() + 1), float(score), points))
        return faces


class YunetFaces:
    """YuNet, run by OpenCV; its weights are one ONNX file.

    Source: Wu et al., YuNet: A Tiny Millisecond-level Face Detector (Machine Intelligence Research 2023).

    Raises:
        CamproError: For a missing or damaged ONNX file.
    """

    name = "yunet"
    scheme: Scheme = "five"
    SCORE, NMS = 0.6, 0.3
    confident_score = SCORE

    KNOWN = frozenset(str(asset(name).sha256) for name in ("yunet", "yunet-320"))
    """SHA-256 of the files that OpenCV runs without a crash."""

    def __init__(self, weights: Path | None = None) -> None:
        self.path = path = weights or locate("yunet")
        if not path.is_file():
            raise CamproError(str(path), "YuNet's weights", "no such file")
        digest = file_sha256(path)
        if digest not in self.KNOWN:
            _try_in_child(path)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # hides a warning about its default backend
        try:
            self._net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), self.SCORE, self.NMS)
        except cv2.error as error:
            raise CamproError(
                str(path), "YuNet's weights", str(error.err or error)[:120], "get the file again"
            ) from error
        self.digest = json_digest(["yunet", cv2.__version__, digest, self.SCORE, self.NMS])

    def detect(self, rgb: Rgb8) -> list[Face]:
        """See `FaceDetector.detect`."""
        self._net.setInputSize((rgb.shape[1], rgb.shape[0]))
        _, detections = self._net.detect(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        return [_yunet_face(values) for values in ([] if detections is None else detections)]


_TRIAL = """
import sys
import cv2
import numpy as np
net = cv2.FaceDetectorYN.create(sys.argv[1], "", (320, 320), 0.6, 0.3)
for height, width in ((320, 320), (64, 96), (250, 250), (480, 641)):
    net.setInputSize((width, height))
    net.detect(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))
"""
TRIAL_S = 60.0
"""Seconds after which the trial of a file has failed."""


def _try_in_child(path: Path) -> None:
    """Load a file and detect on noise in another process: OpenCV ends a process (SIGFPE) on some damaged files.

    Raises:
        CamproError: if the trial fails.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TRIAL, str(path)], capture_output=True, text=True, timeout=TRIAL_S, check=False
        )
        lines = [f"a crash of OpenCV (signal {-done.returncode})"] if done.returncode < 0 else done.stderr.split("\n")
        reason = None if done.returncode == 0 else next((one for one in reversed(lines) if one.strip()), "an error")
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = type(error).__name__
    if reason is not None:
        remedy = "get the file again"
        raise CamproError(str(path), "YuNet's weights", " ".join(reason.split())[:120], remedy)


def _yunet_face(values: Float[np.ndarray, "15"]) -> Face:
    """Decode box (x, y, width, height), landmarks and score."""
    x, y, width, height = (float(v) for v in values[:4])
    return Face((x, y, x + width, y + height), float(values[14]), values[4:14].reshape(5, 2).astype(np.float64))


FACE_DETECTORS: dict[str, Callable[..., FaceDetector]] = {
    "dlib": DlibFaces,
    "yunet": YunetFaces,
    "retinaface": RetinaFaces,
    "scrfd": ScrfdFaces,
    "centerface": CenterfaceFaces,
}
"""Classes by name. "scrfd" and "centerface" need the path of their ONNX file; "yunet" and "retinaface" accept one."""


@lru_cache
def load_face_detector(name: str) -> FaceDetector:
    """Load a face detector: a key of `FACE_DETECTORS`, or "FAMILY/FILE" for all but "dlib".

    Raises:
        CamproError: if the name is unknown, or the file is missing or of another network.
    """
    family, _, file = name.partition("/")
    if family not in FACE_DETECTORS or (file and family == "dlib"):
        raise CamproError("face detector", f"one of {', '.join(FACE_DETECTORS)}", repr(name))
    if not file and family in ("scrfd", "centerface"):
        raise CamproError(f"face detector {family}", f"{family}/FILE.onnx", repr(name))
    return FACE_DETECTORS[family](Path(file)) if file else FACE_DETECTORS[family]()
