"""What the benchmarks share: timing in turns, a real photograph, and a results file that says where it comes from."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage

from campro.core.atomic_io import atomic_write
from campro.core.provenance import current_origin
from campro.core.typed_json import as_plain
from campro.core.types import Rgb8

RESULTS = Path(__file__).parent / "results"


def in_turns(ways: Mapping[str, Callable[[], Any]], rounds: int = 9) -> dict[str, list[float]]:
    """Seconds of every way in every round; the ways take turns, so that a slow moment hits all of them."""
    for way in ways.values():
        way()  # compile, allocate, fill caches
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def summary(seconds: Mapping[str, list[float]], ours: str) -> dict[str, Any]:
    """Median, least and most milliseconds of every way, and how many times our median it takes."""
    middle = statistics.median(seconds[ours])
    return {
        name: {
            "median_ms": round(1e3 * statistics.median(times), 3),
            "min_ms": round(1e3 * min(times), 3),
            "max_ms": round(1e3 * max(times), 3),
            "times_ours": round(statistics.median(times) / middle, 2),
        }
        for name, times in seconds.items()
    }


def photograph(width: int = 1920, height: int = 1080) -> Rgb8:
    """A real photograph at that size (scikit-image's astronaut, tiled and scaled)."""
    tiled = np.tile(skimage.data.astronaut(), (2, 4, 1))
    return np.asarray(cv2.resize(tiled, (width, height), interpolation=cv2.INTER_AREA))


def write(name: str, results: Mapping[str, Any]) -> None:
    """Print and keep the results."""
    text = json.dumps({"origin": as_plain(current_origin()), "results": dict(results)}, indent=1)
    atomic_write(RESULTS / f"{name}.json", text + "\n")
    print(json.dumps(dict(results), indent=1))
