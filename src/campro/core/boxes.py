"""torchvision's functions on boxes (x0, y0, x1, y1), imported when they are called: the import takes seconds."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor


def nms(boxes: Float[Tensor, "N 4"], scores: Float[Tensor, "N"], overlap: float) -> Int[Tensor, "K"]:
    """Non-maximum suppression: indices of the boxes that are kept, by falling score.

    Of boxes whose intersection over union exceeds `overlap` the one of highest score is kept.
    """
    from torchvision import ops

    kept: Tensor = ops.nms(boxes, scores, overlap)
    return kept


def box_iou(boxes: Float[Tensor, "N 4"], others: Float[Tensor, "M 4"]) -> Float[Tensor, "N M"]:
    """Intersection over union of each pair of boxes."""
    from torchvision import ops

    overlap: Tensor = ops.box_iou(boxes, others)
    return overlap


def box_convert(boxes: Float[Tensor, "N 4"], source: str, target: str) -> Float[Tensor, "N 4"]:
    """Convert boxes between the formats "xyxy" (corners) and "cxcywh" (centre and size)."""
    from torchvision import ops

    converted: Tensor = ops.box_convert(boxes, source, target)
    return converted
