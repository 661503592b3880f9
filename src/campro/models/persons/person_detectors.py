"""The table of person detectors. To add one, write a file with its factory and add a line to `PERSON_DETECTORS`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from campro.core.catalogue import locate, locate_first
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.models.persons.onnx_persons import load_onnx_persons
from campro.models.persons.person_detector import DetectorCard, TrainableDetector
from campro.models.persons.torchvision_detectors import TORCHVISION, load_torchvision
from campro.models.persons.ultralytics_detector import load_ultralytics
from campro.models.persons.yolox import YoloxDetector
from campro.models.persons.yolox_net import YoloxShape
from campro.models.persons.yolox_weights import load_weights

Weights = Path | str | None
Factory = Callable[..., TrainableDetector]

LICENCE = "Apache-2.0"
PERSON_WEIGHTS = Path(str(files("campro.models.persons") / "weights" / "campro-person.safetensors"))


def _yolox(name: str, shape: YoloxShape, size: tuple[int, int], default: Callable[[], Path]) -> Factory:
    """Factory of a YOLOX of input `size` (H, W); `default` returns the weight file that "auto" stands for."""

    def make(weights: Weights = "auto") -> YoloxDetector:
        path = None if weights is None else default() if weights == "auto" else Path(weights)
        digest = None if path is None or not path.is_file() else file_sha256(path)
        card = DetectorCard(name, size, LICENCE, "YOLOX (arXiv 2107.08430)", digest)
        detector = YoloxDetector(card, shape, frozen=path is not None)
        if path is not None:
            load_weights(detector.net, path)
        return detector.eval()

    return make


def _yolox_nano() -> Path:
    """The ONNX file that the figures of this project were measured with, or else the publisher's checkpoint."""
    return locate_first("yolox-nano-onnx", "yolox-nano")


PERSON_DETECTORS: dict[str, Factory] = {
    "campro-person": _yolox("campro-person", YoloxShape(0.33, 0.25, True, 1), (320, 320), lambda: PERSON_WEIGHTS),
    "yolox-nano": _yolox("yolox-nano", YoloxShape(0.33, 0.25, True), (416, 416), _yolox_nano),
    "yolox-tiny": _yolox("yolox-tiny", YoloxShape(0.33, 0.375), (416, 416), lambda: locate("yolox-tiny")),
    "yolox-s": _yolox("yolox-s", YoloxShape(0.33, 0.5), (640, 640), lambda: locate("yolox-s")),
    **{name: load_torchvision(name) for name in TORCHVISION},
    "ultralytics": load_ultralytics,
    "onnx": load_onnx_persons,
}
"""Factories by name. A factory takes `weights` (see `load_detector`) and returns a detector in evaluation mode."""


def load_detector(name: str, weights: Weights = "auto", **options: Any) -> TrainableDetector:
    """Load a person detector in evaluation mode.

    Args:
        name: a key of `PERSON_DETECTORS`, or "onnx/CARD.json", which reads the ONNX file of the same name in the same
            folder; fields of the card: `onnx_persons.PersonCard`.
        weights: "auto" for the weights of the package, the catalogue or the library that the model comes from; a path
            for a weight file; None for random weights (for tests).
        options: arguments of the detector's factory.

    Raises:
        CamproError: if the name is unknown, or the weights are missing, damaged or of another network.
    """
    family, _, member = name.partition("/")
    if family == "onnx" and member:
        card = Path(member)
        return load_onnx_persons(card.with_suffix(".onnx") if weights == "auto" else weights, card)
    if name not in PERSON_DETECTORS:
        raise CamproError("person detector", f"one of {', '.join(PERSON_DETECTORS)}", repr(name))
    return PERSON_DETECTORS[name](weights, **options)
