"""Errors of `campro calibrate` with simulated pairs of shots, by `python -m benchmarks.calibrate_cameras`.

Each case has ten pairs of shots by a camera whose matrix differs from the nominal one by 0.04 (standard deviation).
Every fourth pair decides whether the fitted or the nominal matrix is taken, as in `campro calibrate`.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.common import write
from benchmarks.simulated_shots import LIGHT, Conditions, default_profile, random_tone, scenes, shot
from campro.deploy.colour_fit import FIXED_SPREAD, MATRIX_SPREAD, better_fit, fit_colours, prediction_error
from campro.deploy.colour_model import ColourModel
from campro.deploy.colour_samples import Samples, sampled
from campro.deploy.face_colours import face_colours
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


def face_errors(tone: np.ndarray, true: IspProfile, models: dict[str, ColourModel]) -> dict[str, float]:
    """Mean difference, in 8-bit levels, of what the camera and each model make of colours of skin in default shots."""
    levels = face_colours().reshape(-1, 3) / 255
    light = np.interp(levels, tone, LIGHT)
    ccm, lut = parts(true)
    mixed = (light @ np.array(ccm.matrix).T).clip(0, 1)
    wanted = np.interp(mixed, lut.positions, lut.values[0])
    skin = Samples(levels, levels, np.zeros(len(levels), int), np.zeros((len(levels), 2)))
    alone = {name: replace(model, gains=np.zeros((1, 3))) for name, model in models.items()}
    return {name: round(float(np.abs(255 * (model.outputs(skin) - wanted)).mean()), 2) for name, model in alone.items()}


def case(nominal: IspProfile, draw: Draw, seed: int = 0) -> dict[str, Any]:
    """Fit one camera: the error of its matrix, and what the checks report."""
    rng = np.random.default_rng(seed)
    ccm, lut = parts(nominal)
    matrix = np.array(ccm.matrix) + rng.normal(0, 0.04, (3, 3))
    true = camera_profile("true", Ccm(tuple(tuple(row) for row in matrix.tolist())), lut)
    tone, pairs = random_tone(rng), list[Pair]()
    default = default_profile(tone)
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
    samples = sampled([pair for index, pair in enumerate(pairs) if index % 4 != 3])
    held_out = sampled(pairs[3::4], 1)
    start = time.process_time()
    fit, kept = better_fit(samples, held_out, nominal)
    seconds = time.process_time() - start
    free, nominal_fit = (fit_colours(samples, nominal, matrix_spread=one) for one in (MATRIX_SPREAD, FIXED_SPREAD))
    models = {"nominal matrix": nominal_fit.model, "fitted": free.model}
    checks = checked(free, samples, [str(index) for index in range(samples.pair.max() + 1)], None)
    interval = np.array(checks.matrix_interval)
    return {
        "pairs": len(pairs),
        "nominal_matrix_error": round(float(np.abs(np.array(ccm.matrix) - matrix).mean()), 3),
        "fitted_matrix_error": round(float(np.abs(free.model.matrix - matrix).mean()), 3),
        "matrix_error": round(float(np.abs(fit.model.matrix - matrix).mean()), 3),
        "nominal_matrix_kept": kept,
        "held_out_levels": {name: round(255 * prediction_error(model, held_out), 2) for name, model in models.items()},
        "skin_levels": face_errors(tone, true, models),
        "interval_width": round(float((interval[1] - interval[0]).mean()), 3),
        "residual_by_place": checks.local_levels,
        "problems": len(checks.problems),
        "notes": len(checks.notes),
        "fit_seconds": round(seconds, 1),
    }


def main() -> None:
    """Fit every case, and write the table; `--show NAME,NAME` prints the cases of some instead."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", default="")
    shown = parser.parse_args().show
    nominals = {"mixed": mixed(), **{name: load_profile(name) for name in ("campro-default", "campro-strong")}}
    if shown:
        for name, (kind, draw) in itertools.product(shown.split(","), CASES.items()):
            print(name, kind, case(nominals[name], draw), flush=True)
        return
    write(
        "calibrate_cameras",
        {f"{name}, {kind}": case(nominal, draw) for name, nominal in nominals.items() for kind, draw in CASES.items()},
    )


if __name__ == "__main__":
    main()
