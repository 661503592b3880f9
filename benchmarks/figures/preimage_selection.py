"""What preimage selection adds to the fast enhancer: quality outside faces, and time at 1920 x 1080, with and without.

python -m benchmarks.figures.preimage_selection PHOTOGRAPHS
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from benchmarks.common import in_turns, photograph, summary
from campro.audit.image_quality import OUTSIDE, WHOLE, picture_quality
from campro.core.chain import Chain
from campro.core.images import list_images
from campro.core.types import Rgb8
from campro.enhance.recolouring import Recoloured
from campro.enhance.runner import SHIPPED, OnnxEnhancer
from campro.isp import Camera

JPEG_QUALITY = 92


class WithoutSelection(OnnxEnhancer):
    """The exact inverse, then the residual LUT and block errors, as for compressed pictures."""

    def _restored(
        self, rgb: Rgb8, recoloured: Recoloured, cell_map: Float32[np.ndarray, "7 h w"], out: Rgb8 | None
    ) -> Rgb8:
        return super()._restored(rgb, recoloured._replace(is_camera_output=False), cell_map, out)


class Jpeg:
    """JPEG compression and decompression."""

    name, digest = "jpeg", f"jpeg {JPEG_QUALITY}"

    def __call__(self, rgb: Rgb8) -> Rgb8:
        data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
        return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])


def main(photographs: Path) -> None:
    """Print PSNR, SSIM and MS-SSIM of both, and the times."""
    camera, photos = Camera("campro-default", "captured"), list_images(photographs)
    ways = {"with": OnnxEnhancer(SHIPPED), "without": WithoutSelection(SHIPPED)}
    for name, enhancer in ways.items():
        regions = picture_quality(photos, Chain(name, camera, enhancer), "yunet")
        for region in (OUTSIDE, WHOLE):
            one = regions[region]
            print(f"{name}, {region}: {one.psnr:.2f} dB, {one.ssim:.3f}, {one.ms_ssim:.3f}", flush=True)
    after_jpeg = picture_quality(photos, Chain("jpeg", camera, Jpeg(), ways["with"]), "yunet")[OUTSIDE]
    print(f"after JPEG, quality {JPEG_QUALITY} (never selected): {after_jpeg.psnr:.2f} dB, {after_jpeg.ssim:.3f}")
    rgb = camera(np.ascontiguousarray(photograph(1920, 1080)))
    seconds = in_turns({name: partial(enhancer, rgb) for name, enhancer in ways.items()}, rounds=7)
    print(summary(seconds, "with"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
