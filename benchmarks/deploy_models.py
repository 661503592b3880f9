"""Profiles as cameras round them, on a 1920 x 1080 photograph: against the profile in floats, and finding them.

By `python -m benchmarks.deploy_models`.
"""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from benchmarks.common import in_turns, photograph, summary, write
from campro.cameras.camera_table import CAMERAS
from campro.isp import apply, load_profile

PROFILE = "campro-default"


def main() -> None:
    """Measure and write."""
    rgb, wanted = np.ascontiguousarray(photograph()), load_profile(PROFILE)
    results = {}
    for name, target in CAMERAS.items():
        start = time.perf_counter()
        held = target.limits.realised(target.limits.fitted(wanted))
        fit_ms = 1e3 * (time.perf_counter() - start)
        ways = {"float": partial(apply, wanted, rgb), "fixed point": partial(apply, held, rgb)}
        results[name] = {"picture": summary(in_turns(ways), "fixed point"), "fit_ms": round(fit_ms, 1)}
    write("deploy_models", results)


if __name__ == "__main__":
    main()
