"""The table of person detectors: to add one, write one file and add one line here."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from campro.core.catalogue import locate
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
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


def _yolox(name: str, shape: YoloxShape, size: tuple[int, int], own: Callable[[], Path]) -> Factory:
    """A factory of one size of YOLOX; `own` finds the weights that "auto" stands for."""

    def make(weights: Weights = "auto") -> YoloxDetector:
        path = None if weights is None else own() if weights == "auto" else Path(weights)
        digest = None if path is None or not path.is_file() else file_sha256(path)
        card = DetectorCard(name, size, LICENCE, "YOLOX (arXiv 2107.08430)", digest)
        detector = YoloxDetector(card, shape, frozen=path is not None)
        if path is not None:
            load_weights(detector.net, path)
        return detector.eval()

    return make


PERSON_DETECTORS: dict[str, Factory] = {
    "campro-person": _yolox("campro-person", YoloxShape(0.33, 0.25, True, 1), (320, 320), lambda: PERSON_WEIGHTS),
    "yolox-nano": _yolox("yolox-nano", YoloxShape(0.33, 0.25, True), (416, 416), lambda: locate("yolox-nano")),
    "yolox-tiny": _yolox("yolox-tiny", YoloxShape(0.33, 0.375), (416, 416), lambda: locate("yolox-tiny-official")),
    "yolox-s": _yolox("yolox-s", YoloxShape(0.33, 0.5), (640, 640), lambda: locate("yolox-s-official")),
    **{name: load_torchvision(name) for name in TORCHVISION},
    "ultralytics": load_ultralytics,
}


def load_detector(name: str, weights: Weights = "auto", **options: Any) -> TrainableDetector:
    """A person detector of the table in eval mode.

    `weights`: "auto" takes the ones that the package, the catalogue or the model's own package has; a path takes that
    file; None draws random ones (for tests). `options` go to the model's factory.
    """
    if name not in PERSON_DETECTORS:
        raise CamproError("person detector", f"one of {', '.join(PERSON_DETECTORS)}", repr(name))
    return PERSON_DETECTORS[name](weights, **options)
