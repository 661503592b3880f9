"""Deployment of a profile: round it as the camera does, write the camera's files, read them back and compare."""

from __future__ import annotations

from pathlib import Path

from campro.cameras.camera_table import find_camera
from campro.cameras.file_kinds import AUTO, check_kind, detect_camera
from campro.cameras.target_camera import BASE, FileNotes, TargetCamera, read_text
from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.deploy.profile_difference import difference
from campro.isp.profile import IspProfile, load_profile

REALISED, PAGE = "realised.json", "README.md"


def deploy(target: str, profile: str, base: Path | None, out: Path, fit: bool = False) -> str:
    """Write the camera's files, realised.json and README.md into the folder `out`.

    realised.json is the profile as the camera rounds it, read back from the written files: audit that one.

    Args:
        target: Name of a camera in `CAMERAS`, or `auto`: the camera whose kind of file the base is.
        profile: Name of a built-in profile, or path of a profile file.
        base: The camera's own file, if it needs one; never changed.
        out: Folder for the files.
        fit: Deploy the nearest profile within the camera's limits if this one is not.

    Returns:
        Lines for the user: the mean and largest difference between the profile and realised.json, in 8-bit levels,
        and what the file had switched off, what was switched on and off, and what still acts on the picture.

    Raises:
        CamproError: If the camera cannot hold the profile (and `fit` is false), or the base is not its own file, or
            `out` is the base's folder and a file would replace it.
    """
    try:
        return _deploy(target, load_profile(profile), base, out, fit)
    except CamproError as error:
        raise error.renamed(BASE, str(base)) from error


def _deploy(target: str, wanted: IspProfile, base: Path | None, out: Path, fit: bool) -> str:
    camera, text = _camera_and_text(target, base)
    held = camera.limits.fitted(wanted) if fit and camera.limits.problems(wanted) else camera.limits.realised(wanted)
    written = camera.write(held, text)
    realised = IspProfile(f"{wanted.name}-{camera.name}", camera.read(written, text).blocks, wanted.provenance)
    if base is not None and base.resolve().parent == out.resolve() and base.name in {*written, REALISED, PAGE}:
        raise CamproError("deploy", "an --out that leaves --base alone", str(base), "choose another folder")
    notes = camera.notes(text)
    page = camera.page_text() + notes_section(notes)
    for name, content in {**written, REALISED: realised.to_json(), PAGE: page}.items():
        atomic_write(out / name, content)
    apart = difference(wanted, realised)
    exactness = f"off by {apart.mean:.2f} of 255 levels on average, {apart.largest} at most"
    return "\n".join([f"{out}: {wanted.name} on {camera.title}; {exactness}", *notes_lines(notes)])


def _camera_and_text(target: str, base: Path | None) -> tuple[TargetCamera, str]:
    """The camera, and the text of its own file ("" if it needs none).

    Raises:
        CamproError: If the target is unknown, the file is unreadable, or it is another camera's.
    """
    if target != AUTO:
        camera = find_camera(target)
        text = camera.read_base(base)
        if camera.base:
            check_kind(camera, text)
        return camera, text
    if base is None:
        wanted = "--base FILE, the camera's own file, or --target NAME"
        raise CamproError("deploy", wanted, "neither", "campro targets lists the cameras")
    text = read_text(base, "a tuning file or an IQ file (text)")
    return detect_camera(text), text


def notes_lines(notes: FileNotes) -> list[str]:
    """What was switched on and off, and what still acts on the picture: one line each, warnings last."""
    lines = [f"switched on: {one}" for one in notes.switched_on]
    lines += [f"switched off: {one}" for one in notes.switched_off]
    if notes.still_acts:
        lines.append(f"still acts on the picture: {'; '.join(notes.still_acts)}")
    return lines + [f"WARNING: {one}" for one in notes.warnings]


def notes_section(notes: FileNotes) -> str:
    """The same as a section of the page; empty if there is nothing to state."""
    lines = notes_lines(notes)
    return "\n## This file\n\n" + "".join(f"- {line}\n" for line in lines) if lines else ""
