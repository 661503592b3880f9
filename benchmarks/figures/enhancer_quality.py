"""Image quality and faces left out on photographs, of captured pictures and of enhancers: a row each.

python -m benchmarks.figures.enhancer_quality PROFILE PHOTOGRAPHS [NAME=FILE.onnx[:FILL] ...]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

from campro.audit.image_quality import OUTSIDE, WHOLE, faces_left_out, picture_quality
from campro.audit.results import FacesLeftOut, QualityResult
from campro.audit.views import with_black_fill
from campro.core.chain import Chain
from campro.core.images import list_images
from campro.core.types import ImageTransform
from campro.enhance.fill_names import Fill
from campro.enhance.runner import load_enhancer
from campro.isp import Camera

FIGURES = {"psnr": ".2f", "ssim": ".3f", "ms_ssim": ".3f"}


def main(profile: str, photographs: Path, enhancers: dict[str, str]) -> None:
    """Print a table in Markdown: PSNR, SSIM, MS-SSIM outside faces and whole, and blackened faces per detector."""
    camera, photos = Camera(profile, "captured"), list_images(photographs)
    views: list[ImageTransform] = [camera]
    for name, place in enhancers.items():
        path, _, fill = place.partition(":")
        enhancer = load_enhancer(Path(path), cast("Fill | None", fill or None))
        enhancer.check_profile(camera.digest, profile)
        views.append(Chain(name, camera, enhancer))
    print(f"| {len(photos)} photographs | outside faces | whole | faces left out |\n|---|---|---|---|")
    for view in views:
        regions = picture_quality(photos, view, "yunet")
        shown = [_quality(regions[region]) for region in (OUTSIDE, WHOLE)]
        left = [_left_out(name, cell) for name, cell in faces_left_out(photos, with_black_fill(view)).items()]
        print(f"| {view.name} | {' | '.join(shown)} | {'; '.join(left)} |", flush=True)


def _quality(result: QualityResult) -> str:
    return ", ".join(f"{getattr(result, name):{form}}" for name, form in FIGURES.items())


def _left_out(detector: str, result: FacesLeftOut) -> str:
    share, low, high = (f"{100 * value:.0f}" for value in (result.whole.mean, result.whole.low, result.whole.high))
    return f"{share} [{low}, {high}] % of {result.faces} ({detector}), {100 * result.area:.0f} % of their area"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), dict(word.split("=", 1) for word in sys.argv[3:]))
