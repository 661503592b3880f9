"""Confusion matrix of `campro verify` over simulated cameras, by `python -m benchmarks.verify_cameras`.

Each camera has a tone curve, noise, a movement between its shots and a scene of its own; kinds and the two profiles
take turns. The thresholds of `campro verify` were chosen with other cameras (`--seed 1000`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import write
from benchmarks.simulated_shots import Conditions, default_profile, random_tone, scenes, shot
from campro.core.atomic_io import atomic_write
from campro.core.provenance import current_origin
from campro.deploy.verification import alone, compared
from campro.isp import Ccm, GammaLut, IspProfile, load_profile
from campro.isp.limits import camera_profile, parts

PROFILES = ("campro-default", "campro-strong")
WRONG = ("campro-default", "campro-strong", "negative", "skin-null")
KINDS = {
    "with the profile": "yes",
    "with it, JPEG 50 to 80": "yes",
    "with it, other exposure": "yes",
    "without": "no",
    "without, JPEG, exposure": "no",
    "another profile": "no",
    "its matrix only": "no",
    "its curve only": "no",
}
"""Kind of camera -> true answer."""
UNIT = Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1)))


def camera(kind: str, name: str, tone: np.ndarray, rng: np.random.Generator) -> IspProfile:
    """What a camera of this kind runs."""
    profile, own = load_profile(name), default_profile(tone)
    (ccm, lut), (_, own_lut) = parts(profile), parts(own)
    if kind.startswith("without"):
        return own
    if kind == "another profile":
        return load_profile(str(rng.choice([other for other in WRONG if other != name])))
    halves: dict[str, tuple[Ccm, GammaLut]] = {"its matrix only": (ccm, own_lut), "its curve only": (UNIT, lut)}
    return camera_profile(kind, *halves[kind]) if kind in halves else profile


def conditions(kind: str, rng: np.random.Generator) -> Conditions:
    """Noise, JPEG quality, and differences of exposure and white balance."""
    found = Conditions(noise=float(10 ** rng.uniform(-4, -3)), stops=rng.uniform(-0.05, 0.05))
    if "JPEG" in kind:
        found = replace(found, quality=int(rng.integers(50, 81)))
    if "exposure" in kind:
        red, blue = np.exp(rng.uniform(-0.15, 0.15, 2)).tolist()
        found = replace(found, stops=rng.uniform(-0.7, 0.7), balance=(red, blue))
    return found


def simulated(seed: int, kind: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The camera's shot and its default shot."""
    rng = np.random.default_rng(seed)
    scene, tone, state = scenes()[rng.integers(len(scenes()))], random_tone(rng), conditions(kind, rng)
    default = shot(scene, default_profile(tone), replace(state, stops=0.0, balance=(1.0, 1.0)), rng, moved=False)
    return shot(scene, camera(kind, name, tone, rng), state, rng), default


def verdicts(seed: int, index: int) -> dict[str, Any]:
    """The answers for one camera, from both shots and from the protected one alone."""
    kind, name = list(KINDS)[index // len(PROFILES) % len(KINDS)], PROFILES[index % len(PROFILES)]
    protected, default = simulated(seed + index, kind, name)
    verdict, single = compared(protected, default, load_profile(name)), alone(protected, load_profile(name))
    cell = f"{name}, {kind}"
    return {"camera": cell, "two": verdict.answer, "one": single.answer, "reason": verdict.reason}


def main() -> None:
    """Verify every camera, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60, help="stop after these, to go on later with --kept")
    parser.add_argument("--kept", type=Path, help="file that keeps the answers for each camera, of one commit and seed")
    options = parser.parse_args()
    kept: dict[str, Any] = {"seed": options.seed, "commit": current_origin().commit, "answers": []}
    if options.kept is not None and options.kept.exists():
        before = json.loads(options.kept.read_text())
        kept = before if {**before, "answers": []} == kept else kept
    end = time.monotonic() + 60 * options.minutes
    for index in range(len(kept["answers"]), options.cameras):
        if time.monotonic() > end:
            return
        kept["answers"].append(verdicts(options.seed, index))
        print(index, *kept["answers"][-1].values(), sep=" | ", flush=True)
        if options.kept is not None:
            atomic_write(options.kept, json.dumps(kept))
    cells = []
    for name, kind in itertools.product(PROFILES, KINDS):
        found = [one for one in kept["answers"] if one["camera"] == f"{name}, {kind}"]
        two, one = (dict(Counter(answer[shots] for answer in found)) for shots in ("two", "one"))
        cells.append({"cameras": f"{name}, {kind}", "truth": KINDS[kind], "two shots": two, "one shot": one})
    write("verify_cameras", {"seed": options.seed, "cameras": cells})


if __name__ == "__main__":
    main()
