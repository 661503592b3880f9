"""An enhancer on 8-bit pictures: the fast one against the paper's U-Net, by `python -m benchmarks.enhancer_speed`."""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.common import in_turns, photograph, summary, write
from campro.core.images import to_rgb8, to_tensor
from campro.core.types import Rgb8
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.enhancers import new_enhancer
from campro.enhance.runner import load_enhancer
from campro.isp import Camera

FRAMES = 10
"""The fast one is timed on so many pictures in a row, as in a video; the U-Net's one takes seconds."""
SIZES = {"512x512": (512, 512), "1920x1080": (1920, 1080)}
ENTRIES = 5
"""Raw colours of a captured one, on average over the pixels of photographs."""
PIXEL_MACS = 4 * (ENTRIES * (3 + 2 + 1 + 3 + 3) + 3 + 3) // 3 + 2 + 3
"""Multiply-adds of a pixel outside the networks. It is settled four thirds times: of each raw colour a distance (its
squares, that of the sum, the scale), a weight and a weighted sum; a mean of neighbours before it and a division after.
Then the map's darkness is found and counted.
"""


def unet_rgb8(unet: Enhancer, rgb: Rgb8) -> Rgb8:
    """The U-Net by PyTorch."""
    with torch.inference_mode():
        return to_rgb8(unet(to_tensor(rgb)).clamp(0, 1))[0]


def multiply_adds(enhancer: Enhancer, width: int, height: int) -> int:
    """Of all convolutions, and of the pixel-wise part where there is one."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        enhancer(torch.rand(1, 3, height, width))
    by_pixel = PIXEL_MACS * width * height if hasattr(enhancer, "table") else 0
    return counter.get_total_flops() // 2 + by_pixel


def main() -> None:
    """Measure and write."""
    networks = {name: new_enhancer(name).eval() for name in ("fast", "unet")}
    runner, camera, results = load_enhancer(), Camera("campro-default"), {}
    for label, (width, height) in SIZES.items():
        rgb = camera(np.ascontiguousarray(photograph(width, height)))
        ways = {
            "fast": lambda rgb=rgb: [runner(rgb) for _ in range(FRAMES)],
            "unet": lambda rgb=rgb: unet_rgb8(networks["unet"], rgb),
        }
        macs = {name: multiply_adds(network, width, height) for name, network in networks.items()}
        seconds = in_turns(ways, rounds=5)
        seconds["fast"] = [total / FRAMES for total in seconds["fast"]]
        times = summary(seconds, "fast")
        results[label] = {"time": times, "multiply_adds": macs, "unet_over_fast": round(macs["unet"] / macs["fast"], 1)}
    results["parameters"] = {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}
    write("enhancer_speed", results)


if __name__ == "__main__":
    main()
