"""Deploy profiles to every tuning file of a libcamera checkout: how many are accepted, and why others are refused.

With `--probe`, the program of examples/libcamera_probe, each written file of a Raspberry Pi is also read by libcamera's
own code, and what it gives to the hardware is compared with realised.json times the file's calibrated matrices.
"""

from __future__ import annotations

import argparse
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from campro.cameras.edits import Document
from campro.cameras.file_kinds import AUTO
from campro.cameras.target_camera import BASE
from campro.cameras.tuning_algorithms import light_matrices, settings_of
from campro.core.errors import CamproError
from campro.deploy.deployment import deploy
from campro.isp import load_profile
from campro.isp.limits import parts

PROFILES = ("campro-default", "campro-strong")
TOP = 65535
"""Largest value of a curve."""


@dataclass
class Probed:
    """What libcamera's own code made of the written files."""

    loaded: int = 0
    failed: int = 0
    matrix: float = 0.0
    """Largest difference of a matrix entry, in numbers of the file."""
    curve: float = 0.0
    """Largest difference of a point of the curve, of 65535."""


def main(checkout: Path, out: Path, probe: Path | None) -> None:
    """Deploy to every file, and print the counts by kind and profile."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    probed = Probed()
    for file in sorted(one for one in checkout.glob("src/ipa/**/data/*.*") if one.suffix in (".json", ".yaml")):
        kind = str(file.parent.parent.relative_to(checkout / "src" / "ipa"))
        for profile in PROFILES:
            folder = out / kind / profile / file.stem
            result = deployed(file, kind, profile, folder)
            counts[kind, profile][result] += 1
            if probe is not None and (folder / "tuning.json").exists():  # of a Raspberry Pi: others have YAML
                compare(probe, folder, file, probed)
    for (kind, profile), results in counts.items():
        print(f"{kind}, {profile}: " + "; ".join(f"{count} {text}" for text, count in results.items()))
    if probe is not None:
        print(
            f"libcamera: {probed.loaded} files loaded, {probed.failed} not; matrix entries off by at most "
            f"{probed.matrix:.4f}, the curve by {probed.curve:g} of {TOP}"
        )


def deployed(file: Path, kind: str, profile: str, folder: Path) -> str:
    """Deploy a profile; `--target rkisp1` is named where the file's algorithms fit several processors."""
    for target in (AUTO, "rkisp1") if kind == "rkisp1" else (AUTO,):
        try:
            done = deploy(target, profile, file, folder, fit=True, fixed_white_balance=True)
        except CamproError as error:
            reason = str(error).removeprefix(f"{file}: ")
        else:
            return ("accepted" if target == AUTO else "accepted with --target") + (
                ", NOT PROTECTED" * bool(done.misses)
            )
    return f"refused: {reason}"


def compare(probe: Path, folder: Path, base: Path, probed: Probed) -> None:
    """Read a written file by libcamera's own code, and compare what it gives to the hardware."""
    words = [str(probe), str(folder / "tuning.json")]
    lines = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    if not lines or not lines[0].endswith("returns 0"):
        probed.failed += 1
        return
    probed.loaded += 1
    ccm, lut = parts(load_profile(folder / "realised.json"))
    document = Document(base.read_text(encoding="utf-8"), BASE)
    settings = settings_of(document, "rpi.ccm")
    assert settings is not None
    own = light_matrices(document, settings)
    lights = [document.number(Document.get(entry, "ct"), "ct") for entry, _, _ in own]
    for line in lines[1:]:
        name, numbers = line.split(":")
        if name.startswith("matrix at "):
            light = float(name.split()[2])
            entries = [np.interp(light, lights, [matrix[i] for _, _, matrix in own]) for i in np.ndindex(3, 3)]
            wanted = np.array(ccm.matrix) @ np.reshape(entries, (3, 3))
            found = np.array(numbers.split(), float).reshape(3, 3)
            probed.matrix = max(probed.matrix, float(np.abs(found - wanted).max()))
        else:
            x, y = np.array([point.split(",") for point in numbers.split()], float).T
            wanted = np.interp(x / TOP, lut.positions, lut.values[0]) * TOP
            probed.curve = max(probed.curve, float(np.abs(y - wanted).max()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="sources of libcamera")
    parser.add_argument("out", type=Path, help="folder for the deployed files")
    parser.add_argument("--probe", type=Path, help="program built by examples/libcamera_probe/build.sh")
    main(**vars(parser.parse_args()))
