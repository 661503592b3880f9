"""Errors of `campro calibrate` with simulated pairs of shots, by `python -m benchmarks.calibrate_cameras`.

Each case has ten pairs of shots by a camera whose matrix differs from the nominal one by 0.04 (standard deviation).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.common import write
from benchmarks.simulated_shots import Conditions, default_profile, random_tone, scenes, shot
from campro.deploy.colour_fit import fit_colours
from campro.deploy.colour_samples import sampled
from campro.deploy.fit_checks import checked
from campro.deploy.shot_pairs import NoPair, Pair, registered
from campro.isp import Ccm, IspProfile, load_profile
from campro.isp.limits import camera_profile, parts

PAIRS = 10
MIXED = Ccm(((0.8, 0.3, -0.1), (-0.2, 0.9, 0.3), (0.3, -0.2, 0.9)))
Draw = Callable[[np.random.Generator], Conditions]
CASES: dict[str, Draw] = {
    "fixed exposure": lambda rng: Conditions(),
    "exposure differs by up to 0.35 EV": lambda rng: Conditions(stops=rng.uniform(-0.35, 0.35)),
    "white balance differs by up to 17 %": lambda rng: Conditions(
        balance=(rng.uniform(0.83, 1.17), rng.uniform(0.83, 1.17))
    ),
    "local tone mapping": lambda rng: Conditions(local=0.35),
    "JPEG quality 70": lambda rng: Conditions(quality=70),
}


def mixed() -> IspProfile:
    """A profile that mixes colours: they determine its matrix well."""
    return camera_profile("mixed", MIXED, parts(load_profile("negative"))[1])


def case(nominal: IspProfile, draw: Draw, seed: int = 0) -> dict[str, Any]:
    """Fit one camera: the error of its matrix, and what the checks report."""
    rng = np.random.default_rng(seed)
    ccm, lut = parts(nominal)
    matrix = np.array(ccm.matrix) + rng.normal(0, 0.04, (3, 3))
    true = camera_profile("true", Ccm(tuple(tuple(row) for row in matrix.tolist())), lut)
    default, pairs = default_profile(random_tone(rng)), list[Pair]()
    for index, scene in enumerate(scenes()[:PAIRS]):
        state = draw(rng)
        shots = (
            shot(scene, default, replace(state, stops=0.0, balance=(1.0, 1.0)), rng, moved=False),
            shot(scene, true, state, rng),
        )
        try:
            pairs.append(registered(str(index), *shots, nominal))
        except NoPair:
            continue
    samples = sampled(pairs)
    start = time.process_time()
    fit = fit_colours(samples, nominal)
    seconds = time.process_time() - start
    checks = checked(fit, samples, [pair.name for pair in pairs], None)
    interval = np.array(checks.matrix_interval)
    return {
        "pairs": len(pairs),
        "nominal_matrix_error": round(float(np.abs(np.array(ccm.matrix) - matrix).mean()), 3),
        "matrix_error": round(float(np.abs(fit.model.matrix - matrix).mean()), 3),
        "interval_width": round(float((interval[1] - interval[0]).mean()), 3),
        "residual_by_place": checks.local_levels,
        "problems": len(checks.problems),
        "notes": len(checks.notes),
        "fit_seconds": round(seconds, 1),
    }


def main() -> None:
    """Fit every case, and write the table."""
    nominals = {"mixed": mixed(), **{name: load_profile(name) for name in ("campro-default", "campro-strong")}}
    write(
        "calibrate_cameras",
        {f"{name}, {kind}": case(nominal, draw) for name, nominal in nominals.items() for kind, draw in CASES.items()},
    )


if __name__ == "__main__":
    main()
