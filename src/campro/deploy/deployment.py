"""Deployment of a profile: round it as the camera does, write the camera's files, read them back and compare."""

from __future__ import annotations

from pathlib import Path

from campro.cameras.camera_table import find_camera
from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.deploy.profile_difference import difference
from campro.isp.profile import IspProfile, load_profile

REALISED, PAGE = "realised.json", "README.md"


def deploy(target: str, profile: str, base: Path | None, out: Path, fit: bool = False) -> str:
    """Write the camera's files, realised.json and README.md into the folder `out`.

    realised.json is the profile as the camera rounds it, read back from the written files: audit that one.

    Args:
        target: Name of a camera in `CAMERAS`.
        profile: Name of a built-in profile, or path of a profile file.
        base: The camera's own file, if it needs one; never changed.
        out: Folder for the files.
        fit: Deploy the nearest profile within the camera's limits if this one is not.

    Returns:
        One line with the mean and largest difference between the profile and realised.json, in 8-bit levels.

    Raises:
        CamproError: If the camera cannot hold the profile (and `fit` is false), or the base is not its own file, or
            `out` is the base's folder and a file would replace it.
    """
    camera, wanted = find_camera(target), load_profile(profile)
    text = camera.read_base(base)
    held = camera.limits.fitted(wanted) if fit and camera.limits.problems(wanted) else camera.limits.realised(wanted)
    written = camera.write(held, text)
    realised = IspProfile(f"{wanted.name}-{camera.name}", camera.read(written, text).blocks, wanted.provenance)
    if base is not None and base.resolve().parent == out.resolve() and base.name in {*written, REALISED, PAGE}:
        raise CamproError("deploy", "an --out that leaves --base alone", str(base), "choose another folder")
    for name, content in {**written, REALISED: realised.to_json(), PAGE: camera.page_text()}.items():
        atomic_write(out / name, content)
    apart = difference(wanted, realised)
    exactness = f"off by {apart.mean:.2f} of 255 levels on average, {apart.largest} at most"
    return f"{out}: {wanted.name} on {camera.title}; {exactness}"
