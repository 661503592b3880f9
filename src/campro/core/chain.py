"""Several image transforms in a row are one image transform: a camera with an enhancer behind it, say."""

from __future__ import annotations

from campro.core.hashing import json_digest
from campro.core.types import ImageTransform, Rgb8


class Chain:
    """The `ImageTransform` that applies its links in order."""

    def __init__(self, name: str, *links: ImageTransform) -> None:
        self.name, self.links = name, links
        self.digest = json_digest([link.digest for link in links])

    def __call__(self, rgb: Rgb8) -> Rgb8:
        for link in self.links:
            rgb = link(rgb)
        return rgb
