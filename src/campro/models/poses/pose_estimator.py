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
    """First output: heat maps (B, K, h, w) or (B, h, w, K), or coordinates (B, K, values of a point), flat or not."""
    unit: Literal["crop", "pixels"] = "crop"
    """Of coordinates: shares of the width and height of the crop, or its pixels."""
    values: tuple[str, ...] = ()
    """Of coordinates: what the values of a point are, in their order; among them x, y and `score`, the others are
    ignored. Empty: x, y and, in an output (B, K, 3), a score."""
    score: str = "score"
    """Which of `values` is the score of a point; without it every score is 1."""
    logits: bool = False
    """The score is a logit, of which a sigmoid makes a probability."""
    margin: float = 1.25
    """The crop is the box, grown to the aspect ratio of the input, times this factor."""
    points: tuple[int, ...] = tuple(range(JOINTS))
    """For each key point of COCO its number among the K of the network."""

    def _problem(self) -> str:
        if found := super()._problem():
            return found
        if self.kind not in ("heat maps", "coordinates") or self.unit not in ("crop", "pixels"):
            return f"kind {self.kind!r:.40} or unit {self.unit!r:.40}"
        if problem := self._problem_of_values():
            return problem
        points: Any = self.points
        if not isinstance(points, tuple) or len(points) != JOINTS or not all(_is_index(point) for point in points):
            return "points that are not 17 whole numbers"
        if not (isinstance(self.margin, (int, float)) and 0.5 <= self.margin <= 4):
            return f"margin {self.margin!r:.40} outside [0.5, 4]"
        return ""

    def _problem_of_values(self) -> str:
        values: Any = self.values
        if not isinstance(values, tuple) or not all(isinstance(value, str) for value in values):
            return "values that are not a list of names"
        if values and not (len(set(values)) == len(values) and {"x", "y"} <= set(values)):
            return f"values {', '.join(values)!r:.60} instead of different names, x and y among them"
        if self.score != "score" and self.score not in values:
            return f"score {self.score!r:.40} that is none of `values`"
        return "" if isinstance(self.logits, bool) else f"logits {self.logits!r:.40} instead of true or false"


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
