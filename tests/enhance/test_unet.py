"""The paper's U-Net."""

from __future__ import annotations

from itertools import pairwise

from campro.enhance.enhancers import new_enhancer


def test_the_unet_has_the_number_of_parameters_of_the_paper():
    """Five scales of base 32, counted by hand: two 3 x 3 convolutions a scale, 2 x 2 transposed ones between."""
    widths = [32, 64, 128, 256, 512]
    double = lambda a, b: 9 * a * b + b + 9 * b * b + b  # noqa: E731
    wanted = sum(double(a, b) for a, b in zip([3, *widths], widths))
    wanted += sum(4 * deep * shallow + shallow + double(2 * shallow, shallow) for shallow, deep in pairwise(widths))
    wanted += 32 * 3 + 3
    assert sum(p.numel() for p in new_enhancer("unet").parameters()) == wanted
