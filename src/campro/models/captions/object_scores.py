"""Which objects a photograph shows: the highest score of each class of COCO, by YOLOX."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.types import Images
from campro.models.persons.letterbox import letterbox
from campro.models.persons.person_detector import checked_images
from campro.models.persons.yolox import YoloxDetector

LEAST_CLASSES = 2


@torch.no_grad()
def object_scores(
    detector: YoloxDetector, images: Images | Sequence[Float[Tensor, "3 H W"]]
) -> Float[Tensor, "B classes"]:
    """Highest confidence of each class over all cells of the network, in [0, 1].

    Raises:
        CamproError: for a detector of persons alone, or an image with another shape or values outside [0, 1].
    """
    if detector.net.shape.classes < LEAST_CLASSES:
        raise CamproError(detector.card.name, "a detector of COCO's classes", "one of persons", "use yolox-nano")
    pictures = checked_images(images, detector.card.name)
    if not pictures:
        return torch.zeros(0, detector.net.shape.classes)
    rows = []
    for picture in pictures:
        raw = detector.net(letterbox([picture], detector.card.size).flip(1) * 255)[0]
        rows.append((raw[:, 4:5].sigmoid() * raw[:, 5:].sigmoid()).amax(0))
    return torch.stack(rows)
