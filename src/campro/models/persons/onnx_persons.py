"""Person detectors in ONNX files with a card: networks of the YOLO family; they detect, but cannot be trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.boxes import box_convert
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.core.types import Detections, Images
from campro.models.onnx_network import OnnxNetwork
from campro.models.persons.letterbox import letterbox, suppress
from campro.models.persons.person_detector import MIN_SCORE, DetectorCard, TrainableDetector, checked_images
from campro.models.preprocessing import PictureCard, read_picture_card


@dataclass(frozen=True)
class PersonCard(PictureCard):
    """Metadata and preprocessing of a person detector; the input is a letterbox with the picture at the top left."""

    layout: Literal["cells last", "cells first"] = "cells last"
    """First output: (B, 4 + classes, cells), as of YOLOv8 and later, or (B, cells, 5 + classes) with an objectness, as
    of YOLOv5 and of decoded YOLOX. Boxes are centre, width and height in pixels of the input; scores are in [0, 1]."""
    person: int = 0
    """Number of the class "person"."""
    nms_iou: float = 0.65
    """Overlap above which the box of lower score is removed."""

    def _problem(self) -> str:
        if found := super()._problem():
            return found
        if self.layout not in ("cells last", "cells first"):
            return f"layout {self.layout!r:.40} instead of cells last or cells first"
        if not (isinstance(self.person, int) and self.person >= 0 and 0 < self.nms_iou <= 1):
            return f"person {self.person!r:.40} or nms_iou {self.nms_iou!r:.40}"
        return ""


class OnnxPersons(TrainableDetector):
    """See `PersonDetector`; the network runs in ONNX Runtime on the CPU and has no loss."""

    def __init__(self, details: PersonCard, path: Path) -> None:
        digest = file_sha256(path) if path.is_file() else None
        super().__init__(DetectorCard(details.name, details.size, details.licence, details.source, digest))
        self.details = replace(details, weights_sha256=digest)
        self.network = OnnxNetwork(self.details, path)

    @torch.no_grad()
    def detect(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[Detections]:
        """See `PersonDetector.detect`.

        Raises:
            CamproError: if an image has another shape, values outside [0, 1], or the output is not that of the card.
        """
        return [self._persons(picture) for picture in checked_images(images, self.card.name)]

    def _persons(self, picture: Float[Tensor, "3 H W"]) -> Detections:
        (output, *_) = self.network(letterbox([picture], self.card.size))
        boxes, scores = decode_cells(output[0], self.details)
        kept = scores > MIN_SCORE
        corners = box_convert(torch.from_numpy(boxes[kept]), "cxcywh", "xyxy")
        return suppress(picture, corners, torch.from_numpy(scores[kept]), self.card.size, self.details.nms_iou)

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """There is none.

        Raises:
            CamproError: always.
        """
        remedy = "set --adapt-steps 0, or use a detector of `campro models` that is no ONNX file"
        raise CamproError(self.card.name, "a person detector that can be trained", "an ONNX file", remedy)


def decode_cells(
    output: Float[np.ndarray, "..."], card: PersonCard
) -> tuple[Float[np.ndarray, "N 4"], Float[np.ndarray, "N"]]:
    """Boxes (centre, width, height) in pixels of the input, and scores of a person.

    Raises:
        CamproError: for an output of another shape.
    """
    first = 4 if card.layout == "cells last" else 5
    cells = output.T if card.layout == "cells last" else output
    if output.ndim != 2 or cells.shape[1] <= first + card.person:
        raise CamproError(card.name, f"an output of layout {card.layout!r}", str(output.shape), "correct the card")
    scores = cells[:, first + card.person] * (cells[:, 4] if first == 5 else 1.0)
    return np.ascontiguousarray(cells[:, :4]), np.ascontiguousarray(scores)


def load_onnx_persons(weights: Path | str | None, card: PersonCard | Path | None = None) -> OnnxPersons:
    """A person detector from an ONNX file and its card, or the JSON file with the fields of `PersonCard`.

    Raises:
        CamproError: if file or card is missing or malformed.
    """
    if weights is None or card is None:
        raise CamproError("ONNX person detector", "a file and its card", "none", "name it onnx/CARD.json")
    metadata = card if isinstance(card, PersonCard) else read_picture_card(card, PersonCard)
    return OnnxPersons(metadata, Path(weights)).eval()
