"""A sequence of image transforms as one image transform, such as a camera followed by an enhancer."""

from __future__ import annotations

from campro.core.hashing import json_digest
from campro.core.types import ImageTransform, Rgb8


class Chain:
    """The `ImageTransform` that applies several transforms in order; without any, the identity."""

    def __init__(self, name: str, *transforms: ImageTransform) -> None:
        self.name, self.transforms = name, transforms
        self.digest = json_digest([transform.digest for transform in transforms])

    def __call__(self, rgb: Rgb8) -> Rgb8:
        for transform in self.transforms:
            rgb = transform(rgb)
        return rgb
