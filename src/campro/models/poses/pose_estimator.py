"""The interface of pose estimators: top-down, from person boxes to COCO's 17 key points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from jaxtyping import Float
from torch import Tensor

from campro.core.types import Images, Poses
from campro.models.preprocessing import PictureCard

JOINTS = 17
"""COCO's key points: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; left before right."""


@dataclass(frozen=True)
class PoseCard(PictureCard):
    """Metadata and preprocessing of a pose estimator that is given crops of single people."""

    kind: Literal["heat maps", "coordinates"] = "heat maps"
    """Output: heat maps (B, K, h, w), or coordinates of a regression (B, K, 2 or 3) or (B, 2 K) as x, y[, score]."""
    unit: Literal["crop", "pixels"] = "crop"
    """Of coordinates: shares of the width and height of the crop, or its pixels."""
    margin: float = 1.25
    """The crop is the box, grown to the aspect ratio of the input, times this factor."""
    points: tuple[int, ...] = tuple(range(JOINTS))
    """For each key point of COCO its number among the K of the network."""

    def _problem(self) -> str:
        if found := super()._problem():
            return found
        if self.kind not in ("heat maps", "coordinates") or self.unit not in ("crop", "pixels"):
            return f"kind {self.kind!r:.40} or unit {self.unit!r:.40}"
        points: Any = self.points
        if not isinstance(points, tuple) or len(points) != JOINTS or not all(_is_index(point) for point in points):
            return "points that are not 17 whole numbers"
        if not (isinstance(self.margin, (int, float)) and 0.5 <= self.margin <= 4):
            return f"margin {self.margin!r:.40} outside [0.5, 4]"
        return ""


class PoseEstimator(Protocol):
    """Finds the key points of people whose boxes are given."""

    card: PoseCard

    def estimate(
        self, images: Images | Sequence[Float[Tensor, "3 H W"]], boxes: Sequence[Float[Tensor, "N 4"]]
    ) -> list[Poses]:
        """Key points of the person in each box.

        Args:
            images: B images (3, H, W), sRGB in [0, 1], of any sizes.
            boxes: per image N boxes (x0, y0, x1, y1) in pixels of the image; N may be 0.

        Returns:
            One `Poses` per image, in the order of the boxes, in pixels of the image.

        Raises:
            CamproError: if an image has another shape or values outside [0, 1], or there are not as many lists of boxes
                as images.
        """
        ...


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1000
