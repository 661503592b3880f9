"""Deploy a profile: realise it, write the camera's files, read them back, and say how far the camera is from it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from campro.cameras.camera_table import find_target
from campro.cameras.deploy_target import DeployTarget, difference
from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.isp.profile import IspProfile, load_profile

REALISED, PAGE = "realised.json", "README.md"


def deploy(target: str, profile: str, base: Path | None, out: Path, fit: bool = False) -> str:
    """Write all files into the folder `out`; returns a line on how exact the camera is.

    realised.json is the profile as the camera rounds it, read back from the files: audit that one.

    Raises:
        CamproError: where the camera cannot hold the profile (and `fit` is not asked for), or the base is not its own.
    """
    camera, wanted = find_target(target), load_profile(profile)
    text = camera.read_base(base)
    held = camera.limits.fitted(wanted) if fit and camera.limits.problems(wanted) else camera.limits.realised(wanted)
    written = camera.write(held, text)
    realised = IspProfile(f"{wanted.name}-{camera.name}", camera.read(written, text).blocks, wanted.provenance)
    if base is not None and base.resolve().parent == out.resolve() and base.name in {*written, REALISED, PAGE}:
        raise CamproError("deploy", "an --out that leaves --base alone", str(base), "choose another folder")
    for name, content in {**written, REALISED: realised.to_json(), PAGE: page(camera)}.items():
        atomic_write(out / name, content)
    apart = difference(wanted, realised)
    exactness = f"off by {apart.mean:.2f} of 255 levels on average, {apart.largest} at most"
    return f"{out}: {wanted.name} on {camera.title}; {exactness}"


def page(camera: DeployTarget) -> str:
    """How to install, lock down and check the files of a target."""
    return (files("campro.cameras") / "pages" / f"{camera.page}.md").read_text(encoding="utf-8")
