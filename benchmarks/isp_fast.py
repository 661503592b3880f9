"""A profile on a 1920 x 1080 photograph: the fast path against its peers, by `python -m benchmarks.isp_fast`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.common import in_turns, photograph, summary, write
from campro.core.types import Rgb8
from campro.isp import Ccm, GammaLut, IspProfile, apply, functional, load_profile

FRAMES = 60
"""Frames that FFmpeg is handed; its own start is measured with the filter left out, and taken off."""


def torch_float(profile: IspProfile, rgb: Rgb8) -> Rgb8:
    """The straightforward way: float tensors, one operation after the other."""
    ccm, lut = _blocks(profile)
    x = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
    x = functional.apply_ccm(functional.degamma(x), torch.tensor(ccm.matrix))
    x = functional.apply_lut(x, torch.tensor(lut.values), torch.tensor(lut.positions))
    return (x * 255 + 0.5).floor().to(torch.uint8)[0].permute(1, 2, 0).numpy()


def opencv(profile: IspProfile, rgb: Rgb8) -> Rgb8:
    """LUT, matrix, LUT on 8 bits: coarser than the fast path, as the middle is rounded."""
    ccm, lut = _blocks(profile)
    levels = np.arange(256) / 255
    linear = np.round(255 * levels**2.2).astype(np.uint8)
    curves = [np.interp(levels, lut.positions, lut.values[min(c, len(lut.values) - 1)]) for c in range(3)]
    back = np.round(255 * np.stack(curves, 1)).astype(np.uint8)[None]
    return np.asarray(cv2.LUT(cv2.transform(cv2.LUT(rgb, linear), np.array(ccm.matrix)), back))


def ffmpeg_ms(profile: IspProfile, rgb: Rgb8) -> float | None:
    """Milliseconds a frame of FFmpeg's lut3d (33 points, its own threads), or None where FFmpeg is missing."""
    if shutil.which("ffmpeg") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        cube = Path(folder) / "profile.cube"
        grid = np.round(np.linspace(0, 255, 33)).astype(np.uint8)
        blue, green, red = np.meshgrid(grid, grid, grid, indexing="ij")  # red runs fastest
        colours = apply(profile, np.stack([red, green, blue], -1).reshape(1, -1, 3))[0] / 255
        rows = "\n".join(" ".join(f"{v:.6f}" for v in row) for row in colours)
        cube.write_text(f"LUT_3D_SIZE 33\n{rows}\n")
        clip = Path(folder) / "clip.rgb"
        clip.write_bytes(rgb.tobytes() * FRAMES)
        with_filter = min(_ffmpeg(clip, rgb, ["-vf", f"format=gbrp,lut3d={cube}"]) for _ in range(3))
        without = min(_ffmpeg(clip, rgb, ["-vf", "format=gbrp"]) for _ in range(3))
    return 1e3 * (with_filter - without) / FRAMES


def _ffmpeg(clip: Path, rgb: Rgb8, options: list[str]) -> float:
    size = f"{rgb.shape[1]}x{rgb.shape[0]}"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-i", str(clip)]
    start = time.perf_counter()
    subprocess.run(["ffmpeg", "-v", "error", *source, *options, "-f", "null", "-"], check=True)
    return time.perf_counter() - start


def _blocks(profile: IspProfile) -> tuple[Ccm, GammaLut]:
    ccm = next(block for block in profile.blocks if isinstance(block, Ccm))
    return ccm, next(block for block in profile.blocks if isinstance(block, GammaLut))


def _pictures(rgb: Rgb8) -> dict[str, Rgb8]:
    """1920 x 1080: a clean photograph, as by day with noise, as by night, noise alone; and the photograph in 4K."""
    rng = np.random.default_rng(0)
    day = np.clip(rgb + rng.normal(0, 3, rgb.shape), 0, 255).astype(np.uint8)
    night = np.clip(rgb / 8 + rng.normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)
    noise = rng.integers(0, 256, rgb.shape, dtype=np.uint8)
    large = photograph(3840, 2160)
    return {
        "photograph": rgb,
        "photograph, noise of 3 levels": day,
        "an eighth of the light, noise of 6 levels": night,
        "uniform noise": noise,
        "photograph, 3840 x 2160": large,
    }


def main() -> None:
    """Measure and write."""
    profile, rgb = load_profile("campro-default"), photograph()
    results = {}
    for name, picture in _pictures(rgb).items():
        ways: dict[str, Callable[[], Any]] = {
            "campro.apply": partial(apply, profile, picture),
            "torch float": partial(torch_float, profile, picture),
            "opencv 8-bit": partial(opencv, profile, picture),
            "memory copy": partial(np.copyto, np.empty_like(picture), picture),
        }
        results[name] = summary(in_turns(ways), "campro.apply")
    if (per_frame := ffmpeg_ms(profile, rgb)) is not None:
        ours = results["photograph"]["campro.apply"]["median_ms"]
        results["ffmpeg lut3d, photograph"] = {
            "median_ms": round(per_frame, 3),
            "times_ours": round(per_frame / ours, 2),
        }
    write("isp_fast", results)


if __name__ == "__main__":
    main()
