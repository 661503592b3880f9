"""Confusion matrix of `campro verify` over simulated cameras, by `python -m benchmarks.verify_cameras`.

Each camera has a tone curve, noise, a movement between its shots and a scene of its own; kinds and the two profiles
take turns. The thresholds of `campro verify` were chosen with other cameras (`--seed 1000`).
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace

import numpy as np

from benchmarks.common import write
from benchmarks.simulated_shots import Conditions, default_profile, random_tone, scenes, shot
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


def main() -> None:
    """Verify every camera, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print every camera, and write nothing")
    options = parser.parse_args()
    two: dict[str, Counter[str]] = {f"{name}, {kind}": Counter() for name in PROFILES for kind in KINDS}
    one: dict[str, Counter[str]] = {cell: Counter() for cell in two}
    for index in range(options.cameras):
        kind, name = list(KINDS)[index // len(PROFILES) % len(KINDS)], PROFILES[index % len(PROFILES)]
        protected, default = simulated(options.seed + index, kind, name)
        verdict = compared(protected, default, load_profile(name))
        single = alone(protected, load_profile(name))
        two[f"{name}, {kind}"][verdict.answer] += 1
        one[f"{name}, {kind}"][single.answer] += 1
        if options.show:
            best = list(verdict.errors.items())[:3]
            ours = verdict.errors.get("the profile")
            print(
                index, kind, name, "|", verdict.answer, "|", single.answer, "|", ours, best, verdict.reason, flush=True
            )
    if not options.show:
        truth = {f"{name}, {kind}": KINDS[kind] for name in PROFILES for kind in KINDS}
        cells = [{"cameras": c, "truth": truth[c], "two shots": dict(two[c]), "one shot": dict(one[c])} for c in two]
        write("verify_cameras", {"seed": options.seed, "cameras": cells})


if __name__ == "__main__":
    main()
